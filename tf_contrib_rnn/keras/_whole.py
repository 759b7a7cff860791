"""Whole sequences by one matrix product and one op, on TensorFlow.

Masked steps leave the state as it is, so a sequence is the same without them:
where a mask is anything but padding at the end, the steps that count are moved
to the front, and the outputs back to where they belong.
"""

import functools
from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn import recurrence
from tf_contrib_rnn.keras import cells
from tf_contrib_rnn.keras import sru
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.ops import choice
from tf_contrib_rnn.ops import chunks
from tf_contrib_rnn.ops import fused

_CELLS = (
  cells.IndRNNCell,
  cells.IndyGRUCell,
  cells.IndyLSTMCell,
  sru.SRUCell,
)


def _find_activation(function: Any) -> Optional[Callable]:
  """TensorFlow's function for one of Keras's, if the ops know it."""
  for name, known in fused.ACTIVATIONS.items():
    of_keras = getattr(
      keras.activations, {"identity": "linear"}.get(name, name)
    )
    if function is of_keras or function is known:
      return known
  return None


def _is_for_each_unit(mask: Any) -> bool:
  shape = tf.TensorShape(None if mask is None else mask.shape)
  return shape.rank == 3 and shape.as_list()[2] != 1


def can_run(layer: Any, mask: Any) -> bool:
  """Whether `run` can replace the loop of a layer, here and now.

  Keras's loop also takes a mask for each unit, [batch, time, units]. No op
  takes such a mask. For a gradient in chunks, `run` also runs what is composed.

  Raises:
    RuntimeError: If the fused implementation was chosen and is not available.
  """
  cell, sigmoid = layer.cell, tf.nn.sigmoid
  gate = getattr(cell, "recurrent_activation", sigmoid)
  return (
    type(cell) in _CELLS  # others may compute something else
    and _find_activation(cell.activation) is not None
    and _find_activation(gate) is sigmoid
    and not cell.recurrent_dropout
    and not layer.unroll
    and not _is_for_each_unit(mask)
    and (choice.can_fuse() or choice.steps_of_chunks() is not None)
  )


def run(
  layer: Any, sequences: Any, initial_state: Any, mask: Any, training: Any
) -> tuple[tf.Tensor, tf.Tensor, list]:
  """Runs the cell of a layer along time, like Keras's loop.

  Args:
    layer: Has the cell, and go_backwards, return_sequences and
      zero_output_for_mask.
    sequences: Tensor [batch, time, features].
    initial_state: List of tensors [batch, units], in the order of the cell.
    mask: Optional bool tensor [batch, time] or [batch, time, 1]. Steps that are
      false are skipped.
    training: Whether to apply dropout.

  Returns:
    The last output [batch, units]; all outputs [batch, time, units], in the
    order of computation; and a list of the final states.

  Raises:
    ValueError: If the shape of the mask does not match batch and time.
  """
  if mask is None:
    outputs, last, states = _recur(
      layer, sequences, initial_state, None, training
    )
  else:
    mask = tf.convert_to_tensor(mask)
    if mask.shape.rank == 3:
      mask = tf.squeeze(mask, 2)
    _check_mask(mask, sequences)
    steps = _Steps(mask)
    sequences = steps.move_to_front(sequences)
    outputs, of_last_step, states = _recur(
      layer, sequences, initial_state, steps.count, training
    )
    last = steps.last_output(of_last_step, layer)
    if layer.return_sequences:
      outputs = steps.move_back(outputs, of_last_step, layer)
  if layer.go_backwards and layer.return_sequences:
    outputs = tf.reverse(outputs, [1])
  return last, outputs, states


def _check_mask(mask, sequences):
  batch_and_time = sequences.shape[:2]
  if not mask.shape.is_compatible_with(batch_and_time):
    raise ValueError(
      f"mask has shape {mask.shape}, expected {batch_and_time}, the batch and "
      "time of the sequences"
    )


