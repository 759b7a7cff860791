"""Weights of layers and cells from a TensorFlow 1 checkpoint, and back."""

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
  """Gives a layer the weights of a tf.contrib.rnn cell of the same kind.

  Gates are put into Keras's order. A layer that is not built yet is built for
  the features that the checkpoint's cell had.

  Args:
    layer: an IndRNN, IndyGRU, IndyLSTM or SRU layer, or a cell of these. An
      IndyGRU with reset_after=True gets zeros as its recurrent bias.
    checkpoint: where `tf.train.Saver` saved it, a prefix or a folder with its
      file "checkpoint"; or a mapping from the variables' names to arrays.
    scope: the cell's scope, as "rnn/indy_lstm_cell", or one around it below
      which there is only one such cell; None if the checkpoint has only one.
    forget_bias: of the IndyLSTM: what the TensorFlow 1 program gave the cell.
      tf.contrib.rnn adds it at each step, here it becomes part of the bias.

  Raises:
    ValueError: if it is not clear which cell is meant, if a variable is
      missing, is not such a cell's, does not fit the layer, is not of floating
      point, or has a number too large for the layer's dtype; it is named, and
      no weight is changed. Also if the checkpoint's files are damaged.
    tf.errors.NotFoundError: if the checkpoint has no file at all.
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
    is_cell = layer is cell
    layer.build(
      (None, weights.depth) if is_cell else (None, None, weights.depth)
    )
  cell.set_weights(arrays)


def contrib_variables(
  layer: Any, scope: str, forget_bias: float = 1.0
) -> dict[str, np.ndarray]:
  """A layer's weights as the variables of a tf.contrib.rnn cell.

  Args:
    layer: as of `load_contrib_variables`, built.
    scope: the cell's scope, as "rnn/indy_lstm_cell".
    forget_bias: of the IndyLSTM: what the TensorFlow 1 program gives the cell;
      it is taken from the bias.

  Returns:
    Arrays by the variables' names, which
    `tf_contrib_rnn.migrate.write_checkpoint` writes.

  Raises:
    ValueError: if the layer is not built, or if no tf.contrib.rnn cell computes
      the same: with activations of its own for the gates, a recurrent bias of
      the candidate, or a bias that is not finite without forget_bias.
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
