"""Arrays by names in files of NumPy, HDF5 and safetensors.

Each file holds the variables of a checkpoint under their own names. What a
format cannot hold is an error that names the variable: nothing is left out, and
no dtype becomes another.

- `.npz`: `numpy.load(path)["rnn/cell/kernel"]`. It has no bfloat16.
- `.h5`: a dataset a variable, all at the top. HDF5 makes groups of what is
  before a "/", and a group cannot be where a dataset is (`bias` and
  `bias/Adam`): a dataset's name has "%2F" for "/" and "%25" for "%", and the
  file's attribute `names` says so. `h5py.File(path)["rnn%2Fcell%2Fkernel"]`. It
  has no bfloat16. In other programs' files, the path of a dataset is the name.
  Links are followed, into other files too.
- `.safetensors`: `safetensors.numpy.load_file(path)["rnn/cell/kernel"]`. It has
  bfloat16, but not complex128.
"""

import contextlib
import dataclasses
import os
import urllib.parse
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Callable

import numpy as np

from tf_contrib_rnn.checkpoints import libraries

Arrays = dict[str, np.ndarray]

_DTYPES = (
  *("bool", "int8", "int16", "int32", "int64"),
  *("uint8", "uint16", "uint32", "uint64"),
  *("float16", "float32", "float64", "complex64"),
)
_ESCAPED = "percent-escaped"  # the attribute `names` of an .h5 file


@dataclasses.dataclass(frozen=True)
class Format:
  """A format of files.

  Attributes:
    name: what the command calls it.
    endings: of the files' names, the usual one first.
    dtypes: what it can hold.
    can_name: whether a variable can have a name, that is not empty, in it.
    read: reads a file.
    write: writes a file.
  """

  name: str
  endings: tuple[str, ...]
  dtypes: tuple[str, ...]
  can_name: Callable[[str], bool]
  read: Callable[[str], Arrays]
  write: Callable[[Mapping[str, np.ndarray], str], None]


def _read_npz(path: str) -> Arrays:
  arrays = {}
  with np.load(path, allow_pickle=False) as file:
    # By the names in the archive: `a` and `a.npy` may both be variables.
    for member in file.zip.namelist():
      arrays[member.removesuffix(".npy")] = file[member]
  return arrays


def _can_name_in_npz(name: str) -> bool:
  is_argument = name in ("file", "allow_pickle")  # of numpy.savez
  size = len(f"{name}.npy".encode(errors="replace"))
  return not is_argument and "\0" not in name and size < 2**16


def _write_npz(arrays: Mapping[str, np.ndarray], path: str) -> None:
  with open(path, "wb") as file:  # to a path it may add an ending
    np.savez(file, **arrays)  # type: ignore[arg-type]


def _read_h5(path: str) -> Arrays:
  h5py = libraries.load("h5py", "an .h5 file")
  arrays = {}

  def add(group, path, outer):
    """Adds what is in a group at a path, which is inside other groups."""
    for key in group:
      name = path + (key if isinstance(key, str) else os.fsdecode(key))
      item = group.get(key)  # links lead to it, more than one perhaps
      if item is None:
        raise ValueError(f"the link {name!r} leads nowhere")
      if isinstance(item, h5py.Dataset):
        arrays[name] = np.asarray(item[()])
      elif item in (group, *outer):
        raise ValueError(f"the group {name!r} is inside itself")
      elif isinstance(item, h5py.Group):
        add(item, f"{name}/", (group, *outer))

  with h5py.File(path, "r") as file:
    add(file["/"], "", ())
    names = file.attrs.get("names")
    is_escaped = isinstance(names, str) and names == _ESCAPED
  unescape = urllib.parse.unquote if is_escaped else str
  return {unescape(name): array for name, array in arrays.items()}


def _write_h5(arrays: Mapping[str, np.ndarray], path: str) -> None:
  h5py = libraries.load("h5py", "an .h5 file")
  with h5py.File(path, "w") as file:
    file.attrs["names"] = _ESCAPED
    for name, array in arrays.items():
      file.create_dataset(_escape(name), data=array)


