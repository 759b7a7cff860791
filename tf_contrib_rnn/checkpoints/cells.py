"""The cells that variables belong to, told by names and shapes."""

import dataclasses
import re
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Optional

from tf_contrib_rnn.checkpoints.fit import Fit
from tf_contrib_rnn.checkpoints.fit import fit
from tf_contrib_rnn.checkpoints.layouts import LAYOUTS
from tf_contrib_rnn.checkpoints.variables import Variable

DENSE = "a dense layer"

# What TensorFlow before 1.2 called them.
_OLD_NAMES = {
  "weights": "kernel",
  "biases": "bias",
  "recurrent_weights": "recurrent_kernel",
}
# The names that other layers' variables have as well.
_COMMON = {"kernel", "bias", "embedding"}
# Scopes that other layers are known by, and parts of cells of other packages.
_OTHER_LAYER = re.compile(
  r"(dense|fully_connected|fc|linear|logits|conv\d?d?(_transpose)?|gates|"
  r"candidate)_?\d*",
  re.IGNORECASE,
)
_LIKE_A_CELL = re.compile("rnn|lstm|gru|cell", re.IGNORECASE)
_AROUND_CELLS = re.compile(r"(.*_)?rnn(_\d+)?|cell_\d+|fw|bw")
# Where the scope of a wrapper has that of its cell.
_IN_WRAPPER = re.compile(r"[^/]+|multi_rnn_cell/cell_\d+/[^/]+")

_IN_STACK = re.compile(r"(.*multi_rnn_cell)/cell_(\d+)/[^/]+")
# Cells whose inputs in the table are not all that the cell below gives.
_TAKES_A_PART = re.compile("Conv|Grid|TimeFreq|Phased|Wrapper")

# Below a scope: the variables by their names without it.
_Below = dict[str, Variable]


@dataclasses.dataclass(frozen=True)
class Candidate:
  """What a cell may be.

  Attributes:
    kind: the class's name in tf.contrib.rnn, or that of another layer.
    inputs: the depth of the inputs; feature_size of a TimeFreqLSTMCell, a
      GridLSTMCell and a BidirectionalGridLSTMCell, the channels of a
      ConvLSTMCell, the classes of an EmbeddingWrapper, the cell's outputs of an
      OutputProjectionWrapper.
    units: the units; the width of the output of a wrapper.
  """

  kind: str
  inputs: int
  units: int


@dataclasses.dataclass(frozen=True)
class Cell:
  """A cell of a checkpoint.

  Attributes:
    scope: what its variables' names begin with.
    candidates: what it may be: several where names and shapes do not tell.
    dtype: that of its variables.
    variables: their names in the checkpoint.
  """

  scope: str
  candidates: tuple[Candidate, ...]
  dtype: str
  variables: tuple[str, ...]

  @property
  def kind(self) -> str:
    """The classes that it may be: "GRUCell or GRUBlockCellV2"."""
    *others, last = dict.fromkeys(c.kind for c in self.candidates)
    return f"{', '.join(others)} or {last}" if others else last

  @property
  def inputs(self) -> Optional[int]:
    """The depth of the inputs, None where the candidates differ."""
    return _only({c.inputs for c in self.candidates})

  @property
  def units(self) -> Optional[int]:
    """The units, None where the candidates differ."""
    return _only({c.units for c in self.candidates})


def _only(numbers: Collection[int]) -> Optional[int]:
  return next(iter(numbers)) if len(numbers) == 1 else None


@dataclasses.dataclass(frozen=True)
class _Found:
  """What one cell may be, and its variables."""

  scope: str
  fits: tuple[Fit, ...]
  variables: tuple[Variable, ...]
  is_unsure: bool

  def to_cell(self) -> Cell:
    candidates = [
      Candidate(f.layout.kind, f.inputs, f.units) for f in self.fits
    ]
    if self.is_unsure:
      rows, columns = next(
        v.shape for v in self.variables if v.shape and len(v.shape) == 2
      )
      candidates.append(Candidate(DENSE, rows, columns))
    return Cell(
      self.scope,
      tuple(dict.fromkeys(candidates)),
      " and ".join(sorted({v.dtype for v in self.variables})),
      tuple(name for v in self.variables for name in v.stored),
    )


