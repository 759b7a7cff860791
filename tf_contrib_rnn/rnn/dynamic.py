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
  """Runs a cell over sequences, like tf.compat.v1.nn.dynamic_rnn.

  The variables, variable names, results and errors are those of TensorFlow's
  function. It depends on the cell how the sequences run:

  - A cell with a fused op (`IndRNNCell`, `IndyGRUCell`, `IndyLSTMCell` or
    `SRUCell`) runs over whole sequences. Each layer is one matrix product and
    one recurrence. The cell may be inside TensorFlow's or tf_keras's
    MultiRNNCell, ResidualWrapper (without a `residual_fn`), DeviceWrapper and
    DropoutWrapper (without dropout of the state).
  - Any other cell is passed to TensorFlow's function, which runs it step by
    step.

  Source: `tf.nn.dynamic_rnn` of TensorFlow 1.15.

  Args:
    cell: An RNNCell.
    inputs: Tensor [batch, time, depth], or [time, batch, depth] if `time_major`
      is true. The dtype is float16, bfloat16, float32 or float64. The depth has
      to be known.
    sequence_length: Optional tensor [batch], int32 or int64: the length of each
      sequence. Outputs past this length are zeros, and the state stays the
      same. The inputs past this length have to be finite. Otherwise the
      gradient of the kernel is not finite.
    initial_state: Optional state to start with, structured like
      `cell.state_size`. Each part is [batch, size]. Default: zeros.
    dtype: The dtype of the initial state and of the outputs. Required if there
      is no `initial_state`.
    parallel_iterations: Option of TensorFlow's loop. Whole sequences have no
      loop, and ignore it.
    swap_memory: Option of TensorFlow's loop, like `parallel_iterations`.
    time_major: Whether inputs and outputs are [time, batch, ...].
    scope: A variable scope or its name. Default: "rnn".

  Returns:
    A pair `(outputs, state)`. The outputs are [batch, time, cell.output_size],
    or [time, batch, cell.output_size] if `time_major` is true. The final state
    is structured like `cell.state_size`.

  Raises:
    TypeError: If `cell` is not an RNNCell, or if dtypes do not match.
    ValueError: If shapes are known and do not match, if the depth is not known,
      or if both `dtype` and `initial_state` are missing.
    tf.errors.InvalidArgumentError: If shapes do not match when the function
      runs.

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
  """Runs two cells over sequences, one of them from the end to the start.

  The function is like tf.compat.v1.nn.bidirectional_dynamic_rnn. If both cells
  can run over whole sequences (see `dynamic_rnn`), the inputs are not copied in
  reverse order. Otherwise both cells are passed to TensorFlow's function.

  Source: `tf.nn.bidirectional_dynamic_rnn` of TensorFlow 1.15.

  Args:
    cell_fw: An RNNCell for the forward direction.
    cell_bw: An RNNCell for the backward direction.
    inputs: Tensor [batch, time, depth], or [time, batch, depth] if `time_major`
      is true. See `dynamic_rnn`.
    sequence_length: Optional tensor [batch], int32 or int64, with values from 0
      to time. The backward direction starts at this length. See `dynamic_rnn`.
    initial_state_fw: Optional initial state of `cell_fw`. Default: zeros.
    initial_state_bw: Optional initial state of `cell_bw`. Default: zeros.
    dtype: The dtype of the initial states and of the outputs. Required if an
      initial state is missing.
    parallel_iterations: Option of TensorFlow's loop. See `dynamic_rnn`.
    swap_memory: Option of TensorFlow's loop. See `dynamic_rnn`.
    time_major: Whether inputs and outputs are [time, batch, ...].
    scope: A variable scope or its name. Default: "bidirectional_rnn". The two
      directions are in the scopes "fw" and "bw" inside it.

  Returns:
    A pair `(outputs, states)`. Each of the two is a pair (forward, backward) of
    what `dynamic_rnn` returns.

  Raises:
    TypeError: If a cell is not an RNNCell, or if dtypes do not match.
    ValueError: If `dynamic_rnn` raises it for one of the directions.
    tf.errors.InvalidArgumentError: If `dynamic_rnn` raises it, or if a value of
      `sequence_length` is negative or larger than time.

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