def _escape(name: str) -> str:
  escaped = name.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
  return "%2E" if escaped == "." else escaped  # to HDF5, the group itself


def _read_safetensors(path: str) -> Arrays:
  numpy = libraries.load("safetensors.numpy", "a .safetensors file")
  return numpy.load_file(path)


def _write_safetensors(arrays: Mapping[str, np.ndarray], path: str) -> None:
  numpy = libraries.load("safetensors.numpy", "a .safetensors file")
  numpy.save_file(dict(arrays), path)


FORMATS = {
  f.name: f
  for f in (
    Format(
      "npz",
      (".npz",),
      (*_DTYPES, "complex128"),
      _can_name_in_npz,
      _read_npz,
      _write_npz,
    ),
    Format(
      "h5",
      (".h5", ".hdf5"),
      (*_DTYPES, "complex128"),
      lambda name: True,
      _read_h5,
      _write_h5,
    ),
    Format(
      "safetensors",
      (".safetensors",),
      (*_DTYPES, "bfloat16"),
      lambda name: name != "__metadata__",
      _read_safetensors,
      _write_safetensors,
    ),
  )
}


def read(format: Format, path: str) -> Arrays:
  """Reads all arrays of a file.

  Args:
    format: one of FORMATS.
    path: the file's.

  Raises:
    FileNotFoundError: if there is no such file.
    ModuleNotFoundError: if the library is not installed.
    ValueError: if it is none of this format, damaged, or holds what is no
      array.

  Example:

  >>> import os, tempfile
  >>> import numpy as np
  >>> from tf_contrib_rnn.checkpoints import formats
  >>> npz = formats.FORMATS["npz"]
  >>> with tempfile.TemporaryDirectory() as folder:
  ...   path = os.path.join(folder, "model.npz")
  ...   npz.write({"rnn/bias": np.zeros([4], "f")}, path)
  ...   formats.read(npz, path)
  {'rnn/bias': array([0., 0., 0., 0.], dtype=float32)}
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(f"path is {path!r}, and there is no such file")
  with _name_damaged_file(format, path):
    arrays = format.read(path)
    for name, array in arrays.items():
      if not isinstance(array, np.ndarray):
        raise ValueError(f"{name!r} is no array")
  return arrays


@contextlib.contextmanager
def _name_damaged_file(format: Format, path: str) -> Iterator[None]:
  """Turns what the libraries raise for damaged files into a ValueError."""
  try:
    yield
  except (ModuleNotFoundError, MemoryError):
    raise
  except Exception as error:  # each library has errors of its own
    raise ValueError(
      f"path is {path!r}, expected a whole {format.endings[0]} file: {error}"
    ) from error


def to_arrays(
  format_name: str, dtypes: tuple[str, ...], variables: Mapping[str, Any]
) -> Arrays:
  """Arrays as the libraries can write them: in rows, in this machine's order.

  Raises:
    ValueError: if one has a dtype that is none of these.
  """
  arrays = {}
  for name, value in variables.items():
    array = np.asarray(value)
    check_dtype(format_name, dtypes, name, array.dtype.name)
    native = array.dtype.newbyteorder("=")
    arrays[name] = np.asarray(array, dtype=native, order="C")
  return arrays


def check_dtype(
  format_name: str, dtypes: tuple[str, ...], name: str, dtype: str
) -> None:
  """Compares a variable's dtype with those of a format."""
  if dtype not in dtypes:
    *others, last = dtypes
    holders = [f.name for f in FORMATS.values() if dtype in f.dtypes]
    hint = f"; {' or '.join(holders)} can hold it" if holders else ""
    raise ValueError(
      f"the variable {name!r} has dtype {dtype}, expected what {format_name} "
      f"can hold: {', '.join(others)} or {last}{hint}"
    )
