"""A program's files together: what they import of each other, their edits."""

import ast
import dataclasses
import functools
import pathlib
import re
import sys
import warnings
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Callable
from typing import Optional

import libcst as cst

from tf_contrib_rnn.upgrade import decide
from tf_contrib_rnn.upgrade import names
from tf_contrib_rnn.upgrade import resolve
from tf_contrib_rnn.upgrade import rewrite
from tf_contrib_rnn.upgrade import start
from tf_contrib_rnn.upgrade.api import Api
from tf_contrib_rnn.upgrade.decide import Decisions
from tf_contrib_rnn.upgrade.decide import Finding
from tf_contrib_rnn.upgrade.resolve import Binding
from tf_contrib_rnn.upgrade.resolve import Resolver
from tf_contrib_rnn.upgrade.source import list_files
from tf_contrib_rnn.upgrade.source import list_neighbours
from tf_contrib_rnn.upgrade.source import Source
from tf_contrib_rnn.upgrade.source import Unreadable

PYTHON_2 = "is Python 2 code: run futurize (pip install future) or 2to3 first"
# Python 2's names that Python 3 has not.
_OF_PYTHON_2 = frozenset(
  """
  apply basestring cmp coerce execfile intern long raw_input reduce reload
  unichr unicode xrange
  """.split()
)

_MODULES_OF_PYTHON_2 = frozenset(
  """
  ConfigParser HTMLParser Queue StringIO Tkinter __builtin__ cPickle commands
  itertools.ifilter itertools.imap itertools.izip itertools.izip_longest
  thread urllib2 urlparse
  """.split()
)


_WRITES_A_FILE = ("%%writefile", "%%file")
# What a program does not have under these names, whatever its files are called.
_ELSEWHERE = {"tensorflow", *getattr(sys, "stdlib_module_names", ())}


@dataclasses.dataclass(eq=False)
class Module:
  """A file of the program.

  Attributes:
    path: where it is.
    is_asked: whether it is to be upgraded, or only read for the others.
    source: its text; None if it can't be read.
    tree: its syntax; None if it can't be parsed.
    problem: why it can't.
    imports: the files of the program that it imports, with the statements.
    decisions: what becomes of its names.
    new_text: its text after the upgrade.
    is_written: whether that is in the file by now.
    findings: what a person has to do or know.
  """

  path: pathlib.Path
  is_asked: bool = True
  source: Optional[Source] = None
  tree: Any = None
  problem: Optional[Finding] = None
  imports: list[tuple[Any, "Module"]] = dataclasses.field(default_factory=list)
  resolver: Any = None
  decisions: Any = None
  new_text: str = ""
  is_written: bool = False
  findings: list[Finding] = dataclasses.field(default_factory=list)

  @functools.cached_property
  def folder(self) -> pathlib.Path:
    """The folder that the file is in, or its original; links resolved."""
    return self.path.resolve().parent

  def place(self, line: int) -> str:
    """The file and a line of it as it is now, for people."""
    if self.source is None:
      return f"{self.path}:{line}" if line else str(self.path)
    text = self.new_text if self.is_written else self.source.text
    where = self.source.place(text, line)
    return f"{self.path}:{where}" if where else str(self.path)

  def give_up(self, error: Exception) -> None:
    """Leaves the file as it is, and says so."""
    self.tree = None
    text = (
      "not changed: a fault in tf-contrib-rnn, please report it: "
      f"{type(error).__name__}: {error}"
    )
    self.problem = Finding(0, "the file", text)

  def read(self) -> None:
    """Reads and parses the file."""
    try:
      self.source = Source(self.path)
      self.new_text = text = self.source.text
      found = _syntax_error(text)
      if found and _looks_like_python_2(text):
        self.problem = Finding(found.lineno or 0, "the file", PYTHON_2)
      else:
        self.tree = cst.parse_module(text)
    except Unreadable as error:
      self.problem = Finding(0, "the file", str(error))
    except (cst.ParserSyntaxError, RecursionError, UnicodeError) as error:
      self.problem = self._why_no_syntax(error)

  def _why_no_syntax(self, error) -> Finding:
    found = _syntax_error(self.source.text if self.source else "")
    line = found.lineno if found else getattr(error, "raw_line", 0)
    return Finding(
      line or 0,
      "the file",
      f"syntax error: {getattr(found, 'msg', None) or error}",
    )

  @property
  def is_changed(self) -> bool:
    return self.source is not None and self.new_text != self.source.text


