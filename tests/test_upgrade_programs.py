"""Whole programs of TensorFlow 1, upgraded: they run, with old checkpoints.

upgrade_programs/record.py recorded the checkpoints and outputs with
TensorFlow 1.15.
"""

import pathlib
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
from upgrade_programs import record

from tf_contrib_rnn import command

HERE = pathlib.Path(__file__).parent / "upgrade_programs"
# float32 of other kernels: the order of sums differs.
TOLERANCE = 2e-6


@pytest.mark.parametrize("name", record.PROGRAMS)
def test_upgraded_program_continues_its_checkpoint(name, tmp_path):
  folder = tmp_path / "program"
  shutil.copytree(HERE / name / "program", folder)
  before = read_all(folder)
  assert upgrade(folder) == 0, "something is left to do"
  upgraded = read_all(folder)
  assert upgraded != before
  assert upgrade(folder) == 0
  assert read_all(folder) == upgraded, "a second upgrade changed something"

  checkpoint = HERE / name / "recorded" / "model"
  outputs = tmp_path / "outputs.npz"
  done = record.PROGRAMS[name].run(
    [sys.executable], folder, "restore", checkpoint, outputs
  )
  assert done.returncode == 0, done.stdout[-5000:]
  # Saver restores all variables of the graph or fails: none is left out if the
  # graph has those of the checkpoint.
  results = load(outputs)
  in_checkpoint = [v for v, _ in tf.train.list_variables(checkpoint)]
  assert sorted(results.pop("names")) == sorted(in_checkpoint)
  assert_equal(results, load(checkpoint.with_name("outputs.npz")))


def upgrade(folder):
  return command.main(["upgrade", str(folder), "--write"])


def read_all(folder):
  return {
    path.relative_to(folder): path.read_bytes()
    for path in folder.rglob("*")
    if path.is_file()
  }


def load(path):
  with np.load(path) as arrays:
    return dict(arrays)


def assert_equal(got, want):
  assert got.keys() == want.keys()
  for key in got:
    assert got[key].shape == want[key].shape, key
    np.testing.assert_allclose(
      got[key], want[key], rtol=TOLERANCE, atol=TOLERANCE, err_msg=key
    )
