"""The two functions of tf.contrib.rnn 1.15 that stack bidirectional layers."""

from typing import Any
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.rnn.dynamic import bidirectional_dynamic_rnn
from tf_contrib_rnn.rnn.static import static_bidirectional_rnn

v1 = tf.compat.v1


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
