"""Writes the document and the charts from the figures of a run."""

import pathlib

import charts
import targets
from candidates import CANDIDATES
from figures import Figures
from figures import needed_bytes
from figures import shape_of
from problems import CELLS
from problems import DTYPES
from problems import MIDDLE
from problems import POLICIES
from problems import SWEEP

_HEAD = """\
# Benchmarks

This page is for people who want the measured times of this project's layers,
beside those of other implementations.
[What the benchmarks show](performance.md) explains the figures.

The page is generated. `make bench` measures again.
`python benchmarks/run.py --redraw` writes the page from
[benchmarks.json](benchmarks.json), which also has quartiles and least times.

- Date: {date}
- Command: `{command}`
- Machine: {processor}, {cores} cores, {system}
- Kernels of this project that run there: those for {instruction_set}
- Versions: {versions}
- float32, unless a section says otherwise. Each figure is the median of {runs}
  runs or more, in {rounds} rounds.
- Each candidate has a process of its own. The candidates take turns, one at a
  time.

| term | meaning |
| --- | --- |
| candidate | a way to run the layer; they are listed [below](#candidates) |
| floor | the time of the matrix products alone, which can't be saved |
| fused | one C++ op of this project runs the whole recurrence |
| composition | the same cell, made of TensorFlow's own operations |
| whole sequence | one op runs all steps of a layer |
| stepwise | one op runs each step |
| forward | computes the outputs |
| train | a training step: computes the outputs and all gradients |
"""

_TARGETS = """\
## Targets

Each value is a time of this project as a multiple of another time, unless the
row says otherwise. "Worst" is the largest value, or the smallest one where the
limit is a least (≥).
"""

_HOW = """\
## Candidates

Forward computes the outputs. A training step computes the outputs and the
gradients of the inputs and of all weights, given the gradients of the outputs.
All of them are fetched. The results stay in the framework.

The GRU and LSTM layers with recurrent matrices are another function, and do
more work. They are what one would use instead of the Indy cells (IndRNN,
IndyGRU, IndyLSTM). The simple RNN is the counterpart of the IndRNN.
"""

_DTYPES = """\
## Dtypes

The table shows a layer ("this project, whole sequence") in each dtype:
milliseconds, and in brackets times the floor in the same dtype. TensorFlow's
MatMul is fast in 16 bits only on processors with instructions for that. On
others it takes longer than in float32.
"""

_POLICIES = """\
## Policies of Keras

The table shows milliseconds of a model of two IndyGRU layers and a Dense, in
Keras on TensorFlow, at batch {}, time {}, inputs {}, units {}.
"""

_GROWTH = """\
## Growth

The table shows how the cost grows with one axis at a time. The other axes stay
at batch {batch}, time {time}, inputs {inputs}, units {units}. p is the
exponent of cost ~ sizeᵖ, over the three largest sizes. 1 is linear.

![Milliseconds by time, units and batch](benchmarks-growth.png)
"""

_MEMORY = """\
## Memory

The table shows the peak memory of the first training step in a fresh process,
above the variables that it starts with (inputs, weights, gradients of the
outputs). "Needed" is what the projected inputs, the outputs and the gradients
of both take. "Times" is the peak divided by that.
"""


