"""Reading and writing what is upgraded: Python files and notebooks."""

import io
import json
import os
import pathlib
import re
import tokenize
from typing import Any

PYTHON, NOTEBOOK = ".py", ".ipynb"
_CELL = "# %% tf_contrib_rnn cell {}\n"
_MAGIC = "pass  # tf_contrib_rnn magic {}"
# Cells that begin with one of these hold Python.
_WITH_PYTHON = ("capture", "prun", "time", "timeit")
_IS_MAGIC = re.compile(
  r"(\s*)([%!?].*|[\w., ]+=\s*[%!].*|[^#'\"]*[^#'\"?\s]\?\??)\s*$"
)
# Lines of IPython that hold Python, or that fail without TensorFlow 1.
_LISTED = re.compile(r"%(timeit|time|prun|memit|mprun|tensorflow_version)\b")


class Unreadable(Exception):
  """A file that can't be read, with the reason as its text."""


class Source:
  """The text of a file.

  Attributes:
    path: where it is.
    text: the Python code; of a notebook that of all cells, one after another.
  """

  def __init__(self, path: pathlib.Path):
    self.path = path
    try:
      self._bytes = path.read_bytes()
    except OSError as error:
      raise Unreadable(f"can't be read: {error.strerror}") from error
    self._notebook = None
    if path.suffix == NOTEBOOK:
      self._notebook = _Notebook(self._bytes)
      self.text = self._notebook.text
    else:
      self.text = _decode(self._bytes)

  @property
  def other_cells(self) -> list[str]:
    """A notebook's code cells, and lines, that IPython reads."""
    return self._notebook.others if self._notebook else []

  def place(self, text: str, line: int) -> str:
    """Where a line of a text is: in a notebook, the cell and its line."""
    if not line or self._notebook is None:
      return str(line or "")
    pattern = re.escape(_CELL.strip()).replace(r"\{\}", r"(\d+)")
    for before in range(line - 1, -1, -1):
      found = re.fullmatch(pattern, text.splitlines()[before])
      if found:
        return f"cell {int(found[1]) + 1}, line {line - before - 1}"
    return str(line)

  def readable(self, text: str) -> str:
    """A text for people: of a notebook with IPython's own lines."""
    return self._notebook.show(text) if self._notebook else text

  def render(self, text: str) -> bytes:
    """The file's content with another text."""
    if text == self.text:
      return self._bytes
    if self._notebook is not None:
      return self._notebook.render(text)
    encoding, _ = tokenize.detect_encoding(io.BytesIO(self._bytes).readline)
    return text.encode(encoding)

  def write(self, text: str) -> None:
    """Puts a text in place of the file's, wholly or not at all.

    Raises:
      Unreadable: if the file changed since it was read, or can't be written.
    """
    content = self.render(text)
    try:
      if self.path.read_bytes() != self._bytes:
        raise Unreadable("changed while it was upgraded; nothing was written")
      mode = self.path.stat().st_mode
      if not mode & 0o222 or not os.access(self.path, os.W_OK):
        raise Unreadable("is read-only; nothing was written")
      write_whole(self.path, content, mode)
    except OSError as error:
      raise Unreadable(f"can't be written: {error.strerror}") from error


def write_whole(path: pathlib.Path, content: bytes, mode: int) -> None:
  """Writes a file wholly or not at all."""
  path = path.resolve()  # what a link leads to
  new = path.with_name(f".{path.name}.{os.getpid()}.tmp")
  try:
    new.write_bytes(content)
    os.chmod(new, mode & 0o7777)
    os.replace(new, path)
  finally:
    new.unlink(missing_ok=True)


def _decode(content: bytes) -> str:
  """The text of a Python file, by its own encoding; line ends stay."""
  try:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return content.decode(encoding)
  except (LookupError, SyntaxError, UnicodeDecodeError) as error:
    raise Unreadable(
      f"is not valid UTF-8, or what its first lines declare: {error}"
    ) from error


