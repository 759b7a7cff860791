"""Writes what was decided into a module, and leaves the rest as it is."""

import dataclasses
from collections.abc import Iterable
from typing import Any
from typing import Optional
from typing import Union

import libcst as cst

from tf_contrib_rnn.upgrade import names
from tf_contrib_rnn.upgrade import resolve
from tf_contrib_rnn.upgrade.resolve import Binding

_REMOVED = "__removed__"
Lines = dict[int, list[str]]


@dataclasses.dataclass
class Edits:
  """The changes of a module, by the identity of what they are about.

  Attributes:
    expressions: the text that replaces a name or chain.
    statements: the statements that replace one of a line.
    before: statements before a line; `after`: behind it.
    top: statements at the start of the module.
  """

  expressions: dict[int, str] = dataclasses.field(default_factory=dict)
  statements: dict[int, list[cst.BaseSmallStatement]] = dataclasses.field(
    default_factory=dict
  )
  before: Lines = dataclasses.field(default_factory=dict)
  after: Lines = dataclasses.field(default_factory=dict)
  top: list[str] = dataclasses.field(default_factory=list)


def apply(module: cst.Module, edits: Edits) -> cst.Module:
  """The module with the changes."""
  return module.visit(_Apply(edits))


def _parse(lines: Iterable[str]) -> list[Any]:
  return [cst.parse_statement(line) for line in lines]


class _Apply(cst.CSTTransformer):
  """Makes the changes."""

  def __init__(self, edits: Edits):
    super().__init__()
    self._edits = edits

  def _replace(self, old, new):
    text = self._edits.expressions.get(id(old))
    if text is None:
      return new
    expression = cst.parse_expression(text)
    return expression.with_changes(lpar=new.lpar, rpar=new.rpar)

  def _new_statements(self, original_node, updated_node):
    """The statements of a line, or None if all of them stay."""
    replaced = self._edits.statements
    if not any(id(old) in replaced for old in original_node.body):
      return None
    statements: list[Any] = []
    for old, new in zip(original_node.body, updated_node.body):
      statements += replaced.get(id(old), [new])
    return statements

  def leave_Name(self, original_node, updated_node):
    return self._replace(original_node, updated_node)

  def leave_Attribute(self, original_node, updated_node):
    return self._replace(original_node, updated_node)

  def leave_SimpleStatementLine(self, original_node, updated_node):
    key = id(original_node)
    lines = [updated_node]
    after = _parse(self._edits.after.get(key, ()))
    statements = self._new_statements(original_node, updated_node)
    if statements is None and after:
      statements = updated_node.body
    if statements is not None:
      lines = _split(updated_node, statements)
    before = _parse(self._edits.before.get(key, ()))
    if before:
      before[0] = before[0].with_changes(leading_lines=lines[0].leading_lines)
      lines[0] = lines[0].with_changes(leading_lines=())
    place = _count_to_imports(lines)  # what follows in the line needs them
    lines = before + lines[:place] + after + lines[place:]
    return cst.FlattenSentinel(lines) if len(lines) > 1 else lines[0]

  def leave_SimpleStatementSuite(self, original_node, updated_node):
    statements = self._new_statements(original_node, updated_node)
    if statements is None:
      return updated_node
    statements = statements or [cst.Pass()]
    return updated_node.with_changes(
      body=[s.with_changes(semicolon=_NO_SEMICOLON) for s in statements]
    )

  def leave_IndentedBlock(self, original_node, updated_node):
    body, comments = _without_removed(updated_node.body)
    if not body:
      body = _parse(["pass"])
    footer = [*comments, *updated_node.footer]
    return updated_node.with_changes(body=body, footer=footer)

  def leave_Module(self, original_node, updated_node):
    body, comments = _without_removed(updated_node.body)
    top = _parse(self._edits.top)
    if top:
      first = _count_header(body)
      if first < len(body):
        top[0] = top[0].with_changes(leading_lines=body[first].leading_lines)
        body[first] = body[first].with_changes(
          leading_lines=_lines_before(body[first])
        )
      body = [*body[:first], *top, *body[first:]]
    footer = [*comments, *updated_node.footer]
    return updated_node.with_changes(body=body, footer=footer)


