"""Checkpoints and SavedModels: saved here, saved by TensorFlow 1.15, saved
with one implementation and run with the other."""

import os
import re

import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn

v1 = tf.compat.v1
GOLDEN = os.path.join(os.path.dirname(__file__), "golden")
CELLS = {
  "rnn": tf_contrib_rnn.IndRNNCell,
  "gru": tf_contrib_rnn.IndyGRUCell,
  "lstm": tf_contrib_rnn.IndyLSTMCell,
}
INPUTS = np.random.RandomState(0).uniform(-1, 1, [2, 6, 3]).astype("f")


def build(cell_class, units=4, **options):
  """A graph's placeholder and outputs."""
  inputs = v1.placeholder(tf.float32, [None, None, 3], name="inputs")
  outputs, _ = v1.nn.dynamic_rnn(
    cell_class(units, **options), inputs, dtype=tf.float32
  )
  return inputs, outputs


def train_and_save(cell_class, path):
  """Trains a little; returns the outputs that the checkpoint stands for."""
  with tf.Graph().as_default(), v1.Session() as session:
    inputs, outputs = build(cell_class)
    loss = tf.reduce_mean(tf.square(outputs - 0.5))
    train = v1.train.AdamOptimizer(0.1).minimize(loss)
    session.run(v1.global_variables_initializer())
    losses = [session.run([loss, train], {inputs: INPUTS})[0] for _ in range(5)]
    assert losses[-1] < losses[0]
    v1.train.Saver().save(session, path)
    return session.run(outputs, {inputs: INPUTS})


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_saved_here_restores_here(kind, implementation, tmp_path):
  path = str(tmp_path / "ckpt")
  expected = train_and_save(CELLS[kind], path)
  with tf.Graph().as_default(), v1.Session() as session:
    with tf_contrib_rnn.implementation(implementation):
      inputs, outputs = build(CELLS[kind])
    v1.train.Saver().restore(session, path)
    restored = session.run(outputs, {inputs: INPUTS})
  np.testing.assert_allclose(restored, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", CELLS)
def test_names_saved_here_are_those_of_tensorflow_1(kind, tmp_path):
  train_and_save(CELLS[kind], str(tmp_path / "ckpt"))
  ours = [name for name, _ in tf.train.list_variables(str(tmp_path / "ckpt"))]
  recorded = os.path.join(GOLDEN, "dynamic_" + kind, "ckpt")
  theirs = [name for name, _ in tf.train.list_variables(recorded)]
  assert set(theirs) <= set(ours)
  assert {
    name for name in ours if "Adam" not in name and "power" not in name
  } == set(theirs)


@pytest.mark.parametrize("kind", CELLS)
def test_training_goes_on_after_a_restore(kind, tmp_path):
  """With Adam's moments and the global step."""
  path = str(tmp_path / "ckpt")

  def train(steps, restored=None, saved=None):
    with tf.Graph().as_default(), v1.Session() as session:
      v1.set_random_seed(1)
      inputs, outputs = build(CELLS[kind])
      loss = tf.reduce_mean(tf.square(outputs - 0.5))
      step = v1.train.get_or_create_global_step()
      update = v1.train.AdamOptimizer(0.1).minimize(loss, step)
      session.run(v1.global_variables_initializer())
      if restored:
        v1.train.Saver().restore(session, restored)
      for _ in range(steps):
        session.run(update, {inputs: INPUTS})
      if saved:
        v1.train.Saver().save(session, saved)
      return session.run([step, outputs], {inputs: INPUTS})

  train(3, saved=path)
  step, outputs = train(2, restored=path)
  whole_step, whole_outputs = train(5)
  assert step == whole_step == 5
  np.testing.assert_allclose(outputs, whole_outputs, rtol=1e-5, atol=1e-6)


def test_partial_restore(tmp_path):
  path = str(tmp_path / "ckpt")
  train_and_save(CELLS["gru"], path)
  reader = tf.train.load_checkpoint(path)
  with tf.Graph().as_default(), v1.Session() as session:
    build(CELLS["gru"])
    v1.get_variable("head", [4, 2])
    here = {v.op.name: v for v in v1.global_variables()}
    known = {n: v for n, v in here.items() if reader.has_tensor(n)}
    assert set(here) - set(known) == {"head"}
    session.run(v1.global_variables_initializer())
    v1.train.Saver(known).restore(session, path)
    for name, variable in known.items():
      np.testing.assert_array_equal(
        session.run(variable), reader.get_tensor(name)
      )


def test_init_from_checkpoint_into_another_scope(tmp_path):
  path = str(tmp_path / "ckpt")
  expected = train_and_save(CELLS["lstm"], path)
  with tf.Graph().as_default(), v1.Session() as session:
    with v1.variable_scope("model"):
      inputs, outputs = build(CELLS["lstm"])
    v1.train.init_from_checkpoint(path, {"rnn/": "model/rnn/"})
    session.run(v1.global_variables_initializer())
    restored = session.run(outputs, {inputs: INPUTS})
  np.testing.assert_allclose(restored, expected, rtol=1e-5, atol=1e-6)


RESTORE_TENSORFLOW_1 = """
import sys
import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()
inputs = tf.placeholder(tf.float32, [None, None, 3])
cell = getattr(tf_contrib_rnn, sys.argv[2])(int(sys.argv[3]))
tf.nn.dynamic_rnn(cell, inputs, dtype=tf.float32)
with tf.Session() as session:
  try:
    tf.train.Saver().restore(session, sys.argv[1])
  except (tf.errors.OpError, ValueError) as error:
    print(str(error).replace("\\n", " "))
"""


@pytest.mark.parametrize(
  "cell, units, message",
  [
    ("IndyGRUCell", 5, r"shapes of both tensors to match. lhs shape= \["),
    ("IndyLSTMCell", 4, "rnn/indy_lstm_cell/.* not found in checkpoint"),
  ],
)
def test_a_checkpoint_that_does_not_fit_is_named(
  cell, units, message, tmp_path
):
  path = str(tmp_path / "ckpt")
  train_and_save(CELLS["gru"], path)
  printed = helpers.run_script(RESTORE_TENSORFLOW_1, path, cell, units)
  assert re.search(message, printed), printed


@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_resource_variables_that_do_not_fit_fail_when_run(
  implementation, tmp_path
):
  # TensorFlow's Saver puts any shape into a resource variable.
  path = str(tmp_path / "ckpt")
  train_and_save(CELLS["gru"], path)
  with tf.Graph().as_default(), v1.Session() as session:
    with tf_contrib_rnn.implementation(implementation):
      inputs, outputs = build(CELLS["gru"], units=5)
    v1.train.Saver().restore(session, path)
    with pytest.raises(tf.errors.InvalidArgumentError):
      session.run(outputs, {inputs: INPUTS})


def test_object_based_checkpoint_in_eager_mode(tmp_path):
  inputs, state = tf.constant(INPUTS[:, 0]), tf.zeros([2, 4])
  saved = tf_contrib_rnn.IndyGRUCell(4, name="one")
  expected, _ = saved(inputs, state)
  path = tf.train.Checkpoint(cell=saved).save(str(tmp_path / "ckpt"))
  other = tf_contrib_rnn.IndyGRUCell(4, name="two")
  assert np.abs(other(inputs, state)[0] - expected).max() > 1e-3
  tf.train.Checkpoint(cell=other).restore(path).assert_consumed()
  np.testing.assert_array_equal(other(inputs, state)[0], expected)


class Model(tf.Module):
  """A cell in a loop, as a program of TensorFlow 2 exports it."""

  def __init__(self, cell):
    super().__init__()
    self.cell = cell
    cell(tf.zeros([1, 3]), cell.zero_state(1, tf.float32))
    self.weights = cell.trainable_variables

  @tf.function(input_signature=[tf.TensorSpec([None, 6, 3], tf.float32)])
  def __call__(self, inputs):
    state = self.cell.zero_state(tf.shape(inputs)[0], tf.float32)
    for time in range(6):
      output, state = self.cell(inputs[:, time], state)
    return output


LOAD = """
import sys
import numpy as np
import tensorflow as tf
implementation, *folders = sys.argv[1:]
if implementation == "fused":
  import tf_contrib_rnn
for folder in folders:
  model = tf.saved_model.load(folder)
  for _ in range(2):
    outputs = model(tf.constant(np.load(folder + "/inputs.npy")))
  np.save(folder + "/outputs.npy", outputs)
assert ("tf_contrib_rnn" in sys.modules) == (implementation == "fused")
"""


@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_saved_models_run_in_a_new_process(implementation, tmp_path):
  expected = {}
  for kind in CELLS:
    folder = tmp_path / kind
    with tf_contrib_rnn.implementation(implementation):
      model = Model(CELLS[kind](4))
      expected[folder] = model(tf.constant(INPUTS))
      tf.saved_model.save(model, str(folder))
    np.save(folder / "inputs.npy", INPUTS)
  # A composed model needs nothing of this package to run.
  helpers.run_fresh_script(LOAD, implementation, *expected)
  for folder, outputs in expected.items():
    np.testing.assert_array_equal(np.load(folder / "outputs.npy"), outputs)


LOAD_GRAPH = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()
with tf.Session() as session:
  signature = tf.saved_model.load(session, ["serve"], sys.argv[1])
  signature = signature.signature_def["serving_default"]
  np.save(sys.argv[1] + "/outputs.npy", session.run(
      signature.outputs["outputs"].name,
      {signature.inputs["inputs"].name: np.load(sys.argv[1] + "/inputs.npy")}))
"""


def test_saved_model_of_a_tensorflow_1_graph(tmp_path):
  folder = str(tmp_path / "model")
  with tf.Graph().as_default(), v1.Session() as session:
    inputs, outputs = build(CELLS["lstm"])
    session.run(v1.global_variables_initializer())
    v1.saved_model.simple_save(
      session, folder, {"inputs": inputs}, {"outputs": outputs}
    )
    expected = session.run(outputs, {inputs: INPUTS})
  np.save(os.path.join(folder, "inputs.npy"), INPUTS)
  helpers.run_script(LOAD_GRAPH, folder)
  np.testing.assert_array_equal(
    np.load(os.path.join(folder, "outputs.npy")), expected
  )
