"""Whether variables are those of a layout, and which sizes they then have."""

import dataclasses
from collections.abc import Mapping
from typing import Optional

from tf_contrib_rnn.checkpoints.layouts import Layout
from tf_contrib_rnn.checkpoints.layouts import Piece
from tf_contrib_rnn.checkpoints.variables import join_along_first
from tf_contrib_rnn.checkpoints.variables import Shape

# Variables of one name that are alike: the names and the joined shape of each.
_Alike = list[tuple[list[str], Shape]]
# The sum of factors times letters, and what it is.
_Equation = tuple[tuple[tuple[int, str], ...], int]


@dataclasses.dataclass(frozen=True)
class Fit:
  """A layout that variables fit.

  Attributes:
    layout: the layout.
    names: the variables' names below the cell's scope.
    sizes: the numbers by the layout's letters.
  """

  layout: Layout
  names: tuple[str, ...]
  sizes: Mapping[str, int]

  @property
  def inputs(self) -> int:
    return self.sizes[self.layout.inputs]

  @property
  def units(self) -> int:
    return self.sizes[self.layout.units]

  @property
  def outputs(self) -> int:
    """The width of the cell's output."""
    return self.sizes.get("M", self.units)


def fit(layout: Layout, shapes: Mapping[str, Shape]) -> Optional[Fit]:
  """Compares with a layout.

  Args:
    layout: what to compare with.
    shapes: those of variables by their names below a scope; others may be among
      them.

  Returns:
    The `Fit`, or None if the layout's variables are not all there, or have
    other shapes.

  Example:

  >>> from tf_contrib_rnn.checkpoints import fit, layouts
  >>> (sru,) = [x for x in layouts.LAYOUTS if x.kind == "SRUCell"]
  >>> fit.fit(sru, {"kernel": (3, 16), "bias": (8,)}).sizes
  {'D': 3, 'H': 4}
  """
  if any(name in shapes for name in layout.absent):
    return None
  found = {piece: _find(piece, shapes) for piece in layout.pieces}
  for group in layout.groups:
    of_group = {piece: _find(piece, shapes) for piece in group}
    if all(of_group.values()):
      found.update(of_group)
    elif any(of_group.values()):
      return None
  if not all(found.values()):
    return None
  has_projection = any(p.has("M") for p in found if p not in layout.pieces)
  equations = _list_equations(found, has_projection)
  sizes = None if equations is None else _solve(equations)
  if sizes is None or sizes.get(layout.inputs, 0) < 1:
    return None
  names = [n for alike in found.values() for some, _ in alike for n in some]
  return Fit(layout, tuple(names), sizes) if layout.units in sizes else None


def _find(piece: Piece, shapes: Mapping[str, Shape]) -> _Alike:
  """The variables that a piece's name stands for; none if they do not fit."""
  if piece.pattern is None:
    here = shapes.get(piece.name)
    return [] if here is None else [([piece.name], here)]
  numbered: dict[int, dict[int, str]] = {}
  for name in shapes:
    match = piece.pattern.fullmatch(name)
    if match:
      numbers = match.groupdict()
      shards = numbered.setdefault(int(numbers.get("each", 0)), {})
      shards[int(numbers.get("shard", 0))] = name
  alike: _Alike = []
  for each in range(len(numbered)):
    shards = numbered.get(each, {})
    names = [shards.get(number, "") for number in range(len(shards))]
    if not names or not all(names):
      return []
    shape = join_along_first([shapes[name] for name in names])
    if shape is None:
      return []
    alike.append((names, shape))
  return alike


def _list_equations(
  found: Mapping[Piece, _Alike], has_projection: bool
) -> Optional[list[_Equation]]:
  """What the shapes say of the sizes; None if there are not that many axes."""
  groups = {len(alike) for piece, alike in found.items() if "*" in piece.name}
  if len(groups) > 1:
    return None
  equations: list[_Equation] = []
  for piece, alike in found.items():
    for _, shape in alike:
      if len(shape) != len(piece.shape):
        return None
      for dimension, size in zip(piece.shape, shape):
        by = max(groups) if dimension.is_divided else 1
        if dimension.terms:
          equations.append((dimension.terms, size * by))
  if not has_projection and any(piece.has("M") for piece in found):
    equations.append((((1, "M"), (-1, "H")), 0))
  return equations


def _solve(equations: list[_Equation]) -> Optional[dict[str, int]]:
  """The letters' numbers, one after the other; None if there are none."""
  sizes = {"": 1}
  left = equations
  while left:
    remaining = []
    for terms, total in left:
      unknown = [term for term in terms if term[1] not in sizes]
      total -= sum(n * sizes[x] for n, x in terms if x in sizes)
      if len(unknown) > 1:
        remaining.append((tuple(unknown), total))
      elif unknown:
        ((factor, letter),) = unknown
        sizes[letter], rest = divmod(total, factor)
        if rest or sizes[letter] < 0:
          return None
      elif total:
        return None
    if len(remaining) == len(left):
      break
    left = remaining
  del sizes[""]
  return sizes