def _lines_before(statement) -> list[cst.EmptyLine]:
  """The empty lines between imports and what follows."""
  if isinstance(statement, (cst.ClassDef, cst.FunctionDef)):
    return [cst.EmptyLine(indent=False)] * 2
  return [] if _is_import(statement) else [cst.EmptyLine(indent=False)]


def _count_to_imports(lines) -> int:
  """How many lines there are up to the end of the first imports."""
  count = 0
  for line in lines:
    if count and not _is_import(line) and _is_import(lines[count - 1]):
      return count
    count += 1
  return count


def _is_import(line) -> bool:
  """Whether a line begins with an import."""
  return isinstance(line, cst.SimpleStatementLine) and isinstance(
    line.body[0], (cst.Import, cst.ImportFrom)
  )


def _split(line, statements):
  """A line of statements as lines, one for each of the new statements."""
  if not statements:
    name = cst.Expr(cst.Name(_REMOVED))
    return [line.with_changes(body=[name], trailing_whitespace=_NO_COMMENT)]
  statements = [s.with_changes(semicolon=_NO_SEMICOLON) for s in statements]
  first = line.with_changes(body=statements[:1])
  return [first, *(cst.SimpleStatementLine([s]) for s in statements[1:])]


_NO_COMMENT = cst.TrailingWhitespace()
_NO_SEMICOLON = cst.MaybeSentinel.DEFAULT


def _is_removed(statement) -> bool:
  if not isinstance(statement, cst.SimpleStatementLine):
    return False
  (first, *_) = statement.body
  return (
    isinstance(first, cst.Expr)
    and isinstance(first.value, cst.Name)
    and first.value.value == _REMOVED
  )


def _without_removed(body):
  """Statements without those removed, whose comments go to the next one.

  Returns the statements, and the comments that are left at the end.
  """
  kept, comments = [], []
  for statement in body:
    if _is_removed(statement):
      lines = statement.leading_lines
      has_comment = any(line.comment for line in lines)
      comments += lines if has_comment or not kept else lines[:1]
      continue
    if comments:
      lines = [*comments, *statement.leading_lines]
      statement = statement.with_changes(leading_lines=_squeeze(lines))
      comments = []
    kept.append(statement)
  return kept, [line for line in comments if line.comment]


def _squeeze(lines):
  """Lines with no two empty ones more in a row than one after another had."""
  squeezed: list[Any] = []
  for line in lines:
    is_third = len(squeezed) > 1 and not (
      line.comment or squeezed[-1].comment or squeezed[-2].comment
    )
    if not is_third:
      squeezed.append(line)
  return squeezed


def _count_header(body) -> int:
  """How many statements come before the first import: docstring, __future__."""
  count = 0
  for statement in body:
    if not isinstance(statement, cst.SimpleStatementLine):
      break
    first = statement.body[0]
    is_docstring = isinstance(first, cst.Expr) and isinstance(
      first.value, (cst.SimpleString, cst.ConcatenatedString)
    )
    is_future = (
      isinstance(first, cst.ImportFrom)
      and first.module is not None
      and resolve.dotted(first.module) == "__future__"
    )
    if not (is_docstring and count == 0) and not is_future:
      break
    count += 1
  return count


# Imports.


def _alias(target: str, local: str) -> str:
  name = target.rpartition(".")[2]
  return name if name == local else f"{name} as {local}"


def import_of(target: str, local: str) -> str:
  """The statement that makes a local name stand for a full one."""
  package, _, _ = target.rpartition(".")
  if not package or target == resolve.V1:
    return (
      f"import {target}" if target == local else f"import {target} as {local}"
    )
  return f"from {package} import {_alias(target, local)}"


