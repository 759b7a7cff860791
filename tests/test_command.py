"""The command line of what reads checkpoints; upgrade's is tested beside it."""

import json

import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import command
from tf_contrib_rnn import migrate


@pytest.fixture(name="prefix")
def fixture_prefix(tmp_path):
  """The path of a checkpoint of an IndRNNCell."""
  variables = {
    "rnn/ind_rnn_cell/kernel_w": np.ones([3, 4], "float32"),
    "rnn/ind_rnn_cell/kernel_u": np.ones([1, 4], "float32"),
    "rnn/ind_rnn_cell/bias": np.zeros([4], "float32"),
  }
  return migrate.write_checkpoint(variables, tmp_path / "model.ckpt")


def run(*arguments):
  return command.main([*map(str, arguments)])


def test_checkpoint(prefix, capsys):
  assert run("checkpoint", prefix) == 0
  assert "IndRNNCell" in capsys.readouterr().out
  assert run("checkpoint", prefix, "--json") == 0
  found = json.loads(capsys.readouterr().out)
  assert found["cells"][0]["units"] == 4


def test_a_path_without_a_checkpoint(tmp_path, capsys):
  assert run("checkpoint", tmp_path / "none") == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith("tf-contrib-rnn checkpoint: ") and "none" in line


def test_diff(prefix, tmp_path, capsys):
  other = migrate.write_checkpoint(
    {"rnn/ind_rnn_cell/bias": np.zeros([5])}, tmp_path / "other.ckpt"
  )
  assert run("checkpoint", prefix, "--diff", prefix) == 0
  assert run("checkpoint", prefix, "--diff", other) == 1
  assert "kernel_u" in capsys.readouterr().out
  with pytest.raises(SystemExit) as error:
    run("checkpoint", prefix, "--diff", other, "--json")
  assert error.value.code == 2


AGAINST = """
import contextlib, os, sys
from tf_contrib_rnn import command
prefix, folder = sys.argv[1:]
os.chdir(folder)
sys.argv = arguments = ["program", "--some"]
def run(function):
  with contextlib.redirect_stderr(sys.stdout):
    return command.main(["checkpoint", prefix, "--against", function])
assert run("model_of_a_test:build") == 0
assert sys.argv is arguments
assert run("model_of_a_test:none") == 2
"""


def test_against_a_function_of_the_folder(prefix, tmp_path):
  (tmp_path / "model_of_a_test.py").write_text(
    "import sys\nimport tensorflow.compat.v1 as tf\nimport tf_contrib_rnn\n"
    "assert not sys.argv[1:]\n"
    "def build():\n  x = tf.placeholder(tf.float32, [2, 5, 3])\n"
    "  cell = tf_contrib_rnn.IndRNNCell(4)\n"
    "  tf.layers.flatten(x)\n"  # TensorFlow has no tf.layers with Keras 3
    "  tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)\n"
  )
  # A process of its own: TensorFlow 1's behaviour would stay on in this one.
  printed = helpers.run_script(AGAINST, prefix, tmp_path)
  assert "'model_of_a_test:none'" in printed


def test_checkpoints_that_are_not_there_are_named(prefix, tmp_path, capsys):
  nothing = str(tmp_path / "nothing")
  for arguments in [nothing], [prefix, "--diff", nothing]:
    assert run("checkpoint", *arguments) == 2
    error = capsys.readouterr().err
    assert f"there is no checkpoint {nothing!r}" in error
    assert "TensorSlice" not in error
  assert run("convert", nothing, "--to", "npz") == 2
  assert f"there is no checkpoint {nothing!r}" in capsys.readouterr().err


def test_convert_refuses_what_is_there(prefix, tmp_path, capsys):
  assert run("convert", prefix, "--to", "npz") == 0
  path = capsys.readouterr().out.strip()
  assert np.load(path)["rnn/ind_rnn_cell/kernel_w"].shape == (3, 4)
  assert run("convert", prefix, "--to", "npz") == 2
  assert path in capsys.readouterr().err
  assert run("convert", prefix, "--to", "npz", "--overwrite") == 0
  output = tmp_path / "back.ckpt"
  assert run("convert", path, "--to", "tf1", "--output", output) == 0
  assert migrate.read_weights("IndRNNCell", output).units == 4


def test_without_a_command_it_says_what_there_is(capsys):
  assert run() == 0
  printed = capsys.readouterr().out
  assert f"tf_contrib_rnn {tf_contrib_rnn.__version__}\n" in printed
  assert f"TensorFlow {tf.__version__}" in printed
  fused = tf_contrib_rnn.fused_ops_available()
  assert f"fused in TensorFlow: {'yes' if fused else 'no, '}" in printed
