"""The weights of one cell as a TensorFlow 1 checkpoint's variables hold them.

| cell | variables, under the cell's scope |
|---|---|
| IndRNNCell | `kernel_w` [D, H], `kernel_u` [1, H], `bias` [H] |
| IndyGRUCell | `gates/kernel_w` [D, 2 H], `gates/kernel_u` [1, 2 H], |
| | `gates/bias` [2 H]; `candidate/kernel` [D, H], |
| | `candidate/kernel_u` [1, H], `candidate/bias` [H] |
| IndyLSTMCell | `kernel_w` [D, 4 H], `kernel_u` [1, 4 H], `bias` [4 H] |

D is the depth of the inputs, H the units. Gates lie side by side along the last
axis: r, z of the IndyGRU, to which the candidate c follows here; i, j, f, o of
the IndyLSTM. Measured on TensorFlow 1.15.

Only reading and writing checkpoints needs TensorFlow.
"""

import dataclasses
import os
import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Optional
from typing import Union

import numpy as np

GATES = {"IndRNNCell": 1, "IndyGRUCell": 3, "IndyLSTMCell": 4}

# The variables of a kernel, a recurrent kernel and a bias, and how many gates
# each holds.
_PARTS = {
  "IndRNNCell": [("kernel_w", "kernel_u", "bias", 1)],
  "IndyGRUCell": [
    ("gates/kernel_w", "gates/kernel_u", "gates/bias", 2),
    ("candidate/kernel", "candidate/kernel_u", "candidate/bias", 1),
  ],
  "IndyLSTMCell": [("kernel_w", "kernel_u", "bias", 4)],
}

_FILE_ENDING = r"\.(index|meta|data-\d{5}-of-\d{5})$"

