"""What users read runs: the examples of docstrings and README, the program."""

import doctest
import importlib
import os
import re
import subprocess
import sys

import helpers
import pytest

import tf_contrib_rnn
from tf_contrib_rnn import _composed
from tf_contrib_rnn import _fused
from tf_contrib_rnn import _implementation
from tf_contrib_rnn import _library
from tf_contrib_rnn import _sequences
from tf_contrib_rnn import _whole
from tf_contrib_rnn import bound
from tf_contrib_rnn import cells
from tf_contrib_rnn import core
from tf_contrib_rnn import keras
from tf_contrib_rnn import recurrence
from tf_contrib_rnn import rnn
from tf_contrib_rnn.keras import cells as keras_cells
from tf_contrib_rnn.keras import layers as keras_layers

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MODULES = [
  _composed,
  _fused,
  _implementation,
  _library,
  _sequences,
  _whole,
  bound,
  cells,
  core,
  keras_cells,
  keras_layers,
  recurrence,
  rnn,
]
DIGITS = os.path.join(ROOT, "examples", "legacy_digits", "legacy_digits.py")


# What a document or module needs that may not be installed.
NEEDS = {"docs/flax.md": "flax", "docs/jax.md": "jax"}


def skip_without(name):
  if name:
    pytest.importorskip(name, reason=f"{name} is not installed")


def assert_examples_run(module):
  printed = helpers.run_script(
    f"import doctest, {module} as module\n"
    "print(doctest.testmod(module).failed)"
  )
  assert printed.splitlines()[-1] == "0", printed


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_docstrings(module):
  assert_examples_run(module.__name__)


@pytest.mark.parametrize("module", ["cells", "layers", "weights"])
@pytest.mark.parametrize("package", ["flax", "flax.nnx"])
def test_docstrings_of_flax(package, module):
  skip_without("flax")
  assert_examples_run(f"tf_contrib_rnn.{package}.{module}")


@pytest.mark.parametrize("package", ["flax", "flax.nnx"])
def test_everything_for_flax_has_an_example(package):
  skip_without("flax")
  package = importlib.import_module(f"tf_contrib_rnn.{package}")
  for name in package.__all__:
    tests = doctest.DocTestFinder().find(getattr(package, name), name)
    assert any(test.examples for test in tests), name


def test_every_public_class_and_function_has_an_example():
  finder = doctest.DocTestFinder()
  for name in (
    "IndRNNCell",
    "IndyGRUCell",
    "IndyLSTMCell",
    "RecurrentBound",
    "implementation",
    "fused_ops_available",
    "dynamic_rnn",
    "bidirectional_dynamic_rnn",
    "static_rnn",
    "stack_bidirectional_dynamic_rnn",
  ):
    tests = finder.find(getattr(tf_contrib_rnn, name), name)
    assert any(test.examples for test in tests), name
  for name in keras.__all__:
    tests = finder.find(getattr(keras, name), name)
    assert any(test.examples for test in tests), name


@pytest.mark.parametrize(
  "document",
  [
    "README.md",
    "docs/adding_problem.md",
    "docs/export.md",
    "docs/flax.md",
    "docs/gpu.md",
    "docs/jax.md",
    "docs/keras.md",
  ],
)
def test_programs_in_documents(document, tmp_path, monkeypatch):
  skip_without(NEEDS.get(document))
  monkeypatch.chdir(tmp_path)  # some write files
  with open(os.path.join(ROOT, document), encoding="utf-8") as file:
    programs = re.findall(r"```python\n(.*?)```", file.read(), re.S)
  assert programs
  for program in programs:
    helpers.run_script(program)


def run_digits(*arguments):
  result = subprocess.run(
    [sys.executable, DIGITS, *arguments],
    capture_output=True,
    text=True,
    check=False,
  )
  assert result.returncode == 0, result.stderr
  return result.stdout


def test_digits_restores_the_checkpoint():
  printed = run_digits("eval")
  assert "test accuracy:       0.966667\n" in printed
  assert "fused ops" in printed
  difference = re.search(r"recorded: (\S+) ", printed).group(1)
  assert float(difference) < 1e-4


def test_digits_trains_saves_and_restores(tmp_path):
  checkpoint = str(tmp_path / "model.ckpt")
  printed = run_digits("train", "--epochs", "2", "--save-to", checkpoint)
  assert float(re.search(r"loss of the last: (\S+)", printed).group(1)) < 2
  printed = run_digits("eval", "--checkpoint", checkpoint)
  assert float(re.search(r"accuracy: +(\S+)", printed).group(1)) > 0.3
