"""What users read runs: the examples of docstrings and README, the program.

Each in a process of its own: names of variables count up in one process.
"""

import doctest
import glob
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
from importlib.util import find_spec

import helpers
import keras_helpers
import pytest

import tf_contrib_rnn
from tf_contrib_rnn import keras

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIGITS = os.path.join(ROOT, "examples", "legacy_digits", "legacy_digits.py")


def list_modules():
  """The names of all modules that have an example in some docstring."""
  package = pathlib.Path(tf_contrib_rnn.__file__).parent
  for path in sorted(package.rglob("*.py")):
    if ">>> " in path.read_text("utf-8"):
      yield ".".join(path.relative_to(package.parent).with_suffix("").parts)


def read_programs(document):
  with open(os.path.join(ROOT, document), encoding="utf-8") as file:
    return re.findall(r"```python\n(.*?)```", file.read(), re.S)


def list_documents():
  paths = glob.glob(os.path.join(ROOT, "**", "*.md"), recursive=True)
  names = sorted(os.path.relpath(path, ROOT) for path in paths)
  return [n for n in names if n[0] != "." and read_programs(n)]


# What a document or module needs that may not be installed.
NEEDS = {
  "docs/flax.md": "flax",
  "docs/jax.md": "jax",
  "docs/long_sequences.md": "flax",
}


CONVERT_TO_LITE = ("docs/export.md", "tf_contrib_rnn.keras._lite")


def skip_without(name):
  if name:
    pytest.importorskip(name, reason=f"{name} is not installed")


def skip_where_lite_aborts(name):
  if name in CONVERT_TO_LITE and keras_helpers.LITE_ABORTS:
    pytest.skip(keras_helpers.LITE_ABORTS)


@pytest.mark.parametrize("module", list_modules())
def test_docstrings(module):
  for framework in ("flax", "jax"):
    if f".{framework}" in module:
      skip_without(framework)
  skip_where_lite_aborts(module)
  printed = helpers.run_script(
    f"import doctest, {module} as module\n"
    "found = doctest.testmod(module)\n"
    "print(found.attempted, found.failed)"
  )
  attempted, failed = map(int, printed.splitlines()[-1].split())
  assert attempted and not failed, printed


def test_the_list_of_modules_is_whole():
  assert {
    "tf_contrib_rnn.cells.independent",
    "tf_contrib_rnn.migrate.weights",
    "tf_contrib_rnn.jax.recurrence",
    "tf_contrib_rnn.flax.nnx.layers",
    "tf_contrib_rnn.keras.layers",
  } <= {*list_modules()}
  assert {"README.md", "docs/keras.md", "docs/jax.md"} <= {*list_documents()}


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
    "gradient_in_chunks",
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


@pytest.mark.parametrize("document", list_documents())
def test_programs_in_documents(document, tmp_path, monkeypatch):
  skip_without(NEEDS.get(document))
  skip_where_lite_aborts(document)
  monkeypatch.chdir(tmp_path)  # some write files
  for program in read_programs(document):
    helpers.run_script(program)


# What pyright holds against right programs.
TYPE_CHECKER_OFF = {
  "reportMissingImports": False,  # TensorFlow makes modules when imported
  "reportMissingModuleSource": False,
  "reportPossiblyUnboundVariable": False,  # a loop may have no steps
}
# NumPy's types take the arrays of `savez("file", **arrays)` for this argument.
NOT_OURS = 'parameter "allow_pickle" of type "bool" in function "savez'


def test_a_type_checker_finds_no_error_in_the_programs(tmp_path):
  if not find_spec("jax"):
    pytest.skip("jax is not installed, which some of the programs import")
  for document in list_documents():
    for i, program in enumerate(read_programs(document)):
      name = f"{document.replace('/', '_').removesuffix('.md')}_{i}.py"
      (tmp_path / name).write_text(program, "utf-8")
  settings = {"include": ["."], "extraPaths": [ROOT], **TYPE_CHECKER_OFF}
  path = tmp_path / "pyrightconfig.json"
  path.write_text(json.dumps(settings), "utf-8")
  done = subprocess.run(
    [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath"]
    + [sys.executable, "--project", path],
    capture_output=True,
    text=True,
    check=False,
  )
  found = json.loads(done.stdout)
  assert found["summary"]["filesAnalyzed"] == len([*tmp_path.glob("*.py")])
  complaints = [
    f"{pathlib.Path(one['file']).name}: {one['message']}"
    for one in found["generalDiagnostics"]
    if one["severity"] == "error" and NOT_OURS not in one["message"]
  ]
  assert not complaints, "\n".join(complaints)


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
