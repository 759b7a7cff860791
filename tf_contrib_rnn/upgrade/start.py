"""What a program has to do before anything else."""

import re
from collections.abc import Iterator
from typing import Any
from typing import Optional

import libcst as cst

from tf_contrib_rnn.upgrade import names
from tf_contrib_rnn.upgrade import rewrite
from tf_contrib_rnn.upgrade.decide import Finding

_SET_KERAS = 'os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 2, from tf_keras'


class Start:
  """What a program has to do before anything else, and who needs imports."""

  def __init__(self, project: Any, module: Any, edits: rewrite.Edits):
    self._project = project
    self._module = module
    self._edits = edits
    self._decisions: Any = module.decisions
    self._resolver: Any = module.resolver
    self._body = module.tree.body

  def add(self) -> None:
    """Adds the statements to the edits."""
    imports = self._missing_imports()
    start = self._start_of()
    if start is None or not self._project.needs_graphs(self._module):
      self._place(imports, [])
      return
    switches = []
    if not self._decisions.is_switched:
      switches.append(start.format(self._decisions.switch))
    self._place(imports, switches)
    reached = self._project.reached_from(self._module)
    if any(m.decisions.uses_slim for m in reached):
      self._note(names.SLIM, "is needed: pip install tf_slim")
    if any(m.decisions.uses_keras for m in reached):
      self._choose_keras_2(start)

  def _missing_imports(self) -> list[str]:
    """The imports of what the changed expressions need."""
    needs = self._decisions.needs - {"tensorflow"}
    if any(package.startswith(f"{names.HERE}.") for package in needs):
      needs -= {names.HERE}  # comes with its module
    imports = [
      f"import {package}"
      for package in sorted(needs)
      if not self._imports(package)
    ]
    if "tensorflow" in self._decisions.needs and not self._imports(
      "tensorflow"
    ):
      imports.insert(0, self._import_of_tensorflow())
    return imports

  def _import_of_tensorflow(self) -> str:
    return rewrite.import_of(
      self._decisions.full("tensorflow"), self._decisions.name_of_tensorflow
    )

  def _start_of(self) -> Optional[str]:
    """A statement as it has to be at a program's start; None in no program.

    A file that others import is one only where it is run itself, or if it makes
    a Session when it is imported.
    """
    if not self._project.is_imported(self._module):
      return "{}"
    if self._has_main_guard():
      indent = self._module.tree.default_indent
      return 'if __name__ == "__main__":\n' + indent + "{}"
    return "{}" if self._decisions.makes_session else None

  def _imports(self, package: str) -> bool:
    """Whether the module imports a package at its top, by its own name."""
    return any(
      binding.is_import
      and self._resolver.is_global(binding)
      and binding.alias is not None
      and (
        binding.meaning == package
        if package == "tensorflow"
        else package == (binding.path or binding.written)
        and binding.local == package.split(".")[0]
      )
      for binding in self._resolver.bindings
    )

  def _has_main_guard(self) -> bool:
    """Whether the module has an `if __name__ == "__main__":`."""
    pattern = r"""\(?(__name__\s*==\s*['"]__main__['"]|"""
    pattern += r"""['"]__main__['"]\s*==\s*__name__)\)?"""
    return any(
      isinstance(statement, cst.If)
      and re.fullmatch(
        pattern, self._module.tree.code_for_node(statement.test).strip()
      )
      for statement in self._body
    )

  def _lines_of_imports(self) -> Iterator[tuple[Any, Any]]:
    """The import statements at the module's top, with their lines."""
    for line in self._body:
      if isinstance(line, cst.SimpleStatementLine):
        for node in line.body:
          if isinstance(node, (cst.Import, cst.ImportFrom)):
            yield line, node

  def _find_places(self):
    """The lines of the first imports of TensorFlow and of the program."""
    of_program = {
      id(node)
      for node, other in self._module.imports
      if self._project.uses_tensorflow(other)
    }
    first = {"tensorflow": None, "program": None}
    order = []
    for line, node in self._lines_of_imports():
      found = [
        b
        for b in self._resolver.bindings
        if b.node is node and b.written.split(".")[0] == "tensorflow"
      ]
      kind = "tensorflow" if found else None
      kind = "program" if id(node) in of_program else kind
      if kind and first[kind] is None:
        first[kind] = line
        order.append(kind)
    return first, order

  def _place(self, imports: list[str], switches: list[str]) -> None:
    """Puts the imports and the switch where they have to be."""
    if not imports and not switches:
      return
    first, order = self._find_places()
    start = self._import_of_tensorflow()
    after_tensorflow = order[:1] == ["tensorflow"]
    is_bound = after_tensorflow and self._binds(first["tensorflow"])
    if switches and not is_bound and start not in imports:
      imports = [*imports, start] if after_tensorflow else [start, *imports]
    lines = imports + switches
    if after_tensorflow:
      self._edits.after[id(first["tensorflow"])] = lines
    elif first["program"] is not None:
      self._edits.before[id(first["program"])] = lines
    else:
      self._edits.top += lines

  def _binds(self, line) -> bool:
    """Whether a line makes the module's name for TensorFlow stand for it."""
    name = self._decisions.name_of_tensorflow
    return any(
      binding.node in line.body
      and binding.local == name
      and binding.meaning == "tensorflow"
      for binding in self._resolver.bindings
    )

  def _choose_keras_2(self, start: str) -> None:
    """Sets what makes TensorFlow take tf_keras, and says what to install."""
    self._note(
      "tf_keras",
      "is needed for tf.layers and tf.keras: install the version of "
      "TensorFlow's minor, as in pip install tf_keras~=2.21.0. The program "
      "sets TF_USE_LEGACY_KERAS=1 at its start",
    )
    if "TF_USE_LEGACY_KERAS" not in self._module.source.text:
      self._place_keras(start.format(_SET_KERAS))

  def _note(self, name: str, text: str) -> None:
    self._decisions.findings.append(Finding(0, name, text, is_open=False))

  def _find_import_of_os(self, before) -> Any:
    """The line that imports os, if it comes before another."""
    for line in self._body:
      if line is before:
        return None
      is_simple = isinstance(line, cst.SimpleStatementLine)
      if is_simple and any(
        binding.node in line.body and binding.local == binding.written == "os"
        for binding in self._resolver.bindings
      ):
        return line
    return None

  def _place_keras(self, statement: str) -> None:
    first, order = self._find_places()
    before = first[order[0]] if order else None
    line = self._find_import_of_os(before)
    if line is None:
      self._edits.top[:0] = ["import os", statement]
    else:
      self._edits.after[id(line)] = [statement]