def find_cells(
  variables: Mapping[str, Variable],
) -> tuple[list[Cell], list[Cell]]:
  """The cells of a checkpoint.

  The last part of a scope tells the class where it is its default name and the
  shapes fit. Otherwise all classes are named that names and shapes allow.

  Args:
    variables: as of `list_variables`, without what an optimizer keeps.

  Returns:
    The cells, and what else has a kernel and a bias that some cell could have:
    where no name says that it is a cell, it may be a dense layer.

  Example:

  >>> from tf_contrib_rnn.checkpoints import cells
  >>> from tf_contrib_rnn.checkpoints.variables import Variable
  >>> name = "rnn/basic_lstm_cell/"
  >>> found, _ = cells.find_cells({
  ...   name + "kernel": Variable(name + "kernel", (9, 16), "float32"),
  ...   name + "bias": Variable(name + "bias", (16,), "float32"),
  ... })
  >>> found[0].kind, found[0].inputs, found[0].units
  ('BasicLSTMCell', 5, 4)
  """
  scopes = {s: _modernise(b) for s, b in _list_scopes(variables).items()}
  fits = {scope: _list_fits(below) for scope, below in scopes.items()}
  found = []
  for scope, below in scopes.items():
    own = [f for f in fits[scope] if not f.layout.scopes]  # a HighwayWrapper's
    others = [f for f in fits[scope] if f.layout.scopes]
    named = {name for f in own for name in f.names}
    found += [_found(scope, [f], below, is_unsure=False) for f in own]
    rest = {name: v for name, v in below.items() if name not in named}
    chosen, is_unsure = _choose(scope, others, rest, fits)
    if chosen:
      found.append(_found(scope, chosen, below, is_unsure))
  kept = _compare_in_stacks(_without_overlaps(found))
  return (
    [cell.to_cell() for cell in kept if not cell.is_unsure],
    [cell.to_cell() for cell in kept if cell.is_unsure],
  )


def _list_scopes(variables: Mapping[str, Variable]) -> dict[str, _Below]:
  """Each scope that a cell may have, with what lies one or two parts below."""
  scopes: dict[str, _Below] = {}
  for name, variable in variables.items():
    parts = name.split("/")
    for size in {1, 2} & {*range(1, len(parts) + 1)}:
      scope = "/".join(parts[:-size])
      scopes.setdefault(scope, {})["/".join(parts[-size:])] = variable
  return dict(sorted(scopes.items()))


def _modernise(below: _Below) -> _Below:
  """The same with the names that TensorFlow has had since 1.2."""
  last_parts = {name.rpartition("/")[2] for name in below}
  if "weights" not in last_parts or "kernel" in last_parts:
    return below
  renamed = {}
  for name, variable in below.items():
    start, slash, last = name.rpartition("/")
    renamed[start + slash + _OLD_NAMES.get(last, last)] = variable
  return renamed


def _list_fits(below: _Below) -> list[Fit]:
  shapes = {n: v.shape for n, v in below.items() if v.shape is not None}
  fits = (fit(layout, shapes) for layout in LAYOUTS)
  return [found for found in fits if found]


