"""Steps of IndRNNCell, IndyGRUCell and IndyLSTMCell in every mode of
TensorFlow, compared with their equations in float64."""

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS
from independent_cell_helpers import BATCH
from independent_cell_helpers import DEPTH
from independent_cell_helpers import make_arrays
from independent_cell_helpers import step_all
from independent_cell_helpers import UNITS

import tf_contrib_rnn

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS)
every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)
every_dtype = pytest.mark.parametrize("dtype", helpers.TOLERANCES)


def run_step(
  kind, mode, shape=(BATCH, DEPTH), units=UNITS, dtype="float32", **kwargs
):
  """A step in a mode, and the new states of the reference."""
  arrays = make_arrays(kind, shape, units, dtype)
  weights = KINDS[kind].weights(shape[-1], units, 1, dtype)
  make = lambda: [KINDS[kind].make(units, **kwargs)]
  got = helpers.run_in_mode(mode, make, [weights], step_all(kind), arrays)
  return got, weights, arrays


def assert_step(kind, got, weights, arrays, tolerance, **kwargs):
  expected = helpers.numpy_step(kind, weights, arrays[0], arrays[1:], **kwargs)
  helpers.assert_close(got[0], expected[-1], tolerance)
  helpers.assert_close(got[1], expected, tolerance)


@every_kind
@every_mode
@with_implementations
@pytest.mark.parametrize("activation", helpers.ACTIVATIONS)
def test_step_follows_the_equations(kind, mode, implementation, activation):
  with tf_contrib_rnn.implementation(implementation):
    results = run_step(kind, mode, activation=helpers.ACTIVATIONS[activation])
  assert_step(kind, *results, 5e-6, activation=activation)


@every_kind
def test_the_default_activation_is_tanh(kind):
  for kwargs in ({}, {"activation": None}, {"activation": "tanh"}):
    assert_step(kind, *run_step(kind, "eager", **kwargs), 5e-6)


@every_kind
@pytest.mark.parametrize(
  "activation", [n for n in helpers.ACTIVATIONS if n != "custom"]
)
def test_activations_by_name(kind, activation):
  results = run_step(kind, "eager", activation=activation)
  assert_step(kind, *results, 5e-6, activation=activation)


@every_kind
@with_implementations
@pytest.mark.parametrize("units", [1, 2, 5, 17, 129])
@pytest.mark.parametrize("batch,depth", [(1, 1), (1, 3), (7, 2)])
def test_steps_of_odd_sizes(kind, implementation, units, batch, depth):
  with tf_contrib_rnn.implementation(implementation):
    results = run_step(kind, "eager", (batch, depth), units, "float64")
  assert_step(kind, *results, 1e-12)


@every_kind
@with_implementations
def test_a_batch_of_0_gives_empty_outputs(kind, implementation):
  with tf_contrib_rnn.implementation(implementation):
    (output, state), _, _ = run_step(kind, "graph", (0, DEPTH))
  for result in tf.nest.flatten([output, state]):
    assert result.shape == (0, UNITS)


@every_kind
@every_mode
@every_dtype
@with_implementations
def test_steps_of_every_dtype(kind, mode, dtype, implementation):
  with tf_contrib_rnn.implementation(implementation):
    results = run_step(kind, mode, dtype=dtype)
  assert_step(kind, *results, helpers.TOLERANCES[dtype])
  for leaf in tf.nest.flatten(results[0]):
    assert leaf.dtype == helpers.numpy_dtype(dtype)


@every_mode
@with_implementations
@pytest.mark.parametrize("forget_bias", [0.3, 0.0, -2.7, 5])
def test_forget_bias_is_exact_in_float64(mode, implementation, forget_bias):
  with tf_contrib_rnn.implementation(implementation):
    results = run_step(
      "IndyLSTM", mode, dtype="float64", forget_bias=forget_bias
    )
  assert_step("IndyLSTM", *results, 1e-12, forget_bias=forget_bias)


