"""dynamic_rnn and its relatives: whole sequences where the cell allows it.

The functions have the signatures, variables, names and results of TensorFlow
1.15's, tf.nn's and tf.contrib.rnn's. Where the cell is an Indy cell, also in
TensorFlow's or tf_keras's wrappers, a layer runs as one matrix product and one
recurrence over all steps; anything else goes to TensorFlow's function of the
same name. Which it was, and why, the logger `tf_contrib_rnn` says at level
DEBUG.
"""

import logging
from typing import Any
from typing import Optional

import tensorflow as tf
from tensorflow.python.ops import rnn_cell_impl

from tf_contrib_rnn import _whole

v1 = tf.compat.v1

_logger = logging.getLogger(__name__)


def _log_stepwise(function: str, reason: str) -> None:
  _logger.debug("%s: step by step, by TensorFlow: %s", function, reason)


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
  reason = _whole.why_not(
    cell, inputs, sequence_length, initial_state, dtype, time_major
  )
  if reason:
    _log_stepwise("dynamic_rnn", reason)
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
  return _whole.run(
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
  reason = _whole.why_not(
    cell_fw, inputs, sequence_length, initial_state_fw, dtype, time_major
  ) or _whole.why_not(
    cell_bw, inputs, sequence_length, initial_state_bw, dtype, time_major
  )
  if reason:
    _log_stepwise("bidirectional_dynamic_rnn", reason)
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
  return _whole.run_both(
    (cell_fw, cell_bw),
    tf.convert_to_tensor(inputs),
    sequence_length,
    (initial_state_fw, initial_state_bw),
    time_major,
    scope,
  )


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
  reason = _whole.why_not_cell(cell) or _whole.why_not_steps(inputs)
  steps = None if reason else tf.stack(inputs)
  reason = reason or _whole.why_not(
    cell, steps, sequence_length, initial_state, dtype, time_major=True
  )
  if reason:
    _log_stepwise("static_rnn", reason)
    return v1.nn.static_rnn(
      cell, inputs, initial_state, dtype, sequence_length, scope
    )
  outputs, state = _whole.run(
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
    _whole.why_not_cell(cell_fw)
    or _whole.why_not_cell(cell_bw)
    or _whole.why_not_steps(inputs)
  )
  steps = None if reason else tf.stack(inputs)
  for cell, state in (cell_fw, initial_state_fw), (cell_bw, initial_state_bw):
    reason = reason or _whole.why_not(
      cell, steps, sequence_length, state, dtype, time_major=True
    )
  if reason:
    _log_stepwise("static_bidirectional_rnn", reason)
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
  outputs, (state_fw, state_bw) = _whole.run_both(
    (cell_fw, cell_bw),
    steps,
    sequence_length,
    (initial_state_fw, initial_state_bw),
    True,
    scope,
  )
  return tf.unstack(tf.concat(outputs, 2), len(inputs)), state_fw, state_bw


def _check_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw):
  """The errors of tf.contrib.rnn for the lists of layers."""
  for name, layers in ("cells_fw", cells_fw), ("cells_bw", cells_bw):
    if not isinstance(layers, list) or not layers:
      raise ValueError(
        f"{name} is {layers!r}, expected a list of RNNCells, one a layer"
      )
  if len(cells_fw) != len(cells_bw):
    raise ValueError(
      f"cells_fw has {len(cells_fw)} layers and cells_bw {len(cells_bw)}, "
      "expected the same number"
    )
  for name, states in (
    ("initial_states_fw", initial_states_fw),
    ("initial_states_bw", initial_states_bw),
  ):
    if states is not None and (
      not isinstance(states, list) or len(states) != len(cells_fw)
    ):
      raise ValueError(
        f"{name} is {states!r}, expected a list of {len(cells_fw)} states, "
        "one a layer"
      )