def _recur(layer, sequences, states, lengths, training):
  """One product and one op. Returns (outputs, the last output, final states).

  Outputs are where their inputs are. The last output is that of the unmasked
  step that is computed last. If all steps are masked, it is not an output.
  """
  cell = layer.cell
  kernel = tf.convert_to_tensor(cell.kernel)
  bias = cell.bias
  if bias is None:
    bias = tf.zeros([cell.biased_gates * cell.units], kernel.dtype)
  states = [tf.cast(state, kernel.dtype) for state in states]
  recur, weights, state, attributes = _parts(cell, bias, states)
  outputs, state = chunks.run(
    cell.product,
    functools.partial(
      recur, activation=_find_activation(cell.activation), **attributes
    ),
    sequences,
    kernel,
    weights,
    state,
    cell.masks(sequences, training),
    sequence_length=lengths,
    reverse=layer.go_backwards,
  )
  if isinstance(cell, sru.SRUCell):
    c, y = state
    return outputs, y, [c]
  if isinstance(cell, cells.IndyLSTMCell):
    c, h = state
    return outputs, h, [h, c]
  return outputs, state, [state]


def _parts(cell, bias, states):
  """The recurrence, its weights, its initial state and its attributes."""
  if isinstance(cell, sru.SRUCell):
    (c,) = states
    return recurrence.sru_with_last_output, [bias], (c, tf.zeros_like(c)), {}
  weights = [cell.recurrent_kernel, bias]
  if isinstance(cell, cells.IndyLSTMCell):
    h, c = states
    attributes = {"forget_bias": 0.0, "gate_order": "keras"}
    return recurrence.indy_lstm, weights, (c, h), attributes
  (h,) = states
  if isinstance(cell, cells.IndyGRUCell):
    return recurrence.indy_gru, weights, h, {"gate_order": "keras"}
  return recurrence.ind_rnn, weights, h, {}


class _Steps:
  """The unmasked steps of sequences.

  Attributes:
    count: The number of unmasked steps of each sequence, int32 [batch].
  """

  def __init__(self, mask):
    self._mask = tf.cast(mask, tf.bool)
    self.count = tf.reduce_sum(tf.cast(self._mask, tf.int32), axis=1)
    time = tf.shape(self._mask)[1]
    self._are_in_front = tf.reduce_all(
      self._mask == tf.sequence_mask(self.count, time)
    )

  def move_to_front(self, sequences):
    """Moves the unmasked steps of sequences to the front."""

    def move():
      skipped = tf.cast(~self._mask, tf.int32)
      order = tf.argsort(skipped, axis=1, stable=True)
      return tf.gather(sequences, order, batch_dims=1)

    moved = tf.cond(self._are_in_front, lambda: sequences, move)
    moved.set_shape(sequences.shape)
    return moved

  def move_back(self, outputs, of_last_step, layer):
    """Moves the outputs of steps in front to where Keras has them.

    A masked step gets the output before it, in the order of computation, or
    zeros if there is none.
    """
    backwards, zeros = layer.go_backwards, layer.zero_output_for_mask

    def stay():
      if backwards or zeros:  # skipped steps come first, or are zeros
        return outputs
      last = self._output_of_any(of_last_step)[:, tf.newaxis]
      return tf.where(self._mask[..., tf.newaxis], outputs, last)

    def move():
      counted = tf.cast(self._mask, tf.int32)
      index = tf.cumsum(counted, axis=1, exclusive=backwards)
      index -= 0 if backwards else 1
      moved = tf.gather(outputs, tf.maximum(index, 0), batch_dims=1)
      keeps = self._mask if zeros else index >= 0
      return tf.where(keeps[..., tf.newaxis], moved, tf.zeros_like(moved))

    moved = tf.cond(self._are_in_front, stay, move)
    moved.set_shape(outputs.shape)
    return moved

  def last_output(self, of_last_step, layer):
    """The output of the step that is computed last, masked or not."""
    if not layer.zero_output_for_mask:
      return self._output_of_any(of_last_step)
    counts = self._mask[:, 0 if layer.go_backwards else -1]
    zeros = tf.zeros_like(of_last_step)
    return tf.where(counts[:, tf.newaxis], of_last_step, zeros)

  def _output_of_any(self, of_last_step):
    """The output of the last unmasked step, or zeros if there is none."""
    zeros = tf.zeros_like(of_last_step)
    return tf.where(self.count[:, tf.newaxis] > 0, of_last_step, zeros)
