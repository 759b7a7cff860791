"""The names, shapes and dtypes of a checkpoint's variables."""

import dataclasses
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Optional

from tf_contrib_rnn.migrate import checkpoint as files

Shape = tuple[int, ...]
# A graph may leave numbers open.
OpenShape = Optional[tuple[Optional[int], ...]]

# What a partitioner adds to a name; an optimizer's slot comes behind it.
_PART = re.compile(r"(?P<whole>.+)/part_(?P<number>\d+)(?P<slot>/[^/]+)?")


@dataclasses.dataclass(frozen=True)
class Variable:
  """What is known of a variable without its values.

  Attributes:
    name: its name.
    shape: its shape; None if a graph does not say it.
    dtype: the name of its dtype.
    parts: the names of its parts, if the checkpoint has it in parts.
  """

  name: str
  shape: Optional[Shape]
  dtype: str
  parts: tuple[str, ...] = ()

  @property
  def stored(self) -> tuple[str, ...]:
    """The names that the checkpoint has of it."""
    return self.parts or (self.name,)


def list_variables(checkpoint: files.Checkpoint) -> dict[str, Variable]:
  """The variables of a checkpoint by their names, sorted.

  Args:
    checkpoint: as of `migrate.read_weights`.

  Raises:
    ValueError, tf.errors.NotFoundError: as `migrate.read_weights`.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.checkpoints import variables
  >>> variables.list_variables({"bias": np.zeros([4])})["bias"].shape
  (4,)
  """
  loaded = files.load(checkpoint)
  return {
    name: Variable(
      name, files.shape_of(name, loaded), files.dtype_of(name, loaded)
    )
    for name in sorted(loaded)
  }


def join_parts(variables: Mapping[str, Variable]) -> dict[str, Variable]:
  """The same with one variable for all parts that a partitioner made of it.

  A `Saver` saves such a variable whole. Names as `kernel/part_0` come from
  programs that gave it the parts one by one.
  """
  found: dict[str, dict[int, Variable]] = {}
  for variable in variables.values():
    match = _PART.fullmatch(variable.name)
    if match:
      whole = match["whole"] + (match["slot"] or "")
      found.setdefault(whole, {})[int(match["number"])] = variable
  joined = dict(variables)
  for name, by_number in found.items():
    parts = [by_number[number] for number in sorted(by_number)]
    shape = _join_shapes(part.shape or () for part in parts)
    is_whole = sorted(by_number) == [*range(len(parts))] and name not in joined
    if shape is None or not is_whole or len({p.dtype for p in parts}) > 1:
      continue
    for part in parts:
      del joined[part.name]
    names = tuple(part.name for part in parts)
    joined[name] = Variable(name, shape, parts[0].dtype, names)
  return dict(sorted(joined.items()))


def _join_shapes(shapes: Iterable[Shape]) -> Optional[Shape]:
  """The shape of parts side by side, along the first axis if in doubt."""
  first, *others = shapes
  if not first or any(len(shape) != len(first) for shape in others):
    return None
  axes = {
    axis
    for shape in others
    for axis, (one, other) in enumerate(zip(first, shape))
    if one != other
  }
  if len(axes) > 1:
    return None
  axis = axes.pop() if axes else 0
  joined = list(first)
  joined[axis] += sum(shape[axis] for shape in others)
  return tuple(joined)


def may_be_equal(one: OpenShape, other: OpenShape) -> bool:
  """Whether shapes are equal for all that a graph says of them."""
  if one is None or other is None:
    return True
  return len(one) == len(other) and all(
    None in sizes or sizes[0] == sizes[1] for sizes in zip(one, other)
  )


def join_along_first(shapes: Sequence[Shape]) -> Optional[Shape]:
  """The shape of arrays one below the other, None if they do not fit."""
  if not shapes[0] or len({shape[1:] for shape in shapes}) > 1:
    return None
  return (sum(shape[0] for shape in shapes), *shapes[0][1:])
