"""Measures this project beside others, and writes docs/benchmarks.md.

  python benchmarks/run.py            everything, about a quarter of an hour
  python benchmarks/run.py --quick    the small shapes, a minute or two
  python benchmarks/run.py --redraw   document and charts from the last figures

Each candidate has a process of its own, which stays alive. For each layer all
are asked in turn for a block of runs, several rounds long, while the others
wait: what disturbs the machine for a while disturbs all of them. Medians are
over the runs of all rounds.
"""

import argparse
import contextlib
import datetime
import json
import math
import pathlib
import sys

import machine
import numpy as np
import tqdm
from candidates import CANDIDATES
from problems import CELLS
from problems import DTYPES
from problems import INDY_CELLS
from problems import LARGE
from problems import MEMORY_SHAPE
from problems import MIDDLE
from problems import POLICIES
from problems import POLICY_SHAPE
from problems import Problem
from problems import SHAPES
from problems import SMALL
from problems import SWEEP
from problems import SWEEP_OF_SLOW
from worker import Failure
from worker import Worker

PARTS = ("shapes", "dtypes", "policies", "sweep", "memory")
DIRECTIONS = ("forward", "train")
_ROOT = pathlib.Path(__file__).resolve().parent.parent
_MEMORY_CANDIDATES = ("whole", "stepwise", "composition")


def _parse_count(text):
  if not text.isdecimal() or int(text) < 1:
    raise argparse.ArgumentTypeError(
      f"is {text!r}, expected a whole number, 1 or more"
    )
  return int(text)


def _parse_seconds(text):
  try:
    seconds = float(text)
  except ValueError:
    seconds = math.nan
  if not 0 <= seconds < math.inf:
    raise argparse.ArgumentTypeError(
      f"is {text!r}, expected a number, 0 or more"
    )
  return seconds


def _parse_shape(text):
  sizes = text.split(",")
  if len(sizes) != 4 or not all(s.isdecimal() and int(s) for s in sizes):
    raise argparse.ArgumentTypeError(
      f"is {text!r}, expected B,T,D,H, whole numbers of 1 or more"
    )
  return tuple(map(int, sizes))


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add(
    "--output",
    type=pathlib.Path,
    default=_ROOT / "docs",
    help="a folder; default: docs",
  )
  add("--quick", action="store_true", help="fewer shapes, points and rounds")
  add("--redraw", action="store_true", help="measure nothing: see above")
  add("--parts", nargs="*", choices=PARTS, help="default: all")
  add(
    "--shapes", nargs="+", type=_parse_shape, help="batch,time,inputs,units ..."
  )
  add("--cells", nargs="+", choices=CELLS, default=CELLS, help="default: all")
  add(
    "--candidates",
    nargs="+",
    choices=CANDIDATES,
    default=list(CANDIDATES),
    help="default: all",
  )
  count = {"type": _parse_count, "metavar": "N"}
  add("--rounds", **count, help="default: 5, quick 2")
  add("--runs", **count, help="least runs a round; default: 3, quick 5")
  add(
    "--seconds",
    type=_parse_seconds,
    default=0.1,
    metavar="N",
    help="of a round, if runs allow; default: %(default)s",
  )
  arguments = parser.parse_args()
  if arguments.redraw and not _figures_in(arguments.output).is_file():
    parser.error(
      f"argument --redraw: there is no {_figures_in(arguments.output)}, "
      "expected the figures of an earlier run"
    )
  quick = arguments.quick
  arguments.shapes = arguments.shapes or (SMALL if quick else SHAPES)
  arguments.rounds = arguments.rounds or (2 if quick else 5)
  arguments.runs = arguments.runs or (5 if quick else 3)
  if arguments.parts is None:
    arguments.parts = ("shapes", "sweep") if quick else PARTS
  return arguments


def _figures_in(folder):
  return folder / "benchmarks.json"


def plan(arguments):
  """Lists what is timed: (what the record says, the problem, candidates)."""
  layers = []
  if "shapes" in arguments.parts:
    for shape in arguments.shapes:
      for cell in arguments.cells:
        names = [
          name
          for name in arguments.candidates
          if cell in CANDIDATES[name].cells and CANDIDATES[name].is_layer
        ]
        layers.append(({"part": "shapes"}, Problem(cell, *shape), names))
  if "dtypes" in arguments.parts:
    layers += plan_dtypes(arguments)
  if "policies" in arguments.parts and "keras_model" in arguments.candidates:
    shape = arguments.shapes[0] if arguments.quick else POLICY_SHAPE
    for policy in POLICIES:
      problem = Problem("IndyGRU", *shape, policy)
      layers.append(({"part": "policies"}, problem, ["keras_model"]))
  if "sweep" in arguments.parts:
    for axis, sizes in SWEEP.items():
      for size in sizes[:2] if arguments.quick else sizes:
        names = ["floor", "whole"]
        if size in SWEEP_OF_SLOW[axis]:
          names.append("composition")
        names = [name for name in names if name in arguments.candidates]
        for cell in arguments.cells:
          problem = Problem(cell, **{**MIDDLE, axis: size})
          layers.append(({"part": "sweep", "axis": axis}, problem, names))
  return layers


