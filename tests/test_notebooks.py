"""The notebooks of docs/ run, and what is shown of them is as it should be."""

import pathlib
import re
import sys

import nbformat
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "notebooks"
# What takes the place of a notebook's parameters, so that it runs in seconds.
QUICK = {
  "long_memory": "LENGTH, ROUNDS = 20, 2",
  "old_checkpoint": "",  # does as it stands
}


def test_the_list_is_whole():
  assert {path.stem for path in FOLDER.glob("*.ipynb")} == {*QUICK}


def printed_by(notebook):
  return "".join(
    output.text
    for cell in notebook.cells
    for output in cell.get("outputs", ())
    if output.output_type == "stream"
  )


def run(name, monkeypatch):
  monkeypatch.syspath_prepend(ROOT / "tools")
  import run_notebooks

  return run_notebooks.run(FOLDER / f"{name}.ipynb", QUICK[name])


def test_old_checkpoint(monkeypatch):
  printed = printed_by(run("old_checkpoint", monkeypatch))
  before, after = map(float, re.findall(r"accuracy: (\S+)", printed))
  assert before == 0.9667
  assert after > 0.93
  difference = re.search(r"difference of logits: (\S+)", printed).group(1)
  assert float(difference) < 1e-4
  assert "23 variables" in printed


def test_long_memory(monkeypatch):
  notebook = run("long_memory", monkeypatch)
  printed = printed_by(notebook)
  bound = float(re.search(r"at most (\S+)", printed).group(1))
  assert bound == pytest.approx(2 ** (1 / 20), abs=1e-5)
  largest = re.findall(r"u of a layer: \S+ to (\S+)", printed)
  assert len(largest) == 2
  assert all(float(u) <= bound for u in largest)
  error = re.search(r"new sequences: (\S+)", printed).group(1)
  assert 0 < float(error) < 1
  shown = [o for cell in notebook.cells for o in cell.get("outputs", ())]
  assert any("image/png" in output.get("data", ()) for output in shown)


@pytest.mark.parametrize("name", QUICK)
def test_what_is_committed(name):
  path = FOLDER / f"{name}.ipynb"
  notebook = nbformat.read(path, 4)
  nbformat.validate(notebook)
  cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
  # Run from top to bottom, as it stands, without traces of the machine.
  assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
  assert all({*cell.metadata} <= {"tags"} for cell in cells)
  assert {*notebook.metadata} == {"kernelspec"}
  text = path.read_text("utf-8")
  for trace in (
    str(ROOT),
    sys.prefix,
    "/home/",
    "/root/",
    "/tmp/",
    "Traceback",
  ):
    assert trace not in text
  assert printed_by(notebook)
