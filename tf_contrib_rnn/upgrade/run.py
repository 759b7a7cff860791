"""The commands `upgrade` and `check`."""

import dataclasses
import difflib
import pathlib
import shutil
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import Optional

import rich.console
import rich.progress

from tf_contrib_rnn.upgrade import decide
from tf_contrib_rnn.upgrade import report
from tf_contrib_rnn.upgrade.decide import Finding
from tf_contrib_rnn.upgrade.project import Module
from tf_contrib_rnn.upgrade.project import Project
from tf_contrib_rnn.upgrade.source import Unreadable


def _with_progress(modules: Iterable[Module]) -> Iterable[Module]:
  """Shows on the terminal how far reading a tree is."""
  return rich.progress.track(
    modules,
    description="reading",
    console=rich.console.Console(stderr=True),
    transient=True,
    disable=not sys.stderr.isatty(),
  )


def _make_project(paths: Iterable[pathlib.Path], keep_tf_rnn: bool) -> Project:
  project = Project(paths, keep_tf_rnn, _with_progress)
  project.upgrade()
  return project


def upgrade(
  paths: list[pathlib.Path],
  write: bool = False,
  output: Optional[pathlib.Path] = None,
  report_file: Optional[pathlib.Path] = None,
  keep_tf_rnn: bool = False,
) -> int:
  """Upgrades files and folders.

  Args:
    paths: what to upgrade.
    write: whether to change the files.
    output: (optional) the folder to write a changed copy into.
    report_file: (optional) where to write a report, .json or .md.
    keep_tf_rnn: whether tf.nn.dynamic_rnn and its relatives stay TensorFlow's.

  Returns:
    0 if nothing is left to do, else 1.
  """
  console = rich.console.Console()
  if output is not None:
    paths = _copy(paths, output)
  project = _make_project(paths, keep_tf_rnn)
  modules = project.modules
  for module in modules:
    if not module.is_changed:
      continue
    if write or output:
      _write(module)
      module.findings = [*_with_new_lines(module)]
    else:
      report.show_diff(console, module)
  report.show(console, modules)
  if report_file is not None:
    report.write(report_file, modules)
  changes = any(module.is_changed for module in modules)
  if changes and not (write or output):
    console.print("Nothing was written: --write or --output DIR does that.")
  return 1 if report.count_open(modules) else 0


def _copy(
  paths: list[pathlib.Path], output: pathlib.Path
) -> list[pathlib.Path]:
  """Copies files and folders into a folder; where they are there."""
  inside = output.resolve()

  def skip(folder, names):  # the output may be inside what is copied
    return [n for n in names if pathlib.Path(folder, n).resolve() == inside]

  copies = []
  for path in paths:
    copy = output if path.is_dir() and len(paths) == 1 else output / path.name
    if path.is_dir():
      shutil.copytree(
        path, copy, symlinks=True, dirs_exist_ok=True, ignore=skip
      )
    else:
      copy.parent.mkdir(parents=True, exist_ok=True)
      shutil.copy2(path, copy)
    copies.append(copy)
  return copies


def _write(module: Module) -> None:
  try:
    if module.source:
      module.source.write(module.new_text)
  except Unreadable as error:
    module.findings.append(Finding(0, "the file", str(error)))


def _with_new_lines(module: Module) -> Iterator[Finding]:
  """The findings with the lines that they have in the new text."""
  source: Any = module.source
  old, new = (t.splitlines() for t in (source.text, module.new_text))
  lines = {0: 0}
  matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
  for _, start, end, new_start, new_end in matcher.get_opcodes():
    for line in range(start, end):
      lines[line + 1] = min(new_start + line - start, max(new_end, 1) - 1) + 1
  for finding in module.findings:
    line = lines.get(finding.line, finding.line)
    yield dataclasses.replace(finding, line=line)


def check(paths: list[pathlib.Path]) -> int:
  """Lists what of contrib is left in a program, without running it.

  Args:
    paths: files and folders.

  Returns:
    0 if nothing is left, else 1.
  """
  console = rich.console.Console()
  count = 0
  for module in _make_project(paths, False).modules:
    for line, name in sorted(_list_left(module)):
      count += 1
      console.print(f"{module.path}:{line}: {name}", soft_wrap=True)
  console.print(
    f"{count} uses of tf.contrib and what went with it are left"
    if count
    else "nothing of tf.contrib is left"
  )
  return 1 if count else 0


def _list_left(module: Module) -> Iterator[tuple[int, str]]:
  """The lines and names of a module that TensorFlow 2 has not."""
  if module.problem:
    yield module.problem.line, module.problem.text
  resolver: Any = module.resolver
  if resolver is None:
    return
  for use in resolver.uses:
    if decide.is_gone(use.meaning) or use.is_open:
      yield resolver.line_of(use.node), use.meaning
  for binding in resolver.bindings:
    if binding.is_import and decide.is_gone(binding.written):
      yield resolver.line_of(binding.node), binding.written
