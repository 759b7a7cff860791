"""The pages of the API reference: which names are public, and where they stand.

griffe reads the sources. Nothing is imported, so that the site needs none of
the frameworks.
"""

import ast
import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import docstrings
import griffe
from mkdocs.exceptions import PluginError

PACKAGE = "tf_contrib_rnn"

# TensorFlow's page: its sections, by what the modules of `_NAMES` begin with,
# and names of further modules, which have no `__all__`.
_SECTIONS = {
  "cells.": "Cells",
  "wrappers.": "Wrappers",
  "rnn.": "Functions for whole sequences",
  "fused_rnn.": "Classes for whole sequences",
  "ops.choice": "Implementations",
  "bound": "Constraint",
  "core": "TensorFlow's own",
}
_BESIDE = {
  "recurrence": ["ind_rnn", "indy_gru", "indy_lstm", "sru"],
  "linear": ["_Linear", "_linear"],
}
# The other pages: their titles and modules.
_PAGES = {
  "keras": ("Keras", ["keras"]),
  "jax": ("JAX", ["jax"]),
  "flax": ("flax", ["flax", "flax.nnx"]),
  "migrate": ("Weights of checkpoints", ["migrate"]),
}
_FROM_TENSORFLOW = """\
This is TensorFlow's own `{path}`. `help({name})` shows its documentation.
[The 50 names](../names.md) says what it is for.
"""


@dataclasses.dataclass
class Section:
  """A heading, an introduction, and the public paths of names."""

  title: str
  text: str
  names: list[str]


@dataclasses.dataclass
class Page:
  title: str
  text: str
  sections: list[Section]

  def names(self) -> list[str]:
    return [name for section in self.sections for name in section.names]


def read_literal(path: pathlib.Path, name: str) -> Any:
  """What a module assigns to a name, with what it appends to it.

  Raises:
    PluginError: if it assigns nothing.
  """
  value = None
  for node in ast.walk(ast.parse(path.read_text("utf-8"))):
    if isinstance(node, ast.Assign):
      if [ast.unparse(target) for target in node.targets] == [name]:
        value = ast.literal_eval(node.value)
    elif isinstance(node, ast.Call) and (
      ast.unparse(node.func) == f"{name}.append"
    ):
      value.append(ast.literal_eval(node.args[0]))
  if value is None:
    raise PluginError(f"{path} has no {name}")
  return value


class Reference:
  """The reference of the package that lies in a folder.

  Raises:
    PluginError: if a public name has no docstring, or no place on a page.
  """

  def __init__(self, root: pathlib.Path):
    self._package = griffe.load(
      PACKAGE,
      search_paths=[root],
      allow_inspection=False,
      extensions=griffe.load_extensions(docstrings.Docstrings),
    )
    self._init = root / PACKAGE / "__init__.py"
    pages = {
      "tensorflow": Page(
        "TensorFlow",
        self._package.docstring.value,
        [*self._sections_of_tensorflow()],
      )
    }
    for name, (title, modules) in _PAGES.items():
      sections = [self._section_of(m, self._exports(m)) for m in modules]
      pages[name] = Page(title, "", sections)
    self.pages = {f"api/{name}.md": page for name, page in pages.items()}
    self._check()

  def _exports(self, module: str) -> list[str]:
    return read_literal(self._package[module].filepath, "__all__")

  def _section_of(self, module: str, names: list[str]) -> Section:
    path = f"{PACKAGE}.{module}"
    paths = [f"{path}.{name}" for name in names]
    return Section(f"`{path}`", self._package[module].docstring.value, paths)

  def _sections_of_tensorflow(self) -> Iterator[Section]:
    of_title = {title: [] for title in _SECTIONS.values()}
    for module, names in read_literal(self._init, "_NAMES").items():
      titles = [t for start, t in _SECTIONS.items() if module.startswith(start)]
      if not titles:
        raise PluginError(f"tools/site/api.py has no section for {module}")
      of_title[titles[0]] += [f"{PACKAGE}.{name}" for name in names]
    for title, paths in of_title.items():
      yield Section(title, "", sorted(paths, key=str.lower))
    for module, names in _BESIDE.items():
      yield self._section_of(module, names)

  def _check(self) -> None:
    public = {*read_literal(self._init, "_SUBMODULES")}
    missing = public - {*_BESIDE, *_PAGES}
    if missing:
      raise PluginError(f"the reference has no page for {sorted(missing)}")
    silent = [
      path
      for page in self.pages.values()
      for path in page.names()
      if not self._summary(path)
    ]
    if silent:
      raise PluginError(f"without a docstring: {', '.join(silent)}")

  def _find(self, path: str) -> griffe.Object:
    try:
      return self._package[path.removeprefix(f"{PACKAGE}.")]
    except KeyError as error:
      raise PluginError(f"{path} is not defined") from error

  def _path_in_tensorflow(self, path: str) -> str:
    """What a name of `core` is in TensorFlow, or "" for other names."""
    found = self._find(path)
    module = self._package["core"]
    if found.module.path != module.path:
      return ""
    # A class has TensorFlow's as its last base, anything else as its value.
    value = str(found.bases[-1] if found.is_class else found.value)
    start, _, name = value.partition(".")
    return f"{module.resolve(start)}.{name}"

  def _summary(self, path: str) -> str:
    """The first paragraph of a name's docstring, on one line."""
    own = self._path_in_tensorflow(path)
    if own:
      return f"TensorFlow's own `{own.rpartition('.')[2]}`"
    docstring = self._find(path).docstring
    text = docstring.value.strip() if docstring else ""
    return " ".join(text.partition("\n\n")[0].split())

  def markdown(self, page: str) -> str:
    """The page as Markdown, for mkdocstrings to fill."""
    page = self.pages[page]
    parts = [f"# {page.title}", page.text]
    for section in page.sections:
      parts += [f"## {section.title}", section.text, self._table(section.names)]
      parts += map(self._entry, section.names)
    return "\n\n".join(filter(None, parts)) + "\n"

  def _table(self, paths: list[str]) -> str:
    rows = ["| name | what it is |", "| --- | --- |"]
    for path in paths:
      name = path.rpartition(".")[2]
      summary = self._summary(path).replace("|", r"\|")
      rows.append(f"| [`{name}`](#{path}) | {summary} |")
    return "\n".join(rows)

  def _entry(self, path: str) -> str:
    own = self._path_in_tensorflow(path)
    if not own:
      return f"::: {path}"
    name = path.rpartition(".")[2]
    text = _FROM_TENSORFLOW.format(path=own, name=path)
    return f"### `{name}` {{ #{path} }}\n\n{text}"
