"""SRUCell, the Simple Recurrent Unit."""

import functools

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn

v1 = tf.compat.v1

BATCH, TIME, DEPTH, UNITS = 3, 4, 5, 7

with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)
with_modes = pytest.mark.parametrize("mode", cell_helpers.MODES)


def numpy_step(weights, x, states, activation="tanh"):
  """The output and the new state in float64."""
  x, c = helpers.as_float64([x, *states])
  weights = {name: np.float64(array) for name, array in weights.items()}
  new, forget, reset, passed = np.split(x @ weights["kernel"], 4, 1)
  forget_bias, reset_bias = np.split(weights["bias"], 2)
  forget = helpers.sigmoid(forget + forget_bias)
  reset = helpers.sigmoid(reset + reset_bias)
  c = forget * c + (1 - forget) * new
  activated = helpers.NUMPY_ACTIVATIONS[activation](c)
  return [reset * activated + (1 - reset) * passed, c]


def numpy_sequence(weights, x, lengths):
  """The outputs and the last state, from zeros."""
  state = np.zeros([len(x), UNITS])
  outputs = np.zeros([*x.shape[:2], UNITS])
  for t in range(x.shape[1]):
    runs = (t < np.array(lengths))[:, np.newaxis]
    output, new = numpy_step(weights, x[:, t], [state])
    outputs[:, t] = np.where(runs, output, 0)
    state = np.where(runs, new, state)
  return [outputs, state]


def draw(dtype="float64", shape=(BATCH,), depth=DEPTH, units=UNITS):
  """Inputs and a state."""
  rng = np.random.RandomState(0)
  x = helpers.random(rng, [*shape, depth], dtype)
  return x, helpers.random(rng, [shape[0], units], dtype)


def step(cell, dtype=tf.float32, depth=DEPTH, **options):
  x = tf.ones([2, depth], dtype)
  return cell(x, cell.zero_state(2, dtype), **options)


def names():
  return [v.name for v in v1.global_variables()]


@pytest.fixture(name="graph")
def fixture_graph():
  with tf.Graph().as_default() as graph:
    yield graph


# One step.


@with_modes
@with_implementations
@pytest.mark.parametrize("activation", helpers.ACTIVATIONS)
@pytest.mark.parametrize("depth, units", [(5, 7), (1, 1), (7, 129)])
def test_step(mode, implementation, activation, depth, units):
  x, state = draw(depth=depth, units=units)
  act = helpers.ACTIVATIONS[activation]
  with tf_contrib_rnn.implementation(implementation):
    got, weights = cell_helpers.run_step(
      mode, lambda: tf_contrib_rnn.SRUCell(units, act), x, state
    )
  want = numpy_step(weights, x, [state], activation)
  helpers.assert_close(got, want, 1e-12)


@with_implementations
@pytest.mark.parametrize("dtype", helpers.TOLERANCES)
def test_dtypes(implementation, dtype):
  x, state = draw(dtype)
  cell = tf_contrib_rnn.SRUCell(UNITS)
  cell(tf.constant(x), tf.constant(state))
  weights = cell_helpers.assign(cell)
  with tf_contrib_rnn.implementation(implementation), tf.GradientTape() as tape:
    got = cell(tf.constant(x), tf.constant(state))
    total = tf.reduce_sum(got[0])
  assert {t.dtype.name for t in got} == {dtype}
  want = numpy_step(weights, x, [state])
  helpers.assert_close(got, want, helpers.TOLERANCES[dtype])
  for gradient in tape.gradient(total, cell.variables):
    assert gradient.dtype.name == dtype
    assert np.any(np.float64(gradient))


@with_implementations
@pytest.mark.parametrize("activation", ["tanh", "softsign", "custom"])
def test_gradients(implementation, activation):
  x, state = draw(shape=(2,), depth=2, units=3)
  act = helpers.ACTIVATIONS[activation]
  with tf_contrib_rnn.implementation(implementation):
    cell_helpers.check_gradients(
      lambda: tf_contrib_rnn.SRUCell(3, act),
      x,
      state,
      functools.partial(numpy_step, activation=activation),
    )


