"""What TensorFlow 1.15 recorded, checked with either implementation.

`golden/scenario.py` built each scenario on TensorFlow 1.15 and wrote what its
cells did. Here it builds the same from the same description, restores the
checkpoint, and compares variables, outputs, final states and gradients.
"""

import os
import sys

import helpers
import pytest

import tf_contrib_rnn

FOLDER = os.path.join(os.path.dirname(__file__), "golden")
sys.path.append(FOLDER)

import scenario  # noqa: E402

NAMES = sorted(
  name
  for name in os.listdir(FOLDER)
  if os.path.exists(os.path.join(FOLDER, name, "meta.json"))
)
IMPLEMENTATIONS = ("fused", "composed")


def tolerance(name):
  """Of a relative error in the Euclidean norm."""
  return 1e-12 if "float64" in name else 5e-3 if "float16" in name else 2e-6


def test_all_recorded_scenarios_are_here():
  assert len(NAMES) == 25


# Whether dynamic_rnn and its relatives are TensorFlow's or this package's.
with_functions = pytest.mark.parametrize("rnn_from", ["tf", "contrib"])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@with_functions
@pytest.mark.parametrize("name", NAMES)
def test_scenario_with_tensorflow_2_behavior(name, rnn_from, implementation):
  path = os.path.join(FOLDER, name)
  with tf_contrib_rnn.implementation(implementation):
    assert scenario.check_one(path, rnn_from, tolerance(name)) == []


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@with_functions
def test_scenarios_with_tensorflow_1_behavior(rnn_from, implementation):
  printed = helpers.run_script(
    "import runpy, sys; sys.argv = sys.argv[1:];"
    "runpy.run_path(sys.argv[0], run_name='__main__')",
    os.path.join(FOLDER, "scenario.py"),
    "--check",
    FOLDER,
    "--rnn-from",
    rnn_from,
    TF_CONTRIB_RNN_IMPLEMENTATION=implementation,
  )
  assert printed.splitlines()[-1] == "25 passed, 0 failed"


def test_a_wrong_number_is_noticed(tmp_path):
  import shutil

  import numpy as np

  path = tmp_path / "step_gru"
  shutil.copytree(os.path.join(FOLDER, "step_gru"), path)
  golden = dict(np.load(path / "golden.npz"))
  golden["y0"] = golden["y0"] + 1e-4
  np.savez(path / "golden.npz", **golden)
  assert scenario.check_one(str(path), "tf", 2e-6) != []
