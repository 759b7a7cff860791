"""How the examples behave: mistakes, help, Ctrl-C, what is printed."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"
DIGITS = EXAMPLES / "legacy_digits"
PROGRAMS = {
  "digits": DIGITS / "legacy_digits.py",
  "keras": EXAMPLES / "legacy_digits_keras" / "legacy_digits_keras.py",
  "flax": EXAMPLES / "legacy_digits_flax" / "legacy_digits_flax.py",
  "adding": EXAMPLES / "adding_problem" / "adding_problem.py",
  "relu": EXAMPLES / "adding_problem" / "relu_overflow.py",
  "distributed": EXAMPLES / "distributed" / "distributed.py",
}
# What the programs set, where nobody else has.
SET_BY_PROGRAMS = ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")


def start(program, *arguments, **environment):
  inherited = {k: v for k, v in os.environ.items() if k not in SET_BY_PROGRAMS}
  return subprocess.Popen(
    [sys.executable, PROGRAMS[program], *map(str, arguments)],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
    env={**inherited, **environment},
    # A shell's job in the background would ignore Ctrl-C.
    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
  )


def run(program, *arguments, **environment):
  """Returns the exit status, what it printed, and what it complained of."""
  process = start(program, *arguments, **environment)
  printed, complaints = process.communicate()
  return process.returncode, printed, complaints


@pytest.fixture(name="at_once")
def fixture_at_once(tmp_path):
  """Environment in which importing a framework is an error."""
  for name in ("tensorflow", "jax", "flax", "tf_contrib_rnn"):
    (tmp_path / f"{name}.py").write_text("raise ImportError('too early')\n")
  return {"PYTHONPATH": str(tmp_path)}


MISTAKES = [
  ("digits", "train --epochs 0", "--epochs: is '0', expected a whole number"),
  ("digits", "train --epochs -2", "--epochs: is '-2', expected a whole"),
  ("digits", "train --epochs 1.5", "--epochs: is '1.5', expected a whole"),
  ("digits", "train --seed -1", "--seed: is '-1', expected a whole number"),
  ("digits", "train --save-to no/f", "--save-to: is 'no/f', expected a folder"),
  ("digits", "train --save-to /tmp", "--save-to: is '/tmp', expected the name"),
  ("digits", "eval --checkpoint no", "--checkpoint: is 'no', expected a check"),
  ("keras", "train --epochs 0", "--epochs: is '0', expected a whole number"),
  ("keras", "eval --checkpoint no", "--checkpoint: is 'no', expected a check"),
  ("flax", "train --epochs 0", "--epochs: is '0', expected a whole number"),
  ("flax", "train --save-to f", "--save-to: is 'f', expected a name that ends"),
  ("flax", "--checkpoint a.npz eval", "--checkpoint: is 'a.npz', expected a"),
  ("flax", "convert no/a.npz", "file: is 'no/a.npz', expected a folder"),
  ("adding", "--steps 0", "--steps: is '0', expected a whole number from 1"),
  ("adding", "--batch 0", "--batch: is '0', expected a whole number from 1"),
  ("adding", "--lengths 9 1", "--lengths: is '1', expected a whole number"),
  ("adding", "--seconds -1", "--seconds: is '-1', expected a finite number"),
  ("adding", "--learning-rate nan", "--learning-rate: is 'nan', expected a"),
  ("adding", "--output /dev/null", "--output: is '/dev/null', expected a fold"),
  ("relu", "start --lengths 0", "--lengths: is '0', expected a whole number"),
  ("relu", "train --steps 0", "--steps: is '0', expected a whole number"),
  ("distributed", "--steps 11", "--steps: is '11', expected a whole number"),
  ("distributed", "--layouts no", "--layouts: invalid choice: 'no' (choose"),
  ("distributed", "--save-to /dev/null", "--save-to: is '/dev/null', expected"),
  ("distributed", "--save-to /", "--save-to: is '/', expected a new folder or"),
  ("distributed", "--save-to=", "--save-to: is '', expected the name of a f"),
]


def test_mistakes_are_told_before_anything_is_imported(at_once):
  for program, arguments, message in MISTAKES:
    status, printed, complaints = run(program, *arguments.split(), **at_once)
    assert (status, printed) == (2, ""), (arguments, complaints)
    assert f"error: argument {message}" in complaints.splitlines()[-1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_comes_at_once_and_explains_each_option(program, at_once):
  commands = {"digits": ["eval", "train"], "flax": ["eval", "train", "convert"]}
  for command in ["", *commands.get(program, [])]:
    status, printed, _ = run(program, *command.split(), "--help", **at_once)
    assert status == 0
    options = re.findall(r"^  (?:-h, )?(--.*(?:\n {20}.*)*)", printed, re.M)
    assert options
    for option in options:
      # The name and its values, then the explanation after two spaces.
      assert re.search(r"\S\s{2,}\S", option), option


def read_checkpoint(path):
  """The shapes of a checkpoint's variables, without those of optimizers."""
  if str(path).endswith(".npz"):
    return {name: list(array.shape) for name, array in np.load(path).items()}
  return {
    name: shape
    for name, shape in tf.train.list_variables(str(path))
    if not re.search("Adam|beta._power|global_step", name)
  }