Import = Union[cst.Import, cst.ImportFrom]


def new_imports(
  node: Import, bindings: list[Binding], dropped: set[int]
) -> Optional[list[cst.BaseSmallStatement]]:
  """The statements that follow an import.

  Args:
    node: the import.
    bindings: its bindings.
    dropped: the identities of those that go.

  Returns:
    The statements; None if it stays as it is.
  """
  if isinstance(node.names, cst.ImportStar):
    return _new_star(node, bindings, dropped)
  moved = [
    b
    for b in bindings
    if b.source is None and b.now != b.written and id(b) not in dropped
  ]
  if not moved and not dropped.intersection(map(id, bindings)):
    return None
  if len(dropped) == len(node.names) and bindings[0].source is not None:
    return _import_alone(node)  # what the file does when it is imported stays
  if isinstance(node, cst.ImportFrom) and len(moved) == len(node.names):
    whole = _move_whole(node, moved)
    if whole is not None:
      return [whole]
  gone = {id(b.alias) for b in bindings if id(b) in dropped}
  gone |= {id(b.alias) for b in moved}
  kept = [alias for alias in node.names if id(alias) not in gone]
  statements: list[Any] = []
  if kept:
    statements.append(node.with_changes(names=_end(kept, node)))
  lines = dict.fromkeys(import_of(b.now, b.local) for b in moved)
  return statements + [_parse_small(line) for line in _join(lines)]


def _import_alone(node: Import) -> list[cst.BaseSmallStatement]:
  """The import of a file of the program, of which no name is used."""
  if not isinstance(node, cst.ImportFrom) or node.module is None:
    return []
  dots = "." * len(node.relative)
  package, _, name = (resolve.dotted(node.module) or "").rpartition(".")
  if not dots:
    return [_parse_small(f"import {resolve.dotted(node.module)}")]
  return [_parse_small(f"from {dots}{package} import {name}")]


def _parse_small(line: str) -> cst.BaseSmallStatement:
  statement: Any = cst.parse_statement(line)
  return statement.body[0]


def _end(names, node):
  """Names of an import of which the last has no comma, unless in brackets."""
  if getattr(node, "lpar", None):
    return names
  return [
    *names[:-1],
    names[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT),
  ]


def _join(lines: Iterable[str]) -> list[str]:
  """Imports from one module in one statement."""
  by_module: dict[str, list[str]] = {}
  joined: list[str] = []
  for line in lines:
    module, _, name = line.partition(" import ")
    if not line.startswith("from "):
      joined.append(line)
    elif module in by_module:
      by_module[module].append(name)
    else:
      by_module[module] = [name]
  return joined + [
    f"{module} import {', '.join(found)}" for module, found in by_module.items()
  ]


def _move_whole(node: cst.ImportFrom, moved) -> Optional[cst.ImportFrom]:
  """The import from another module, in the same form, if all go to one."""
  modules = {b.now.rpartition(".")[0] for b in moved}
  same_names = all(
    b.alias is not None
    and b.now.rpartition(".")[2] == resolve.dotted(b.alias.name)
    for b in moved
  )
  if len(modules) != 1 or not same_names or "" in modules:
    return None
  module: Any = cst.parse_expression(modules.pop())
  return node.with_changes(module=module, relative=())


def _new_star(node, bindings, dropped):
  """The names that are used, in place of a star; compat.v1's stays one."""
  module = resolve.dotted(node.module) if node.module else ""
  if module == "tensorflow" and not node.relative:
    return [node.with_changes(module=cst.parse_expression(resolve.V1))]
  rule = names.find(resolve.plain(module)) if not node.relative else None
  if rule is None or rule.new is None:
    return None  # of the program, say: what it brings is upgraded there
  wanted = [b for b in bindings if id(b) not in dropped]
  lines = dict.fromkeys(import_of(b.now, b.local) for b in wanted)
  return [_parse_small(line) for line in _join(lines)]
