"""Runs the notebooks in docs/notebooks, and writes their outputs into them.

  python tools/run_notebooks.py                  all
  python tools/run_notebooks.py long_memory      one

The outputs are shown on the site. What differs from run to run is left out.
"""

import argparse
import itertools
import os
import pathlib
from collections.abc import Iterator

import nbclient
import nbformat

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "docs" / "notebooks"


def run(path: pathlib.Path, parameters: str = "") -> nbformat.NotebookNode:
  """Runs a notebook in the folder where it lies.

  Args:
    path: where it is.
    parameters: (optional) code in place of the cell with the tag "parameters".

  Returns:
    The notebook with its outputs, without times and what is logged.

  Raises:
    nbclient.exceptions.CellExecutionError: if a cell does.
  """
  notebook = nbformat.read(path, 4)
  for cell in notebook.cells:
    if parameters and "parameters" in cell.metadata.get("tags", ()):
      cell.source = parameters
  os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
  client = nbclient.NotebookClient(
    notebook,
    kernel_name="python3",
    record_timing=False,
    resources={"metadata": {"path": path.parent}},
  )
  client.execute()
  notebook.metadata.pop("language_info", None)  # has Python's version
  for cell in notebook.cells:
    if cell.cell_type == "code":
      cell.outputs = [*_clean(cell.outputs)]
  return notebook


def _clean(outputs: list) -> Iterator[nbformat.NotebookNode]:
  """Outputs without what is logged; what is printed in a row is one."""
  for name, run in itertools.groupby(
    outputs, lambda output: output.get("name")
  ):
    if name == "stdout":
      text = "".join(output.text for output in run)
      yield nbformat.v4.new_output("stream", name=name, text=text)
    elif name != "stderr":
      yield from run


def main() -> None:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  names = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
  parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
  for name in parser.parse_args().names or names:
    path = FOLDER / f"{name}.ipynb"
    nbformat.write(run(path), path)
    print("wrote", path.relative_to(pathlib.Path.cwd()))


if __name__ == "__main__":
  main()