@with_modes
def test_no_units(mode):
  x, state = draw(units=0)
  got, _ = cell_helpers.run_step(
    mode, lambda: tf_contrib_rnn.SRUCell(0), x, state
  )
  assert [a.shape for a in got] == [(BATCH, 0)] * 2


# Variables.


def test_variables_and_sizes(graph):
  cell = tf_contrib_rnn.SRUCell(UNITS)
  step(cell)
  assert [(v.name, v.shape.as_list()) for v in cell.weights] == [
    ("sru_cell/kernel:0", [DEPTH, 4 * UNITS]),
    ("sru_cell/bias:0", [2 * UNITS]),
  ]
  assert cell.state_size == cell.output_size == UNITS
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    kernel, bias = session.run(cell.weights)
  limit = np.sqrt(6 / (DEPTH + 4 * UNITS))
  assert 0.8 * limit < np.max(np.abs(kernel)) < limit
  assert not np.any(bias)


def test_names_in_scopes(graph):
  with v1.variable_scope("a"):
    cell = tf_contrib_rnn.SRUCell(UNITS, name="mine")
    step(cell)
  step(cell)  # the first scope is kept
  step(tf_contrib_rnn.SRUCell(UNITS), scope="b")
  run_dynamic(tf_contrib_rnn.SRUCell(UNITS), tf.zeros([BATCH, TIME, DEPTH]))
  run_dynamic(
    tf_contrib_rnn.MultiRNNCell([tf_contrib_rnn.SRUCell(UNITS)]),
    tf.zeros([BATCH, TIME, DEPTH]),
  )
  scopes = ["a/mine", "b", "rnn/sru_cell", "rnn/multi_rnn_cell/cell_0/sru_cell"]
  assert names()[::2] == [f"{scope}/kernel:0" for scope in scopes]


def test_second_instance_has_another_name(graph):
  for _ in range(2):
    step(tf_contrib_rnn.SRUCell(UNITS))
  assert names()[::2] == ["sru_cell/kernel:0", "sru_cell_1/kernel:0"]
  x = tf.zeros([BATCH, TIME, DEPTH])
  v1.nn.dynamic_rnn(tf_contrib_rnn.SRUCell(UNITS), x, dtype=x.dtype)
  with pytest.raises(ValueError, match="kernel already exists"):
    v1.nn.dynamic_rnn(tf_contrib_rnn.SRUCell(UNITS), x, dtype=x.dtype)


def test_reuse(graph):
  with pytest.raises(ValueError, match="does not exist"):
    step(tf_contrib_rnn.SRUCell(UNITS, reuse=True, name="none"))
  step(tf_contrib_rnn.SRUCell(UNITS))
  step(tf_contrib_rnn.SRUCell(UNITS, reuse=True))
  with pytest.raises(ValueError, match="Trying to share variable"):
    step(tf_contrib_rnn.SRUCell(UNITS + 1, reuse=True))
  for _ in range(2):
    step(tf_contrib_rnn.SRUCell(UNITS, reuse=v1.AUTO_REUSE, name="other"))
  assert names()[::2] == ["sru_cell/kernel:0", "other/kernel:0"]


def test_options_of_the_scope(graph):
  with v1.variable_scope(
    "a",
    initializer=v1.constant_initializer(0.5),
    partitioner=v1.fixed_size_partitioner(2),
    regularizer=tf.reduce_sum,
  ):
    output, _ = step(tf_contrib_rnn.SRUCell(UNITS))
  shapes = [v.shape.as_list() for v in v1.global_variables()]
  assert shapes == [[3, 28], [2, 28], [7], [7]]
  assert len(v1.get_collection("regularization_losses")) == len(shapes)
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    got, *parts = session.run([output, *v1.global_variables()])
  assert np.all(parts[0] == 0.5) and not np.any(parts[2])
  weights = {
    "kernel": np.concatenate(parts[:2]),
    "bias": np.concatenate(parts[2:]),
  }
  want, _ = numpy_step(weights, np.ones([2, DEPTH]), [np.zeros([2, UNITS])])
  helpers.assert_close(got, want, 5e-6)


