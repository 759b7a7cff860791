"""The weights of one cell as a TensorFlow 1 checkpoint's variables hold them.

| cell | variables, under the cell's scope |
|---|---|
| IndRNNCell | `kernel_w` [D, H], `kernel_u` [1, H], `bias` [H] |
| IndyGRUCell | `gates/kernel_w` [D, 2 H], `gates/kernel_u` [1, 2 H], |
| | `gates/bias` [2 H]; `candidate/kernel` [D, H], |
| | `candidate/kernel_u` [1, H], `candidate/bias` [H] |
| IndyLSTMCell | `kernel_w` [D, 4 H], `kernel_u` [1, 4 H], `bias` [4 H] |
| SRUCell | `kernel` [D, 4 H], `bias` [2 H] |

D is the depth of the inputs, H the units. Gates lie side by side along the last
axis: r, z of the IndyGRU, to which the candidate c follows here; i, j, f, o of
the IndyLSTM; s, f, r, t of the SRU, whose bias is that of f and r. Measured on
TensorFlow 1.15.

Only reading and writing checkpoints needs TensorFlow.
"""

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Optional
from typing import Union

import numpy as np

_KINDS = ("kernel", "recurrent_kernel", "bias")


@dataclasses.dataclass(frozen=True)
class _Part:
  """Some of a cell's gates, and the variables that hold them.

  Attributes:
    kernel, recurrent_kernel, bias: the variables' names; None if there is none.
    gates: a letter for each gate, in the order of the kernel.
    biased: those of the gates that the bias has; all by default.
  """

  kernel: str
  recurrent_kernel: Optional[str]
  bias: str
  gates: str
  biased: Optional[str] = None

  def gates_of(self, kind: str) -> str:
    """The gates that the variable of one of the _KINDS holds."""
    if getattr(self, kind) is None:
      return ""
    is_less = kind == "bias" and self.biased is not None
    return self.biased or "" if is_less else self.gates

  def names(self) -> dict[str, str]:
    """The variables' names by their kinds."""
    names = {kind: getattr(self, kind) for kind in _KINDS}
    return {kind: name for kind, name in names.items() if name is not None}


_PARTS = {
  "IndRNNCell": [_Part("kernel_w", "kernel_u", "bias", "h")],
  "IndyGRUCell": [
    _Part("gates/kernel_w", "gates/kernel_u", "gates/bias", "rz"),
    _Part("candidate/kernel", "candidate/kernel_u", "candidate/bias", "c"),
  ],
  "IndyLSTMCell": [_Part("kernel_w", "kernel_u", "bias", "ijfo")],
  "SRUCell": [_Part("kernel", None, "bias", "sfrt", "fr")],
}


def _gates_of(cell: str, kind: str = "kernel") -> str:
  """The gates, one letter each, that a cell's array of a kind holds."""
  if cell not in _PARTS:
    raise ValueError(
      f"cell is {cell!r}, expected one of {', '.join(map(repr, _PARTS))}"
    )
  return "".join(part.gates_of(kind) for part in _PARTS[cell])


GATES = {cell: len(_gates_of(cell)) for cell in _PARTS}

_FILE_ENDING = r"\.(index|meta|data-\d{5}-of-\d{5})$"

# By their names: bfloat16 is not NumPy's own, and comes with JAX or TensorFlow.
_FLOATS = ("float16", "bfloat16", "float32", "float64")

# What beside these a checkpoint's variables can be.
_OTHER_NUMBERS = (
  *("bool", "int8", "int16", "int32", "int64"),
  *("uint8", "uint16", "uint32", "uint64", "complex64", "complex128"),
)