def write(results: dict, folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes benchmarks.md and its charts; returns their paths."""
  figures = Figures(results)
  sections = [_head(figures), _targets(figures)]
  paths = []
  if figures.shapes:
    paths.append(charts.draw_ratios(figures, folder))
    sections.append("## Shapes\n")
    sections.append(f"![Times the floor]({paths[-1].name})\n")
    sections += [_shape(figures, shape) for shape in figures.shapes]
  if figures.dtypes:
    sections.append(_dtypes(figures))
  if figures.policies:
    sections.append(_policies(figures))
  sections.append(_candidates(figures))
  if figures.growths:
    paths.append(charts.draw_growth(figures, folder))
    sections.append(_growth(figures))
  if results["memory"]:
    sections.append(_memory(figures))
  document = folder / "benchmarks.md"
  document.write_text("\n".join(sections), encoding="utf-8")
  return [document, *paths]


def _table(columns, rows):
  """A markdown table, in which columns of numbers keep to the right."""
  aligned = []
  for cells in zip(*rows):
    is_number = all(cell[:1] in "–≤≥0123456789" for cell in cells)
    aligned.append("---:" if is_number else "---")
  lines = [columns, aligned, *rows]
  return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _number(value):
  """Three significant digits, without an exponent."""
  if value is None:
    return "–"
  return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def _head(figures):
  results = figures.results
  machine = results["machine"]
  runs = [
    record[direction]["runs"]
    for record in results["timings"]
    for direction in ("forward", "train")
    if "runs" in record[direction]
  ]
  return _HEAD.format(
    date=results["date"],
    command=results["command"],
    rounds=results["rounds"],
    runs=min(runs, default=0),
    versions=", ".join(
      f"{name} {version}"
      for name, version in {
        "Python": machine["python"],
        **machine["versions"],
      }.items()
    ),
    **{
      key: machine[key]
      for key in ("processor", "instruction_set", "cores", "system")
    },
  )


def _targets(figures):
  rows = []
  for target in targets.check(figures):
    value, where = target.worst
    sign = "≥" if target.is_least else "≤"
    rows.append(
      [
        target.text,
        f"{sign} {target.limit:g}",
        _number(value),
        where,
        target.verdict,
      ]
    )
  columns = ["target", "limit", "worst", "where", "verdict"]
  return _TARGETS + "\n" + _table(columns, rows)


def _shape(figures, shape):
  """Milliseconds of each candidate, and in brackets times the floor's."""
  batch, time, inputs, units = shape
  columns = [f"{d}: {cell}" for d in ("forward", "train") for cell in CELLS]
  rows = []
  for name in figures.candidates():
    row = [CANDIDATES[name].label]
    for direction in ("forward", "train"):
      for cell in CELLS:
        median = figures.median(name, shape, cell, direction)
        ratio = figures.ratio(name, "floor", shape, cell, direction)
        brackets = "" if ratio is None else f" ({_number(ratio)})"
        row.append(_number(median) + brackets)
    rows.append(row)
  return (
    f"### Batch {batch}, time {time}, inputs {inputs}, units {units}\n\n"
    "Milliseconds, and in brackets times the floor.\n\n"
    + _table(["", *columns], rows)
    + _reasons(figures, shape)
  )


def _reasons(figures, shape):
  missing = {}
  for (name, of, cell, direction), reason in figures.reasons.items():
    if of == shape:
      missing.setdefault((name, reason), []).append(f"{cell} {direction}")
  lines = [
    f"- {CANDIDATES[name].label} has no figure for {', '.join(cases)}: {reason}"
    for (name, reason), cases in missing.items()
  ]
  return "\n" + "\n".join(lines) + "\n" if lines else ""


def _candidates(figures):
  rows = [
    [CANDIDATES[name].label, CANDIDATES[name].note]
    for name in figures.candidates()
  ]
  return _HOW + "\n" + _table(["candidate", "how it is run"], rows)


def _dtypes(figures):
  rows = []
  for shape, cell, name, direction in figures.dtypes:
    if name != "whole":
      continue
    row = [str(shape), cell, direction]
    milliseconds = figures.dtypes[shape, cell, name, direction]
    for dtype in DTYPES:
      ratio = figures.ratio_to_floor(shape, cell, direction, dtype)
      brackets = "" if ratio is None else f" ({_number(ratio)})"
      row.append(_number(milliseconds.get(dtype)) + brackets)
    rows.append(row)
  return _DTYPES + "\n" + _table(["shape", "cell", "", *DTYPES], rows)


def _policies(figures):
  rows = [
    [direction, *(_number(milliseconds.get(p)) for p in POLICIES)]
    for direction, milliseconds in figures.policies.items()
  ]
  shape = next(
    shape_of(record)
    for record in figures.results["timings"]
    if record["part"] == "policies"
  )
  return _POLICIES.format(*shape) + "\n" + _table(["", *POLICIES], rows)


def _growth(figures):
  names = ("whole", "floor")
  directions = ("forward", "train")
  columns = ["axis, sizes", "cell"]
  columns += [f"{d}: {CANDIDATES[n].label}" for d in directions for n in names]
  rows = []
  for axis in SWEEP:
    for cell in figures.cells:
      exponents = [
        figures.exponent(axis, cell, name, direction)
        for direction in directions
        for name in names
      ]
      points = figures.growths.get((axis, cell, "whole", "forward"), [])
      sizes = " ".join(str(size) for size, _ in points[-3:])
      rows.append([f"{axis} {sizes}", cell, *map(_number, exponents)])
  return _GROWTH.format(**MIDDLE) + "\n" + _table(columns, rows)


def _memory(figures):
  rows = []
  for record in figures.results["memory"]:
    needed = needed_bytes(record)
    peak = record.get("peak_bytes")
    rows.append(
      [
        record["cell"],
        CANDIDATES[record["candidate"]].label,
        _number(needed / 2**20),
        _number(peak and peak / 2**20),
        _number(peak / needed) if peak else record["reason"],
      ]
    )
  shape = "Batch {batch}, time {time}, inputs {inputs}, units {units}".format(
    **figures.results["memory"][0]
  )
  columns = ["cell", "candidate", "needed, MiB", "peak, MiB", "times"]
  return f"{_MEMORY}\n{shape}.\n\n{_table(columns, rows)}"