def test_arguments_of_a_layer(graph):
  cell = tf_contrib_rnn.SRUCell(UNITS, dtype=tf.float64, trainable=False)
  step(cell, tf.float64)
  assert {v.dtype.base_dtype for v in cell.weights} == {tf.float64}
  assert not cell.trainable_weights and not v1.trainable_variables()
  assert len(cell.non_trainable_weights) == 2


# Eager mode, tf.functions and sequences.


def test_calls_share_variables():
  cell = tf_contrib_rnn.SRUCell(UNITS)
  step(cell)
  first = [id(v) for v in cell.variables]
  step(cell)
  traced = tf.function(cell)
  for batch in (1, 4):
    x, state = draw("float32", (batch,))
    got = traced(tf.constant(x), tf.constant(state))
    helpers.assert_close(got, cell(tf.constant(x), tf.constant(state)), 5e-6)
  assert [id(v) for v in cell.variables] == first


def run_dynamic(cell, x, lengths=None, module=tf_contrib_rnn):
  return module.dynamic_rnn(cell, x, lengths, dtype=x.dtype)


def run_static(cell, x, lengths=None, module=tf_contrib_rnn):
  outputs, state = module.static_rnn(
    cell, tf.unstack(x, axis=1), dtype=x.dtype, sequence_length=lengths
  )
  return tf.stack(outputs, 1), state


@with_implementations
@pytest.mark.parametrize("module", [tf_contrib_rnn, v1.nn])
@pytest.mark.parametrize("run", [run_dynamic, run_static])
@pytest.mark.parametrize("lengths", [None, [4, 0, 2]])
def test_sequences(implementation, module, run, lengths, graph):
  x, _ = draw(shape=(BATCH, TIME))
  cell = tf_contrib_rnn.SRUCell(UNITS)
  with tf_contrib_rnn.implementation(implementation):
    results = run(cell, tf.constant(x), lengths, module)
  weights = cell_helpers.draw(cell)
  got = helpers.evaluate(results, [cell], [weights.values()])
  by_name = {name.rpartition("/")[2]: w for name, w in weights.items()}
  want = numpy_sequence(by_name, x, lengths or [TIME] * BATCH)
  helpers.assert_close(got, want, 1e-12)


# Errors.


@pytest.mark.parametrize(
  "keywords, message",
  [
    ({"units": 3}, "Keyword argument not understood"),
    ({"initializer": None}, "Keyword argument not understood"),
  ],
)
def test_unknown_arguments(keywords, message):
  with pytest.raises(TypeError, match=message):
    tf_contrib_rnn.SRUCell(UNITS, **keywords)


@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_activation_is_a_function(mode):
  with tf.Graph().as_default() if mode == "graph" else tf.init_scope():
    with pytest.raises(TypeError, match="not callable"):
      step(tf_contrib_rnn.SRUCell(UNITS, "tanh"))


@pytest.mark.parametrize(
  "shape", [[2, None], [2, 3, DEPTH], [DEPTH], [2, DEPTH + 1]]
)
def test_inputs_of_other_shapes(shape, graph):
  cell = tf_contrib_rnn.SRUCell(UNITS)
  if shape == [2, DEPTH + 1]:
    step(cell)
  with pytest.raises(ValueError):
    cell(v1.placeholder(tf.float32, shape), tf.zeros([2, UNITS]))


def test_state_of_another_width(graph):
  with pytest.raises(ValueError):
    tf_contrib_rnn.SRUCell(UNITS)(tf.ones([2, 3]), tf.ones([2, UNITS + 1]))


def test_state_of_another_dtype(graph):
  with pytest.raises(TypeError):
    tf_contrib_rnn.SRUCell(UNITS)(
      tf.ones([2, 3]), tf.ones([2, UNITS], tf.float64)
    )
