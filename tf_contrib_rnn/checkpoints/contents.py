"""What a checkpoint holds: cells, what optimizers keep, and the rest."""

import dataclasses
import json as json_library
import os
from collections.abc import Mapping

from tf_contrib_rnn.checkpoints import tables
from tf_contrib_rnn.checkpoints.cells import Cell
from tf_contrib_rnn.checkpoints.cells import find_cells
from tf_contrib_rnn.checkpoints.slots import find_slots
from tf_contrib_rnn.checkpoints.variables import join_parts
from tf_contrib_rnn.checkpoints.variables import list_variables
from tf_contrib_rnn.checkpoints.variables import Variable
from tf_contrib_rnn.migrate.checkpoint import Checkpoint

# What tf.train.Checkpoint saves beside the arrays.
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

OBJECT_BASED = (
  "an object-based checkpoint (of tf.train.Checkpoint or Keras): its keys are "
  "paths of Python objects, not names of variables, and say nothing of cells"
)


@dataclasses.dataclass(frozen=True)
class Contents:
  """What a checkpoint holds.

  Attributes:
    cells: the cells, by their scopes.
    unsure: what may be a cell or a dense layer, for all that names say.
    slots: the names of what each optimizer keeps; `global_step` under that
      name.
    others: all other variables; all keys of an object-based checkpoint.
    is_object_based: whether `tf.train.Checkpoint` or Keras saved it.
  """

  cells: tuple[Cell, ...]
  unsure: tuple[Cell, ...]
  slots: dict[str, tuple[str, ...]]
  others: tuple[Variable, ...]
  is_object_based: bool = False


def read(checkpoint: Checkpoint) -> Contents:
  """Recognises what a checkpoint holds; values are not read from files.

  Args:
    checkpoint: where `tf.train.Saver` saved it, a prefix or a folder with its
      file "checkpoint"; or a mapping from the variables' names to arrays.

  Returns:
    The `Contents`. Each variable is in one place.

  Raises:
    ValueError: if a name is no string, or the checkpoint's files are damaged or
      some are missing.
    tf.errors.NotFoundError: if the checkpoint has no file at all.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.checkpoints import contents
  >>> found = contents.read({
  ...   "rnn/gru_cell/gates/kernel": np.zeros([9, 8]),
  ...   "rnn/gru_cell/gates/bias": np.zeros([8]),
  ...   "rnn/gru_cell/candidate/kernel": np.zeros([9, 4]),
  ...   "rnn/gru_cell/candidate/bias": np.zeros([4]),
  ...   "rnn/gru_cell/candidate/bias/Adam": np.zeros([4]),
  ...   "global_step": np.int64(7),
  ... })
  >>> found.cells[0].kind, found.cells[0].inputs, found.cells[0].units
  ('GRUCell or GRUBlockCellV2', 5, 4)
  >>> list(found.slots)
  ['Adam', 'global_step']
  """
  stored = list_variables(checkpoint)
  if OBJECT_GRAPH in stored:
    return Contents((), (), {}, tuple(stored.values()), is_object_based=True)
  variables = join_parts(stored)
  slots = find_slots(variables)
  of_optimizers = {name for names in slots.values() for name in names}
  own = {n: v for n, v in variables.items() if n not in of_optimizers}
  cells, unsure = find_cells(own)
  of_cells = {name for cell in cells + unsure for name in cell.variables}
  return Contents(
    tuple(cells),
    tuple(unsure),
    {
      optimizer: tuple(n for name in names for n in variables[name].stored)
      for optimizer, names in slots.items()
    },
    tuple(v for v in own.values() if not of_cells.intersection(v.stored)),
  )


def to_json(contents: Contents) -> str:
  """A checkpoint's contents for programs, as JSON.

  Args:
    contents: as of `read`.

  Returns:
    An object with the attributes of `Contents` as keys; a cell has its `kind`,
    `inputs` and `units`, null where the candidates differ, beside its
    candidates.

  Example:

  >>> import json
  >>> import numpy as np
  >>> from tf_contrib_rnn.checkpoints import contents
  >>> text = contents.to_json(contents.read({"head": np.zeros([4, 2])}))
  >>> json.loads(text)["others"]
  [{'name': 'head', 'shape': [4, 2], 'dtype': 'float64', 'parts': []}]
  """
  written = dataclasses.asdict(contents)
  for key in ("cells", "unsure"):
    written[key] = [_describe(cell) for cell in getattr(contents, key)]
  return json_library.dumps(written, indent=2, ensure_ascii=False)


def _describe(cell: Cell) -> dict:
  facts = {"kind": cell.kind, "inputs": cell.inputs, "units": cell.units}
  return {**facts, **dataclasses.asdict(cell)}


def show(path: Checkpoint, json: bool = False) -> int:
  """Prints what a checkpoint holds.

  Args:
    path: as the checkpoint of `read`.
    json: whether to print JSON, as of `to_json`.

  Returns:
    0, the command's exit status.

  Raises:
    ValueError, tf.errors.NotFoundError: as `read`.
    ModuleNotFoundError: if the library rich is not installed.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.checkpoints import contents
  >>> contents.show({
  ...   "rnn/sru_cell/kernel": np.zeros([3, 16], "f"),
  ...   "rnn/sru_cell/bias": np.zeros([8], "f"),
  ... })
  A mapping: 2 variables
  <BLANKLINE>
  Cells:
  kind     scope         inputs  units  dtype    variables
  SRUCell  rnn/sru_cell  3       4      float32  2
  0
  """
  contents = read(path)
  if json:
    tables.print_line(to_json(contents))
  else:
    tables.print_line(f"{_title(path)}: {_count(contents)}")
    _print_tables(contents)
  return 0


def _title(path: Checkpoint) -> str:
  return "A mapping" if isinstance(path, Mapping) else os.fsdecode(path)


def _count(contents: Contents) -> str:
  """How many variables there are."""
  cells = contents.cells + contents.unsure
  number = sum(len(cell.variables) for cell in cells)
  number += sum(map(len, contents.slots.values()))
  number += sum(len(variable.stored) for variable in contents.others)
  return f"{number} variable{'' if number == 1 else 's'}"


def _print_tables(contents: Contents) -> None:
  if contents.is_object_based:
    tables.print_line(f"This is {OBJECT_BASED}.")
  _print_cells("Cells:", contents.cells)
  _print_cells("These can be a cell or a dense layer:", contents.unsure)
  tables.print_table(
    "Optimizer variables:",
    ["name", "variables", "first name"],
    ([name, len(kept), kept[0]] for name, kept in contents.slots.items()),
  )
  tables.print_table(
    "Keys:" if contents.is_object_based else "Other variables:",
    ["name", "shape", "dtype"],
    ([v.name, tables.write_shape(v.shape), v.dtype] for v in contents.others),
  )


def _print_cells(title: str, cells: tuple[Cell, ...]) -> None:
  def either(numbers):
    return " or ".join(map(str, dict.fromkeys(numbers)))

  tables.print_table(
    title,
    ["kind", "scope", "inputs", "units", "dtype", "variables"],
    (
      [
        cell.kind,
        cell.scope or "(none)",
        either(candidate.inputs for candidate in cell.candidates),
        either(candidate.units for candidate in cell.candidates),
        cell.dtype,
        len(cell.variables),
      ]
      for cell in cells
    ),
  )
