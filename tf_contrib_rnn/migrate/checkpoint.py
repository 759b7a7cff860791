"""Reads and writes all variables of a TensorFlow 1 checkpoint.

TensorFlow is needed for the files only. A mapping from names to arrays can be
used instead of files.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Optional
from typing import Union

import numpy as np

_FILE_ENDING = r"\.(index|meta|data-\d{5}-of-\d{5})$"

# By their names: bfloat16 is not NumPy's own, and comes with JAX or TensorFlow.
FLOATS = ("float16", "bfloat16", "float32", "float64")

# What beside these a checkpoint's variables can be.
OTHER_NUMBERS = (
  *("bool", "int8", "int16", "int32", "int64"),
  *("uint8", "uint16", "uint32", "uint64", "complex64", "complex128"),
)

Checkpoint = Union[str, "os.PathLike[str]", Mapping[str, Any]]


class _VariablesOfFiles(Mapping):
  """The variables of a checkpoint's files. Each is read when it is used.

  Attributes:
    shapes: The shapes of the variables, by name.
    dtypes: The names of their dtypes, by name.
  """

  def __init__(self, path: str):
    import tensorflow as tf

    self._path = path
    with _name_damaged_files(path):
      self._reader = tf.train.load_checkpoint(path)
      shapes = self._reader.get_variable_to_shape_map()
      dtypes = self._reader.get_variable_to_dtype_map()
    self.shapes = {name: tuple(shapes[name]) for name in sorted(shapes)}
    self.dtypes = {name: dtype.name for name, dtype in dtypes.items()}

  def __getitem__(self, name):
    with _name_damaged_files(self._path):
      return self._reader.get_tensor(name)

  def __contains__(self, name):
    return name in self.shapes

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
    if isinstance(error, tf.errors.NotFoundError) and not files_of(path):
      raise
    raise ValueError(
      f"checkpoint is {path!r}, whose files are cut short, damaged, missing or "
      f"no checkpoint: {error}"
    ) from error


def files_of(prefix: str) -> list[str]:
  """The files of a checkpoint that exist, in TensorFlow's file systems."""
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


def prefix_of(path: str) -> str:
  """The prefix of a checkpoint, for a path that may be one of its files."""
  return re.sub(_FILE_ENDING, "", path)


def load(checkpoint: Checkpoint) -> Mapping[str, Any]:
  """A checkpoint as a mapping from names to arrays."""
  if not isinstance(checkpoint, Mapping):
    # The name of one of its files will do for the checkpoint.
    return _VariablesOfFiles(prefix_of(os.fsdecode(checkpoint)))
  _check_keys("checkpoint", checkpoint)
  return checkpoint


def shape_of(name: str, variables: Mapping[str, Any]) -> tuple[int, ...]:
  """A variable's shape, without reading it from a file."""
  if isinstance(variables, _VariablesOfFiles):
    return variables.shapes[name]
  return np.shape(variables[name])


def dtype_of(name: str, variables: Mapping[str, Any]) -> str:
  """The name of a variable's dtype, without reading it from a file."""
  if isinstance(variables, _VariablesOfFiles):
    return variables.dtypes[name]
  return as_array(name, variables[name]).dtype.name


def _check_keys(argument: str, variables: Mapping[str, Any]) -> None:
  for name in variables:
    if not isinstance(name, str) or not name:
      raise ValueError(
        f"{argument} has the key {name!r}, expected the names of variables, "
        "strings that are not empty"
      )


def as_array(
  name: str, value: Any, dtypes: Optional[Sequence[str]] = None
) -> np.ndarray:
  """Converts a variable to an array, and checks its dtype against `dtypes`."""
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


def _check_prefix(prefix: str, overwrite: bool) -> None:
  """Raises an error if a checkpoint cannot be written at this path."""
  import tensorflow as tf

  name = os.path.basename(prefix)
  is_a_file = re.search(_FILE_ENDING, name)  # which would get a second ending
  if not name or is_a_file or tf.io.gfile.isdir(prefix):
    raise ValueError(
      f"prefix is {prefix!r}, expected a path that ends in a file's name "
      "without TensorFlow's endings (.index, .meta, .data-...), and is no "
      "folder's"
    )
  files = files_of(prefix)
  if files and not overwrite:
    raise FileExistsError(
      f"prefix is {prefix!r}, expected one without files, and there are "
      f"{', '.join(map(repr, files))}; overwrite=True replaces the checkpoint"
    )


def _arrays_to_write(variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
  """Converts variables to arrays, and checks their dtypes."""
  if not isinstance(variables, Mapping) or not variables:
    raise ValueError(
      f"variables is {variables!r}, expected a mapping from names to arrays, "
      "at least one"
    )
  _check_keys("variables", variables)  # an empty name would abort the process
  dtypes = (*FLOATS, *OTHER_NUMBERS)
  return {n: as_array(n, value, dtypes) for n, value in variables.items()}


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
  """Writes a checkpoint that `tf.train.Saver` restores, also in TensorFlow 1.

  The checkpoint has variables only. TensorFlow writes the files
  PREFIX.data-00000-of-00001 and PREFIX.index, but no graph (PREFIX.meta).

  Args:
    variables: Mapping from the names of the variables to arrays of numbers.
    prefix: The path of the checkpoint. TensorFlow adds its endings. A folder
      that does not exist is created, as by `tf.train.Checkpoint`.
    overwrite: Whether to replace a checkpoint at this path. TensorFlow replaces
      one file after the other. If the process is killed in between, it may
      leave neither the old checkpoint nor the new one. Other files of the old
      checkpoint, such as PREFIX.meta, are kept.

  Returns:
    The prefix.

  Raises:
    FileExistsError: If a file of a checkpoint is at this path and `overwrite`
      is false.
    NotADirectoryError: If the folder of the path is a file.
    ValueError: If there are no variables, if one is not an array of numbers or
      has no name, or if the prefix has no file name or is a file of a
      checkpoint. Nothing is written then.

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
