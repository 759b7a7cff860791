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
  """Runs a cell along a list of steps, as tf.compat.v1.nn.static_rnn does.

  Whole sequences where `dynamic_rnn` has them.

  Args:
    cell: an RNNCell.
    inputs: a list of [batch, depth], a tensor a step.
    initial_state: as of `dynamic_rnn`.
    dtype: as of `dynamic_rnn`.
    sequence_length: as of `dynamic_rnn`.
    scope: as of `dynamic_rnn`.

  Returns:
    The list of outputs [batch, cell.output_size], and the final state.

  Raises:
    TypeError, ValueError, tf.errors.InvalidArgumentError: as `dynamic_rnn`.
    ValueError: if `inputs` is an empty list.

  Source: `tf.nn.static_rnn` of TensorFlow 1.15.

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
  """Runs two cells along a list of steps, one of them from its end.

  As tf.compat.v1.nn.static_bidirectional_rnn does; whole sequences where
  `bidirectional_dynamic_rnn` has them.

  Args:
    cell_fw: as of `bidirectional_dynamic_rnn`.
    cell_bw: as of `bidirectional_dynamic_rnn`.
    inputs: as of `static_rnn`.
    initial_state_fw: as of `dynamic_rnn`.
    initial_state_bw: as of `dynamic_rnn`.
    dtype: as of `dynamic_rnn`.
    sequence_length: as of `bidirectional_dynamic_rnn`.
    scope: as of `bidirectional_dynamic_rnn`.

  Returns:
    The list of outputs, forward and backward concatenated: [batch,
    cell_fw.output_size + cell_bw.output_size]; the final state of the forward
    cell; and that of the backward cell.

  Raises:
    TypeError, ValueError, tf.errors.InvalidArgumentError: as
      `bidirectional_dynamic_rnn` and `static_rnn`.

  Source: `tf.nn.static_bidirectional_rnn` of TensorFlow 1.15.
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
