"""A checkpoint's variables in another format, written whole or not at all."""

import os
import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any
from typing import Optional
from typing import Union

from tf_contrib_rnn import migrate
from tf_contrib_rnn.checkpoints import formats
from tf_contrib_rnn.checkpoints.contents import OBJECT_BASED
from tf_contrib_rnn.checkpoints.contents import OBJECT_GRAPH
from tf_contrib_rnn.migrate import checkpoint as files

Path = Union[str, "os.PathLike[str]"]

TF1 = "tf1"
_TF1_DTYPES = (*files.FLOATS, *files.OTHER_NUMBERS)


def run(
  path: Path, to: str, output: Optional[Path] = None, overwrite: bool = False
) -> str:
  """Writes the variables of a checkpoint or a file in another format.

  All is read and compared with what the format can hold before anything is
  written. The file is written in a folder beside its place and then renamed, so
  that a reader finds the old one, none, or the new one whole; all that a
  process leaves that is killed is such a folder, .tf_contrib_rnn-.... See
  `formats` for what the files look like.

  Args:
    path: an .npz, .h5, .hdf5 or .safetensors file, or a checkpoint: a prefix,
      or a folder with a file "checkpoint".
    to: "npz", "h5", "safetensors", or "tf1": a checkpoint that a
      `tf.train.Saver` restores.
    output: where to, with the format's ending; the prefix of a checkpoint for
      "tf1". By default, beside `path`, with the ending changed; a checkpoint's
      prefix gets one (model.ckpt.npz).
    overwrite: whether to replace what is there.

  Returns:
    The path, or prefix, that was written.

  Raises:
    FileExistsError: if something is there already, without `overwrite`.
    FileNotFoundError: if there is no such file or folder.
    tf.errors.NotFoundError: if there is no such checkpoint.
    ModuleNotFoundError: if the format's library is not installed.
    ValueError: if `to` or `output` is not as above; if the file or checkpoint
      is damaged or has no variables; if a variable's dtype or name is none that
      the format can hold, such as strings, or bfloat16 in .npz and .h5.

  Example:

  >>> import os, tempfile
  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> from tf_contrib_rnn.checkpoints import convert
  >>> with tempfile.TemporaryDirectory() as folder:
  ...   prefix = os.path.join(folder, "model.ckpt")
  ...   _ = migrate.write_checkpoint({"rnn/bias": np.ones([2])}, prefix)
  ...   path = convert.run(prefix, "npz")
  ...   os.path.basename(path), dict(np.load(path))
  ('model.ckpt.npz', {'rnn/bias': array([1., 1.])})
  """
  if to not in (*formats.FORMATS, TF1):
    names = ", ".join(map(repr, formats.FORMATS))
    raise ValueError(f"to is {to!r}, expected one of {names}, {TF1!r}")
  path = os.fsdecode(path)
  target = os.fsdecode(output) if output else _default_output(path, to)
  _check_target(target, to, overwrite)
  variables = _read(path)
  arrays = _check_variables(path, to, variables)
  _write(arrays, to, target)
  return target


def _format_of(path: str) -> Optional[formats.Format]:
  """A file's format by its ending; None for a checkpoint."""
  if os.path.isdir(path):
    return None
  ending = os.path.splitext(path)[1].lower()
  for candidate in formats.FORMATS.values():
    if ending in candidate.endings:
      return candidate
  return None


def _format_of_source(path: str) -> Optional[formats.Format]:
  """As `_format_of`, but model.h5 may be the prefix of model.h5.index."""
  found = _format_of(path)
  if found and not os.path.lexists(path) and files.files_of(path):
    return None
  return found


def _default_output(path: str, to: str) -> str:
  """A path beside another, with the ending of a format."""
  if _format_of_source(path):
    start = os.path.splitext(path)[0]
  else:
    start = files.prefix_of(path)
    if os.path.isdir(start):
      start = _latest_in(start)
  return start if to == TF1 else start + formats.FORMATS[to].endings[0]


def _latest_in(folder: str) -> str:
  """The prefix of the checkpoint that is read of a folder."""
  import tensorflow as tf

  latest = tf.train.latest_checkpoint(folder)
  return os.path.join(folder, os.path.basename(latest or "model.ckpt"))


def _check_target(target: str, to: str, overwrite: bool) -> None:
  """Compares with what is at the path to write to."""
  found = _format_of(target)
  if to == TF1:
    fits = found is None and target == files.prefix_of(target)
    expected = "a prefix, without an ending of files"
    existing = files.files_of(target)
  else:
    fits = found is formats.FORMATS[to]
    expected = f"a file's that ends in {formats.FORMATS[to].endings[0]}"
    existing = [target] if os.path.lexists(target) else []
  if not fits or not os.path.basename(target) or os.path.isdir(target):
    raise ValueError(f"output is {target!r}, expected {expected}")
  if not os.path.isdir(os.path.dirname(target) or "."):
    raise FileNotFoundError(
      f"output is {target!r}, expected a path in a folder that exists"
    )
  if existing and not overwrite:
    raise FileExistsError(
      f"output is {target!r}, expected one without files, and there is "
      f"{existing[0]!r}; overwrite replaces it"
    )


def _read(path: str) -> Mapping[str, Any]:
  found = _format_of_source(path)
  return files.load(path) if found is None else formats.read(found, path)


def _check_variables(
  path: str, to: str, variables: Mapping[str, Any]
) -> formats.Arrays:
  """The variables' arrays, if the format can hold them all."""
  if not variables:
    raise ValueError(f"path is {path!r}, which has no variables")
  if OBJECT_GRAPH in variables:
    raise ValueError(
      f"path is {path!r}, expected variables by names; it is {OBJECT_BASED}"
    )
  holder = formats.FORMATS.get(to)
  dtypes = holder.dtypes if holder else _TF1_DTYPES
  for name in variables:
    if not name or (holder and not holder.can_name(name)):
      shown = repr(name if len(name) < 100 else name[:100] + "…")
      raise ValueError(
        f"a variable has the name {shown}, expected one that {to} can hold"
      )
    # Before gigabytes are read.
    formats.check_dtype(to, dtypes, name, files.dtype_of(name, variables))
  return formats.to_arrays(to, dtypes, variables)


def _write(arrays: formats.Arrays, to: str, target: str) -> None:
  """Writes files into a folder beside their place, then moves them there."""
  folder, name = os.path.split(target)
  with tempfile.TemporaryDirectory(
    dir=folder or ".", prefix=".tf_contrib_rnn-"
  ) as temporary:
    written = os.path.join(temporary, "written")
    os.mkdir(written)
    if to == TF1:
      migrate.write_checkpoint(arrays, os.path.join(written, name))
    else:
      formats.FORMATS[to].write(arrays, os.path.join(written, name))
    usual = pathlib.Path(temporary, "usual")
    usual.touch()
    # A checkpoint's index comes last: without it there is no checkpoint.
    for file in sorted(os.listdir(written)):
      path = os.path.join(written, file)
      shutil.copymode(usual, path)  # safetensors lets only the owner read it
      _flush(path)
      os.replace(path, os.path.join(folder, file))


def _flush(path: str) -> None:
  """Has the system write a file to the disk: its name comes after that."""
  with open(path, "rb") as file:
    os.fsync(file.fileno())
