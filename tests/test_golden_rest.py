"""What TensorFlow 1.15 recorded of the other names of tf.contrib.rnn.

`golden_rest/scenario_rest.py` built each scenario on TensorFlow 1.15. Here it
builds the same, and compares variables, outputs, states, gradients, errors and
signatures.
"""

import os

import helpers
import pytest

FOLDER = os.path.join(os.path.dirname(__file__), "golden_rest")
NAMES = sorted(
  name
  for name in os.listdir(FOLDER)
  if os.path.exists(os.path.join(FOLDER, name, "meta.json"))
)


def check(*arguments):
  return helpers.run_script(
    "import runpy, sys; sys.argv = sys.argv[1:];"
    "runpy.run_path(sys.argv[0], run_name='__main__')",
    os.path.join(FOLDER, "scenario_rest.py"),
    "--check",
    FOLDER,
    *arguments,
  )


@pytest.mark.parametrize(
  "rnn_from", [pytest.param("tf", marks=pytest.mark.long), "contrib"]
)
def test_every_scenario(rnn_from):
  printed = check("--rnn-from", rnn_from)
  assert printed.splitlines()[-1] == "91 passed, 0 failed, 0 missing"


def test_wrong_weights_are_noticed():
  with pytest.raises(AssertionError, match="failed"):
    check("--perturb", "--only", "ugrnn")
