"""How a checkpoint's variables differ from another's, or from a graph's."""

import dataclasses
from collections.abc import Mapping
from typing import Optional

from tf_contrib_rnn.checkpoints import graph
from tf_contrib_rnn.checkpoints import tables
from tf_contrib_rnn.checkpoints.contents import OBJECT_BASED
from tf_contrib_rnn.checkpoints.contents import OBJECT_GRAPH
from tf_contrib_rnn.checkpoints.renames import find_renames
from tf_contrib_rnn.checkpoints.renames import Rename
from tf_contrib_rnn.checkpoints.variables import list_variables
from tf_contrib_rnn.checkpoints.variables import may_be_equal
from tf_contrib_rnn.checkpoints.variables import Variable
from tf_contrib_rnn.migrate.checkpoint import Checkpoint


@dataclasses.dataclass(frozen=True)
class Differences:
  """How a checkpoint differs from what is wanted of it.

  Attributes:
    missing: what is wanted and not in the checkpoint.
    extra: what is in the checkpoint and not wanted.
    changed: what is in both with another shape or dtype: as it is and as it is
      wanted.
    renames: of the missing, what they likely are in the checkpoint.
  """

  missing: tuple[Variable, ...]
  extra: tuple[Variable, ...]
  changed: tuple[tuple[Variable, Variable], ...]
  renames: tuple[Rename, ...]

  def __bool__(self) -> bool:
    return bool(self.missing or self.extra or self.changed)


def compare(
  variables: Mapping[str, Variable], wanted: Mapping[str, Variable]
) -> Differences:
  """Compares names, shapes and dtypes; values are not read.

  Args:
    variables: a checkpoint's, as of `list_variables`.
    wanted: those of another checkpoint or of a graph.

  Returns:
    The `Differences`, each in the order of the names.

  Example:

  >>> from tf_contrib_rnn.checkpoints import compare
  >>> from tf_contrib_rnn.checkpoints.variables import Variable
  >>> found = compare.compare(
  ...   {"rnn/weights": Variable("rnn/weights", (2, 2), "float32")},
  ...   {"rnn/kernel": Variable("rnn/kernel", (2, 2), "float32")},
  ... )
  >>> found.renames
  (Rename(missing='rnn/kernel', extra='rnn/weights', likeness=1.0),)
  """
  missing = [wanted[n] for n in sorted(wanted.keys() - variables.keys())]
  extra = [variables[n] for n in sorted(variables.keys() - wanted.keys())]
  both = [(variables[n], wanted[n]) for n in sorted(variables) if n in wanted]
  return Differences(
    tuple(missing),
    tuple(extra),
    tuple(pair for pair in both if _differ(*pair)),
    tuple(find_renames(missing, extra)),
  )


def _differ(one: Variable, other: Variable) -> bool:
  """Whether shapes or dtypes differ, for all that a graph says of them."""
  return one.dtype != other.dtype or not may_be_equal(one.shape, other.shape)


def show(
  path: Checkpoint,
  other: Optional[Checkpoint] = None,
  against: Optional[str] = None,
) -> int:
  """Prints how a checkpoint differs from another, or from a graph.

  Args:
    path: a prefix or folder of a checkpoint, or a mapping from the variables'
      names to arrays.
    other: what to compare with: a checkpoint, too.
    against: what else to compare with: MODULE:FUNCTION, a function that builds
      a graph when it is called without arguments. See `graph.build`.

  Returns:
    The command's exit status: 0 if names, shapes and dtypes are the same, else
    1.

  Raises:
    ValueError: if neither or both of `other` and `against` are given; if a
      checkpoint is damaged; as `graph.build`.
    tf.errors.NotFoundError: if a checkpoint has no file at all.
    ModuleNotFoundError: if the library rich is not installed.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.checkpoints import compare
  >>> old = {"rnn/cell/weights": np.zeros([9, 4]), "step": np.int64(3)}
  >>> new = {"rnn/cell/kernel": np.zeros([9, 4]), "step": np.int64(3)}
  >>> compare.show(old, new)
  1 missing, 1 extra, 0 of another shape or dtype
  <BLANKLINE>
  Missing:
  name             shape   dtype    likely called     likeness
  rnn/cell/kernel  [9, 4]  float64  rnn/cell/weights  known
  <BLANKLINE>
  Extra:
  name              shape   dtype
  rnn/cell/weights  [9, 4]  float64
  1
  """
  variables = list_variables(path)
  if against is not None and other is None:
    wanted = graph.build(against)
  elif other is not None and against is None:
    wanted = list_variables(other)
  else:
    raise ValueError(
      f"other is {other!r} and against is {against!r}, expected one of the two"
    )
  differences = compare(variables, wanted)
  if (OBJECT_GRAPH in variables) != (OBJECT_GRAPH in wanted):
    which = "the other" if OBJECT_GRAPH in wanted else "the first"
    tables.print_line(f"Only {which} is {OBJECT_BASED}.")
  if not differences:
    tables.print_line("the same variables")
    return 0
  _print(differences)
  return 1


def _print(differences: Differences) -> None:
  tables.print_line(
    f"{len(differences.missing)} missing, {len(differences.extra)} extra, "
    f"{len(differences.changed)} of another shape or dtype"
  )
  renames = {rename.missing: rename for rename in differences.renames}
  tables.print_table(
    "Missing:",
    ["name", "shape", "dtype", "likely called", "likeness"],
    (
      [v.name, tables.write_shape(v.shape), v.dtype, *_describe(renames, v)]
      for v in differences.missing
    ),
  )
  tables.print_table(
    "Extra:",
    ["name", "shape", "dtype"],
    ([v.name, tables.write_shape(v.shape), v.dtype] for v in differences.extra),
  )
  tables.print_table(
    "Of another shape or dtype:",
    ["name", "shape", "wanted", "dtype", "wanted"],
    (
      [
        one.name,
        *map(tables.write_shape, (one.shape, other.shape)),
        one.dtype,
        other.dtype,
      ]
      for one, other in differences.changed
    ),
  )


def _describe(
  renames: Mapping[str, Rename], variable: Variable
) -> tuple[str, str]:
  """What a missing variable is likely called, and how alike the names are."""
  rename = renames.get(variable.name)
  if rename is None:
    return "", ""
  is_known = rename.likeness == 1
  return rename.extra, "known" if is_known else f"{rename.likeness:.0%}"