def stack_bidirectional_dynamic_rnn(
  cells_fw: list[Any],
  cells_bw: list[Any],
  inputs: Any,
  initial_states_fw: Optional[list[Any]] = None,
  initial_states_bw: Optional[list[Any]] = None,
  dtype: Any = None,
  sequence_length: Any = None,
  parallel_iterations: Optional[int] = None,
  time_major: bool = False,
  scope: Any = None,
  swap_memory: bool = False,
) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
  """Runs layers of `bidirectional_dynamic_rnn` above each other.

  Each layer's input is the concatenation of the outputs, forward and backward,
  of the one below.

  Args:
    cells_fw: a list of RNNCells, one a layer, for the forward direction.
    cells_bw: as many for the backward direction.
    inputs: as of `dynamic_rnn`.
    initial_states_fw: (optional) a list of states, one a layer.
    initial_states_bw: as `initial_states_fw`.
    dtype: as of `dynamic_rnn`.
    sequence_length: as of `bidirectional_dynamic_rnn`.
    parallel_iterations: as of `dynamic_rnn`.
    time_major: as of `dynamic_rnn`.
    scope: a variable scope or its name. Default: "stack_bidirectional_rnn";
      layer i is in the scope "cell_i/bidirectional_rnn" inside it.
    swap_memory: as of `dynamic_rnn`.

  Returns:
    The last layer's outputs, forward and backward concatenated: [batch, time,
    units of both] or [time, batch, ...]; a tuple of the layers' final states
    forward; and one of those backward.

  Raises:
    ValueError: if the lists are empty, none, or of different lengths.
    TypeError, ValueError, tf.errors.InvalidArgumentError: as
      `bidirectional_dynamic_rnn`.

  Source: `tf.contrib.rnn.stack_bidirectional_dynamic_rnn` of TensorFlow 1.15.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> make_layers = lambda: [tf_contrib_rnn.IndRNNCell(4) for _ in range(2)]
  >>> outputs, _, _ = tf_contrib_rnn.stack_bidirectional_dynamic_rnn(
  ...     make_layers(), make_layers(), tf.ones([2, 5, 3]), dtype=tf.float32)
  >>> outputs.shape
  TensorShape([2, 5, 8])
  """
  _check_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
  outputs, states = inputs, []
  with v1.variable_scope(scope or "stack_bidirectional_rnn"):
    for i in range(len(cells_fw)):
      with v1.variable_scope(f"cell_{i}"):
        outputs, both_states = bidirectional_dynamic_rnn(
          cells_fw[i],
          cells_bw[i],
          outputs,
          sequence_length,
          initial_states_fw[i] if initial_states_fw else None,
          initial_states_bw[i] if initial_states_bw else None,
          dtype,
          parallel_iterations,
          swap_memory,
          time_major,
        )
        outputs = tf.concat(outputs, 2)
      states.append(both_states)
  return (outputs, *zip(*states))


def stack_bidirectional_rnn(
  cells_fw: list[Any],
  cells_bw: list[Any],
  inputs: Any,
  initial_states_fw: Optional[list[Any]] = None,
  initial_states_bw: Optional[list[Any]] = None,
  dtype: Any = None,
  sequence_length: Any = None,
  scope: Any = None,
) -> tuple[list[Any], tuple[Any, ...], tuple[Any, ...]]:
  """Runs layers of `static_bidirectional_rnn` above each other.

  Args:
    cells_fw: as of `stack_bidirectional_dynamic_rnn`.
    cells_bw: as of `stack_bidirectional_dynamic_rnn`.
    inputs: as of `static_rnn`.
    initial_states_fw: as of `stack_bidirectional_dynamic_rnn`.
    initial_states_bw: as of `stack_bidirectional_dynamic_rnn`.
    dtype: as of `dynamic_rnn`.
    sequence_length: as of `bidirectional_dynamic_rnn`.
    scope: a variable scope or its name. Default: "stack_bidirectional_rnn";
      layer i is in the scope "cell_i" inside it.

  Returns:
    The list of the last layer's outputs, as of `static_bidirectional_rnn`; a
    tuple of the layers' final states forward; and one of those backward.

  Raises:
    TypeError, ValueError, tf.errors.InvalidArgumentError: as
      `stack_bidirectional_dynamic_rnn` and `static_rnn`.

  Source: `tf.contrib.rnn.stack_bidirectional_rnn` of TensorFlow 1.15.
  """
  _check_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
  outputs, states = inputs, []
  with v1.variable_scope(scope or "stack_bidirectional_rnn"):
    for i in range(len(cells_fw)):
      with v1.variable_scope(f"cell_{i}") as layer_scope:
        outputs, *both_states = static_bidirectional_rnn(
          cells_fw[i],
          cells_bw[i],
          outputs,
          initial_states_fw[i] if initial_states_fw else None,
          initial_states_bw[i] if initial_states_bw else None,
          dtype,
          sequence_length,
          layer_scope,
        )
      states.append(both_states)
  return (outputs, *zip(*states))
