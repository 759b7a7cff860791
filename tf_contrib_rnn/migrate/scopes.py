"""Finds the scopes of a checkpoint that have the variables of a cell."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Optional

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.migrate.checkpoint import as_array
from tf_contrib_rnn.migrate.checkpoint import Checkpoint
from tf_contrib_rnn.migrate.checkpoint import load
from tf_contrib_rnn.migrate.checkpoint import shape_of


def join(scope: str, name: str) -> str:
  """The name of a variable in a scope."""
  return f"{scope}/{name}" if scope else name


def _list_below(scope: str, names: Iterable[str]) -> list[str]:
  """The names of the variables in a scope, without the scope."""
  start = scope + "/" if scope else ""
  return [name[len(start) :] for name in names if name.startswith(start)]


def list_scopes(cell: str, checkpoint: Checkpoint) -> dict[str, int]:
  """Lists the scopes of a checkpoint that have the variables of such a cell.

  An IndRNNCell and an IndyLSTMCell have the same variable names. A scope of one
  is therefore listed for the other as well, if the width allows it. Many layers
  have the variable names of an SRUCell. For an SRUCell, the shapes have to fit
  as well.

  Args:
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    checkpoint: A path or a mapping. See `read_weights`.

  Returns:
    A dict from scopes to the number of units of the cell in each.

  Raises:
    ValueError: If `cell` is none of these, or if the checkpoint cannot be read.
      See `read_weights`.
    tf.errors.NotFoundError: If the checkpoint has no files.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> variables = {
  ...   "rnn/ind_rnn_cell/kernel_w": np.ones([3, 5]),
  ...   "rnn/ind_rnn_cell/kernel_u": np.ones([1, 5]),
  ...   "rnn/ind_rnn_cell/bias": np.zeros([5]),
  ... }
  >>> migrate.list_scopes("IndRNNCell", variables)
  {'rnn/ind_rnn_cell': 5}
  """
  kind = cell_kinds.of_contrib(cell)
  variables = load(checkpoint)
  kernel = kind.parts[0].kernel
  scopes = {}
  for name in variables:
    if not ("/" + name).endswith("/" + kernel):
      continue
    scope = name[: -len(kernel)].rstrip("/")
    if _is_part_of_a_gru(scope, variables):
      continue
    if not set(kind.variables) <= {*_list_below(scope, variables)}:
      continue
    units = _units_below(scope, kind.parts[0], variables)
    if units is not None:
      scopes[scope] = units
  return dict(sorted(scopes.items()))


def _is_part_of_a_gru(scope: str, variables: Mapping[str, Any]) -> bool:
  """Whether a scope has the variables of an IndyGRUCell's gates."""
  start, _, last = scope.rpartition("/")
  return last == "gates" and join(start, "candidate/kernel") in variables


def _units_below(
  scope: str, part: cell_kinds.Part, variables: Mapping[str, Any]
) -> Optional[int]:
  """The units of the cell in a scope, or None if it is another layer."""
  array = "recurrent_kernel" if part.recurrent_kernel else "bias"
  path = join(scope, getattr(part, array))
  width = as_array(path, variables[path]).size
  units, rest = divmod(width, len(part.gates_of(array)))
  if array == "bias":  # names that other layers have, too
    shape = shape_of(join(scope, part.kernel), variables)
    if len(shape) != 2 or shape[1] != len(part.gates) * units:
      return None
  return None if rest else units


def choose_scope(
  cell: str,
  variables: Mapping[str, Any],
  scope: Optional[str],
  units: Optional[int],
) -> str:
  """Returns the scope itself, or that of the only such cell inside it."""
  found = list_scopes(cell, variables)
  if scope is not None:
    scope = scope.strip("/")
    if {*_list_below(scope, variables)}.intersection(
      cell_kinds.of_contrib(cell).variables
    ):
      return scope
    if scope:
      found = {n: u for n, u in found.items() if n.startswith(scope + "/")}
  fitting = [n for n, u in found.items() if units in (None, u)]
  if len(fitting) == 1:
    return fitting[0]
  of_units = "" if units is None else f" of {units} units"
  listed = ", ".join(f"{n!r} ({u} units)" for n, u in found.items())
  if not found:
    others = sorted(_list_below(scope or "", variables))
    listed = "none" + (f", but {', '.join(others[:6])}" if others else "")
  raise ValueError(
    f"scope is {scope!r}, expected that of one {cell}{of_units}; below it the "
    f"checkpoint has {listed}"
  )


def check_names(cell: str, names: Iterable[str], scope: str) -> None:
  """Checks that the variables in a scope are those of such a cell.

  Variables that an optimizer stores (such as kernel_w/Adam) are ignored.
  """
  wanted = cell_kinds.of_contrib(cell).variables
  below = _list_below(scope, names)
  own = [
    name
    for name in below
    if not any(name.startswith(variable + "/") for variable in wanted)
  ]
  complaints = [
    f"{kind}: {', '.join(repr(join(scope, n)) for n in sorted(wrong))}"
    for kind, wrong in (
      ("missing", set(wanted) - set(own)),
      ("not of such a cell", set(own) - set(wanted)),
    )
    if wrong
  ]
  if complaints:
    raise ValueError(
      f"what the checkpoint has under scope {scope!r} is not the variables of "
      f"one {cell}; {'; '.join(complaints)}"
    )
