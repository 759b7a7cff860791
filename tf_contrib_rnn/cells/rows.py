"""How whole sequences get to a cell through the wrappers around it.

A wrapper passes [rows, depth] to its cell and gets [rows, units]. The rows
can also be all steps of all sequences. What a wrapper does to one step, such
as dropout, it then does to all steps at once. Therefore `rnn` calls the
outermost cell with flattened sequences. The cell inside asks this module what
its rows are.
"""

import contextlib
import contextvars
import dataclasses
import functools
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.ops import chunks


@dataclasses.dataclass(frozen=True)
class Sequences:
  """Describes a batch of sequences, without their values.

  Attributes:
    shape: int32 [2]: batch and time, or time and batch if `time_major`. A list
      if both are known.
    sequence_length: int32 [batch] or None. See `recurrence.ind_rnn`.
    time_major: See `recurrence.ind_rnn`.
    reverse: See `recurrence.ind_rnn`.
  """

  shape: Any
  sequence_length: Optional[tf.Tensor]
  time_major: bool
  reverse: bool

  def flatten(self, sequences: tf.Tensor) -> tf.Tensor:
    """Makes [rows, depth] of sequences [batch, time, depth]."""
    depth = sequences.shape.as_list()[-1]
    if isinstance(self.shape, list):
      rows = self.shape[0] * self.shape[1]
    elif depth:
      rows = -1
    else:  # nothing to infer the rows from
      rows = tf.reduce_prod(self.shape)
    return tf.reshape(sequences, [rows, depth])

  def unflatten(self, rows: tf.Tensor) -> tf.Tensor:
    """Makes sequences [batch, time, depth] of [rows, depth]."""
    return tf.reshape(rows, tf.concat([self.shape, rows.shape[-1:]], 0))


def describe(
  inputs: tf.Tensor,
  sequence_length: Optional[tf.Tensor],
  time_major: bool,
  reverse: bool,
) -> Sequences:
  """Describes inputs [batch, time, depth], or [time, batch, depth]."""
  shape = inputs.shape[:2].as_list()
  if None in shape:
    shape = tf.shape(inputs)[:2]
  return Sequences(shape, sequence_length, time_major, reverse)


_current: contextvars.ContextVar[tuple[Optional[Sequences], Sequence[Any]]]
_current = contextvars.ContextVar("sequences", default=(None, ()))


@contextlib.contextmanager
def as_rows(sequences: Sequences, cells: Sequence[Any]) -> Iterator[None]:
  """Inside, the rows that these cells are called with are these sequences.

  This holds for these cells only: an activation or a custom getter may run
  others.
  """
  token = _current.set((sequences, cells))
  try:
    yield
  finally:
    _current.reset(token)


def rows_of(cell: Any) -> Optional[Sequences]:
  """The sequences that a cell's rows are, or None if they are one step."""
  sequences, cells = _current.get()
  return sequences if any(cell is other for other in cells) else None


def multiply(sequences: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
  """x W for all steps of sequences at once."""
  described = describe(sequences, None, time_major=False, reverse=False)
  return described.unflatten(tf.matmul(described.flatten(sequences), kernel))


def run(
  cell: Any,
  recurrence_of_cell: Callable[..., tuple[tf.Tensor, Any]],
  inputs: tf.Tensor,
  kernels: Sequence[Any],
  weights: Sequence[Any],
  state: Any,
  **attributes: Any,
) -> tuple[tf.Tensor, Any]:
  """Runs a cell over one step, or over the sequences that the rows are.

  Args:
    cell: The cell that is called.
    recurrence_of_cell: A function of `tf_contrib_rnn.recurrence`.
    inputs: x, [rows, depth].
    kernels: The matrices of W, whose products lie side by side in x W.
    weights: The arguments of the function between x W and the state.
    state: The state, as the function takes it.
    **attributes: The other arguments of the function.

  Returns:
    The outputs [rows, units] and the new state.
  """
  recur = functools.partial(recurrence_of_cell, **attributes)
  sequences = rows_of(cell)
  if sequences is None:
    # Matrices side by side would be copied at every step of a loop.
    products = [tf.matmul(inputs, kernel) for kernel in kernels]
    return recur(_side_by_side(products), *weights, state)
  outputs, state = chunks.run(
    multiply,
    recur,
    sequences.unflatten(inputs),
    _side_by_side(kernels),
    weights,
    state,
    sequence_length=sequences.sequence_length,
    time_major=sequences.time_major,
    reverse=sequences.reverse,
  )
  return sequences.flatten(outputs), state


def _side_by_side(matrices):
  return matrices[0] if len(matrices) == 1 else tf.concat(matrices, 1)


def has_recurrence_op(cell: Any) -> bool:
  """Whether a cell can be called with rows that are whole sequences.

  The class itself has to say so. A subclass may compute something else.
  """
  return vars(type(cell)).get("has_recurrence_op", False)