def _choose(
  scope: str,
  fits: list[Fit],
  below: _Below,
  all_fits: Mapping[str, list[Fit]],
) -> tuple[list[Fit], bool]:
  """Those of the fits that may be meant, and whether it may be no cell."""
  last = re.sub(r"_\d+$", "", scope.rpartition("/")[2])
  by_name = [f for f in fits if last in f.layout.scopes]
  if by_name:
    return _largest(by_name), False
  fits = _largest(
    [f for f in fits if not f.layout.wraps or _is_around(f, scope, all_fits)]
  )
  wrappers = [f for f in fits if f.layout.wraps]
  fits = wrappers or _of_the_kind_in_a_name(fits, last)
  if wrappers or not fits or not {*fits[0].names} <= _COMMON:
    return fits, False
  is_all = {n for n in below if "/" not in n} == {*fits[0].names}
  if not is_all or len(fits[0].names) < 2 or _OTHER_LAYER.fullmatch(last):
    return [], False
  parent = scope.rpartition("/")[0].rpartition("/")[2]
  is_cell = _LIKE_A_CELL.search(last) or _AROUND_CELLS.fullmatch(parent)
  return fits, not is_cell and _may_be_dense(below)


def _may_be_dense(below: _Below) -> bool:
  """Whether a dense layer could have that kernel and that bias."""
  kernel, bias = below["kernel"].shape, below["bias"].shape
  return kernel is not None and kernel[1:] == bias


def _largest(fits: list[Fit]) -> list[Fit]:
  """Those that explain the most variables."""
  size = max((len(f.names) for f in fits), default=0)
  return [f for f in fits if len(f.names) == size]


def _is_around(
  wrapper: Fit, scope: str, all_fits: Mapping[str, list[Fit]]
) -> bool:
  """Whether a cell below has the width that a wrapper gives or takes."""
  if not wrapper.layout.wraps:
    return False
  start = scope + "/" if scope else ""
  inner = [
    f
    for name, fits in all_fits.items()
    if name.startswith(start) and _IN_WRAPPER.fullmatch(name[len(start) :])
    for f in fits
  ]
  if wrapper.layout.wraps == "inputs":
    return any(f.inputs == wrapper.units for f in inner)
  return any(f.outputs == wrapper.inputs for f in inner)


def _of_the_kind_in_a_name(fits: list[Fit], name: str) -> list[Fit]:
  """Of the fits those that a name such as my_lstm says, if any."""
  for word in ("lstm", "gru"):
    if word in name.lower():
      said = [f for f in fits if word in f.layout.kind.lower()]
      return said or fits
  return fits


def _found(
  scope: str, fits: list[Fit], below: _Below, is_unsure: bool
) -> _Found:
  variables = tuple(below[name] for name in fits[0].names)
  return _Found(scope, tuple(fits), variables, is_unsure)


def _without_overlaps(found: Iterable[_Found]) -> list[_Found]:
  """Each variable in one cell: in that which explains the most of them."""
  taken: set[str] = set()
  kept = []
  for cell in sorted(found, key=lambda cell: -len(cell.variables)):
    names = {variable.name for variable in cell.variables}
    if not names & taken:
      taken |= names
      kept.append(cell)
  return sorted(kept, key=lambda cell: cell.scope)


def _compare_in_stacks(found: list[_Found]) -> list[_Found]:
  """Leaves out what cannot feed the next cell of a MultiRNNCell."""
  stacked = {}
  for cell in found:
    match = _IN_STACK.fullmatch(cell.scope)
    if match:
      stacked[match[1], int(match[2])] = cell
  for stack, number in sorted(stacked, reverse=True):
    cell, following = stacked[stack, number], stacked.get((stack, number + 1))
    if following is None or _takes_a_part(following) or _takes_a_part(cell):
      continue
    depths = {f.inputs for f in following.fits}
    fits = tuple(f for f in cell.fits if f.outputs in depths) or cell.fits
    stacked[stack, number] = dataclasses.replace(cell, fits=fits)
  narrowed = {cell.scope: cell for cell in stacked.values()}
  return [narrowed.get(cell.scope, cell) for cell in found]


def _takes_a_part(cell: _Found) -> bool:
  return any(_TAKES_A_PART.search(f.layout.kind) for f in cell.fits)
