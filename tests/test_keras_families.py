"""The other Keras, and the other backends of Keras 3, in their own processes.

The tests of test_keras_*.py run with whatever Keras there is.
"""

import importlib.util
import os
import subprocess
import sys

import helpers
import keras_helpers
import pytest

import tf_contrib_rnn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEHAVIOUR = ["tests/test_keras_layers.py", "tests/test_keras_saving.py"]
EQUALITY = "tests/test_keras_equality.py"
FUSED = "tests/test_keras_fused.py"
SRU = "tests/test_keras_sru.py"
MIGRATION = ["tests/test_keras_weights.py", "tests/test_keras_lite.py"]
# JAX compiles for every shape anew, which takes long.
OF_JAX = """
test_keras_equality and (test_cell or gradients and True-holes)
or test_keras_sru and (test_cell or masked_steps and holes or one_result)
or (test_keras_layers or test_keras_saving) and (config or IndyGRU-before)
"""


@pytest.fixture(name="run_tests")
def fixture_run_tests(pytestconfig):
  """Runs the tests of some files in a process with another environment."""
  which = ["--all"]
  if not pytestconfig.option.all:  # the layer with most weights and states
    which = ["--one-value", "-k", "not IndRNN and not IndyGRU"]
  command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

  def run_tests(files, *arguments, **environment):
    done = subprocess.run(
      [*command, *files, *which, "-W", "ignore", *arguments],
      cwd=ROOT,
      env={**os.environ, **environment},
      text=True,
      capture_output=True,
      check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]

  return run_tests


def skip_without(package):
  if importlib.util.find_spec(package) is None:
    pytest.skip(f"{package} is not installed")


only_from_keras_3 = pytest.mark.skipif(
  not keras_helpers.IS_KERAS_3 or not keras_helpers.RUNS_TENSORFLOW,
  reason="starts from Keras 3 on TensorFlow",
)


@only_from_keras_3
@pytest.mark.parametrize(
  "files",
  [
    [EQUALITY, FUSED, SRU],
    BEHAVIOUR,
    pytest.param(MIGRATION, marks=pytest.mark.long),
  ],
  ids=["results", "behaviour", "migration"],
)
def test_tf_keras(files, run_tests):
  skip_without("tf_keras")
  run_tests(files, TF_USE_LEGACY_KERAS="1")


@only_from_keras_3
def test_torch(run_tests):
  skip_without("torch")
  run_tests([EQUALITY, SRU, *BEHAVIOUR], KERAS_BACKEND="torch")


@only_from_keras_3
def test_jax(run_tests):
  skip_without("jax")
  run_tests(
    [EQUALITY, SRU, *BEHAVIOUR],
    "-k",
    OF_JAX.replace("\n", " "),
    KERAS_BACKEND="jax",
  )


@only_from_keras_3
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_tensorflow_is_not_needed(backend):
  skip_without(backend)
  helpers.run_fresh_script(
    """
    import sys, types
    sys.modules["tensorflow"] = None  # an import of it fails
    package = types.ModuleType("tf_contrib_rnn")  # which imports it today
    package.__path__ = sys.argv[1:]
    sys.modules["tf_contrib_rnn"] = package
    import numpy as np
    from tf_contrib_rnn.keras import IndyGRU
    assert tuple(IndyGRU(3)(np.ones([2, 4, 5])).shape) == (2, 3)
    """,
    os.path.dirname(tf_contrib_rnn.__file__),
    KERAS_BACKEND=backend,
  )
