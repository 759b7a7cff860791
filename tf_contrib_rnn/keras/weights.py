"""Loads weights of layers and cells from TensorFlow 1 checkpoints, and back."""

from typing import Any
from typing import Optional

import numpy as np

from tf_contrib_rnn import migrate
from tf_contrib_rnn.keras import _cell
from tf_contrib_rnn.keras._family import IS_KERAS_3
from tf_contrib_rnn.keras._family import keras


def _cell_of(layer: Any) -> Any:
  """A layer's cell, or the cell itself."""
  cell = getattr(layer, "cell", layer)
  if not isinstance(cell, _cell.CellBase):
    raise ValueError(
      f"layer is {layer!r}, expected an IndRNN, IndyGRU, IndyLSTM or SRU "
      "layer, or a cell of these"
    )
  return cell


def _dtype_of(cell: Any) -> Any:
  """The dtype that a cell's weights have, or will have once it is built."""
  if IS_KERAS_3 and keras.config.backend() == "jax":
    import jax  # which makes float32 of float64, unless it is told not to

    return jax.dtypes.canonicalize_dtype(cell.variable_dtype)
  return cell.variable_dtype


def _arrays_of(
  cell: Any, weights: migrate.CellWeights, forget_bias: float
) -> list[np.ndarray]:
  """What the cell's weights are to be, in their order."""
  bias = weights.bias
  arrays = [weights.kernel]
  if weights.recurrent_kernel.shape[1]:  # the SRU has none
    arrays.append(weights.recurrent_kernel)
  if cell.use_bias:
    if getattr(cell, "has_recurrent_bias", False):
      bias = np.stack([bias, np.zeros_like(bias)])
    return [*arrays, bias]
  if np.any(bias):
    raise ValueError(
      "the checkpoint's bias is not zero (with forget_bias "
      f"{forget_bias!r}), and the layer has use_bias=False"
    )
  return arrays


def load_contrib_variables(
  layer: Any,
  checkpoint: Any,
  scope: Optional[str] = None,
  forget_bias: float = 1.0,
) -> None:
  """Loads the weights of a tf.contrib.rnn cell into a layer of the same kind.

  The gates are put into Keras's order. A layer that is not built yet is built
  for the number of features of the cell in the checkpoint.

  Args:
    layer: An IndRNN, IndyGRU, IndyLSTM or SRU layer, or a cell of these. The
      recurrent bias of an IndyGRU with `reset_after=True` becomes zeros.
    checkpoint: The path of a checkpoint that `tf.train.Saver` saved: a prefix,
      or a folder with a file "checkpoint". Or a mapping from the names of the
      variables to arrays.
    scope: The scope of the cell, such as "rnn/indy_lstm_cell", or a scope
      around it that has only one such cell. None, if the checkpoint has only
      one such cell.
    forget_bias: For the IndyLSTM only: the value that the TensorFlow 1 program
      passed to the cell. tf.contrib.rnn adds it at each step. Here it becomes
      part of the bias.

  Raises:
    ValueError: If there is no such cell or more than one; if a variable is
      missing, does not belong to such a cell, does not fit the layer, is not of
      a floating-point dtype, or has a number too large for the layer's dtype
      (the message names it); or if files of the checkpoint are damaged. No
      weight is changed then.
    tf.errors.NotFoundError: If the checkpoint has no files.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndRNN
  >>> variables = {
  ...   "rnn/ind_rnn_cell/kernel_w": np.ones([3, 4]),
  ...   "rnn/ind_rnn_cell/kernel_u": np.ones([1, 4]),
  ...   "rnn/ind_rnn_cell/bias": np.zeros([4]),
  ... }
  >>> layer = IndRNN(4)
  >>> layer.load_contrib_variables(variables, "rnn")
  >>> [tuple(weight.shape) for weight in layer.weights]
  [(3, 4), (1, 4), (4,)]
  """
  cell = _cell_of(layer)
  kind = cell.kind
  weights = migrate.read_weights(
    kind.contrib_name, checkpoint, scope, cell.units
  )
  if cell.built and cell.kernel.shape[0] != weights.depth:
    raise ValueError(
      f"the layer is built for {cell.kernel.shape[0]} features, expected the "
      f"checkpoint's {weights.depth} (scope {scope!r})"
    )
  forget_bias = float(forget_bias)
  weights = weights.shift_forget_gate(forget_bias)
  order = [kind.gates.index(gate) for gate in kind.keras_gates]
  weights = weights.cast([_dtype_of(cell)] * 3).take_gates(order)
  arrays = _arrays_of(cell, weights, forget_bias)
  if not cell.built:
    if getattr(layer, "stateful", False):
      raise ValueError(
        f"layer is {layer!r}, which is stateful and not built, expected one "
        f"that is built: layer.build((BATCH, None, {weights.depth}))"
      )
    is_cell = layer is cell
    layer.build(
      (None, weights.depth) if is_cell else (None, None, weights.depth)
    )
  cell.set_weights(arrays)


