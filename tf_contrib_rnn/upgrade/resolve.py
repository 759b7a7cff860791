"""What the names in a module mean, by its scopes.

A `Binding` is what gives a name its meaning: an import, or an assignment such
as `rnn_cell = tf.contrib.rnn`. A `Use` is a name or a chain of attributes,
`tf.contrib.rnn.GRUCell`, that begins with one. Strings, comments and local
variables of the same name are none.
"""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any
from typing import Callable
from typing import Optional

import libcst as cst
from libcst import metadata

from tf_contrib_rnn.upgrade import names

V1 = "tensorflow.compat.v1"
_ROOTS = ("tensorflow", names.HERE, names.SLIM)
_MAY_BE_CONTRIB = re.compile(
  r"\.contrib\.(rnn|layers|slim|seq2seq|framework|crf|training|learn|opt)\b"
  r"|\.(tf|tensorflow)\.(contrib|nn\.rnn_cell)\b"
)
_RUN_STRINGS = ("__import__", "eval", "exec", "import_module")
_IS_CONTRIB = re.compile(r"(tensorflow|tf)\.contrib(\.\w+)*\.?")
_HAS_CONTRIB = re.compile(r"\b(tensorflow|tf)\.(contrib|nn\.rnn_cell)\b")
# What a string is in that is an argument of a call.
_PARTS_OF_STRINGS = (
  cst.Arg,
  cst.BinaryOperation,
  cst.ConcatenatedString,
  cst.FormattedString,
)
# Methods of Python 2's dict, with the number of their arguments.
_METHODS_OF_PYTHON_2 = {
  "has_key": 1,
  "iteritems": 0,
  "iterkeys": 0,
  "itervalues": 0,
}
# What of a star from TensorFlow has to be known.
_OF_STAR = ("contrib", "estimator", "examples", "keras", "layers", "nn")


@dataclasses.dataclass(eq=False)
class Binding:
  """A name of a module, and what it means in TensorFlow 1.

  Attributes:
    local: the name.
    path: of `import a.b.c`, which binds a, all of it; else as `written`.
    meaning: the full name that it stands for, "tensorflow.contrib.rnn", without
      "compat.v1"; for an import from the project, that of the other module's.
    written: the full name as the statement has it.
    node: the import or assignment.
    alias: of an import, the part that binds this name; None of a star's.
    source: of an import from the project, the binding there.
    uses: the uses that begin with it.
    now: the full name that it stands for after the upgrade.
  """

  local: str
  meaning: str
  written: str
  node: Any
  alias: Optional[cst.ImportAlias] = None
  source: Optional["Binding"] = None
  uses: list["Use"] = dataclasses.field(default_factory=list)
  now: str = ""
  path: str = ""

  @property
  def is_import(self) -> bool:
    return isinstance(self.node, (cst.Import, cst.ImportFrom))


@dataclasses.dataclass(eq=False)
class Use:
  """An expression that begins with a binding's name.

  Attributes:
    node: a Name or an Attribute, the longest of the chain.
    bindings: what the name can be: several where a try or if decides.
    attributes: those of the chain.
    new: the text that replaces the node; None if it stays.
    is_open: whether it means something that has no home.
    is_certain: whether the name is TensorFlow's wherever the code goes.
  """

  node: Any
  bindings: list[Binding]
  attributes: list[str]
  new: Optional[str] = None
  is_open: bool = False
  is_certain: bool = True

  @property
  def binding(self) -> Binding:
    return self.bindings[0]

  @property
  def meaning(self) -> str:
    return ".".join([self.binding.meaning, *self.attributes])

  @property
  def now(self) -> str:
    """What the text, unchanged, stands for after the upgrade."""
    return ".".join([self.binding.now, *self.attributes])


def dotted(node: Any) -> Optional[str]:
  """a.b.c as a string; None for what is no such chain."""
  if isinstance(node, cst.Name):
    return node.value
  if isinstance(node, cst.Attribute):
    start = dotted(node.value)
    return start and f"{start}.{node.attr.value}"
  return None


