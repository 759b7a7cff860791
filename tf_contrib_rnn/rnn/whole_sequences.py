"""Runs cells over whole sequences, and decides which calls can run so.

Sizes come from `shape.as_list()`. `shape[0]` is a Dimension, and not None where
it is unknown, after `tf.compat.v1.disable_v2_behavior()`.
"""

import functools
import logging
from collections.abc import Iterator
from typing import Any
from typing import Optional

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import rnn

from tf_contrib_rnn.cells import rows

v1 = tf.compat.v1

_logger = logging.getLogger(__name__)

_WRAPPERS = ("DeviceWrapper", "DropoutWrapper", "ResidualWrapper")


def _is_own(cell: Any, *names: str) -> bool:
  """Whether a cell's class is one of TensorFlow's or tf_keras's own.

  A subclass does not count. In TensorFlow 2.15 the class comes from keras. The
  names are compared, so that nothing has to be imported.
  """
  package = type(cell).__module__.split(".")[0]
  return (
    package in ("tensorflow", "tf_keras", "keras")
    and type(cell).__name__ in names
  )


def _parts(cell: Any) -> Iterator[Any]:
  """A cell and the cells inside it, from the outside in."""
  yield cell
  if _is_own(cell, "MultiRNNCell"):
    for layer in cell._cells:
      yield from _parts(layer)
  elif _is_own(cell, *_WRAPPERS):
    yield from _parts(cell.cell)


def _why_not_part(part: Any) -> Optional[str]:
  name = type(part).__name__
  if rows.has_recurrence_op(part):
    return None
  if not _is_own(part, "MultiRNNCell", *_WRAPPERS):
    return f"{name} is none of the cells with an op or of TensorFlow's wrappers"
  # A float, where it is a constant. The filter, which says what of the state is
  # dropped, counts only with this.
  keep_prob = getattr(part, "_state_keep_prob", 1.0)
  if not isinstance(keep_prob, float) or keep_prob != 1.0:
    return f"a {name} drops out parts of the state between steps"
  if getattr(part, "_residual_fn", None) is not None:
    return f"a {name} has a residual_fn, which expects one step"
  return None


def why_not_cell(cell: Any) -> Optional[str]:
  reasons = (_why_not_part(part) for part in _parts(cell))
  return next((reason for reason in reasons if reason), None)


def _why_not_tensor(name: str, tensor: Any, rank: int) -> Optional[str]:
  """Why this is not a tensor of that rank with a known depth, or None."""
  if not isinstance(tensor, (tf.Tensor, tf.Variable, np.ndarray)):
    return f"{name} is a {type(tensor).__name__}, not a tensor"
  shape = tf.TensorShape(tensor.shape)
  if shape.rank != rank or shape.as_list()[-1] is None:
    return f"{name} has shape {shape}, not {rank} dimensions with a known last"
  return None


def _why_not_lengths(sequence_length: Any, batch: Any) -> Optional[str]:
  if sequence_length is None:
    return None
  lengths = tf.convert_to_tensor(sequence_length)
  if not lengths.dtype.is_integer:
    return f"sequence_length is of {lengths.dtype.name}"
  shape = lengths.shape
  if shape.rank is None or not shape.is_compatible_with([batch]):
    return f"sequence_length has shape {shape}, the batch is {batch}"
  return None


def _why_not_state(
  cell: Any, state: Any, batch: Any, dtype: tf.DType
) -> Optional[str]:
  """Why an initial state does not fit, or None.

  It has to look exactly like the state after a step.
  """
  try:
    tf.nest.assert_same_structure(cell.state_size, state)
  except (TypeError, ValueError):
    return "initial_state has another structure than the cell's state_size"
  sizes = tf.nest.flatten(cell.state_size)
  for size, leaf in zip(sizes, tf.nest.flatten(state)):
    leaf = tf.convert_to_tensor(leaf)
    if leaf.dtype != dtype:
      return f"initial_state is of {leaf.dtype.name}, inputs of {dtype.name}"
    shape = leaf.shape
    if shape.rank is None or not shape.is_compatible_with([batch, size]):
      return f"initial_state has shape {shape}, expected [{batch}, {size}]"
    if batch is None and shape.as_list()[0] == 1:
      return f"initial_state has shape {shape}, the batch is unknown"
  return None


def why_not(
  cell: Any,
  inputs: Any,
  sequence_length: Any,
  initial_state: Any,
  dtype: Any,
  time_major: bool = False,
) -> Optional[str]:
  """Why a call cannot run over whole sequences, or None if it can.

  A call with a mistake cannot. TensorFlow's function then raises its own
  error.
  """
  reason = why_not_cell(cell) or _why_not_tensor("inputs", inputs, 3)
  if reason:
    return reason
  input_dtype = tf.as_dtype(inputs.dtype).base_dtype
  batch = tf.TensorShape(inputs.shape).as_list()[1 if time_major else 0]
  if not input_dtype.is_floating:
    return f"inputs is of {input_dtype.name}"
  if dtype is None and initial_state is None:
    return "neither dtype nor initial_state is given"
  if dtype is not None and tf.as_dtype(dtype).base_dtype != input_dtype:
    return f"dtype is {tf.as_dtype(dtype).name}, inputs of {input_dtype.name}"
  reason = _why_not_lengths(sequence_length, batch)
  if not reason and initial_state is not None:
    reason = _why_not_state(cell, initial_state, batch, input_dtype)
  return reason


