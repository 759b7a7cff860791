"""static_rnn and static_bidirectional_rnn of TensorFlow 1.15."""

from typing import Any

import tensorflow as tf
from tensorflow.python.ops import rnn_cell_impl

from tf_contrib_rnn.rnn import whole_sequences

v1 = tf.compat.v1


def static_rnn(
  cell: Any,
  inputs: Any,
  initial_state: Any = None,
  dtype: Any = None,
  sequence_length: Any = None,
  scope: Any = None,
) -> tuple[list[Any], Any]:
  """Runs a cell over a list of steps, like tf.compat.v1.nn.static_rnn.

  If the cell can run over whole sequences (see `dynamic_rnn`), it does so here
  as well. Any other cell is passed to TensorFlow's function.

  Source: `tf.nn.static_rnn` of TensorFlow 1.15.

  Args:
    cell: An RNNCell.
    inputs: List of tensors [batch, depth], one for each step.
    initial_state: Optional state to start with, structured like
      `cell.state_size`. Default: zeros.
    dtype: The dtype of the initial state and of the outputs. Required if there
      is no `initial_state`.
    sequence_length: Optional tensor [batch], int32 or int64: the length of each
      sequence. See `dynamic_rnn`.
    scope: A variable scope or its name. Default: "rnn".

  Returns:
    A pair `(outputs, state)`: the list of outputs [batch, cell.output_size],
    and the final state.

  Raises:
    TypeError: If `dynamic_rnn` raises it.
    ValueError: If `inputs` is an empty list, or if `dynamic_rnn` raises it.
    tf.errors.InvalidArgumentError: If `dynamic_rnn` raises it.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> outputs, state = tf_contrib_rnn.static_rnn(
  ...     tf_contrib_rnn.IndRNNCell(4), [tf.ones([2, 3])] * 5,
  ...     dtype=tf.float32)
  >>> len(outputs), outputs[0].shape
  (5, TensorShape([2, 4]))
  """
  rnn_cell_impl.assert_like_rnncell("cell", cell)
  reason = whole_sequences.why_not_cell(cell) or whole_sequences.why_not_steps(
    inputs
  )
  steps = None if reason else tf.stack(inputs)
  reason = reason or whole_sequences.why_not(
    cell, steps, sequence_length, initial_state, dtype, time_major=True
  )
  if reason:
    whole_sequences.log_stepwise("static_rnn", reason)
    return v1.nn.static_rnn(
      cell, inputs, initial_state, dtype, sequence_length, scope
    )
  outputs, state = whole_sequences.run(
    cell, steps, sequence_length, initial_state, True, scope
  )
  return tf.unstack(outputs, len(inputs)), state


def static_bidirectional_rnn(
  cell_fw: Any,
  cell_bw: Any,
  inputs: Any,
  initial_state_fw: Any = None,
  initial_state_bw: Any = None,
  dtype: Any = None,
  sequence_length: Any = None,
  scope: Any = None,
) -> tuple[list[Any], Any, Any]:
  """Runs two cells over a list of steps, one of them from the end to the start.

  The function is like tf.compat.v1.nn.static_bidirectional_rnn. If both cells
  can run over whole sequences (see `dynamic_rnn`), they do so here as well.
  Otherwise both are passed to TensorFlow's function.

  Source: `tf.nn.static_bidirectional_rnn` of TensorFlow 1.15.

  Args:
    cell_fw: An RNNCell for the forward direction.
    cell_bw: An RNNCell for the backward direction.
    inputs: List of tensors [batch, depth], one for each step.
    initial_state_fw: Optional initial state of `cell_fw`. Default: zeros.
    initial_state_bw: Optional initial state of `cell_bw`. Default: zeros.
    dtype: The dtype of the initial states and of the outputs. Required if an
      initial state is missing.
    sequence_length: Optional tensor [batch], int32 or int64, with values from 0
      to time. See `bidirectional_dynamic_rnn`.
    scope: A variable scope or its name. Default: "bidirectional_rnn". The two
      directions are in the scopes "fw" and "bw" inside it.

  Returns:
    A tuple `(outputs, state_fw, state_bw)`. The outputs are a list of tensors
    [batch, cell_fw.output_size + cell_bw.output_size], forward and backward
    concatenated. The states are the final states of the two cells.

  Raises:
    TypeError: If `bidirectional_dynamic_rnn` raises it.
    ValueError: If `inputs` is an empty list, or if `bidirectional_dynamic_rnn`
      raises it.
    tf.errors.InvalidArgumentError: If `bidirectional_dynamic_rnn` raises it.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> outputs, _, _ = tf_contrib_rnn.static_bidirectional_rnn(
  ...     tf_contrib_rnn.IndRNNCell(4), tf_contrib_rnn.IndRNNCell(4),
  ...     [tf.ones([2, 3])] * 5, dtype=tf.float32)
  >>> len(outputs), outputs[0].shape
  (5, TensorShape([2, 8]))
  """
  rnn_cell_impl.assert_like_rnncell("cell_fw", cell_fw)
  rnn_cell_impl.assert_like_rnncell("cell_bw", cell_bw)
  reason = (
    whole_sequences.why_not_cell(cell_fw)
    or whole_sequences.why_not_cell(cell_bw)
    or whole_sequences.why_not_steps(inputs)
  )
  steps = None if reason else tf.stack(inputs)
  for cell, state in (cell_fw, initial_state_fw), (cell_bw, initial_state_bw):
    reason = reason or whole_sequences.why_not(
      cell, steps, sequence_length, state, dtype, time_major=True
    )
  if reason:
    whole_sequences.log_stepwise("static_bidirectional_rnn", reason)
    return v1.nn.static_bidirectional_rnn(
      cell_fw,
      cell_bw,
      inputs,
      initial_state_fw,
      initial_state_bw,
      dtype,
      sequence_length,
      scope,
    )
  outputs, (state_fw, state_bw) = whole_sequences.run_both(
    (cell_fw, cell_bw),
    steps,
    sequence_length,
    (initial_state_fw, initial_state_bw),
    True,
    scope,
  )
  return tf.unstack(tf.concat(outputs, 2), len(inputs)), state_fw, state_bw