LONG = {
  "digits": ("train --epochs 1000 --save-to {}", "epoch 1 of 1000: loss"),
  "keras": ("train --epochs 1000 --save-to {}", "23/23 - "),
  "flax": (
    "train --epochs 1000 --save-to {}.npz",
    "epoch 1 of 1000, mean loss",
  ),
  "adding": (
    "--lengths 2 --batch 1 --cell indrnn --steps 10000000 --output {}",
    "IndRNN, length 2: step 1000, loss",
  ),
}


# One for each framework; the others take it from the same place.
@pytest.mark.parametrize(
  "program",
  [
    "digits",
    "flax",
    *(pytest.param(p, marks=pytest.mark.long) for p in ("keras", "adding")),
  ],
)
def test_ctrl_c_keeps_what_was_trained(program, tmp_path):
  if program == "flax":
    pytest.importorskip("optax", reason="optax is not installed")
  arguments, line_of_training = LONG[program]
  process = start(program, *arguments.format(tmp_path / "saved").split())
  for line in process.stdout:
    if line.startswith(line_of_training):
      break
  process.send_signal(signal.SIGINT)
  printed, complaints = process.communicate(timeout=120)
  assert process.returncode == 130, complaints
  assert "Traceback" not in complaints
  path = re.search("^interrupted.*saved (.*)$", printed, re.M).group(1)
  assert path.startswith(str(tmp_path))
  if program == "adding":
    saved = np.load(path)
    assert saved["losses"].shape == saved["seconds"].shape
    assert len(saved["losses"]) >= 1000 and np.isfinite(saved["test_error"])
  else:
    original = read_checkpoint(DIGITS / "checkpoint" / "model.ckpt")
    assert read_checkpoint(path) == original


def contents(folder):
  return {
    path.relative_to(folder): path.read_bytes()
    for path in folder.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
  }


@pytest.mark.long
def test_the_demo_repeats_its_figures_quietly_and_writes_nothing():
  before = contents(DIGITS)
  first, second = (run("digits", "train", "--epochs", 1) for _ in range(2))
  assert first[:2] == second[:2]
  # TensorFlow 2.20 writes the time and the process beside what it complains of.
  assert re.sub(r"\d+", "", first[2]) == re.sub(r"\d+", "", second[2])
  status, printed, complaints = first
  assert status == 0, complaints
  # A line an epoch and no bar, and nothing of TensorFlow's start.
  assert re.match(r"epoch 1 of 1: loss \d\.\d+\n", printed)
  assert re.search(r"^test accuracy: +0\.\d+$", printed, re.M)
  assert not re.search("digit/s|oneDNN|cpu_feature_guard|eprecated", complaints)
  assert contents(DIGITS) == before
