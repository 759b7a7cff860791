"""The commands `upgrade` and `check`."""

import dataclasses
import difflib
import pathlib
import shutil
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Optional

import rich.console
import rich.progress

from tf_contrib_rnn.upgrade import decide
from tf_contrib_rnn.upgrade import report
from tf_contrib_rnn.upgrade.decide import Finding
from tf_contrib_rnn.upgrade.project import Module
from tf_contrib_rnn.upgrade.project import Project
from tf_contrib_rnn.upgrade.source import list_files
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


def _make_project(
  paths: Iterable[pathlib.Path],
  keep_tf_rnn: bool,
  originals: Optional[Mapping[pathlib.Path, pathlib.Path]] = None,
) -> Project:
  project = Project(paths, keep_tf_rnn, _with_progress, originals)
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
  originals = {} if output is None else _copy(paths, output)
  project = _make_project(originals or paths, keep_tf_rnn, originals)
  modules = project.modules
  if not modules:
    return _say_nothing_found(paths)
  for module in modules:
    if not module.is_changed:
      continue
    if write or output:
      if _write(module):
        console.print(f"wrote {module.path}", soft_wrap=True, markup=False)
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
) -> dict[pathlib.Path, pathlib.Path]:
  """Copies files and folders into a folder: each path by that of its copy.

  Raises:
    shutil.Error: if two of them would be written over each other.
  """
  inside = output.resolve()

  def skip(folder, names):  # the output may be inside what is copied
    return [n for n in names if pathlib.Path(folder, n).resolve() == inside]

  copies = _name_copies(paths, output)
  for copy, path in copies.items():
    if path.is_dir():
      shutil.copytree(
        path, copy, symlinks=True, dirs_exist_ok=True, ignore=skip
      )
    else:
      copy.parent.mkdir(parents=True, exist_ok=True)
      shutil.copy2(path, copy)
    for file in list_files(copy):
      _make_own(file, path / file.relative_to(copy), inside)
  return copies


def _name_copies(
  paths: list[pathlib.Path], output: pathlib.Path
) -> dict[pathlib.Path, pathlib.Path]:
  """Where each file or folder is copied to: its path by that of the copy."""
  originals = {path.resolve(): path for path in paths}
  copies: dict[pathlib.Path, pathlib.Path] = {}
  for full, path in originals.items():
    is_alone = path.is_dir() and len(originals) == 1
    copy = output if is_alone else output / full.name
    if copy in copies:
      raise shutil.Error(
        f"{str(copies[copy])!r} and {str(path)!r} would both be {str(copy)!r}: "
        "expected one at a time, or the folder that they are in"
      )
    copies[copy] = path
  return copies


def _make_own(
  copy: pathlib.Path, original: pathlib.Path, output: pathlib.Path
) -> None:
  """Makes a copied file one that can be written without changing others."""
  is_link = copy.is_symlink()
  if is_link and copy.resolve().is_relative_to(output) and copy.exists():
    return
  if is_link and original.exists():
    copy.unlink()
    shutil.copy2(original, copy)
  if copy.exists():
    copy.chmod(copy.stat().st_mode | 0o200)


def _write(module: Module) -> bool:
  """Writes a file; whether that went well."""
  source: Any = module.source
  try:
    source.write(module.new_text)
  except Unreadable as error:
    module.findings.append(Finding(0, "the file", str(error)))
    module.new_text = source.text
    return False
  module.is_written = True
  return True


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
  count = 0
  modules = _make_project(paths, keep_tf_rnn=True).modules
  if not modules:
    return _say_nothing_found(paths)
  for module in modules:
    for line, name in sorted({*_list_left(module)}):
      count += 1
      print(f"{module.place(line)}: {name}")
  if not count:
    print("nothing of tf.contrib is left")
    return 0
  verb = "thing is" if count == 1 else "things are"
  print(
    f"{count} {verb} left that TensorFlow 2 does not have; tf-contrib-rnn "
    "upgrade changes what it can of these"
  )
  return 1


def _say_nothing_found(paths: list[pathlib.Path]) -> int:
  listed = ", ".join(map(str, paths))
  print(f"no Python files or notebooks in {listed}", file=sys.stderr)
  return 2


def _list_left(module: Module) -> Iterator[tuple[int, str]]:
  """The lines and names of a module that TensorFlow 2 has not."""
  for finding in module.findings:
    if finding.is_open:
      yield finding.line, f"{finding.name}: {finding.text}"
  resolver: Any = module.resolver
  if resolver is None:
    return
  for use in resolver.uses:
    if use.new is not None:
      yield resolver.line_of(use.node), decide.short(use.meaning)
  for binding in resolver.bindings:
    is_left = binding.is_import and decide.is_gone(binding.written)
    if is_left and not module.decisions.is_probe(binding):
      line = resolver.line_of(binding.node)
      yield line, f"import of {binding.written}"
