"""Several devices and processes: the layouts of examples/distributed.

Two devices, or processes that talk over the loopback address. A program,
distributed_checks.py, trains under all of them; the tests look at what came of
it.
"""

import math
import os
import pathlib
import pickle
import re
import signal
import subprocess
import sys
import time

import distributed_checks as checks
import layouts
import numpy as np
import pytest
from processes import Task

TOLERANCE = 1e-6  # of float32
LONGEST = 400  # seconds, on a machine that others use too
# In these, workers overtake each other, so that the weights depend on chance.
ASYNCHRONOUS = {"servers-keras2"}
PROCESS = "/job:localhost/replica:0/task:0/device:CPU:"
WORKER = "/job:worker/replica:0/task:{}/device:CPU:0"
# Where the ops are to be found, by the first part of a layout's name.
DEVICES = {
  "one": [PROCESS + "0"],
  "mirrored": [PROCESS + "0", PROCESS + "1"],
  "workers": [WORKER.format(0), WORKER.format(1)],
  "servers": ["/job:worker/task:0", "/job:worker/task:1"],
  "cluster": [WORKER.format(0), WORKER.format(1)],
}


@pytest.fixture(name="found", scope="module")
def fixture_found(tmp_path_factory):
  folder = tmp_path_factory.mktemp("layouts")
  done = subprocess.run(
    [sys.executable, checks.__file__, folder],
    capture_output=True,
    text=True,
    check=False,
    timeout=LONGEST,
  )
  assert done.returncode == 0, done.stdout + done.stderr
  return pickle.loads((folder / "found.pickle").read_bytes())


def outcome_of(found, name):
  reason = layouts.why_not(layouts.BY_NAME[name])
  if reason:
    pytest.skip(f"{name} {reason}")
  outcome = found["outcomes"][name]
  assert isinstance(outcome, layouts.Outcome), outcome
  return outcome


def assert_same(weights, reference):
  assert weights.keys() == reference.keys()
  for name, want in reference.items():
    size = max(1, np.abs(want).max())
    assert np.abs(weights[name] - want).max() <= TOLERANCE * size, name


NAMES = [layout.name for layout in checks.EVERY]


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_those_of_one_process(name, found):
  weights = outcome_of(found, name).weights
  start, end = (found["reference"][step] for step in (0, checks.STEPS))
  moved = layouts.largest_difference(weights, start)
  assert math.isfinite(moved) and moved > 1e-2
  if name not in ASYNCHRONOUS:
    assert_same(weights, end)


@pytest.mark.parametrize("name", NAMES)
def test_fused_ops_run_on_every_worker(name, found):
  devices = {*outcome_of(found, name).devices}
  assert sorted(devices) == DEVICES[name.partition("-")[0]]


def test_a_killed_worker_and_a_killed_chief_go_on_from_the_checkpoint(found):
  outcome = outcome_of(found, "cluster-killed")
  chief, worker = Task("worker", 0), Task("worker", 1)
  kills = layouts.steps_of_kills(checks.STEPS)
  assert kills[worker] < kills[chief] < checks.STEPS - 1
  assert outcome.killed == [worker, chief]
  # The servers keep the weights when a worker dies. A new chief restores those
  # of the last checkpoint, and the steps from there run again. There are none
  # where the chief's session began anew when the worker died: its checkpoints
  # are then at steps 5 and 8.
  runs = [outcome.steps.count(step) for step in range(checks.STEPS)]
  first = runs.index(2) if 2 in runs else kills[chief]
  assert 0 < first <= kills[chief]
  again = [2 if first <= s < kills[chief] else 1 for s in range(checks.STEPS)]
  assert runs == again


def test_a_layout_goes_on_from_the_checkpoint_of_another(found):
  assert [*found["chain"]] == [*checks.CHAIN]
  for name, steps in checks.CHAIN.items():
    assert_same(found["chain"][name], found["reference"][steps])


def test_a_taken_port_is_not_an_error(found):
  outcome, chosen = found["taken port"]
  assert len(chosen) == 2
  assert_same(outcome.weights, found["reference"][checks.STEPS])


def test_what_goes_wrong_in_a_process_is_told(found):
  failed, late = found["errors"]
  assert re.match("process 0: .*ValueError: as it should", failed, re.S)
  assert late == "time is over, and these have not ended: process 0"


def test_the_table(found):
  rows = {row[0]: row[1:] for row in found["rows"]}
  assert [*rows] == [*found["outcomes"]]
  assert rows["one-process"] == [
    "1",
    rows["one-process"][1],
    "0.0e+00",
    "CPU:0",
    "",
  ]
  assert rows["mirrored-loop"][3] == "CPU:0, CPU:1"
  assert rows["servers-loop"][3] == "worker 0, worker 1"
  for _, accuracy, difference, _, _ in rows.values():
    assert 0.5 < float(accuracy) <= 1 and float(difference) < 1
  again = len(outcome_of(found, "cluster-killed").steps) - checks.STEPS
  assert rows["cluster-killed"][4] == (
    "worker 1 killed at step 5, worker 0 killed at step 8; "
    f"steps that ran again: {again}"
  )


def wait_for(is_true, seconds=120):
  end = time.monotonic() + seconds
  while not is_true():
    assert time.monotonic() < end
    time.sleep(0.05)


def is_running(group):
  """Whether a group has a process that has not ended, as /proc tells."""
  for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
    try:
      # After the name in parentheses: state, parent, group.
      state, _, number = path.read_text().rpartition(")")[2].split()[:3]
    except (FileNotFoundError, ProcessLookupError):
      continue
    if int(number) == group and state != "Z":
      return True
  return False


@pytest.mark.long  # it imports TensorFlow again
def test_ctrl_c_ends_all_processes(tmp_path):
  program = checks.EXAMPLE / "distributed.py"
  folder = tmp_path / "checkpoints"
  arguments = "--layouts one-process --steps 10000000 --save-to".split()
  process = subprocess.Popen(
    [sys.executable, program, *arguments, folder],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
    start_new_session=True,
    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
  )
  wait_for(folder.exists)
  os.killpg(process.pid, signal.SIGINT)  # as a terminal does
  printed, complaints = process.communicate(timeout=60)
  assert (process.returncode, printed) == (130, "interrupted\n"), complaints
  assert "Traceback" not in complaints
  wait_for(lambda: not is_running(process.pid))