def plan_dtypes(arguments):
  """The same for dtypes: a layer of one after the other."""
  names = [n for n in ("floor", "whole") if n in arguments.candidates]
  shapes = arguments.shapes[:1] if arguments.quick else LARGE
  return [
    ({"part": "dtypes"}, Problem(cell, *shape, dtype), names)
    for shape in shapes
    for cell in arguments.cells
    if cell in INDY_CELLS
    for dtype in DTYPES
  ]


def _summary(seconds):
  milliseconds = np.array(seconds) * 1e3
  least, lower, median, upper = np.percentile(milliseconds, [0, 25, 50, 75])
  return {
    "median": round(median, 5),
    "lower_quartile": round(lower, 5),
    "upper_quartile": round(upper, 5),
    "least": round(least, 5),
    "runs": len(milliseconds),
  }


def time_layer(workers, problem, names, arguments):
  """Returns {candidate: {direction: a summary, or the reason for none}}."""
  seconds = {(name, way): [] for name in names for way in DIRECTIONS}
  reasons = {}

  def ask(key, method, *rest):
    try:
      return workers[key[0]].ask(method, problem, key[1], *rest)
    except Failure as failure:
      reasons[key] = {"reason": str(failure)}
      return []

  for key in seconds:
    ask(key, "warm_up", arguments.seconds, arguments.runs)
  for _ in range(arguments.rounds):
    for key, runs in seconds.items():
      if key not in reasons:
        runs += ask(key, "time")
  for name in names:
    with contextlib.suppress(Failure):
      workers[name].ask("close")
  return {
    name: {
      way: reasons.get((name, way)) or _summary(seconds[name, way])
      for way in DIRECTIONS
    }
    for name in names
  }


def time_layers(arguments):
  workers = {name: Worker(name) for name in CANDIDATES}
  records = []
  try:
    layers = tqdm.tqdm(plan(arguments), unit="layer", disable=None)
    for about, problem, names in layers:
      layers.set_postfix_str(f"{problem.cell} {problem.shape}")
      figures = time_layer(workers, problem, names, arguments)
      for name, directions in figures.items():
        records.append({**about, **vars(problem), "candidate": name})
        records[-1].update(directions)
  finally:
    for worker in workers.values():
      worker.stop()
  return records


def measure_memory(arguments):
  """The peak of a training step, each in a fresh process."""
  records = []
  shape = arguments.shapes[0] if arguments.quick else MEMORY_SHAPE
  names = [n for n in _MEMORY_CANDIDATES if n in arguments.candidates]
  layers = [(cell, name) for cell in arguments.cells for name in names]
  for cell, name in tqdm.tqdm(layers, desc="memory", disable=None):
    problem = Problem(cell, *shape)
    record = {**vars(problem), "candidate": name}
    worker = Worker(name)
    try:
      record["peak_bytes"] = worker.ask("peak_memory", problem)
    except Failure as failure:
      record["reason"] = str(failure)
    finally:
      worker.stop()
    records.append(record)
  return records


def measure(arguments):
  command = ["python benchmarks/run.py", *sys.argv[1:]]
  return {
    "date": datetime.date.today().isoformat(),
    "command": " ".join(command),
    "machine": machine.describe(),
    "rounds": arguments.rounds,
    "unit": "ms",
    "timings": time_layers(arguments),
    "memory": measure_memory(arguments) if "memory" in arguments.parts else [],
  }


def main():
  arguments = parse_arguments()
  arguments.output.mkdir(parents=True, exist_ok=True)
  figures = _figures_in(arguments.output)
  if not arguments.redraw:
    text = json.dumps(measure(arguments), indent=1)
    figures.write_text(text + "\n", encoding="utf-8")
  results = json.loads(figures.read_text(encoding="utf-8"))
  # Candidates' processes import this module as well: no matplotlib for them.
  import report

  for path in report.write(results, arguments.output):
    print("wrote", path)


if __name__ == "__main__":
  main()
