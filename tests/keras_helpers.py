"""What the tests of the Keras cells and layers share.

The tests run with whichever Keras and backend there is: see
test_keras_families.py.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tf_contrib_rnn import keras as indy
from tf_contrib_rnn.keras._family import IS_KERAS_3
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import RUNS_TENSORFLOW

__all__ = ["IS_KERAS_3", "RUNS_TENSORFLOW", "keras"]

BACKEND = keras.backend.backend()
# Why there can be no test of TensorFlow Lite; empty where there can.
LITE_ABORTS = (
  "TensorFlow 2.16's converter ends the process for models of Keras 3"
  if IS_KERAS_3 and tf.__version__.startswith("2.16.")
  else ""
)
BATCH, TIME, FEATURES, UNITS = 4, 6, 5, 7


@dataclasses.dataclass(frozen=True)
class Kind:
  """A layer and its cell, and Keras's with recurrent matrices."""

  layer: Any
  cell: Any
  matrix_layer: Any
  matrix_cell: Any
  gates: int
  states: int
  options: dict = dataclasses.field(default_factory=dict)

  def pair(self, **options):
    """A layer and Keras's of the same weights, built for `inputs()`."""
    return self._pair(
      self.layer, self.matrix_layer, (BATCH, TIME, FEATURES), options
    )

  def pair_of_cells(self, **options):
    return self._pair(self.cell, self.matrix_cell, (BATCH, FEATURES), options)

  def _pair(self, ours, theirs, shape, options):
    pair = [make(UNITS, **self.options, **options) for make in (ours, theirs)]
    for layer in pair:
      layer.build(shape)
    rng = np.random.RandomState(1)
    weights = [draw(rng, w.shape) for w in pair[0].get_weights()]
    pair[0].set_weights(weights)
    weights[1] = diagonal(weights[1])
    pair[1].set_weights(weights)
    return pair

  def initial_states(self):
    rng = np.random.RandomState(2)
    return [draw(rng, (BATCH, UNITS)) for _ in range(self.states)]


_layers = keras.layers
KINDS = {
  "IndRNN": Kind(
    indy.IndRNN,
    indy.IndRNNCell,
    _layers.SimpleRNN,
    _layers.SimpleRNNCell,
    1,
    1,
  ),
  **{
    f"IndyGRU-{'after' if after else 'before'}": Kind(
      indy.IndyGRU,
      indy.IndyGRUCell,
      _layers.GRU,
      _layers.GRUCell,
      3,
      1,
      {"reset_after": after},
    )
    for after in (False, True)
  },
  "IndyLSTM": Kind(
    indy.IndyLSTM, indy.IndyLSTMCell, _layers.LSTM, _layers.LSTMCell, 4, 2
  ),
}

_T = np.arange(TIME)
_LENGTHS = np.array([TIME, 3, 0, 1])[:, np.newaxis]
MASKS = {
  "none": None,
  "full": np.ones([BATCH, TIME], bool),
  "right": _T < _LENGTHS,
  "left": _T >= TIME - _LENGTHS,
  "holes": np.array(
    [
      [1, 0, 1, 1, 0, 1],
      [0, 1, 0, 0, 1, 0],
      [0, 0, 0, 0, 0, 0],
      [1, 1, 0, 1, 0, 0],
    ],
    bool,
  ),
}


def draw(rng, shape, dtype="float32"):
  return rng.uniform(-1, 1, tuple(shape)).astype(dtype)


def inputs():
  return draw(np.random.RandomState(0), (BATCH, TIME, FEATURES))


def diagonal(recurrent_kernel):
  """The matrices [units, gates * units] of vectors [1, gates * units]."""
  gates = recurrent_kernel.reshape(-1, UNITS)
  return np.concatenate([np.diag(gate) for gate in gates], 1)


def of_diagonal(matrices):
  """The vectors of `diagonal`'s matrices."""
  gates = np.split(matrices, matrices.shape[1] // UNITS, 1)
  return np.concatenate([np.diag(gate) for gate in gates])[np.newaxis]


def tensor(array):
  if array is None:
    return None
  if IS_KERAS_3:
    return keras.ops.convert_to_tensor(array)
  return keras.backend.constant(array, dtype=array.dtype.name)


def arrays(results):
  """What a layer returned, as a flat list of NumPy arrays."""
  if isinstance(results, (list, tuple)):
    return [array for result in results for array in arrays(result)]
  if IS_KERAS_3:
    return [keras.ops.convert_to_numpy(results)]
  return [results.numpy()]


def assert_close(got, want, tolerance=2e-6):
  got, want = arrays(got), arrays(want)
  assert len(got) == len(want)
  for g, w in zip(got, want):
    assert g.shape == w.shape
    assert np.all(np.isfinite(g))
    np.testing.assert_allclose(
      g.astype("float64"), w.astype("float64"), rtol=tolerance, atol=tolerance
    )


def gradients(layer, x, **call):
  """Those of a sum of a layer's results, for x and the weights, in NumPy."""
  differentiate = {
    "tensorflow": _tensorflow_gradients,
    "jax": _jax_gradients,
    "torch": _torch_gradients,
  }[BACKEND]
  return [np.asarray(g) for g in differentiate(layer, x, call)]


def variables(layer):
  """The trainable variables as the backend knows them."""
  if not IS_KERAS_3:
    return layer.trainable_variables
  return [variable.value for variable in layer.trainable_variables]


def _loss(results):
  """Weighted, so that no two elements count alike."""
  results = results if isinstance(results, (list, tuple)) else [results]
  total = 0.0
  for result in results:
    size = int(np.prod(result.shape))
    weights = np.cos(np.arange(size)).reshape(tuple(result.shape))
    product = result * tensor(weights.astype("float32"))
    total = total + (
      product.sum() if BACKEND != "tensorflow" else _sum(product)
    )
  return total


def _sum(product):
  import tensorflow as tf

  return tf.reduce_sum(product)


def _tensorflow_gradients(layer, x, call):
  import tensorflow as tf

  x = tf.constant(x)
  with tf.GradientTape() as tape:
    tape.watch(x)
    loss = _loss(layer(x, **call))
  return [g.numpy() for g in tape.gradient(loss, [x, *variables(layer)])]


def _jax_gradients(layer, x, call):
  import jax

  def loss(x, trainable):
    results, _ = layer.stateless_call(
      trainable, layer.non_trainable_variables, x, **call
    )
    return _loss(results)

  of_x, of_variables = jax.grad(loss, (0, 1))(x, variables(layer))
  return [of_x, *of_variables]


def _torch_gradients(layer, x, call):
  import torch

  x = torch.tensor(x, requires_grad=True)
  _loss(layer(x, **call)).backward()
  tensors = [x, *variables(layer)]
  return [t.grad.numpy() for t in tensors]