def plain(name: str) -> str:
  """A full name as TensorFlow 1.15 had it, without compat.v1."""
  while name == V1 or name.startswith(V1 + "."):
    name = "tensorflow" + name[len(V1) :]
  return name


def local_name(alias: cst.ImportAlias) -> str:
  """The name that a part of an import binds."""
  if alias.asname:
    name = dotted(alias.asname.name)
  else:
    name = dotted(alias.name)
    name = name and name.split(".")[0]
  return name or ""


Lookup = Callable[[int, str, str], Optional[Binding]]
# Of an import and attributes of what it binds: what one of these is in another
# module of the program, and those that follow.
LookupAttribute = Callable[
  [Binding, list[str]], Optional[tuple[Binding, list[str]]]
]


class Resolver(cst.CSTVisitor):
  """Finds the bindings and uses of a module.

  Attributes:
    bindings: all of them.
    remote: what stands for names of other modules, used as module.name.
    uses: those that begin with a name of TensorFlow's, or of a package that
      follows it.
    unknown: names that nothing in the module binds, and Python neither.
    imports: its import statements.
    maybe: chains with .contrib.rnn or the like in them, of whatever it is.
    python_2: what Python 3 has not: (node, name).
    calls_numpy: whether it takes a .numpy of something, as eager mode has.
    numbers_first: uses that are called with a number as the first argument.
    strings: strings that have a name of tf.contrib, outside of docstrings:
      (node, text, whether it is given to import_module, eval or the like).
    calls_by_name: calls of getattr or hasattr with a string: (node, the use
      that is their first argument, the string).
  """

  def __init__(
    self,
    module: cst.Module,
    find_in_project: Lookup,
    find_attribute: LookupAttribute,
  ):
    super().__init__()
    wrapper = metadata.MetadataWrapper(module, unsafe_skip_copy=True)
    found: Any = wrapper.resolve_many(
      [
        metadata.ExpressionContextProvider,
        metadata.ParentNodeProvider,
        metadata.PositionProvider,
        metadata.ScopeProvider,
      ]
    )
    self._contexts = found[metadata.ExpressionContextProvider]
    self._parents = found[metadata.ParentNodeProvider]
    self._positions = found[metadata.PositionProvider]
    self._scopes = found[metadata.ScopeProvider]
    self._find_in_project = find_in_project
    self._find_attribute = find_attribute
    self._of_assignments: dict[Any, list[Binding]] = {}
    self.imports: list[Any] = []
    self._of_stars: dict[str, Optional[Binding]] = {}
    self._in_progress: set[Any] = set()
    self.bindings: list[Binding] = []
    self.remote: list[Binding] = []
    self.uses: list[Use] = []
    self.unknown: list[cst.Name] = []
    self.calls_by_name: list[tuple[cst.Call, Use, str]] = []
    self.maybe: list[cst.Attribute] = []
    self.numbers_first: list[Use] = []
    self.calls_numpy = False
    self._use_of: dict[int, Use] = {}
    self._exports: dict[str, Optional[Binding]] = {}
    self.strings: list[tuple[cst.CSTNode, str, bool]] = []
    self.python_2: list[tuple[cst.CSTNode, str]] = []
    self._module = module

  def run(self) -> None:
    """Visits the module."""
    self._module.visit(_Imports(self.imports))
    self._module.visit(self)
    for scope in {id(s): s for s in self._scopes.values() if s}.values():
      for assignment in scope.assignments:
        self._bindings_of(assignment)
    self._find_exports()

  def _find_exports(self) -> None:
    """What other modules get: of each name the last meaning that is sure."""
    found = self._scopes[self._module].assignments
    for assignment in sorted(found, key=lambda a: self.line_of(a.node)):
      name = assignment.name
      bindings = [b for b in self._bindings_of(assignment) if self.is_global(b)]
      if self._is_always_run(assignment.node):
        self._exports[name] = bindings[-1] if bindings else None
      elif bindings and not self._exports.get(name):
        self._exports[name] = bindings[-1]

  def code(self, node: Any) -> str:
    """The text of a node."""
    return self._module.code_for_node(node)

  def line_of(self, node: Any) -> int:
    return self._positions[node].start.line

  def find_export(self, name: str) -> Optional[Binding]:
    """What another module gets that imports a name from this one."""
    if name in self._exports:
      return self._exports[name]
    return self._find_by_star(name)

  def is_global(self, binding: Binding) -> bool:
    """Whether a binding is the module's, for other modules to import."""
    return self.is_at_top(binding.node)

  def _is_always_run(self, node: Any) -> bool:
    """Whether what binds a name is in no if, try, loop, function or such."""
    statement = node
    while not isinstance(self._parents[statement], cst.Module):
      statement = self._parents[statement]
    return statement is node or isinstance(statement, cst.SimpleStatementLine)

  def is_at_top(self, node: Any) -> bool:
    """Whether a node is in no function or class."""
    return isinstance(self._scope_of(node), metadata.GlobalScope)

  def is_variable(self, binding: Binding) -> bool:
    """Whether a binding is no attribute of a class."""
    return not isinstance(self._scope_of(binding.node), metadata.ClassScope)

  def try_of(self, node: Any) -> Any:
    """The try that goes on if what a node does fails, or None."""
    while not isinstance(node, (cst.Module, cst.FunctionDef)):
      parent = self._parents[node]
      if isinstance(parent, cst.Try) and parent.body is node:
        return parent if parent.handlers else None
      node = parent
    return None

  def is_tried(self, node: Any) -> bool:
    """Whether a node is inside a try, or one of its excepts."""
    while not isinstance(node, (cst.Module, cst.Try)):
      node = self._parents[node]
    return isinstance(node, cst.Try)

  def _scope_of(self, node):
    while node not in self._scopes:
      node = self._parents[node]
    return self._scopes[node]

  # What is visited: expressions that are read.

  def visit_Import(self, node) -> bool:
    return False

  def visit_ImportFrom(self, node) -> bool:
    return False

  def visit_Attribute(self, node) -> bool:
    base: Any = node
    attributes: list[str] = []
    while isinstance(base, cst.Attribute):
      attributes.insert(0, base.attr.value)
      base = base.value
    if not isinstance(base, cst.Name):
      self.calls_numpy |= node.attr.value == "numpy"
      self._add_maybe(node, attributes)
      base.visit(self)
    elif self._contexts.get(node) == metadata.ExpressionContext.LOAD:
      self.calls_numpy |= attributes[-1] == "numpy"
      self._add_use(node, base, attributes)
    else:  # what is assigned to: tf.nn.rnn_cell = ...
      node.value.visit(self)
    return False

  def _add_maybe(self, node, names: list[str]) -> None:
    """self.tf.contrib.rnn, say, where nobody knows what self.tf is."""
    if _MAY_BE_CONTRIB.search("." + ".".join(names)):
      self.maybe.append(node)

  def visit_SimpleString(self, node) -> None:
    if not isinstance(self._parents.get(node), cst.Expr):
      self._add_string(node, str(node.evaluated_value))

  def visit_FormattedStringText(self, node) -> None:
    self._add_string(node, node.value)

  def _add_string(self, node, text) -> None:
    """Notes a string that may be the name of something of tf.contrib."""
    if not _HAS_CONTRIB.search(text):
      return
    parent = self._parents[node]
    while isinstance(parent, _PARTS_OF_STRINGS):
      parent = self._parents[parent]
    function = dotted(parent.func) if isinstance(parent, cst.Call) else None
    is_run = (function or "").split(".")[-1] in _RUN_STRINGS
    if is_run or _IS_CONTRIB.fullmatch(text):
      self.strings.append((node, text, is_run))

  def is_hidden(self, node: Any, name: str) -> bool:
    """Whether a name is a variable of the program's own where a node is."""
    scope: Any = self._scope_of(node)
    return any(
      not any(b.is_import for b in self._bindings_of(assignment))
      for assignment in scope[name]
    )

  def leave_Call(self, original_node) -> None:
    function = original_node.func
    method = function.attr.value if isinstance(function, cst.Attribute) else ""
    if _METHODS_OF_PYTHON_2.get(method) == len(original_node.args):
      self.python_2.append((original_node, f".{method}"))
    values = [argument.value for argument in original_node.args[:2]]
    use = self._use_of.get(id(original_node.func))
    if use and values and isinstance(values[0], cst.Integer):
      self.numbers_first.append(use)
    if dotted(original_node.func) not in ("getattr", "hasattr"):
      return
    if len(values) == 2 and isinstance(values[1], cst.SimpleString):
      use = self._use_of.get(id(values[0]))
      if use:
        name = str(values[1].evaluated_value)
        self.calls_by_name.append((original_node, use, name))

  def visit_BinaryOperation(self, node) -> None:
    is_shift = isinstance(node.operator, cst.RightShift)
    if is_shift and dotted(node.left) == "print":
      self.python_2.append((node, "print >>"))

  def visit_Name(self, node) -> None:
    if self._contexts.get(node) == metadata.ExpressionContext.LOAD:
      self._add_use(node, node, [])

  def _add_use(self, node, base, attributes):
    found, is_certain = self._lookup(base)
    if len(found) == 1 and found[0].is_import and found[0].source is None:
      remote = self._find_attribute(found[0], attributes)
      if remote is not None:
        other, attributes = remote
        found = [
          Binding(base.value, other.meaning, "", found[0].node, source=other)
        ]
        self.remote += found
    bindings = [b for b in found if b.meaning.split(".")[0] in _ROOTS]
    if not bindings:
      if not any(b.is_import for b in found):  # as django's
        self._add_maybe(node, [base.value, *attributes])
      return
    is_certain &= len(bindings) == len(found)
    use = Use(node, bindings, attributes, is_certain=is_certain)
    self.uses.append(use)
    self._use_of[id(node)] = use
    for binding in bindings:
      binding.uses.append(use)

  def _lookup(self, base: cst.Name) -> tuple[list[Binding], bool]:
    """What a name can be; whether it is always that, or undefined."""
    scope = self._scopes.get(base)
    if scope is None:
      return [], True
    assignments = [*scope[base.value]]
    if not assignments:
      binding = self._find_by_star(base.value)
      if binding is None:
        self.unknown.append(base)
      return ([binding] if binding else []), True
    found: list[Binding] = []
    is_certain = True
    for assignment in assignments:
      if assignment in self._in_progress:  # tf = tf.compat.v1
        continue
      bindings = self._bindings_of(assignment)
      found += bindings
      is_certain &= bool(bindings) or self._is_none(assignment)
    return found, is_certain

  def _is_none(self, assignment) -> bool:
    """Whether it assigns None: in the except of an import, say."""
    value = self._value_of(assignment)
    return isinstance(value, cst.Name) and value.value == "None"

  def _value_of(self, assignment):
    """What `name = value` assigns, or `a, b = c, d` to one; else None."""
    node = getattr(assignment, "node", None)
    parent = self._parents.get(node)
    if not isinstance(node, cst.Name):
      return None
    if isinstance(parent, cst.AnnAssign):
      return parent.value
    if isinstance(parent, cst.AssignTarget):
      return self._parents[parent].value
    target = self._parents.get(parent)
    of_tuple = isinstance(parent, cst.Element) and isinstance(target, cst.Tuple)
    if not of_tuple or not isinstance(self._parents[target], cst.AssignTarget):
      return None
    value = self._statement_of(node).value
    elements = [*target.elements, *getattr(value, "elements", ())]
    if len(elements) != 2 * len(target.elements) or any(
      isinstance(element, cst.StarredElement) for element in elements
    ):
      return None
    return value.elements[target.elements.index(parent)].value

  def _statement_of(self, node: Any) -> Any:
    """The statement that a node is in."""
    while not isinstance(node, cst.BaseSmallStatement):
      node = self._parents[node]
    return node

  def _bindings_of(self, assignment) -> list[Binding]:
    """What an assignment of a scope binds, if it is known."""
    if assignment not in self._of_assignments:
      self._of_assignments[assignment] = []  # for a = a
      self._in_progress.add(assignment)
      made = [*self._make_bindings(assignment)]
      self._in_progress.discard(assignment)
      self._of_assignments[assignment] = made
      self.bindings += made
    return self._of_assignments[assignment]

  def _make_bindings(self, assignment) -> Iterator[Binding]:
    node: Any = getattr(assignment, "node", None)
    if isinstance(node, cst.Import):
      for alias in node.names:
        if local_name(alias) == assignment.name:
          path = dotted(alias.name) or ""
          name = path if alias.asname else path.split(".")[0]
          binding = self._import(node, alias, 0, name, "")
          binding.path = "" if alias.asname else path
          yield binding
    elif isinstance(node, cst.ImportFrom) and not isinstance(
      node.names, cst.ImportStar
    ):
      for alias in node.names:
        if local_name(alias) == assignment.name:
          module = dotted(node.module) if node.module else ""
          name = dotted(alias.name) or ""
          yield self._import(node, alias, len(node.relative), module, name)
    else:
      value = self._value_of(assignment)
      yield from self._alias(assignment, value)

  def _import(self, node, alias, level, module, name) -> Binding:
    written = f"{module}.{name}" if name else module or ""
    local = local_name(alias)
    other = self._find_in_project(level, module or "", name)
    if other is not None:
      return Binding(local, other.meaning, written, node, alias, other)
    return Binding(local, "." * level + plain(written), written, node, alias)

  def _alias(self, assignment, value) -> Iterator[Binding]:
    """name = tf.contrib.rnn, say."""
    name = dotted(value) if value is not None else None
    if name is None:
      return
    base = value
    while isinstance(base, cst.Attribute):
      base = base.value
    found, is_certain = self._lookup(base)
    if found and is_certain:
      attributes = name.split(".")[1:]
      meaning = plain(".".join([found[0].meaning, *attributes]))
      statement = self._statement_of(assignment.node)
      yield Binding(assignment.name, meaning, meaning, statement)

  def _find_by_star(self, name: str) -> Optional[Binding]:
    """What `from module import *` may bind."""
    if name not in self._of_stars:
      self._of_stars[name] = None
      for node in self.imports:
        if not isinstance(getattr(node, "names", None), cst.ImportStar):
          continue
        binding = self._take_from_star(node, name)
        if binding is not None:
          self._of_stars[name] = binding
          self.bindings.append(binding)
    return self._of_stars[name]

  def _take_from_star(self, node, name) -> Optional[Binding]:
    module = dotted(node.module) if node.module else ""
    level = len(node.relative)
    other = self._find_in_project(level, module or "", name)
    if other is not None:
      return Binding(name, other.meaning, other.written, node, None, other)
    module = plain(module or "")
    if level or module.split(".")[0] != "tensorflow":
      return None
    written = f"{module}.{name}"
    if module == "tensorflow":
      return Binding(name, written, written, node) if name in _OF_STAR else None
    rule = names.find(written)
    has_it = rule is not None and rule.new is not None
    if has_it or names.is_known_to_fail(written):
      return Binding(name, written, written, node)
    return None


class _Imports(cst.CSTVisitor):
  """Collects the imports."""

  def __init__(self, found: list):
    super().__init__()
    self._found = found

  def visit_Import(self, node) -> bool:
    self._found.append(node)
    return False

  def visit_ImportFrom(self, node) -> bool:
    self._found.append(node)
    return False
