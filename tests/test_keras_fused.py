"""What of the Keras layers runs as one product and one op."""

import keras_helpers
import numpy as np
import pytest
from keras_helpers import keras
from keras_helpers import KINDS
from keras_helpers import MASKS

import tf_contrib_rnn

if not keras_helpers.RUNS_TENSORFLOW:
  pytest.skip("The ops are TensorFlow's", allow_module_level=True)

import tensorflow as tf

BATCH, TIME = keras_helpers.BATCH, keras_helpers.TIME
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def graph_of(layer, dynamic=True, with_mask=False, jit_compile=None, **call):
  """The functions' operations, by type, of a traced call."""
  size = None if dynamic else BATCH
  signature = [tf.TensorSpec([size, size and TIME, keras_helpers.FEATURES])]
  if with_mask:
    signature.append(tf.TensorSpec([size, size and TIME], tf.bool))

  @tf.function(input_signature=signature, jit_compile=jit_compile)
  def run(x, mask=None):
    return layer(x, mask=mask, **call)

  return run.get_concrete_function().graph


def types_in(graph, with_functions=True):
  definition = graph.as_graph_def()
  types = [node.op for node in definition.node]
  if with_functions:
    for function in definition.library.function:
      types += [node.op for node in function.node_def]
  return types


def fused_ops(types):
  return [name for name in types if name.startswith("ContribRnn>")]


@every_kind
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
  "options", [{}, {"go_backwards": True}, {"dropout": 0.5}]
)
def test_one_product_and_one_op(kind, dynamic, options):
  layer, _ = kind.pair(return_sequences=True, **options)
  types = types_in(graph_of(layer, dynamic, training=True))
  assert types.count("MatMul") == 1
  assert len(fused_ops(types)) == 1
  assert not any("While" in name or "If" in name for name in types)
  assert not any("BatchMatMul" in name for name in types)


@every_kind
def test_masks_need_no_loop(kind):
  layer, _ = kind.pair(return_sequences=True)
  graph = graph_of(layer, with_mask=True)
  types = types_in(graph)
  assert types.count("MatMul") == 1
  assert len(fused_ops(types)) == 1
  assert not any("While" in name for name in types)
  # What moves steps is inside a condition: padding at the end moves nothing.
  outside = [op for op in graph.get_operations() if op.type == "GatherV2"]
  assert all(op.outputs[0].shape.rank < 3 for op in outside)
  assert types.count("GatherV2") > len(outside)


@every_kind
@pytest.mark.parametrize("mask", [name for name in MASKS if name != "none"])
def test_masks_of_one_graph(kind, mask):
  """A graph does not know what mask will come."""
  ours, theirs = kind.pair(return_sequences=True, return_state=True)

  @tf.function(
    input_signature=[
      tf.TensorSpec([None, None, keras_helpers.FEATURES]),
      tf.TensorSpec([None, None], tf.bool),
    ]
  )
  def run(x, mask):
    return ours(x, mask=mask)

  x, mask = keras_helpers.inputs(), MASKS[mask]
  keras_helpers.assert_close(run(x, mask), theirs(x, mask=tf.constant(mask)))


@pytest.mark.parametrize(
  "options",
  [
    {"recurrent_dropout": 0.5},
    {"activation": "softplus"},
    {"activation": lambda x: tf.sin(x)},
    {"unroll": True},
  ],
  ids=["recurrent_dropout", "softplus", "function", "unroll"],
)
@every_kind
def test_what_is_composed_has_one_product_as_well(kind, options):
  layer, _ = kind.pair(return_sequences=True, **options)
  types = types_in(graph_of(layer, dynamic=False, training=True))
  assert not fused_ops(types)
  assert types.count("MatMul") == 1


@pytest.mark.parametrize("name", ["IndyGRU-after", "IndyLSTM"])
def test_other_gates_are_composed(name):
  layer, _ = KINDS[name].pair(recurrent_activation="hard_sigmoid")
  assert not fused_ops(types_in(graph_of(layer)))


def test_functions_of_tensorflow_are_known():
  layer, _ = KINDS["IndRNN"].pair(activation=tf.nn.relu)
  assert fused_ops(types_in(graph_of(layer)))


def test_a_subclass_of_the_cell_is_composed():
  """Its step may be another."""

  class Doubling(tf_contrib_rnn.keras.IndRNNCell):
    def step(self, projected, states, training=None):
      return [2 * h for h in super().step(projected, states, training)]

  class Layer(tf_contrib_rnn.keras.IndRNN):
    cell_class = Doubling

  layer = Layer(3, activation="linear")
  layer.build((BATCH, TIME, keras_helpers.FEATURES))
  assert not fused_ops(types_in(graph_of(layer)))


@every_kind
def test_implementation_is_obeyed(kind):
  layer, _ = kind.pair()
  with tf_contrib_rnn.implementation("composed"):
    assert not fused_ops(types_in(graph_of(layer)))
  with tf_contrib_rnn.implementation("fused"):
    assert fused_ops(types_in(graph_of(layer)))


@every_kind
@pytest.mark.parametrize("mask", ["none", "right", "holes"])
def test_compiled_by_xla(kind, mask):
  layer, theirs = kind.pair(return_sequences=True, return_state=True)
  x, mask = keras_helpers.inputs(), keras_helpers.tensor(MASKS[mask])

  @tf.function(jit_compile=True)
  def run(x):
    with tf.GradientTape() as tape:
      results = layer(x, mask=mask)
      loss = tf.reduce_sum(results[0] ** 2)
    return results, tape.gradient(loss, keras_helpers.variables(layer))

  results, gradients = run(x)
  keras_helpers.assert_close(results, theirs(x, mask=mask))
  assert all(np.any(g.numpy()) for g in gradients)


def fit(jit_compile, implementation):
  """The losses of a model, and its predictions."""
  keras.utils.set_random_seed(1)
  model = keras.Sequential(
    [
      keras.layers.InputLayer((TIME,), dtype="int32"),
      keras.layers.Embedding(9, 5, mask_zero=True),
      tf_contrib_rnn.keras.IndyGRU(6, return_sequences=True),
      tf_contrib_rnn.keras.IndyLSTM(6, return_sequences=True),
      tf_contrib_rnn.keras.IndRNN(6, activation="relu"),
      keras.layers.Dense(1),
    ]
  )
  x = np.random.RandomState(0).randint(0, 9, [32, TIME])
  y = np.mean(x, 1, keepdims=True) / 9.0
  with tf_contrib_rnn.implementation(implementation):
    model.compile("adam", "mse", jit_compile=jit_compile)
    history = model.fit(x, y, epochs=3, verbose=0, shuffle=False)
    return history.history["loss"], model.predict(x, verbose=0)


def test_fit_is_the_same_compiled_fused_and_composed():
  auto = "auto" if keras_helpers.IS_KERAS_3 else None
  losses, predictions = fit(auto, "auto")
  assert losses[-1] < losses[0]
  for jit_compile, implementation in ((True, "auto"), (False, "composed")):
    others, other_predictions = fit(jit_compile, implementation)
    np.testing.assert_allclose(others, losses, rtol=1e-4)
    np.testing.assert_allclose(other_predictions, predictions, atol=1e-4)


@every_kind
def test_inputs_past_the_end_do_not_matter(kind):
  layer, _ = kind.pair(return_sequences=True)
  x, mask = keras_helpers.inputs(), MASKS["right"]
  want = layer(x, mask=tf.constant(mask)).numpy()
  x[~mask] = 1e30
  np.testing.assert_array_equal(layer(x, mask=tf.constant(mask)), want)