Checkpoint = Union[str, "os.PathLike[str]", Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class CellWeights:
  """The weights of one cell, gates side by side in tf.contrib.rnn's order.

  Attributes:
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    kernel: [D, gates * H], what multiplies the inputs.
    recurrent_kernel: [1, gates * H], what multiplies each unit's state; [1, 0]
      of the SRU, which has none.
    bias: [gates * H]; [2 * H] of the SRU, for the gates f and r. The IndyLSTM's
      does not hold forget_bias: tf.contrib.rnn adds that when the cell runs.
    scope: where the variables were read, which errors name; "" if nowhere.

  Raises:
    ValueError: if the cell is none of these, or an array has another shape.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> weights = migrate.CellWeights(
  ...   "IndyGRUCell", np.ones([3, 12]), np.ones([1, 12]), np.zeros([12])
  ... )
  >>> weights.depth, weights.units
  (3, 4)
  """

  cell: str
  kernel: np.ndarray
  recurrent_kernel: np.ndarray
  bias: np.ndarray
  scope: str = ""

  def __post_init__(self):
    gates = len(_gates_of(self.cell))
    shape = np.shape(self.kernel)
    if len(shape) != 2 or shape[1] % gates:
      raise ValueError(
        f"kernel has shape {list(shape)}, expected [depth, {gates} * units]"
      )
    for name, leading in (("recurrent_kernel", (1,)), ("bias", ())):
      width = len(_gates_of(self.cell, name)) * self.units
      expected = (*leading, width)
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

    gates = _gates_of(self.cell)

    def take(kind):
      array = np.asarray(getattr(self, kind))
      has = _gates_of(self.cell, kind)
      if not has:
        return array
      by_gate = dict(zip(has, np.split(array, len(has), axis=-1)))
      taken = [by_gate[gates[i]] for i in order if gates[i] in by_gate]
      return np.concatenate(taken, axis=-1)

    return self._replace_arrays(*map(take, _KINDS))

  def shift_forget_gate(self, by: float) -> "CellWeights":
    """The same weights with a number added to the IndyLSTM's bias of gate f.

    Other cells have no such gate and stay as they are.

    Raises:
      ValueError: if a number that was finite no longer is.
    """
    if self.cell != "IndyLSTMCell":
      return self
    bias = np.array(self.bias)
    gate = bias[2 * self.units : 3 * self.units]
    with np.errstate(over="ignore"):
      shifted = (gate + by).astype(bias.dtype)
    if np.any(np.isfinite(gate) & ~np.isfinite(shifted)):
      raise ValueError(
        f"forget_bias changes the bias of the forget gate by {by!r}, expected "
        f"a number that leaves it finite in {bias.dtype}"
      )
    bias[2 * self.units : 3 * self.units] = shifted
    return self._replace_arrays(self.kernel, self.recurrent_kernel, bias)

  def cast(self, dtypes: Sequence[Any]) -> "CellWeights":
    """The same weights, gates in tf.contrib.rnn's order, in other dtypes.

    NaN and infinity, which a model may have been trained to, stay what they
    are.

    Args:
      dtypes: of kernel, recurrent kernel and bias.

    Raises:
      ValueError: if a finite number is too large for its dtype; the variable is
        named.
    """
    arrays = (self.kernel, self.recurrent_kernel, self.bias)
    with np.errstate(over="ignore"):
      cast = self._replace_arrays(
        *(np.asarray(a).astype(dtype) for a, dtype in zip(arrays, dtypes))
      )
    after = to_variables(cast, self.scope)
    for name, array in to_variables(self, self.scope).items():
      lost = array[np.isfinite(array) & ~np.isfinite(after[name])]
      if lost.size:
        raise ValueError(
          f"the variable {name!r} has {lost[0]} ({lost.dtype}), expected "
          f"numbers that are finite in {after[name].dtype}, the layer's dtype"
        )
    return cast

  def _replace_arrays(self, kernel, recurrent_kernel, bias) -> "CellWeights":
    return dataclasses.replace(
      self, kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias
    )


class _VariablesOfFiles(Mapping):
  """The variables of a checkpoint's files, each read when it is asked for.

  Attributes:
    shapes: the variables' shapes by their names.
  """

  def __init__(self, path: str):
    import tensorflow as tf

    self._path = path
    with _name_damaged_files(path):
      self._reader = tf.train.load_checkpoint(path)
      shapes = self._reader.get_variable_to_shape_map()
    self.shapes = {name: tuple(shapes[name]) for name in sorted(shapes)}

  def __getitem__(self, name):
    with _name_damaged_files(self._path):
      return self._reader.get_tensor(name)

  def __iter__(self):
    return iter(self.shapes)

  def __len__(self):
    return len(self.shapes)


@contextlib.contextmanager
def _name_damaged_files(path: str) -> Iterator[None]:
  """Turns what TensorFlow raises for damaged files into a ValueError."""
  import tensorflow as tf

  try:
    yield
  except (tf.errors.OpError, IndexError, UnicodeDecodeError) as error:
    # No file at all is a wrong path. Data without an index is what is left of
    # a writer that was stopped.
    if isinstance(error, tf.errors.NotFoundError) and not _files_of(path):
      raise
    raise ValueError(
      f"checkpoint is {path!r}, whose files are cut short, damaged or missing: "
      f"{error}"
    ) from error


def _files_of(prefix: str) -> list[str]:
  """The files of a checkpoint that there are, in TensorFlow's file systems."""
  import tensorflow as tf

  folder, start = os.path.split(prefix)
  try:
    names = tf.io.gfile.listdir(folder or ".")
  except tf.errors.NotFoundError:
    return []
  return sorted(
    os.path.join(folder, name)
    for name in names
    if re.fullmatch(re.escape(start) + _FILE_ENDING, name)
  )


def _load(checkpoint: Checkpoint) -> Mapping[str, Any]:
  """A checkpoint as a mapping from names to arrays."""
  if not isinstance(checkpoint, Mapping):
    # The name of one of its files will do for the checkpoint.
    return _VariablesOfFiles(re.sub(_FILE_ENDING, "", os.fsdecode(checkpoint)))
  _check_keys("checkpoint", checkpoint)
  return checkpoint


def _shape_of(name: str, variables: Mapping[str, Any]) -> tuple[int, ...]:
  """A variable's shape, without reading it from a file."""
  if isinstance(variables, _VariablesOfFiles):
    return variables.shapes[name]
  return np.shape(variables[name])


def _check_keys(argument: str, variables: Mapping[str, Any]) -> None:
  for name in variables:
    if not isinstance(name, str) or not name:
      raise ValueError(
        f"{argument} has the key {name!r}, expected the names of variables, "
        "strings that are not empty"
      )


def _as_array(
  name: str, value: Any, dtypes: Optional[Sequence[str]] = None
) -> np.ndarray:
  """A variable's value as an array, of one of these dtypes if there are any."""
  try:
    array = np.asarray(value)
  except (TypeError, ValueError) as error:
    raise ValueError(
      f"the variable {name!r} is of the type {type(value).__name__}, expected "
      f"an array of numbers: {error}"
    ) from error
  if dtypes and array.dtype.name not in dtypes:
    *others, last = dtypes
    raise ValueError(
      f"the variable {name!r} has dtype {array.dtype}, expected "
      f"{', '.join(others)} or {last}"
    )
  return array


def _names_of(cell: str) -> list[str]:
  return [name for part in _PARTS[cell] for name in part.names().values()]


def _list_below(scope: str, names: Iterable[str]) -> list[str]:
  """The names of variables below a scope, without it."""
  start = scope + "/" if scope else ""
  return [name[len(start) :] for name in names if name.startswith(start)]


def list_scopes(cell: str, checkpoint: Checkpoint) -> dict[str, int]:
  """The scopes of a checkpoint that hold such a cell's variables.

  Args:
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    checkpoint: as of `read_weights`.

  Returns:
    The units of each scope's cell. IndRNNCells and IndyLSTMCells have the same
    names: a scope of one whose width allows it is listed for the other too. An
    SRUCell's names are those of many layers: its shapes have to fit as well.

  Raises:
    ValueError, tf.errors.NotFoundError: if the cell is none of these, or the
      checkpoint cannot be read, as of `read_weights`.

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
  _gates_of(cell)
  variables = _load(checkpoint)
  kernel = _PARTS[cell][0].kernel
  scopes = {}
  for name in variables:
    if not ("/" + name).endswith("/" + kernel):
      continue
    scope = name[: -len(kernel)].rstrip("/")
    is_part = scope.split("/")[-1] == "gates"  # of an IndyGRUCell
    if is_part or not set(_names_of(cell)) <= {*_list_below(scope, variables)}:
      continue
    units = _units_below(scope, cell, variables)
    if units is not None:
      scopes[scope] = units
  return dict(sorted(scopes.items()))


def _units_below(
  scope: str, cell: str, variables: Mapping[str, Any]
) -> Optional[int]:
  """The units of the cell below a scope, or None if it is another's."""
  part = _PARTS[cell][0]
  kind = "recurrent_kernel" if part.recurrent_kernel else "bias"
  path = _path(scope, getattr(part, kind))
  width = _as_array(path, variables[path]).size
  units, rest = divmod(width, len(part.gates_of(kind)))
  if kind == "bias":  # names that other layers have, too
    shape = _shape_of(_path(scope, part.kernel), variables)
    if len(shape) != 2 or shape[1] != len(part.gates) * units:
      return None
  return None if rest else units


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
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    checkpoint: where `tf.train.Saver` saved it, a prefix or a folder with its
      file "checkpoint"; or a mapping from the variables' names to arrays. The
      cell's are float16, bfloat16, float32 or float64.
    scope: the cell's scope, as "rnn/indy_lstm_cell", or one around it below
      which there is only one such cell; None if the checkpoint has only one.
    units: (optional) what the cell has; of several only that counts.

  Returns:
    The `CellWeights`, in the variables' dtype. NaN and infinity stay.

  Raises:
    ValueError: if it is not clear which cell is meant; if a variable is
      missing, is not such a cell's, or has another shape or dtype, which is
      named; if a name is no string; if the checkpoint's files are damaged, or
      some are missing.
    tf.errors.NotFoundError: if the checkpoint has no file at all.

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
  arrays = {}
  for name in _names_of(cell):
    path = _path(scope, name)
    arrays[name] = _as_array(path, variables[path], _FLOATS)
  _check_shapes(cell, arrays, scope)
  parts = [part.names() for part in _PARTS[cell]]
  by_kind = {
    kind: [arrays[names[kind]] for names in parts if kind in names]
    for kind in _KINDS
  }
  if not by_kind["recurrent_kernel"]:
    none = np.zeros([1, 0], by_kind["kernel"][0].dtype)
    by_kind["recurrent_kernel"] = [none]
  kernel, recurrent_kernel, bias = map(_lay_side_by_side, by_kind.values())
  weights = CellWeights(cell, kernel, recurrent_kernel, bias, scope)
  if units not in (None, weights.units):
    raise ValueError(
      f"units is {units}, and the checkpoint's {cell} under scope {scope!r} "
      f"has {weights.units}"
    )
  return weights


def _lay_side_by_side(arrays: Sequence[np.ndarray]) -> np.ndarray:
  """Gates in one array, of a dtype that holds all of their numbers."""
  if {array.dtype.name for array in arrays} == {"float16", "bfloat16"}:
    arrays = [array.astype("float32") for array in arrays]  # NumPy knows none
  return np.concatenate(arrays, axis=-1)


def _path(scope: str, name: str) -> str:
  return f"{scope}/{name}" if scope else name


def _check_shapes(
  cell: str, arrays: Mapping[str, np.ndarray], scope: str
) -> None:
  """Compares with the shapes that a cell's first kernel asks for."""
  first = _PARTS[cell][0]
  gates, shape = len(first.gates), arrays[first.kernel].shape
  if len(shape) != 2 or shape[1] % gates:
    raise ValueError(
      f"the variable {_path(scope, first.kernel)!r} has shape {list(shape)}, "
      f"expected [depth, {gates} * units]"
    )
  depth, units = shape[0], shape[1] // gates
  leading = {"kernel": (depth,), "recurrent_kernel": (1,), "bias": ()}
  for part in _PARTS[cell]:
    for kind, name in part.names().items():
      expected = (*leading[kind], len(part.gates_of(kind)) * units)
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

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> weights = migrate.CellWeights(
  ...   "IndRNNCell", np.ones([3, 4]), np.ones([1, 4]), np.zeros([4])
  ... )
  >>> list(migrate.to_variables(weights, "rnn/ind_rnn_cell"))[:2]
  ['rnn/ind_rnn_cell/kernel_w', 'rnn/ind_rnn_cell/kernel_u']
  """
  variables = {}
  first = dict.fromkeys(_KINDS, 0)
  for part in _PARTS[weights.cell]:
    for kind, name in part.names().items():
      end = first[kind] + len(part.gates_of(kind)) * weights.units
      array = getattr(weights, kind)
      variables[_path(scope, name)] = array[..., first[kind] : end]
      first[kind] = end
  return variables


def _check_prefix(prefix: str, overwrite: bool) -> None:
  """Compares with what lies at a checkpoint's path."""
  import tensorflow as tf

  name = os.path.basename(prefix)
  is_a_file = re.search(_FILE_ENDING, name)  # which would get a second ending
  if not name or is_a_file or tf.io.gfile.isdir(prefix):
    raise ValueError(
      f"prefix is {prefix!r}, expected a path that ends in a file's name "
      "without TensorFlow's endings (.index, .meta, .data-...), and is no "
      "folder's"
    )
  files = _files_of(prefix)
  if files and not overwrite:
    raise FileExistsError(
      f"prefix is {prefix!r}, expected one without files, and there are "
      f"{', '.join(map(repr, files))}; overwrite=True replaces the checkpoint"
    )


def _arrays_to_write(variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
  """Variables' arrays, of dtypes that TensorFlow 1 has too."""
  if not isinstance(variables, Mapping) or not variables:
    raise ValueError(
      f"variables is {variables!r}, expected a mapping from names to arrays, "
      "at least one"
    )
  _check_keys("variables", variables)  # an empty name would abort the process
  dtypes = (*_FLOATS, *_OTHER_NUMBERS)
  return {n: _as_array(n, value, dtypes) for n, value in variables.items()}


def _make_folder(folder: str) -> None:
  import tensorflow as tf

  try:
    tf.io.gfile.makedirs(folder)
  except tf.errors.FailedPreconditionError as error:
    raise NotADirectoryError(
      f"prefix is in {folder!r}, expected a folder: {error}"
    ) from error


def write_checkpoint(
  variables: Mapping[str, Any],
  prefix: Union[str, "os.PathLike[str]"],
  *,
  overwrite: bool = False,
) -> str:
  """Writes a checkpoint that `tf.train.Saver` restores, in TensorFlow 1 too.

  The checkpoint holds the variables only: TensorFlow writes the files
  PREFIX.data-00000-of-00001 and PREFIX.index, and no graph (PREFIX.meta).

  Args:
    variables: arrays of numbers by the variables' names.
    prefix: the checkpoint's path, to which TensorFlow adds its endings. A
      folder that does not exist is made, as `tf.train.Checkpoint` does.
    overwrite: whether to replace a checkpoint at this path. TensorFlow replaces
      one file after the other: a process that is killed in between can leave
      neither the old checkpoint nor the new one. At a new path there is
      nothing to lose. Other files of the old one, such as PREFIX.meta, stay.

  Returns:
    The prefix.

  Raises:
    FileExistsError: if a file of a checkpoint is at this path, without
      `overwrite`.
    NotADirectoryError: if what should be its folder is a file.
    ValueError: if there are no variables, one is no array of numbers or has no
      name, or the prefix names no file or one of a checkpoint's files. Nothing
      is written.

  Example:

  >>> import os, tempfile
  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> with tempfile.TemporaryDirectory() as folder:
  ...   prefix = os.path.join(folder, "model.ckpt")
  ...   _ = migrate.write_checkpoint({"rnn/bias": np.zeros([4])}, prefix)
  ...   sorted(os.listdir(folder))
  ['model.ckpt.data-00000-of-00001', 'model.ckpt.index']
  """
  import tensorflow as tf

  v1 = tf.compat.v1
  arrays = _arrays_to_write(variables)
  prefix = os.fsdecode(prefix)
  _check_prefix(prefix, overwrite)
  _make_folder(os.path.dirname(prefix) or ".")
  # The op that a Saver runs, fed: a graph's variables get other names where two
  # differ by case only, and arrays inside a graph take 2 GB at most.
  with tf.Graph().as_default(), v1.Session() as session:
    feeds = {v1.placeholder(a.dtype, a.shape): a for a in arrays.values()}
    save = tf.raw_ops.SaveV2(
      prefix=prefix,
      tensor_names=list(arrays),
      shape_and_slices=[""] * len(arrays),
      tensors=list(feeds),
    )
    session.run(save, feeds)
  return prefix
