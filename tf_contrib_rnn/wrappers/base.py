"""What the wrappers share: the cell inside, its sizes and its variables."""

from typing import Any

import tensorflow as tf
from tensorflow.python.ops import rnn_cell_impl
from tensorflow.python.ops import variables
from tensorflow.python.trackable import base as trackable

from tf_contrib_rnn.cells import plain


class Wrapper(plain.PlainCell):
  """An RNNCell around another cell.

  State and output have the sizes of those of the cell inside.
  """

  def __init__(self, cell: Any, reuse: Any = None, check: bool = True):
    super().__init__(_reuse=reuse)
    if check:
      rnn_cell_impl.assert_like_rnncell("cell", cell)
    self._cell = cell
    if isinstance(cell, trackable.Trackable):
      self._track_trackable(cell, "cell")

  @property
  def state_size(self) -> Any:
    """The size of the state, or a structure of sizes."""
    return self._cell.state_size

  @property
  def output_size(self) -> Any:
    """The size of the output."""
    return self._cell.output_size

  def zero_state(self, batch_size: Any, dtype: Any) -> Any:
    """Returns a state of zeros, made by the cell inside."""
    with tf.name_scope(type(self).__name__ + "ZeroState"):
      return self._cell.zero_state(batch_size, dtype)

  @property
  def trainable_weights(self) -> list[Any]:
    """The trainable variables, including those of the cell inside."""
    if not self.trainable:
      return []
    return self._with_cells("trainable_weights", super().trainable_weights)

  @property
  def non_trainable_weights(self) -> list[Any]:
    """The other variables, including those of the cell inside."""
    of_cell = "non_trainable_weights" if self.trainable else "weights"
    return self._with_cells(of_cell, super().non_trainable_weights)

  def _with_cells(self, attribute: str, own: list[Any]) -> list[Any]:
    """Adds the variables that the cell had before its first call in here."""
    recorded = [*self._trainable_weights, *self._non_trainable_weights]
    seen = {id(part) for variable in recorded for part in _parts(variable)}
    return [
      variable
      for variable in getattr(self._cell, attribute, [])
      if not seen.intersection(map(id, _parts(variable)))
    ] + own


def _parts(variable: Any) -> list[Any]:
  """A variable and its parts, if a partitioner split it."""
  is_split = isinstance(variable, variables.PartitionedVariable)
  return [variable, *(variable if is_split else ())]
