"""examples/adding_problem: its data, and that it writes what it says."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLE = os.path.join(ROOT, "examples", "adding_problem")


def run(script, *arguments, **environment):
  return subprocess.run(
    [sys.executable, os.path.join(EXAMPLE, script), *map(str, arguments)],
    capture_output=True,
    text=True,
    check=False,
    env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", **environment),
  )


@pytest.fixture(name="example")
def fixture_example(monkeypatch):
  monkeypatch.syspath_prepend(EXAMPLE)
  import adding_problem

  return adding_problem


@pytest.mark.parametrize("length", [2, 3, 10, 101])
def test_data(example, length):
  inputs, targets = example.make_batch(np.random.RandomState(0), 500, length)
  assert (inputs.shape, targets.shape) == ((500, length, 2), (500,))
  assert (inputs.dtype, targets.dtype) == (np.float32, np.float32)
  numbers, markers = inputs[:, :, 0], inputs[:, :, 1]
  assert numbers.min() >= 0 and numbers.max() < 1
  assert set(np.unique(markers)) <= {0.0, 1.0}
  half = length // 2
  np.testing.assert_array_equal(markers[:, :half].sum(axis=1), 1)
  np.testing.assert_array_equal(markers[:, half:].sum(axis=1), 1)
  # Any step can be marked.
  assert np.all(markers.sum(axis=0) > 0)
  for i in range(500):
    first, second = numbers[i][markers[i] == 1]
    np.testing.assert_allclose(targets[i], first + second, rtol=1e-6)


def test_always_answering_1_is_the_baseline(example):
  _, targets = example.make_batch(np.random.RandomState(0), 50000, 10)
  error = np.mean((targets.astype(np.float64) - 1) ** 2)
  assert error == pytest.approx(example.BASELINE, rel=0.02)


def test_smooth(example):
  losses = np.array([4.0, 2, 6, 0, 1], np.float32)
  np.testing.assert_allclose(
    example.smooth(losses, window=3), [4, 3, 4, 8 / 3, 7 / 3]
  )


def test_it_writes_losses_and_a_plot_and_its_runs_repeat(tmp_path):
  first, second = tmp_path / "first", tmp_path / "second"
  options = ["--steps", 5, "--batch", 4, "--threads", 1]
  done = run("adding_problem.py", *options, "--lengths", 8, "--output", first)
  assert done.returncode == 0, done.stderr
  # No bar without a terminal, and no advice of TensorFlow's.
  assert not re.search("step/s|deprecated", done.stderr)
  rows = re.findall(r"^ +(\d+)  (\w+) +5 ", done.stdout, re.M)
  assert rows == [("8", "IndRNN"), ("8", "LSTM")]
  picture = (first / "adding_problem.png").read_bytes()
  assert picture.startswith(b"\x89PNG") and len(picture) > 10000
  names = {path.stem for path in first.glob("*.npz")}
  assert names == {"indrnn_8", "lstm_8"}
  options += ["--lengths", 8, 20, "--no-plot", "--cell", "indrnn"]
  done = run("adding_problem.py", *options, "--output", second)
  assert done.returncode == 0, done.stderr
  assert not (second / "adding_problem.png").exists()
  assert np.load(second / "indrnn_20.npz")["losses"].shape == (5,)
  written, again = (np.load(f / "indrnn_8.npz") for f in (first, second))
  assert written["losses"].shape == written["seconds"].shape == (5,)
  assert np.all(np.isfinite(written["losses"]))
  assert np.all(np.diff(written["seconds"]) > 0)
  np.testing.assert_array_equal(written["losses"], again["losses"])
  assert written["test_error"] == again["test_error"]


def test_an_indrnn_learns_a_short_problem(tmp_path):
  options = ["--cell", "indrnn", "--lengths", 10, "--learning-rate", 2e-3]
  options += ["--steps", 700, "--no-plot", "--output", tmp_path]
  done = run("adding_problem.py", *options)
  assert done.returncode == 0, done.stderr
  assert np.load(tmp_path / "indrnn_10.npz")["test_error"] < 0.02


def test_without_matplotlib_it_says_what_to_do(tmp_path):
  (tmp_path / "matplotlib.py").write_text("raise ImportError('none here')\n")
  options = ["--cell", "indrnn", "--lengths", 4, "--steps", 1]
  done = run(
    "adding_problem.py",
    *options,
    "--output",
    tmp_path,
    PYTHONPATH=str(tmp_path),
  )
  assert done.returncode == 1
  last = done.stderr.splitlines()[-1]
  assert "pip install matplotlib" in last and "--no-plot" in last


def test_a_length_without_halves_is_refused(tmp_path):
  done = run("adding_problem.py", "--lengths", 1, "--output", tmp_path)
  assert done.returncode == 2
  assert "--lengths" in done.stderr


def test_relu_overflow_is_found_and_bounded():
  done = run("relu_overflow.py", "start", "--lengths", 600)
  assert done.returncode == 0, done.stderr
  overflown = {
    (cell, bound): int(units)
    for cell, bound, units in re.findall(
      r"600  (\w+) +(\S.*?)  +(\d+) of 1024", done.stdout
    )
  }
  assert len(overflown) == 9
  assert overflown["IndyLSTM", "none"] > 0
  assert overflown["IndyLSTM", "gamma^(1/T) - 1"] == 0
  assert overflown["IndRNN", "none"] == overflown["IndyGRU", "none"] == 0


@pytest.mark.long
def test_relu_overflow_trains():
  options = ["--lengths", 200, "--learning-rates", 1, "--steps", 10]
  done = run("relu_overflow.py", "train", *options)
  assert done.returncode == 0, done.stderr
  rows = re.findall(
    r"200  (\w+) +(\S.*?)  +1  (none|\d+).* (\S+) +\S+$", done.stdout, re.M
  )
  assert len(rows) == 9
  stopped = {(cell, bound): step != "none" for cell, bound, step, _ in rows}
  assert stopped["IndRNN", "none"]
  assert not stopped["IndRNN", "gamma^(1/T)"]
