"""Random calls of TensorFlow's ops and of the handlers for XLA: each is refused
or does what the documentation says.

TF_CONTRIB_RNN_FUZZ_CALLS is how many calls are made in all, half of them of the
ops; TF_CONTRIB_RNN_FUZZ_SEED gives others. fuzz_run.py repeats one.
"""

import importlib
import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import fuzz_reference
import fuzz_run
import numpy as np
import pytest

CALLS = int(os.environ.get("TF_CONTRIB_RNN_FUZZ_CALLS", "20000"))
SEED = int(os.environ.get("TF_CONTRIB_RNN_FUZZ_SEED", "1"))
PROGRAM = pathlib.Path(fuzz_run.__file__)

needs_jax = pytest.mark.skipif(
  importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)
subjects = pytest.mark.parametrize(
  "subject", ["ops", pytest.param("handlers", marks=needs_jax)]
)


def run_program(subject, seed, calls, program=(str(PROGRAM),), timeout=None):
  """Makes the calls in a process of its own: they may end it, or never end."""
  options = ["--seed", str(seed), "--calls", str(calls), "--progress"]
  with tempfile.TemporaryFile() as progress, tempfile.TemporaryFile() as log:
    command = [sys.executable, *program, subject, *options]
    try:
      done = subprocess.run(
        [*command, str(progress.fileno())],
        cwd=PROGRAM.parent,
        stdout=subprocess.PIPE,
        stderr=log,  # of which TensorFlow fills megabytes
        text=True,
        pass_fds=[progress.fileno()],
        timeout=timeout or 300 + calls / 50,
      )
      end = -done.returncode
    except subprocess.TimeoutExpired:
      end = signal.SIGALRM
    if end > 0:
      number = int(os.pread(progress.fileno(), 20, 0) or "0")
      raise AssertionError(
        f"ended by {signal.Signals(end).name}: "
        f"{fuzz_run.describe_repetition(subject, seed, number)}"
      )
    size = os.fstat(log.fileno()).st_size
    told = os.pread(log.fileno(), 8000, max(0, size - 8000)).decode()
  assert done.returncode == 0, told
  return json.loads(done.stdout)


@subjects
def test_every_call_does_what_the_documentation_says(subject):
  calls = CALLS // 2
  outcomes = run_program(subject, SEED, calls)
  assert sum(outcomes.values()) == calls
  if calls < 5000:
    return  # too few for what follows
  assert outcomes["numbers"] > 0.05 * calls
  well_formed = outcomes["numbers"] + outcomes["well-formed"]
  assert 0.35 * calls < well_formed < 0.65 * calls
  # Each fault was all that was wrong with some of the calls.
  faults = importlib.import_module(fuzz_run.SUBJECTS[subject]).FAULTS
  assert set(faults) <= set(outcomes)


ENDS = """
import os, signal, sys, time, types
import fuzz_run
numbers = iter(range(100))
def check(call, rng):
  if next(numbers) == 7:
    os.kill(os.getpid(), signal.SIGSEGV) if {dies} else time.sleep(1000)
sys.modules["fuzz_ops"] = types.SimpleNamespace(draw=str, check=check)
fuzz_run.main()
"""


@pytest.mark.parametrize(("dies", "name"), [(1, "SIGSEGV"), (0, "SIGALRM")])
def test_a_process_that_dies_or_hangs_leaves_its_call(dies, name):
  program = "-c", ENDS.format(dies=dies)
  message = f"ended by {name}: Call 7 of seed 3; to repeat it:"
  with pytest.raises(AssertionError, match=message):
    run_program("ops", 3, 100, program, timeout=None if dies else 5)


# That all of this can fail: an oracle that is wrong is contradicted.


def contradict(subject, message, **options):
  escaped = re.escape(message)
  with pytest.raises(AssertionError, match=escaped) as caught:
    fuzz_run.run_calls(subject, 2, 0, 6000, **options)
  assert "of seed 2; to repeat it: python tests/fuzz_run.py" in str(
    caught.value
  )


@subjects
def test_an_oracle_that_forgets_a_fault(subject):
  module = importlib.import_module(fuzz_run.SUBJECTS[subject])
  for fault in module.FAULTS:
    contradict(
      subject,
      "well-formed, but",
      oracle=lambda call, fault=fault: [
        found for found in module.find_faults(call) if found != fault
      ],
    )


def is_empty_incoming(array):
  return array.name.endswith("_gradient") and not array.size


ALLOWED = [
  ("ops", lambda call: len(call.shape("bias")) == 2),
  ("ops", lambda call: len(call.shape("inputs")) == 2),
  ("ops", lambda call: bool(call.lengths)),
  ("ops", lambda call: any(map(is_empty_incoming, call.arrays))),
  ("ops", lambda call: call.attributes["gate_order"] == "keras"),
  ("handlers", lambda call: any(map(is_empty_incoming, call.arguments))),
  ("handlers", lambda call: call.attributes["activation"].value == "elu"),
]


@pytest.mark.parametrize(("subject", "is_allowed"), ALLOWED)
def test_an_oracle_that_forbids_too_much(subject, is_allowed):
  if subject == "handlers":
    pytest.importorskip("jax", reason="JAX is not installed")
  module = importlib.import_module(fuzz_run.SUBJECTS[subject])

  def find_faults(call):
    faults = module.find_faults(call)
    return faults or ["forbidden"] * is_allowed(call)

  contradict(subject, "in spite of ['forbidden']", oracle=find_faults)


WRONG = {
  "tanh": lambda x: 1.001 * np.tanh(x),
  "elu": lambda x: np.where(x.real > 0, x, np.exp(x)),
}


@subjects
@pytest.mark.parametrize("activation", list(WRONG))
def test_a_reference_with_another_activation(subject, activation, monkeypatch):
  monkeypatch.setitem(
    fuzz_reference._ACTIVATIONS, activation, WRONG[activation]
  )
  contradict(subject, "off by")


@subjects
def test_a_reference_that_knows_no_lengths(subject, monkeypatch):
  full = lambda problem: np.full([problem.x.shape[-3]], problem.x.shape[-4])
  monkeypatch.setattr(fuzz_reference.Problem, "cut_lengths", full)
  contradict(subject, "off by")


def test_a_reference_that_knows_no_order_of_gates(monkeypatch):
  monkeypatch.setattr(fuzz_reference, "ORDERS", {})
  contradict("ops", "off by")