@every_mode
@pytest.mark.parametrize(
  "pack",
  [tuple, list, lambda s: tf_contrib_rnn.LSTMStateTuple(*s)],
  ids=["tuple", "list", "LSTMStateTuple"],
)
def test_lstm_state_may_be_a_tuple_or_a_list(mode, pack):
  arrays = make_arrays("IndyLSTM", (BATCH, DEPTH))
  weights = KINDS["IndyLSTM"].weights(DEPTH, UNITS)
  types = []

  def step(cells, x, *states):
    output, state = cells[0](x, pack(states))
    types.append(type(state))
    return output, tuple(state)

  make = lambda: [tf_contrib_rnn.IndyLSTMCell(UNITS)]
  got = helpers.run_in_mode(mode, make, [weights], step, arrays)
  assert_step("IndyLSTM", got, weights, arrays, 5e-6)
  assert set(types) == {tf_contrib_rnn.LSTMStateTuple}


@every_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zero_state(kind, dtype):
  state = KINDS[kind].make(UNITS).zero_state(BATCH, tf.as_dtype(dtype))
  assert isinstance(state, tf_contrib_rnn.LSTMStateTuple) == (
    kind == "IndyLSTM"
  )
  for leaf in tf.nest.flatten(state):
    np.testing.assert_array_equal(leaf, np.zeros([BATCH, UNITS]))
    assert leaf.dtype == dtype


@every_kind
def test_get_initial_state(kind):
  cell = KINDS[kind].make(UNITS)
  x = tf.ones([BATCH, DEPTH], tf.float64)
  by_inputs = cell.get_initial_state(inputs=x)
  by_size = cell.get_initial_state(batch_size=BATCH, dtype=tf.float64)
  tf.nest.assert_same_structure(by_inputs, cell.state_size)
  for leaf in tf.nest.flatten([by_inputs, by_size]):
    np.testing.assert_array_equal(leaf, np.zeros([BATCH, UNITS]))
    assert leaf.dtype == tf.float64


@every_kind
def test_zero_state_of_an_unknown_batch(kind):
  with tf.Graph().as_default():
    batch = v1.placeholder(tf.int32, [])
    state = KINDS[kind].make(UNITS).zero_state(batch, tf.float32)
    got = helpers.evaluate(state, feed={batch: 3})
  assert {s.shape for s in tf.nest.flatten(got)} == {(3, UNITS)}


@every_kind
def test_eager_variables_are_resources_of_the_same_names(kind):
  name = "eager_" + kind
  cell = KINDS[kind].make(UNITS, name=name)
  cell(tf.ones([BATCH, DEPTH]), cell.zero_state(BATCH, tf.float32))
  assert [v.name for v in cell.variables] == KINDS[kind].names(name)
  assert {type(v).__name__ for v in cell.variables} == {"ResourceVariable"}
  shapes = [v.shape.as_list() for v in cell.variables]
  assert shapes == KINDS[kind].shapes(DEPTH, UNITS)


@every_kind
@with_implementations
def test_a_step_of_an_unknown_batch(kind, implementation):
  weights = KINDS[kind].weights(DEPTH, UNITS)
  with tf.Graph().as_default(), tf_contrib_rnn.implementation(implementation):
    x = v1.placeholder(tf.float32, [None, DEPTH])
    states = [
      v1.placeholder(tf.float32, [None, UNITS])
      for _ in range(KINDS[kind].states)
    ]
    cell = KINDS[kind].make(UNITS)
    results = cell(x, KINDS[kind].state(states))
    assert results[0].shape.as_list() == [None, UNITS]
    for batch in (1, 4):
      arrays = make_arrays(kind, [batch, DEPTH])
      feed = dict(zip([x] + states, arrays))
      got = helpers.evaluate(results, [cell], [weights], feed)
      assert_step(kind, got, weights, arrays, 5e-6)
