"""The names of the TensorFlow that is installed, read without running it."""

import ast
import importlib.util
import pathlib
from typing import Optional

# What TensorFlow makes when it runs, so that its files do not say it.
_MADE = ("app", "keras", "summary")
_MADE_IN_V1 = ("layers", "rnn_cell")


class Api:
  """The names of TensorFlow, as its generated files import them.

  Args:
    folder: where TensorFlow is.
    names: the folder in there that has the names.
  """

  def __init__(self, folder: pathlib.Path, names: str):
    self._folder = folder
    self._root = folder / names
    self._names: dict[pathlib.Path, Optional[frozenset[str]]] = {}
    self._missing: dict[str, Optional[str]] = {}

  @classmethod
  def of_installed(cls, version: int) -> Optional["Api"]:
    """That of the installed TensorFlow, or None if there is none.

    Args:
      version: 1 for tensorflow.compat.v1, 2 for tensorflow itself.
    """
    found = importlib.util.find_spec("tensorflow")
    if not found or not found.origin:
      return None
    folder = pathlib.Path(found.origin).parent
    names = f"_api/v2/compat/v{version}"
    return cls(folder, names) if (folder / names).is_dir() else None

  def first_missing(self, name: str) -> Optional[str]:
    """The first part of a full name that is not there, or None.

    Args:
      name: "tensorflow.train.AdamOptimizer", without compat.v1.
    """
    if name not in self._missing:
      self._missing[name] = self._find_missing(name)
    return self._missing[name]

  def _find_missing(self, name):
    parts = name.split(".")
    if parts[:1] != ["tensorflow"] or len(parts) < 2:
      return None
    if parts[1] == "python":
      return self._first_missing_module(parts)
    if parts[1] in ("compat", "core", "contrib"):
      return None
    folder = self._root
    for size, part in enumerate(parts[1:], 2):
      there = self._names_in(folder)
      made = _MADE + (_MADE_IN_V1 if self._root.name == "v1" else ())
      if there is None or part in made or part.startswith("__"):
        return None
      if part not in there and not (folder / part).is_dir():
        return ".".join(parts[:size])
      folder = folder / part
    return None

  def _first_missing_module(self, parts):
    """The same for a private name, tensorflow.python.ops.rnn_cell.X."""
    path = self._folder
    for size, part in enumerate(parts[1:], 2):
      if (path / part).is_dir():
        path = path / part
        continue
      if path.suffix == ".py":
        there = self._names_of(path)
      elif (path / f"{part}.py").exists():
        path = path / f"{part}.py"
        continue
      else:
        there = self._names_of(path / "__init__.py")
      is_there = there is None or part in there
      return None if is_there else ".".join(parts[:size])
    return None

  def _names_in(self, folder) -> Optional[frozenset[str]]:
    """The names of a package; None for what is none, a class, say."""
    return self._names_of(folder / "__init__.py")

  def _names_of(self, file) -> Optional[frozenset[str]]:
    """The names of a module; None if the file does not say."""
    if file not in self._names:
      self._names[file] = _read_names(file) if file.exists() else None
    return self._names[file]


def _read_names(file: pathlib.Path) -> Optional[frozenset[str]]:
  """The names that a module's statements bind; None if a star may."""
  found = set()
  for node in ast.walk(ast.parse(file.read_text())):
    if isinstance(node, (ast.Import, ast.ImportFrom)):
      for alias in node.names:
        if alias.name == "*":
          return None
        found.add(alias.asname or alias.name.split(".")[0])
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
      found.add(node.name)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
      found.add(node.id)
  return frozenset(found)
