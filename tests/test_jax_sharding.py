"""The recurrences and layers on sharded arrays: nothing is gathered, and what
comes out is what one device computes. jax_sharding_run.py runs the programs."""

import collections
import json
import os
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("flax", reason="flax is not installed")

PROGRAM = pathlib.Path(__file__).with_name("jax_sharding_run.py")
TOLERANCE = 1e-6
# What moves all of an array to every device, or parts it anew.
GATHERS = {"all-gather", "all-to-all"}
CELLS = ("ind_rnn", "indy_gru", "indy_lstm", "sru")


def run_program(which):
  """Returns what the programs did: a list for each name and partitioner."""
  flags = os.environ.get("XLA_FLAGS", "")
  env = dict(
    os.environ,
    XLA_FLAGS=f"{flags} --xla_force_host_platform_device_count=8",
    JAX_PLATFORMS="cpu",
    # Each program would be kept there, and none found again.
    JAX_ENABLE_COMPILATION_CACHE="0",
  )
  done = subprocess.run(
    [sys.executable, str(PROGRAM), which],
    env=env,
    text=True,
    capture_output=True,
    check=False,
  )
  assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-5000:]
  lines = collections.defaultdict(list)
  for text in done.stdout.splitlines():
    line = json.loads(text)
    lines[line["name"], line["partitioner"]].append(line)
  return lines


@pytest.fixture(scope="module", name="programs")
def fixture_programs():
  return run_program("usual")


def find(programs, name, partitioner="shardy"):
  (line,) = programs[name, partitioner]
  assert line["difference"] <= TOLERANCE
  return line


def assert_split(line):
  assert line["difference"] <= TOLERANCE, line
  assert not GATHERS & {*line["collectives"]}, line


def of_cells(programs):
  return [
    line
    for (name, _), lines in programs.items()
    for line in lines
    if name.startswith(CELLS)
  ]


def test_nothing_is_gathered(programs):
  """Results and gradients, by either partitioner; the results bit by bit."""
  lines = of_cells(programs)
  assert len(lines) == 13
  assert {line["partitioner"] for line in lines} == {"shardy", "gspmd"}
  for line in lines:
    assert_split(line)
    assert line["forward"] == 0
    # What was sharded stays so.
    outputs = line["shardings"][0]
    for axis, word in (("data", "batch"), ("model", "units")):
      if word in line["name"] or "both" in line["name"]:
        assert axis in outputs, line


def test_without_partitioning_arrays_are_gathered(programs):
  """The detector sees what a call does that XLA can't split."""
  for name in ("unsplit, batch", "unsplit, units"):
    assert find(programs, name)["collectives"]["all-gather"] >= 3


def test_cache_of_programs_tells_calls_apart(programs):
  """Those that differ in their attributes alone."""
  (keys,) = programs["keys", "shardy"]
  assert keys["is_same"]
  assert keys["is_other"]


def test_split_batch_is_summed_alone(programs):
  for name in ("indy_gru, batch", "sru, batch"):
    collectives = find(programs, name)["collectives"]
    assert {*collectives} == {"all-reduce"}


def test_units_of_one_gate_need_nothing(programs):
  assert find(programs, "ind_rnn, units")["collectives"] == {}


def test_units_of_several_gates_are_exchanged(programs):
  """Of inputs, forward and back, and of their gradient: a piece each gate."""
  line = find(programs, "indy_gru, all devices")
  assert line["collectives"]["collective-permute"] <= 4 * 3
  line = find(programs, "indy_lstm, both, weights whole")
  assert line["collectives"]["collective-permute"] <= 4 * 4
  # With the gates as an axis, in shard_map, there is nothing to exchange.
  line = find(programs, "shard_map")
  assert {*line["collectives"]} == {"all-reduce"}


@pytest.mark.parametrize(
  "name", ["forward mode", "in a loop", "twice, batch", "vmap", "explicit"]
)
def test_transformations(programs, name):
  assert_split(find(programs, name))


def test_compositions_are_split_too(programs):
  """As where there is no library."""
  assert_split(find(programs, "composed"))


@pytest.mark.parametrize("name", ["time", "uneven"])
def test_what_is_not_split_is_right(programs, name):
  assert "all-gather" in find(programs, name)["collectives"]


def test_export(programs):
  assert "all-gather" in find(programs, "exported")["collectives"]
  assert_split(find(programs, "shard_map, exported"))


def of_layers(programs):
  return [
    line
    for (name, _), lines in programs.items()
    for line in lines
    if name.startswith(("linen", "nnx"))
  ]


def test_layers_train_a_step(programs):
  lines = of_layers(programs)
  assert len(lines) == 6
  for line in lines:
    assert_split(line)
    assert all("model" in sharding for sharding in line["shardings"])


@pytest.mark.long
def test_every_layout():
  programs = run_program("all")
  lines = of_cells(programs)
  assert len(lines) == 2 * 4 * 6 * 2 * 2
  for line in lines:
    assert_split(line)
    assert line["forward"] == 0
  lines = of_layers(programs)
  assert len(lines) == 2 * (4 + 4 + 4)
  for line in lines:
    assert_split(line)
