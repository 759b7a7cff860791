"""The names of tf.contrib.rnn."""

import importlib
import os
import re

import helpers
import pytest
import tensorflow as tf
from tensorflow.python.ops import rnn_cell_impl

import tf_contrib_rnn

ALIASES = """BasicLSTMCell BasicRNNCell DeviceWrapper DropoutWrapper GRUCell
LSTMCell LSTMStateTuple MultiRNNCell RNNCell ResidualWrapper static_rnn
static_bidirectional_rnn static_state_saving_rnn LayerRNNCell
best_effort_input_batch_size transpose_batch_time""".split()

OWN = """AttentionCellWrapper BidirectionalGridLSTMCell CompiledWrapper
Conv1DLSTMCell Conv2DLSTMCell Conv3DLSTMCell ConvLSTMCell
CoupledInputForgetGateLSTMCell EmbeddingWrapper FusedRNNCell
FusedRNNCellAdaptor GLSTMCell GRUBlockCell GRUBlockCellV2 GridLSTMCell
HighwayWrapper IndRNNCell IndyGRUCell IndyLSTMCell
InputProjectionWrapper IntersectionRNNCell LSTMBlockCell
LSTMBlockFusedCell LSTMBlockWrapper LayerNormBasicLSTMCell NASCell
OutputProjectionWrapper PhasedLSTMCell SRUCell TimeFreqLSTMCell
TimeReversedFusedRNN UGRNNCell stack_bidirectional_dynamic_rnn
stack_bidirectional_rnn""".split()

# Of tf.nn, but they run these cells over whole sequences.
OF_TF_NN = ["bidirectional_dynamic_rnn", "dynamic_rnn"]

NEW = """IndyBasicLSTMCell RecurrentBound fused_ops_available
gradient_in_chunks implementation""".split()

SUBMODULES = "flax jax keras linear migrate recurrence".split()


def test_there_are_50_names_and_each_is_in_the_table():
  assert len({*ALIASES, *OWN}) == 50
  path = os.path.join(os.path.dirname(__file__), "..", "docs", "names.md")
  with open(path, encoding="utf-8") as file:
    rows = re.findall(r"^\| ((?:`\w+`,? ?)+)\|", file.read(), re.M)
  assert sorted(re.findall(r"\w+", " ".join(rows))) == sorted(ALIASES + OWN)


@pytest.mark.parametrize("name", ALIASES + OWN + OF_TF_NN)
def test_name_is_here(name):
  assert callable(getattr(tf_contrib_rnn, name))
  assert name in tf_contrib_rnn.__all__


def test_unknown_name_is_an_ordinary_error():
  with pytest.raises(AttributeError, match="has no attribute 'NoSuchCell'"):
    _ = tf_contrib_rnn.NoSuchCell
  with pytest.raises(ImportError, match="cannot import name 'NoSuchCell'"):
    exec("from tf_contrib_rnn import NoSuchCell")


def test_dir_shows_the_public_names_and_submodules_and_no_others():
  importlib.import_module("tf_contrib_rnn.cells")  # is in the module then
  assert hasattr(tf_contrib_rnn, "cells")
  assert sorted(dir(tf_contrib_rnn)) == sorted(
    {*ALIASES, *OWN, *OF_TF_NN, *NEW, *SUBMODULES, "__version__"}
  )
  assert sorted(tf_contrib_rnn.__all__) == sorted(
    {*dir(tf_contrib_rnn)} - {*SUBMODULES}
  )


def test_what_dir_shows_is_there():
  for name in dir(tf_contrib_rnn):
    if name not in ("flax", "jax"):  # which may not be installed
      getattr(tf_contrib_rnn, name)


def test_submodules_are_imported_with_their_first_use():
  printed = helpers.run_fresh_script(
    """
    import sys
    import tf_contrib_rnn
    print(tf_contrib_rnn.migrate.read_weights.__name__)
    assert "tensorflow" not in sys.modules
    sys.modules["flax"] = None  # as if it were not installed
    try:
      tf_contrib_rnn.flax
    except AttributeError as error:
      print(error)
    assert not hasattr(tf_contrib_rnn, "flax")
    print(tf_contrib_rnn.keras.IndRNN.__name__)
    """
  )
  assert "read_weights\n" in printed and "IndRNN\n" in printed
  assert "tf_contrib_rnn.flax can't be imported: " in printed


def test_basic_lstm_is_an_alias():
  assert tf_contrib_rnn.IndyBasicLSTMCell is tf_contrib_rnn.IndyLSTMCell


def test_classes_are_those_that_dynamic_rnn_uses():
  assert tf_contrib_rnn.MultiRNNCell is rnn_cell_impl.MultiRNNCell
  assert issubclass(tf_contrib_rnn.IndyGRUCell, rnn_cell_impl.LayerRNNCell)


def run_cell(cell):
  inputs = tf.ones([2, 3])
  output, _ = cell(inputs, cell.zero_state(2, tf.float32))
  return output.shape.as_list()


@pytest.mark.parametrize(
  "name", ["BasicLSTMCell", "BasicRNNCell", "GRUCell", "LSTMCell"]
)
def test_alias_cells_work(name):
  with tf.Graph().as_default():
    assert run_cell(getattr(tf_contrib_rnn, name)(4)) == [2, 4]


def test_alias_functions_work():
  with tf.Graph().as_default():
    cell = tf_contrib_rnn.IndRNNCell(4)
    inputs = [tf.ones([2, 3])] * 5
    outputs, _ = tf_contrib_rnn.static_rnn(cell, inputs, dtype=tf.float32)
    assert len(outputs) == 5
    outputs, _, _ = tf_contrib_rnn.static_bidirectional_rnn(
      tf_contrib_rnn.IndRNNCell(4),
      tf_contrib_rnn.IndRNNCell(4),
      inputs,
      dtype=tf.float32,
    )
    assert outputs[0].shape == [2, 8]
    turned = tf_contrib_rnn.transpose_batch_time(tf.ones([2, 5, 3]))
    assert turned.shape == [5, 2, 3]
    assert (
      tf_contrib_rnn.best_effort_input_batch_size([tf.ones([5, 2, 3])]) == 2
    )


def test_import_changes_nothing_of_tensorflow():
  printed = helpers.run_fresh_script(
    "import tensorflow as tf\n"
    "before = hasattr(tf.compat.v1.nn.rnn_cell, 'GRUCell')\n"
    "import tf_contrib_rnn\n"
    "print(before is hasattr(tf.compat.v1.nn.rnn_cell, 'GRUCell'))\n"
  )
  assert printed.splitlines()[-1] == "True"
