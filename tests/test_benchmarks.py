"""The benchmark runs, measures one function, and says what it could not."""

import json
import os
import pathlib
import subprocess
import sys
from importlib.util import find_spec

import helpers
import numpy as np
import problems
import pytest
import run as benchmark
import targets
import test_sru_recurrence
from candidates import CANDIDATES
from figures import Figures
from keras_helpers import IS_KERAS_3
from worker import Worker

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAME = [name for name, candidate in CANDIDATES.items() if candidate.is_same]


def run_benchmark(folder, *arguments, **environment):
  result = subprocess.run(
    [sys.executable, ROOT / "benchmarks" / "run.py", "--output", folder]
    + list(arguments),
    env=dict(os.environ, **environment),
    capture_output=True,
    text=True,
    check=False,
  )
  assert result.returncode == 0, result.stderr


@pytest.mark.long
def test_writes_figures_tables_and_charts(tmp_path):
  absent = tmp_path / "absent" / "torch"
  absent.mkdir(parents=True)
  (absent / "__init__.py").write_text("raise ImportError('no torch here')")
  run_benchmark(
    tmp_path,
    *"--quick --shapes 2,3,4,5 --cells IndyLSTM --runs 1 --seconds 0".split(),
    *"--candidates floor whole torch keras_model".split(),
    *"--parts shapes dtypes policies sweep memory".split(),
    PYTHONPATH=str(absent.parent),
  )
  results = json.loads((tmp_path / "benchmarks.json").read_text("utf-8"))
  for record in results["timings"]:
    for direction in ("forward", "train"):
      figure = record[direction]
      if record["candidate"] == "torch":
        assert figure["reason"] == "not installed: no torch here"
      elif record["candidate"] == "keras_model" and not IS_KERAS_3:
        assert "expected Keras 3" in figure["reason"]
      else:
        assert 0 < figure["least"] <= figure["median"]
        assert figure["runs"] == 2
  assert all("peak_bytes" in record for record in results["memory"])
  document = (tmp_path / "benchmarks.md").read_text("utf-8")
  assert "### Batch 2, time 3, inputs 4, units 5" in document
  assert "torch.nn has no figure" in document
  dtypes = [r["dtype"] for r in results["timings"] if r["part"] == "dtypes"]
  assert dtypes == ["float32"] * 2 + ["bfloat16"] * 2 + ["float16"] * 2
  for heading in ("## Dtypes", "## Policies of Keras")[: 1 + IS_KERAS_3]:
    table = document.split(heading)[1].split("##")[0]
    assert "mixed_float16" in table or "float16 |" in table
    assert "–" not in table  # a figure in each place
  for chart in ("benchmarks-shapes.png", "benchmarks-growth.png"):
    assert f"({chart})" in document
    assert (tmp_path / chart).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
  "arguments,message",
  [
    ("--rounds 0", "--rounds: is '0', expected a whole number, 1 or more"),
    ("--runs -1", "--runs: is '-1', expected a whole number, 1 or more"),
    ("--seconds nan", "--seconds: is 'nan', expected a number, 0 or more"),
    ("--shapes 1,2,3,0", "--shapes: is '1,2,3,0', expected B,T,D,H"),
    ("--redraw", "--redraw: there is no "),
  ],
)
def test_mistakes_are_told(tmp_path, monkeypatch, capsys, arguments, message):
  command = ["run.py", "--output", str(tmp_path), *arguments.split()]
  monkeypatch.setattr(sys, "argv", command)
  with pytest.raises(SystemExit) as ended:
    benchmark.parse_arguments()
  assert ended.value.code == 2
  assert f"error: argument {message}" in capsys.readouterr().err


@pytest.fixture(scope="module", params=SAME)
def worker(request):
  if request.param in ("jax_ffi", "lax_scan") and not find_spec("jax"):
    pytest.skip("jax is not installed")
  worker = Worker(request.param)
  yield worker
  worker.stop()


def run_reference(problem, x):
  """The outputs of a layer by a loop of NumPy, in float64."""
  zeros = np.zeros([problem.batch, problem.units])
  if problem.cell == "SRU":
    kernel, bias = helpers.as_float64(problem.weights())
    return test_sru_recurrence.loop(x @ kernel, bias, zeros)[0]
  states = [zeros] * helpers.KINDS[problem.cell].states
  return helpers.numpy_sequence(problem.cell, problem.weights(), x, states)[0]


@pytest.mark.parametrize("cell", problems.CELLS)
def test_candidates_compute_the_same_function(worker, cell):
  problem = problems.Problem(cell, batch=2, time=7, inputs=3, units=5)
  outputs, gradients = worker.ask("results", problem)
  want = run_reference(problem, problem.x().astype(np.float64))
  helpers.assert_close(outputs, want, 2e-6)
  helpers.assert_close(gradients, input_gradients(problem), 1e-5)


def input_gradients(problem, step=1e-5):
  """Central differences of sum(outputs * output_gradients), in float64."""
  x = problem.x().astype(np.float64)
  gradients = np.zeros_like(x)

  def loss():
    return np.sum(run_reference(problem, x) * problem.output_gradients())

  for i in np.ndindex(*x.shape):
    value = x[i]
    x[i] = value + step
    above = loss()
    x[i] = value - step
    gradients[i] = (above - loss()) / (2 * step)
    x[i] = value
  return gradients


def record(candidate, shape, milliseconds):
  summary = {"median": milliseconds}
  about = dict(zip(("batch", "time", "inputs", "units"), shape))
  return dict(
    about,
    part="shapes",
    cell="IndyGRU",
    candidate=candidate,
    forward=summary,
    train=summary,
  )


@pytest.mark.parametrize(
  "milliseconds,verdict",
  [(1.1, "reached"), (1.2, "**not reached**"), (None, "not measured")],
)
def test_targets(milliseconds, verdict):
  timings = []
  for shape in problems.LARGE:
    timings.append(record("floor", shape, 1.0))
    if milliseconds:
      timings.append(record("whole", shape, milliseconds))
  figures = Figures({"timings": timings, "memory": []})
  target = targets.check(figures)[0]
  assert "forward, large shapes" in target.text
  assert target.verdict.startswith(verdict)
