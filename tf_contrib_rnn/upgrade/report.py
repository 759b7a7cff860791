"""Shows what an upgrade did and what is left: to a person, or in a file."""

import difflib
import json
import pathlib
import textwrap
from collections.abc import Iterator
from typing import Any

import rich.console
import rich.text
from rich import markup

from tf_contrib_rnn.upgrade.project import Module


def count_open(modules: list[Module]) -> int:
  """How many things a person has to do."""
  return sum(f.is_open for module in modules for f in module.findings)


def show_diff(console: rich.console.Console, module: Module) -> None:
  """Prints what changes in a file, in colours where there are any."""
  lines = _diff(module)
  styles = {"+": "green", "-": "red", "@": "cyan"}
  for line in lines:
    is_header = line.startswith(("+++", "---"))
    style = "bold" if is_header else styles.get(line[:1], "")
    console.print(rich.text.Text(line, style), soft_wrap=True)
  console.print()


def _diff(module: Module) -> list[str]:
  source: Any = module.source
  old, new = map(source.readable, (source.text, module.new_text))
  return [
    line.rstrip("\r\n")
    for line in difflib.unified_diff(
      old.splitlines(keepends=True),
      new.splitlines(keepends=True),
      str(module.path),
      str(module.path),
    )
  ]


def _rows(
  modules: list[Module], is_open: bool
) -> Iterator[tuple[str, str, str]]:
  for module in modules:
    for finding in module.findings:
      if finding.is_open == is_open:
        yield module.place(finding.line), finding.name, finding.text


_TITLES = {True: "What is left to do", False: "What to know"}


def show(console: rich.console.Console, modules: list[Module]) -> None:
  """Prints what is left to do and what to know, and a line that sums it up."""
  for is_open, title in _TITLES.items():
    rows = [*_rows(modules, is_open)]
    if not rows:
      continue
    console.print(title, style="bold")
    for place, name, text in rows:
      console.print(f"{place}: [bold]{markup.escape(name)}[/]", soft_wrap=True)
      lines = textwrap.wrap(text, max(console.width - 4, 40))
      for line in [*lines, ""]:
        console.print(line and "    " + line, markup=False, soft_wrap=True)
  console.print(summary(modules), soft_wrap=True, highlight=False)


def _several(count: int, what: str) -> str:
  return f"{count} {what}{'' if count == 1 else 's'}"


def summary(modules: list[Module]) -> str:
  """How many files there are, how many change, and what is left."""
  changed = sum(module.is_changed for module in modules)
  left = count_open(modules)
  return f"{_several(len(modules), 'file')}, {changed} changed; " + (
    f"{_several(left, 'thing')} left to do" if left else "nothing left to do"
  )


def as_json(modules: list[Module]) -> str:
  """The report for programs."""
  files: list[dict[str, Any]] = [
    {
      "path": str(module.path),
      "changed": module.is_changed,
      "findings": [
        {
          "line": finding.line,
          "name": finding.name,
          "text": finding.text,
          "open": finding.is_open,
        }
        for finding in module.findings
      ],
    }
    for module in modules
  ]
  report = {"open": count_open(modules), "files": files}
  return json.dumps(report, indent=2) + "\n"


def as_markdown(modules: list[Module]) -> str:
  """The report for people, with the changes."""
  parts = ["# Upgrade from tf.contrib\n", summary(modules) + "\n"]
  for is_open, title in _TITLES.items():
    rows = [*_rows(modules, is_open)]
    if rows:
      last = "to do" if is_open else "note"
      head = f"| where | what | {last} |\n|---|---|---|"
      cells = ["| " + " | ".join(map(_escape, row)) + " |" for row in rows]
      parts.append("\n".join([f"## {title}\n", head, *cells]) + "\n")
  for module in modules:
    if module.is_changed:
      diff = "\n".join(_diff(module))
      parts.append(f"## {module.path}\n\n```diff\n{diff}\n```\n")
  return "\n".join(parts)


def _escape(text: str) -> str:
  return text.replace("|", "\\|").replace("\n", " ")


def write(path: pathlib.Path, modules: list[Module]) -> None:
  """Writes the report into a file, .json or .md."""
  make = as_json if path.suffix == ".json" else as_markdown
  path.write_text(make(modules), encoding="utf-8", errors="backslashreplace")