def _syntax_error(text: str) -> Optional[SyntaxError]:
  """What Python itself says of a text."""
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore")  # of the program's own backslashes
      ast.parse(text)
  except SyntaxError as error:
    return error
  except (RecursionError, ValueError):
    pass
  return None


def _looks_like_python_2(text: str) -> bool:
  return bool(
    re.search(
      r"^\s*(print\s+[^(=\s]|print\s*$|except\s+[\w.]+\s*,\s*\w+\s*:"
      r"|raise\s+\w+\s*,|exec\s+['\"\w])",
      text,
      re.MULTILINE,
    )
  )


class Project:
  """The files of a program, upgraded together.

  Args:
    paths: the files and folders to upgrade.
    keep_tf_rnn: whether tf.nn.dynamic_rnn and its relatives stay TensorFlow's.
    progress: shows how far a list of files is gone through.
    originals: what the paths are copies of, if they are copies.
  """

  def __init__(
    self,
    paths: Iterable[pathlib.Path],
    keep_tf_rnn: bool = False,
    progress: Callable[[Iterable], Iterable] = iter,
    originals: Optional[Mapping[pathlib.Path, pathlib.Path]] = None,
  ):
    self._keep_tf_rnn = keep_tf_rnn
    self._progress = progress
    self._apis = Api.of_installed(1), Api.of_installed(2)
    self._modules: dict[pathlib.Path, Module] = {}
    self._resolving: set[pathlib.Path] = set()
    self._roots: set[pathlib.Path] = set()
    self._located: dict[tuple, Optional[Module]] = {}
    self._by_stem: Optional[dict[str, list]] = None
    self._reached: dict[pathlib.Path, list[Module]] = {}
    self._imported: set[int] = set()
    self._wanted: set[int] = set()
    self._collect([*paths], originals or {})
    for module in self._modules.values():
      module.read()

  @property
  def modules(self) -> list[Module]:
    """Those to be upgraded, in order."""
    return [m for m in self._modules.values() if m.is_asked]

  def _collect(self, paths, originals):
    for path in paths:
      if not path.is_file():
        self._roots.add(path.resolve())
        for file in list_files(path):
          self._modules[file.resolve()] = Module(file)
        continue
      # A copied file has the neighbours, and the names, of its original.
      original = originals.get(path, path).resolve()
      module = self._modules[original] = Module(path)
      module.folder = original.parent
      self._roots.add(module.folder)
    for path in paths:
      # A file's neighbours import it, or are imported.
      original = originals.get(path, path)
      for file in list_neighbours(original) if path.is_file() else ():
        self._modules.setdefault(file, Module(file, is_asked=False))

  # Who imports what.

  def _locate(self, module, level, dotted) -> Optional[Module]:
    """The file that an import names."""
    key = (module.folder, level, dotted)
    if key not in self._located:
      self._located[key] = self._look_for(*key)
    return self._located[key]

  def _look_for(self, folder, level, dotted) -> Optional[Module]:
    parts = dotted.split(".") if dotted else []
    if level:
      for _ in range(level - 1):
        folder = folder.parent
      return self._at(folder.joinpath(*parts))
    if not parts:
      return None
    while True:
      found = self._at(folder.joinpath(*parts))
      if found is not None:
        return found
      if folder in self._roots or folder == folder.parent:
        return self._only_file(parts)
      folder = folder.parent

  def _only_file(self, parts) -> Optional[Module]:
    """The one file of that name anywhere, which sys.path may lead to."""
    if parts[0] in _ELSEWHERE:
      return None
    if self._by_stem is None:
      self._by_stem = {}
      for file, module in self._modules.items():
        path = file.parent if file.name == "__init__.py" else file
        self._by_stem.setdefault(path.stem, []).append((path, module))
    found = [
      module
      for path, module in self._by_stem.get(parts[-1], ())
      if [*path.parent.parts, path.stem][-len(parts) :] == parts
    ]
    return found[0] if len(found) == 1 else None

  def _at(self, path) -> Optional[Module]:
    file = path.with_name(path.name + ".py")
    return self._modules.get(file) or self._modules.get(path / "__init__.py")

  def _find(self, module, level, dotted, name) -> Optional[Binding]:
    """What a name is that a module imports from another of the program."""
    if not name:
      return None
    if self._locate(module, level, f"{dotted}.{name}" if dotted else name):
      return None  # a module
    other = self._locate(module, level, dotted)
    if other is None or other is module or other.tree is None:
      return None
    self._resolve(other)
    return other.resolver.find_export(name) if other.resolver else None

  def _find_attribute(self, module, binding, attributes):
    """What helper.tf is, where helper is a file of the program."""
    level = len(getattr(binding.node, "relative", ()))
    path = binding.written
    other = self._locate(module, level, path)
    for number, attribute in enumerate(attributes):
      inner = self._locate(module, level, f"{path}.{attribute}")
      if inner is not None:
        path, other = f"{path}.{attribute}", inner
        continue
      if other is None or other is module or other.tree is None:
        return None
      self._resolve(other)
      found = other.resolver and other.resolver.find_export(attribute)
      return (found, attributes[number + 1 :]) if found else None
    return None

  def _resolve(self, module: Module) -> None:
    """Finds the meaning of a module's names."""
    if module.resolver or module.tree is None or module.path in self._resolving:
      return
    self._resolving.add(module.path)
    resolver = Resolver(
      module.tree,
      lambda *names: self._find(module, *names),
      lambda *names: self._find_attribute(module, *names),
    )
    try:
      resolver.run()
    except Exception as error:  # the other files can be done
      module.give_up(error)
      return
    module.resolver = resolver
    for node in resolver.imports:
      module.imports += [
        (node, other)
        for other in self._imported_by(module, node)
        if other is not module
      ]

  def _imported_by(self, module, node) -> Iterator[Module]:
    if isinstance(node, cst.Import):
      targets = [(0, resolve.dotted(alias.name) or "") for alias in node.names]
    else:
      start = resolve.dotted(node.module) if node.module else ""
      level = len(node.relative)
      targets = [(level, start or "")]
      if not isinstance(node.names, cst.ImportStar):
        targets += [
          (level, f"{start}.{resolve.dotted(a.name)}".lstrip("."))
          for a in node.names
        ]
    for level, dotted in targets:
      found = self._locate(module, level, dotted)
      if found is not None:
        yield found

  def is_imported(self, module: Module) -> bool:
    """Whether another file of the program imports this one."""
    return id(module) in self._imported

  def reached_from(self, module: Module) -> list[Module]:
    """A module and all that it imports, of the program."""
    if module.path not in self._reached:
      found = {id(module): module}
      waiting = [module]
      while waiting:
        for _, other in waiting.pop().imports:
          if id(other) not in found:
            found[id(other)] = other
            waiting.append(other)
      self._reached[module.path] = [m for m in found.values() if m.decisions]
    return self._reached[module.path]

  def needs_graphs(self, module: Module) -> bool:
    """Whether a module, or what it imports, needs TensorFlow 1's behaviour."""
    return any(
      m.decisions.uses_tensorflow and m.decisions.needs_graphs
      for m in self.reached_from(module)
    )

  def uses_tensorflow(self, module: Module) -> bool:
    """Whether a module, or what it imports, uses TensorFlow."""
    return any(m.decisions.uses_tensorflow for m in self.reached_from(module))

  # The upgrade.

  def upgrade(self) -> None:
    """Finds each module's new text and findings."""
    for module in self._progress([*self._modules.values()]):
      self._resolve(module)
    parsed = [m for m in self._modules.values() if m.tree is not None]
    self._imported = {id(m) for p in parsed for _, m in p.imports}
    for module in parsed:
      module.decisions = Decisions(
        module.resolver, *self._apis, self._keep_tf_rnn
      )
    if any(module.decisions.version == 1 for module in parsed):
      for module in parsed:  # a program is for one TensorFlow
        module.decisions.take_for_1()
    for module in self._importers_last(parsed):
      module.decisions.settle_bindings()
    for module in parsed:
      module.decisions.decide_uses()
    self._wanted = self._find_wanted()
    for module in parsed:
      if module.is_asked:
        try:
          self._edit(module)
        except Exception as error:  # the other files can be done
          module.give_up(error)
    for module in self._modules.values():
      if module.problem:
        module.findings.append(module.problem)

  def _importers_last(self, modules) -> list[Module]:
    """Modules in an order in which those imported come first."""
    order: dict[pathlib.Path, Module] = {}
    waiting: set[pathlib.Path] = set()

    def add(module):
      if module.path in waiting or module.decisions is None:
        return
      waiting.add(module.path)
      for _, other in module.imports:
        add(other)
      order[module.path] = module

    for module in modules:
      add(module)
    return [*order.values()]

  def _find_wanted(self) -> set[int]:
    """The bindings that other modules take, and still need."""
    wanted: set[int] = set()
    for module in self._modules.values():
      for binding in module.resolver.bindings if module.resolver else ():
        if binding.source is None or module.decisions.can_go(binding):
          continue
        wanted.add(id(binding.source))
    for module in self._modules.values():
      for binding in module.resolver.remote if module.resolver else ():
        if not all(use.new for use in binding.uses):
          wanted.add(id(binding.source))
    return wanted

  def _edit(self, module: Module) -> None:
    resolver, decisions = module.resolver, module.decisions
    edits = rewrite.Edits()
    for use in resolver.uses:
      if use.new is not None:
        edits.expressions[id(use.node)] = use.new
    self._edit_imports(module, edits)
    start.Start(self, module, edits).add()
    module.findings += sorted(
      {
        *decisions.findings,
        *_python_2_names(resolver),
        *_other_cells(module.source),
      },
      key=lambda finding: (finding.line, finding.name),
    )
    module.new_text = rewrite.apply(module.tree, edits).code

  def _edit_imports(self, module, edits):
    """The imports, and the lines that only give a name to what is gone."""
    resolver = module.resolver
    nodes = {id(node): node for node in resolver.imports}
    nodes |= {id(b.node): b.node for b in resolver.bindings}
    by_node: dict[int, list[Binding]] = {key: [] for key in nodes}
    for binding in resolver.bindings:
      by_node[id(binding.node)].append(binding)
    for key, bindings in by_node.items():
      node = nodes[key]
      dropped = {
        id(b)
        for b in bindings
        if module.decisions.can_go(b) and id(b) not in self._wanted
      }
      if module.decisions.stays(node):
        new = None
      elif isinstance(node, (cst.Import, cst.ImportFrom)):
        new = rewrite.new_imports(node, bindings, dropped)
      else:
        new = [] if _gives_only(node, dropped) else None
      if new is not None:
        edits.statements[id(node)] = new
      self._list_left(module, bindings, dropped)
      self._list_star(module, node, new)

  def _list_star(self, module, node, new):
    """Lists a star that imports what is gone, nobody knows what."""
    if not isinstance(getattr(node, "names", None), cst.ImportStar) or new:
      return
    name = resolve.dotted(node.module) if node.module else ""
    if new is None and not node.relative and decide.is_gone(name or ""):
      rule = names.find(resolve.plain(name or ""))
      text = rule.advice if rule else "is gone"
      line = module.resolver.line_of(node)
      module.decisions.findings.append(Finding(line, f"{name}.*", text))

  def _list_left(self, module, bindings, dropped):
    """Lists an import that fails, if none of its uses is listed."""
    for binding in bindings:
      is_left = (
        binding.is_import
        and id(binding) not in dropped
        and binding.now == binding.written
        and module.decisions.is_gone(binding.path or binding.now)
      )
      if is_left and not any(use.is_open for use in binding.uses):
        rule = names.find(binding.meaning)
        text = (rule and rule.advice) or "is in no TensorFlow 2"
        is_open = not module.decisions.is_probe(binding)
        if not is_open:
          text = "is only tried; TensorFlow 2 does not have it"
        line = module.resolver.line_of(binding.node)
        module.decisions.findings.append(
          Finding(line, binding.written, text, is_open)
        )


