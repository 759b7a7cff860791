"""dynamic_rnn and bidirectional_dynamic_rnn of TensorFlow 1.15."""

from typing import Any
from typing import Optional

import tensorflow as tf
from tensorflow.python.ops import rnn_cell_impl

from tf_contrib_rnn.rnn import whole_sequences

v1 = tf.compat.v1


def dynamic_rnn(
  cell: Any,
  inputs: Any,
  sequence_length: Any = None,
  initial_state: Any = None,
  dtype: Any = None,
  parallel_iterations: Optional[int] = None,
  swap_memory: bool = False,
  time_major: bool = False,
  scope: Any = None,
) -> tuple[Any, Any]:
  """Runs a cell along sequences, as tf.compat.v1.nn.dynamic_rnn does.

  Variables, names, results and errors are those of TensorFlow's function. An
  Indy cell, alone or in TensorFlow's or tf_keras's MultiRNNCell,
  ResidualWrapper (without a residual_fn), DeviceWrapper and DropoutWrapper
  (without dropout of the state), runs over whole sequences: one matrix product
  and one recurrence a layer. Any other cell goes to TensorFlow's function.

  Args:
    cell: an RNNCell.
    inputs: [batch, time, depth], or [time, batch, depth] if `time_major`;
      float16, bfloat16, float32 or float64. The depth has to be known.
    sequence_length: (optional) int32 or int64 [batch]. Outputs past a
      sequence's length are zeros, and its state stops there. Inputs there have
      to be finite, or gradients of the kernel are not.
    initial_state: (optional) structured as `cell.state_size`, each part
      [batch, size]. Default: zeros.
    dtype: the dtype of the initial state and of the outputs; required without
      an `initial_state`.
    parallel_iterations: of TensorFlow's loop; whole sequences have none.
    swap_memory: as `parallel_iterations`.
    time_major: whether inputs and outputs are [time, batch, ...].
    scope: a variable scope or its name. Default: "rnn".

  Returns:
    The outputs, [batch, time, cell.output_size] or [time, batch, ...], and the
    final state, structured as `cell.state_size`.

  Raises:
    TypeError: if `cell` is not an RNNCell, or for dtypes that do not match.
    ValueError: for shapes that do not match, where they are known, an unknown
      depth, or without both `dtype` and `initial_state`.
    tf.errors.InvalidArgumentError: for shapes that turn out not to match.

  Source: `tf.nn.dynamic_rnn` of TensorFlow 1.15.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> outputs, state = tf_contrib_rnn.dynamic_rnn(
  ...     tf_contrib_rnn.IndyGRUCell(4), tf.ones([2, 5, 3]), [5, 2],
  ...     dtype=tf.float32)
  >>> outputs.shape, state.shape
  (TensorShape([2, 5, 4]), TensorShape([2, 4]))
  >>> float(tf.reduce_max(tf.abs(outputs[1, 2:])))
  0.0
  """
  rnn_cell_impl.assert_like_rnncell("cell", cell)
  reason = whole_sequences.why_not(
    cell, inputs, sequence_length, initial_state, dtype, time_major
  )
  if reason:
    whole_sequences.log_stepwise("dynamic_rnn", reason)
    return v1.nn.dynamic_rnn(
      cell,
      inputs,
      sequence_length,
      initial_state,
      dtype,
      parallel_iterations,
      swap_memory,
      time_major,
      scope,
    )
  return whole_sequences.run(
    cell,
    tf.convert_to_tensor(inputs),
    sequence_length,
    initial_state,
    time_major,
    scope,
  )


def bidirectional_dynamic_rnn(
  cell_fw: Any,
  cell_bw: Any,
  inputs: Any,
  sequence_length: Any = None,
  initial_state_fw: Any = None,
  initial_state_bw: Any = None,
  dtype: Any = None,
  parallel_iterations: Optional[int] = None,
  swap_memory: bool = False,
  time_major: bool = False,
  scope: Any = None,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
  """Runs two cells along sequences, one of them from the end of each.

  As tf.compat.v1.nn.bidirectional_dynamic_rnn does. Where both cells run over
  whole sequences (see `dynamic_rnn`), no reversed copy is made; else both go to
  TensorFlow's function.

  Args:
    cell_fw: an RNNCell, for the forward direction.
    cell_bw: an RNNCell, for the backward direction.
    inputs: as of `dynamic_rnn`.
    sequence_length: as of `dynamic_rnn`, from 0 to time.
    initial_state_fw: as of `dynamic_rnn`.
    initial_state_bw: as of `dynamic_rnn`.
    dtype: as of `dynamic_rnn`.
    parallel_iterations: as of `dynamic_rnn`.
    swap_memory: as of `dynamic_rnn`.
    time_major: as of `dynamic_rnn`.
    scope: a variable scope or its name. Default: "bidirectional_rnn"; the
      directions are in the scopes "fw" and "bw" inside it.

  Returns:
    The pair of outputs (forward, backward) and the pair of final states, each
    as of `dynamic_rnn`.

  Raises:
    TypeError, ValueError: as `dynamic_rnn`.
    tf.errors.InvalidArgumentError: as `dynamic_rnn`, and for a
      `sequence_length` that is negative or past the end.

  Source: `tf.nn.bidirectional_dynamic_rnn` of TensorFlow 1.15.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> (forward, backward), states = tf_contrib_rnn.bidirectional_dynamic_rnn(
  ...     tf_contrib_rnn.IndRNNCell(4), tf_contrib_rnn.IndRNNCell(4),
  ...     tf.ones([2, 5, 3]), dtype=tf.float32)
  >>> forward.shape, backward.shape
  (TensorShape([2, 5, 4]), TensorShape([2, 5, 4]))
  """
  rnn_cell_impl.assert_like_rnncell("cell_fw", cell_fw)
  rnn_cell_impl.assert_like_rnncell("cell_bw", cell_bw)
  reason = whole_sequences.why_not(
    cell_fw, inputs, sequence_length, initial_state_fw, dtype, time_major
  ) or whole_sequences.why_not(
    cell_bw, inputs, sequence_length, initial_state_bw, dtype, time_major
  )
  if reason:
    whole_sequences.log_stepwise("bidirectional_dynamic_rnn", reason)
    return v1.nn.bidirectional_dynamic_rnn(
      cell_fw,
      cell_bw,
      inputs,
      sequence_length,
      initial_state_fw,
      initial_state_bw,
      dtype,
      parallel_iterations,
      swap_memory,
      time_major,
      scope,
    )
  return whole_sequences.run_both(
    (cell_fw, cell_bw),
    tf.convert_to_tensor(inputs),
    sequence_length,
    (initial_state_fw, initial_state_bw),
    time_major,
    scope,
  )