class _Notebook:
  """The code of a notebook's cells as one text, and back."""

  def __init__(self, content: bytes):
    try:
      self._json: Any = json.loads(content)
      cells = self._json["cells"]
      self._cells = [c for c in cells if c["cell_type"] == "code"]
      codes = [_join(cell["source"]) for cell in self._cells]
    except (KeyError, TypeError, ValueError) as error:
      raise Unreadable(f"is not a notebook of format 4: {error!r}") from error
    self._magics: list[str] = []
    self.others: list[str] = []  # what holds something else, or is IPython's
    self.text = "".join(
      _CELL.format(number) + self._hide(code) + "\n"
      for number, code in enumerate(codes)
    )

  def _hide(self, code: str) -> str:
    """Code with IPython's own lines as statements that do nothing."""
    lines = code.split("\n")
    magic = re.match(r"\s*%%(\w*)", code)
    if magic and magic[1] not in _WITH_PYTHON:
      self.others.append(code)
      return "\n".join(self._put_away("", line) for line in lines)
    is_continued = False
    for number, line in enumerate(lines):
      found = _IS_MAGIC.match(line)
      if is_continued:
        lines[number] = self._put_away("", line)
      elif found and not _goes_on(lines[:number]):
        lines[number] = self._put_away(found[1], found[2])
        if _LISTED.match(found[2]):
          self.others.append(found[2])
      else:
        continue
      is_continued = line.endswith("\\")
    return "\n".join(lines)

  def _put_away(self, space, line):
    self._magics.append(line)
    return space + _MAGIC.format(len(self._magics) - 1)

  def render(self, text: str) -> bytes:
    """The notebook with the code of a changed text."""
    start = re.escape(_CELL).replace(r"\{\}", r"\d+")
    before, *codes = re.split(start, text)
    if len(codes) != len(self._cells):
      raise Unreadable("lost a cell; nothing was written")
    codes[0] = before + codes[0]
    for cell, code in zip(self._cells, codes):
      code = self.show(code.removesuffix("\n"))
      if isinstance(cell["source"], str):
        cell["source"] = code
      else:
        cell["source"] = code.splitlines(keepends=True)
    text = json.dumps(self._json, indent=1, ensure_ascii=False)
    # JSON has half a pair of surrogates as an escape alone, such as \ud83d.
    return (text + "\n").encode(errors="backslashreplace")

  def show(self, code: str) -> str:
    """Code with IPython's own lines as they were."""
    pattern = re.escape(_MAGIC).replace(r"\{\}", r"(\d+)")
    return re.sub(pattern, lambda found: self._magics[int(found[1])], code)


def _goes_on(lines: list[str]) -> bool:
  """Whether a statement, a bracket or a string goes on after these lines."""
  if lines and lines[-1].endswith("\\"):
    return True
  text = "\n".join(lines) + "\n"
  try:
    for _ in tokenize.generate_tokens(io.StringIO(text).readline):
      pass
  except tokenize.TokenError:
    return True
  except IndentationError:
    pass
  return False


def _join(source) -> str:
  return source if isinstance(source, str) else "".join(source)


def list_files(path: pathlib.Path) -> list[pathlib.Path]:
  """The Python files and notebooks below a folder, without hidden folders."""
  if path.is_file():
    return [path]
  found = []
  for folder, folders, files in os.walk(path):
    folders[:] = sorted(
      f for f in folders if f[0] != "." and f not in _NOT_THE_PROGRAM
    )
    for name in sorted(files):
      if name.endswith((PYTHON, NOTEBOOK)):
        found.append(pathlib.Path(folder, name))
  return found


def list_neighbours(path: pathlib.Path) -> list[pathlib.Path]:
  """The other Python files and notebooks in a file's folder.

  There are none in a folder that can't be listed.
  """
  path = path.resolve()
  try:
    files = sorted(path.parent.iterdir())
  except OSError:
    return []
  return [
    file
    for file in files
    if file.name.endswith((PYTHON, NOTEBOOK))
    and file.is_file()
    and not file.is_symlink()
    and file != path
  ]


_NOT_THE_PROGRAM = ("__pycache__", "node_modules", "venv", "site-packages")