Checkpoint = Union[str, "os.PathLike[str]", Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class CellWeights:
  """The weights of one cell, gates side by side in tf.contrib.rnn's order.

  Attributes:
    cell: "IndRNNCell", "IndyGRUCell" or "IndyLSTMCell".
    kernel: [D, gates * H], what multiplies the inputs.
    recurrent_kernel: [1, gates * H], what multiplies each unit's state.
    bias: [gates * H]. The IndyLSTM's does not hold forget_bias: tf.contrib.rnn
      adds that when the cell runs.
  """

  cell: str
  kernel: np.ndarray
  recurrent_kernel: np.ndarray
  bias: np.ndarray

  def __post_init__(self):
    gates = _gates_of(self.cell)
    shape = np.shape(self.kernel)
    if len(shape) != 2 or shape[1] % gates:
      raise ValueError(
        f"kernel has shape {list(shape)}, expected [depth, {gates} * units]"
      )
    for name, expected in (
      ("recurrent_kernel", (1, shape[1])),
      ("bias", (shape[1],)),
    ):
      if np.shape(getattr(self, name)) != expected:
        raise ValueError(
          f"{name} has shape {list(np.shape(getattr(self, name)))}, expected "
          f"{list(expected)}"
        )

  @property
  def depth(self) -> int:
    return self.kernel.shape[0]

  @property
  def units(self) -> int:
    return self.kernel.shape[1] // GATES[self.cell]

  def take_gates(self, order: list[int]) -> "CellWeights":
    """The same weights with gates in another order, for another framework."""

    def take(array):
      by_gate = np.split(np.asarray(array), GATES[self.cell], axis=-1)
      return np.concatenate([by_gate[gate] for gate in order], axis=-1)

    return CellWeights(
      self.cell,
      take(self.kernel),
      take(self.recurrent_kernel),
      take(self.bias),
    )


def _gates_of(cell: str) -> int:
  if cell not in GATES:
    raise ValueError(
      f"cell is {cell!r}, expected one of {', '.join(map(repr, GATES))}"
    )
  return GATES[cell]


def _load(checkpoint: Checkpoint) -> Mapping[str, Any]:
  """A checkpoint as a mapping from names to arrays."""
  if isinstance(checkpoint, Mapping):
    return checkpoint
  import tensorflow as tf

  # The name of one of its files will do for the checkpoint.
  path = re.sub(_FILE_ENDING, "", os.fspath(checkpoint))
  reader = tf.train.load_checkpoint(path)

  class Variables(Mapping):
    """Reads a variable when it is asked for."""

    def __getitem__(self, name):
      return reader.get_tensor(name)

    def __iter__(self):
      return iter(sorted(reader.get_variable_to_shape_map()))

    def __len__(self):
      return len(reader.get_variable_to_shape_map())

  return Variables()


def _names_of(cell: str) -> list[str]:
  return [name for part in _PARTS[cell] for name in part[:3]]


def _list_below(scope: str, names: Iterable[str]) -> list[str]:
  """The names of variables below a scope, without it."""
  start = scope + "/" if scope else ""
  return [name[len(start) :] for name in names if name.startswith(start)]


def list_scopes(cell: str, checkpoint: Checkpoint) -> dict[str, int]:
  """The scopes of a checkpoint that hold such a cell's variables.

  Args:
    cell: "IndRNNCell", "IndyGRUCell" or "IndyLSTMCell".
    checkpoint: as of `read_weights`.

  Returns:
    The units of each scope's cell. IndRNNCells and IndyLSTMCells have the same
    names: a scope of one whose width allows it is listed for the other too.
  """
  _gates_of(cell)
  variables = _load(checkpoint)
  kernel, recurrent_kernel, _, gates = _PARTS[cell][0]
  scopes = {}
  for name in variables:
    if not ("/" + name).endswith("/" + kernel):
      continue
    scope = name[: -len(kernel)].rstrip("/")
    is_part = scope.split("/")[-1] == "gates"  # of an IndyGRUCell
    if is_part or not set(_names_of(cell)) <= {*_list_below(scope, variables)}:
      continue
    width = np.size(variables[_path(scope, recurrent_kernel)])
    if width % gates == 0:
      scopes[scope] = width // gates
  return dict(sorted(scopes.items()))


def _choose_scope(
  cell: str,
  variables: Mapping[str, Any],
  scope: Optional[str],
  units: Optional[int],
) -> str:
  """The scope that was meant: itself, or the only such cell's below it."""
  found = list_scopes(cell, variables)
  if scope is not None:
    scope = scope.strip("/")
    if {*_list_below(scope, variables)}.intersection(_names_of(cell)):
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


def _check_names(cell: str, names: Iterable[str], scope: str) -> None:
  """Compares with a cell's what lies below its scope.

  What an optimizer keeps beside a variable (kernel_w/Adam) does not count.
  """
  wanted = _names_of(cell)
  below = _list_below(scope, names)
  own = [
    name
    for name in below
    if not any(name.startswith(variable + "/") for variable in wanted)
  ]
  complaints = [
    f"{kind}: {', '.join(repr(_path(scope, n)) for n in sorted(wrong))}"
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


def read_weights(
  cell: str,
  checkpoint: Checkpoint,
  scope: Optional[str] = None,
  units: Optional[int] = None,
) -> CellWeights:
  """Reads the weights of one cell.

  Args:
    cell: "IndRNNCell", "IndyGRUCell" or "IndyLSTMCell".
    checkpoint: where `tf.train.Saver` saved it, a prefix or a folder with its
      file "checkpoint"; or a mapping from the variables' names to arrays.
    scope: the cell's scope, as "rnn/indy_lstm_cell", or one around it below
      which there is only one such cell; None if the checkpoint has only one.
    units: (optional) what the cell has; of several only that counts.

  Returns:
    The `CellWeights`.

  Raises:
    ValueError: if it is not clear which cell is meant, or if a variable is
      missing, is not such a cell's, or has another shape; it is named.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> variables = {
  ...   "rnn/ind_rnn_cell/kernel_w": np.ones([3, 4]),
  ...   "rnn/ind_rnn_cell/kernel_u": np.ones([1, 4]),
  ...   "rnn/ind_rnn_cell/bias": np.zeros([4]),
  ... }
  >>> migrate.read_weights("IndRNNCell", variables, "rnn").units
  4
  """
  _gates_of(cell)
  variables = _load(checkpoint)
  scope = _choose_scope(cell, variables, scope, units)
  _check_names(cell, variables, scope)
  arrays = {
    name: np.asarray(variables[_path(scope, name)]) for name in _names_of(cell)
  }
  _check_shapes(cell, arrays, scope)
  rows = [[arrays[name] for name in part[:3]] for part in _PARTS[cell]]
  weights = CellWeights(
    cell, *(np.concatenate(column, axis=-1) for column in zip(*rows))
  )
  if units not in (None, weights.units):
    raise ValueError(
      f"units is {units}, and the checkpoint's {cell} under scope {scope!r} "
      f"has {weights.units}"
    )
  return weights


def _path(scope: str, name: str) -> str:
  return f"{scope}/{name}" if scope else name


def _check_shapes(
  cell: str, arrays: Mapping[str, np.ndarray], scope: str
) -> None:
  """Compares with the shapes that a cell's first kernel asks for."""
  kernel, _, _, gates = _PARTS[cell][0]
  shape = arrays[kernel].shape
  if len(shape) != 2 or shape[1] % gates:
    raise ValueError(
      f"the variable {_path(scope, kernel)!r} has shape {list(shape)}, "
      f"expected [depth, {gates} * units]"
    )
  depth, units = shape[0], shape[1] // gates
  for kernel, recurrent_kernel, bias, gates in _PARTS[cell]:
    width = gates * units
    for name, expected in (
      (kernel, (depth, width)),
      (recurrent_kernel, (1, width)),
      (bias, (width,)),
    ):
      if arrays[name].shape != expected:
        raise ValueError(
          f"the variable {_path(scope, name)!r} has shape "
          f"{list(arrays[name].shape)}, expected {list(expected)}"
        )


def to_variables(weights: CellWeights, scope: str) -> dict[str, np.ndarray]:
  """The variables of a cell, as a checkpoint of tf.contrib.rnn has them.

  Args:
    weights: the cell's weights.
    scope: the cell's scope, as "rnn/indy_lstm_cell".

  Returns:
    The arrays by the variables' names: what `read_weights` reads.
  """
  variables = {}
  first = 0
  for kernel, recurrent_kernel, bias, gates in _PARTS[weights.cell]:
    part = slice(first * weights.units, (first + gates) * weights.units)
    first += gates
    for name, array in (
      (kernel, weights.kernel),
      (recurrent_kernel, weights.recurrent_kernel),
      (bias, weights.bias),
    ):
      variables[_path(scope, name)] = array[..., part]
  return variables


def write_checkpoint(
  variables: Mapping[str, Any], prefix: Union[str, "os.PathLike[str]"]
) -> str:
  """Writes a checkpoint that `tf.train.Saver` restores, in TensorFlow 1 too.

  Args:
    variables: arrays by the variables' names.
    prefix: the checkpoint's path, to which TensorFlow adds its endings.

  Returns:
    The prefix.
  """
  import tensorflow as tf

  v1 = tf.compat.v1
  with tf.Graph().as_default(), v1.Session() as session:
    made = [
      v1.get_variable(
        name,
        initializer=tf.constant(np.asarray(array)),
        use_resource=False,
      )
      for name, array in variables.items()
    ]
    session.run(v1.global_variables_initializer())
    return v1.train.Saver(made).save(
      session, os.fspath(prefix), write_state=False
    )