def _gives_only(node, dropped) -> bool:
  """Whether an assignment gives names to nothing but what is dropped."""
  targets = [t.target for t in getattr(node, "targets", ())] or [node.target]
  is_name = all(isinstance(target, cst.Name) for target in targets)
  return is_name and bool(dropped) and len(dropped) == len(targets)


def _other_cells(source) -> Iterator[Finding]:
  """Cells and lines of a notebook that are IPython's, and may have Python."""
  for code in source.other_cells:
    if re.search(r"\bcontrib\b|rnn_cell|%tensorflow_version", code):
      name = code.strip().split("\n")[0]
      text = "is IPython's, and is left as it is; see what it has"
      is_python = not name.startswith("%%") or name.startswith(_WRITES_A_FILE)
      yield Finding(0, name, text, is_python)


def _python_2_names(resolver) -> Iterator[Finding]:
  """What Python 3 has not, by that name."""
  text = "is Python 2's: run futurize or 2to3, or write what Python 3 has"
  for node in resolver.unknown:
    if node.value in _OF_PYTHON_2:
      yield Finding(resolver.line_of(node), node.value, text)
  for node, name in resolver.python_2:
    yield Finding(resolver.line_of(node), name, text)
  for binding in resolver.bindings:
    is_old = binding.is_import and binding.meaning in _MODULES_OF_PYTHON_2
    if is_old and not resolver.is_tried(binding.node):
      yield Finding(resolver.line_of(binding.node), binding.meaning, text)
