"""Tables on the terminal, and plain columns in a file."""

import sys
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Optional

from tf_contrib_rnn.checkpoints import libraries


def print_line(text: str) -> None:
  """Prints a line, letter by letter what it is."""
  print(text)


def write_shape(shape: Optional[Sequence[Optional[int]]]) -> str:
  """A shape as a table has it; what a graph leaves open as "?"."""
  if shape is None:
    return "?"
  sizes = ("?" if size is None else str(size) for size in shape)
  return f"[{', '.join(sizes)}]"


def print_table(
  title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
  """Prints a table after an empty line; nothing if it has no rows.

  Args:
    title: a line above it.
    columns: the columns' names.
    rows: what is in them.

  Raises:
    ModuleNotFoundError: if the library rich is not installed.

  Example:

  >>> from tf_contrib_rnn.checkpoints import tables
  >>> tables.print_table("Fruits:", ["name", "colour"], [["lime", "green"]])
  <BLANKLINE>
  Fruits:
  name  colour
  lime  green
  """
  lines = [[str(value) for value in row] for row in rows]
  if not lines:
    return
  text = libraries.load("rich.text", "a table").Text
  table = libraries.load("rich.table", "a table").Table(
    box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False
  )
  for column in columns:
    table.add_column(text(column), overflow="fold")
  for line in lines:
    table.add_row(*map(text, line))  # not markup: a name may have brackets
  console = libraries.load("rich.console", "a table").Console(
    width=None if sys.stdout.isatty() else _widest([columns, *lines]),
    markup=False,
    emoji=False,
    highlight=False,
  )
  print_line("")
  print_line(title)
  with console.capture() as captured:
    console.print(table)
  # rich fills the lines up with blanks.
  for line in captured.get().splitlines():
    print_line(line.rstrip())


def _widest(lines: Iterable[Sequence[str]]) -> int:
  """A width that no line of a table exceeds."""
  # Some letters take two columns.
  return sum(
    2 * max(len(value) for value in column) + 2 for column in zip(*lines)
  )