def contrib_variables(
  layer: Any, scope: str, forget_bias: float = 1.0
) -> dict[str, np.ndarray]:
  """Converts the weights of a layer to the variables of tf.contrib.rnn.

  Args:
    layer: A layer or cell as in `load_contrib_variables`. It has to be built.
    scope: The scope of the cell, such as "rnn/indy_lstm_cell".
    forget_bias: For the IndyLSTM only: the value that the TensorFlow 1 program
      passes to the cell. It is subtracted from the bias.

  Returns:
    A dict from the names of the variables to arrays.
    `tf_contrib_rnn.migrate.write_checkpoint` can write it.

  Raises:
    ValueError: If the layer is not built, or if no cell of tf.contrib.rnn
      computes the same. This is the case for other activations of the gates,
      for a recurrent bias of the candidate, and for a bias that is not finite
      without `forget_bias`.

  Example:

  >>> from tf_contrib_rnn.keras import IndyGRU
  >>> layer = IndyGRU(4)
  >>> layer.build((None, None, 3))
  >>> sorted(layer.contrib_variables("rnn/indy_gru_cell"))[0]
  'rnn/indy_gru_cell/candidate/bias'
  """
  cell = _cell_of(layer)
  if not cell.built:
    raise ValueError(
      f"layer is {layer!r}, which has no weights before it is built"
    )
  gate = getattr(cell, "recurrent_activation", keras.activations.sigmoid)
  if gate is not keras.activations.sigmoid:
    raise ValueError(
      f"recurrent_activation is {gate!r}, expected sigmoid, which a "
      "tf.contrib.rnn cell has"
    )
  kind = cell.kind
  weights = migrate.CellWeights(kind.contrib_name, *_arrays_in(cell))
  back = [kind.keras_gates.index(gate) for gate in kind.gates]
  weights = weights.take_gates(back).shift_forget_gate(-float(forget_bias))
  return migrate.to_variables(weights, scope)


def _arrays_in(cell: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """A cell's kernel, recurrent kernel and bias, whichever it has."""
  kernel, *others = map(np.array, cell.get_weights())
  bias = np.zeros(cell.biased_gates * cell.units, kernel.dtype)
  if cell.use_bias:
    bias = others.pop()
  if bias.ndim == 2:
    bias = _merge_biases(bias, cell.units)
  recurrent_kernel = others.pop() if others else np.zeros([1, 0], kernel.dtype)
  return kernel, recurrent_kernel, bias


def _merge_biases(bias: np.ndarray, units: int) -> np.ndarray:
  """One bias for both of reset_after, if there is one."""
  if np.any(bias[1, 2 * units :]):
    raise ValueError(
      "the recurrent bias of the candidate is not zero (reset_after=True), and "
      "a tf.contrib.rnn cell has none"
    )
  return bias[0] + bias[1]
