"""The two functions of tf.contrib.rnn 1.15 that stack bidirectional layers."""

from typing import Any
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.rnn.dynamic import bidirectional_dynamic_rnn
from tf_contrib_rnn.rnn.static import static_bidirectional_rnn

v1 = tf.compat.v1


def _check_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw):
  """Raises the errors of tf.contrib.rnn for the lists of layers."""
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
  """Stacks layers of `bidirectional_dynamic_rnn`.

  The input of each layer is the concatenation of the forward and backward
  outputs of the layer below.

  Source: `tf.contrib.rnn.stack_bidirectional_dynamic_rnn` of TensorFlow 1.15.

  Args:
    cells_fw: List of RNNCells for the forward direction, one for each layer.
    cells_bw: List of RNNCells for the backward direction, as long as
      `cells_fw`.
    inputs: Tensor [batch, time, depth], or [time, batch, depth] if `time_major`
      is true. See `dynamic_rnn`.
    initial_states_fw: Optional list of initial states, one for each layer.
      Default: zeros.
    initial_states_bw: Optional list of initial states, one for each layer.
      Default: zeros.
    dtype: The dtype of the initial states and of the outputs. Required if
      initial states are missing.
    sequence_length: Optional tensor [batch], int32 or int64, with values from 0
      to time. See `bidirectional_dynamic_rnn`.
    parallel_iterations: Option of TensorFlow's loop. See `dynamic_rnn`.
    time_major: Whether inputs and outputs are [time, batch, ...].
    scope: A variable scope or its name. Default: "stack_bidirectional_rnn".
      Layer i is in the scope "cell_i/bidirectional_rnn" inside it.
    swap_memory: Option of TensorFlow's loop. See `dynamic_rnn`.

  Returns:
    A tuple `(outputs, states_fw, states_bw)`. The outputs are those of the last
    layer, forward and backward concatenated: [batch, time, size], or [time,
    batch, size] if `time_major` is true, where size is the sum of the two
    output sizes. Each of the two tuples of states has the final state of each
    layer.

  Raises:
    ValueError: If a list of cells is empty or is not a list, if the lists
      differ in length, or if `bidirectional_dynamic_rnn` raises it.
    TypeError: If `bidirectional_dynamic_rnn` raises it.
    tf.errors.InvalidArgumentError: If `bidirectional_dynamic_rnn` raises it.

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
  """Stacks layers of `static_bidirectional_rnn`.

  The input of each layer is the list of outputs of the layer below.

  Source: `tf.contrib.rnn.stack_bidirectional_rnn` of TensorFlow 1.15.

  Args:
    cells_fw: List of RNNCells for the forward direction, one for each layer.
    cells_bw: List of RNNCells for the backward direction, as long as
      `cells_fw`.
    inputs: List of tensors [batch, depth], one for each step.
    initial_states_fw: Optional list of initial states, one for each layer.
      Default: zeros.
    initial_states_bw: Optional list of initial states, one for each layer.
      Default: zeros.
    dtype: The dtype of the initial states and of the outputs. Required if
      initial states are missing.
    sequence_length: Optional tensor [batch], int32 or int64, with values from 0
      to time. See `bidirectional_dynamic_rnn`.
    scope: A variable scope or its name. Default: "stack_bidirectional_rnn".
      Layer i is in the scope "cell_i" inside it.

  Returns:
    A tuple `(outputs, states_fw, states_bw)`. The outputs are the list of the
    last layer's outputs, see `static_bidirectional_rnn`. Each of the two tuples
    of states has the final state of each layer.

  Raises:
    ValueError: If a list of cells is empty or is not a list, if the lists
      differ in length, or if `static_bidirectional_rnn` raises it.
    TypeError: If `static_bidirectional_rnn` raises it.
    tf.errors.InvalidArgumentError: If `static_bidirectional_rnn` raises it.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> make_layers = lambda: [tf_contrib_rnn.IndRNNCell(4) for _ in range(2)]
  >>> outputs, _, _ = tf_contrib_rnn.stack_bidirectional_rnn(
  ...     make_layers(), make_layers(), [tf.ones([2, 3])] * 5, dtype=tf.float32)
  >>> len(outputs), outputs[0].shape
  (5, TensorShape([2, 8]))
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