def why_not_steps(inputs: Any) -> Optional[str]:
  if not isinstance(inputs, (list, tuple)) or not inputs:
    return "inputs is no list of tensors"
  for step in inputs:
    reason = _why_not_tensor("a step of inputs", step, 2)
    if reason:
      return reason
    if (step.dtype, step.shape[-1]) != (inputs[0].dtype, inputs[0].shape[-1]):
      return "the steps of inputs differ in dtype or depth"
  return None


def run(
  cell: Any,
  inputs: tf.Tensor,
  sequence_length: Any,
  initial_state: Any,
  time_major: bool,
  scope: Any,
  reverse: bool = False,
) -> tuple[tf.Tensor, Any]:
  """Runs a cell over whole sequences, under dynamic_rnn's variable scope."""
  time_major = bool(time_major)
  with v1.variable_scope(scope or "rnn") as variable_scope:
    # As TensorFlow does; custom getters see it.
    if rnn._should_cache() and variable_scope.caching_device is None:
      variable_scope.set_caching_device(lambda op: op.device)
    if sequence_length is not None:
      sequence_length = tf.cast(sequence_length, tf.int32)
    sequences = rows.describe(inputs, sequence_length, time_major, reverse)
    state = initial_state
    batch = sequences.shape[1 if time_major else 0]
    if state is None:
      state = cell.zero_state(batch, inputs.dtype)
    else:
      state = tf.nest.map_structure(
        functools.partial(_broadcast_state, batch), state
      )
    inner_cells = [p for p in _parts(cell) if rows.has_recurrence_op(p)]
    with rows.as_rows(sequences, inner_cells):
      flat, state = cell(sequences.flatten(inputs), state)
    outputs = sequences.unflatten(flat)
    if sequence_length is not None and _adds_inputs(cell):
      outputs = _clear_past_end(outputs, sequences)
  for inner_cell in inner_cells:
    _logger.debug("whole sequences: %s", inner_cell.scope_name)
  return outputs, state


def _broadcast_state(batch: Any, state: Any) -> tf.Tensor:
  """A state for the whole batch.

  TensorFlow's function takes a state [1, units] for any batch, because the
  first step broadcasts it.
  """
  state = tf.convert_to_tensor(state)
  size, units = state.shape.as_list()
  if size is not None:
    return state
  units = tf.shape(state)[1] if units is None else units
  return tf.broadcast_to(state, [batch, units])


def _adds_inputs(cell: Any) -> bool:
  """Whether outputs past a sequence's end may differ from zero."""
  return any(_is_own(part, "ResidualWrapper") for part in _parts(cell))


def _clear_past_end(outputs, sequences):
  time_axis, batch_axis = (0, 1) if sequences.time_major else (1, 0)
  steps = tf.range(tf.shape(outputs)[time_axis])
  runs = tf.expand_dims(steps, batch_axis) < tf.expand_dims(
    sequences.sequence_length, time_axis
  )
  return tf.where(runs[..., tf.newaxis], outputs, tf.zeros_like(outputs))


def log_stepwise(function: str, reason: str) -> None:
  _logger.debug("%s: step by step, by TensorFlow: %s", function, reason)


def run_both(
  both_cells: tuple[Any, Any],
  inputs: tf.Tensor,
  sequence_length: Any,
  initial_states: tuple[Any, Any],
  time_major: bool,
  scope: Any,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
  """Runs both directions. Returns (outputs, states)."""
  results = []
  with v1.variable_scope(scope or "bidirectional_rnn"):
    if sequence_length is not None:
      time = tf.shape(inputs)[0 if time_major else 1]
      sequence_length = check_lengths(sequence_length, time)
    for direction in (0, 1):
      with v1.variable_scope(("fw", "bw")[direction]) as direction_scope:
        results.append(
          run(
            both_cells[direction],
            inputs,
            sequence_length,
            initial_states[direction],
            time_major,
            direction_scope,
            reverse=direction == 1,
          )
        )
  outputs, states = zip(*results)
  return outputs, states


def check_lengths(sequence_length: Any, time: tf.Tensor) -> tf.Tensor:
  """Raises the errors of tf.reverse_sequence in TensorFlow's function."""
  lengths = tf.cast(sequence_length, tf.int64)
  checks = [
    tf.debugging.assert_non_negative(
      lengths, "sequence_length is negative, expected 0 to time"
    ),
    tf.debugging.assert_less_equal(
      lengths,
      tf.cast(time, tf.int64),
      "sequence_length is past the end of the inputs, expected 0 to time",
    ),
  ]
  with tf.control_dependencies(filter(None, checks)):
    return tf.identity(lengths)
