"""The cells in every mode of TensorFlow and under every driver: the same
numbers from the same weights, and those of the equations in float64."""

import json

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS

import tf_contrib_rnn

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS)
every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)
every_dtype = pytest.mark.parametrize("dtype", helpers.TOLERANCES)

BATCH, TIME, DEPTH, UNITS = 4, 6, 3, 5
LENGTHS = [6, 0, 99, 2]


def make_arrays(kind, shape, units=UNITS, dtype="float32", seed=2):
  """Inputs of a shape [batch, ..., depth], and initial states."""
  rng = np.random.RandomState(seed)
  x = 2 * helpers.random(rng, shape, dtype)
  states = [
    helpers.random(rng, [shape[0], units], dtype)
    for _ in range(KINDS[kind].states)
  ]
  return [x.astype(helpers.numpy_dtype(dtype))] + states


def step_all(kind):
  """A function of cells that steps the first one."""

  def step(cells, x, *states):
    return cells[0](x, KINDS[kind].state(states))

  return step


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


# Steps.


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


# Sequences: each driver as a function of cells and tensors, which gives outputs
# [batch, time, units] and a final state.


def dynamic_driver(kind):
  def drive(cells, x, *states):
    return v1.nn.dynamic_rnn(
      cells[0], x, initial_state=KINDS[kind].state(states)
    )

  return drive


def static_driver(kind):
  def drive(cells, x, *states):
    outputs, state = tf_contrib_rnn.static_rnn(
      cells[0], tf.unstack(x, axis=1), initial_state=KINDS[kind].state(states)
    )
    return tf.stack(outputs, 1), state

  return drive


def loop_driver(kind):
  def drive(cells, x, *states):
    state, outputs = KINDS[kind].state(states), []
    for t in range(x.shape[1]):
      output, state = cells[0](x[:, t], state)
      outputs.append(output)
    return tf.stack(outputs, 1), state

  return drive


def raw_driver(kind):
  def drive(cells, x, *states):
    steps, batch = x.shape[1], x.shape[0]
    array = tf.TensorArray(x.dtype, steps).unstack(tf.transpose(x, [1, 0, 2]))

    def loop(time, output, state, _):
      state = KINDS[kind].state(states) if output is None else state
      done = tf.fill([batch], time >= steps)
      following = tf.cond(
        time >= steps, lambda: tf.zeros_like(x[:, 0]), lambda: array.read(time)
      )
      following.set_shape([batch, x.shape[2]])
      return done, following, state, output, None

    outputs, state, _ = v1.nn.raw_rnn(cells[0], loop)
    return tf.transpose(outputs.stack(), [1, 0, 2]), state

  return drive


DRIVERS = {
  "dynamic": dynamic_driver,
  "static": static_driver,
  "raw": raw_driver,
  "loop": loop_driver,
}
every_driver = pytest.mark.parametrize("driver", DRIVERS)


def run_sequence(
  kind,
  driver,
  mode,
  shape=(BATCH, TIME, DEPTH),
  units=UNITS,
  dtype="float32",
  **kwargs,
):
  arrays = make_arrays(kind, shape, units, dtype)
  weights = KINDS[kind].weights(shape[-1], units, 1, dtype)
  make = lambda: [KINDS[kind].make(units, **kwargs)]
  got = helpers.run_in_mode(mode, make, [weights], driver(kind), arrays)
  return got, weights, arrays


def assert_sequence(kind, got, weights, arrays, tolerance, **kwargs):
  expected = helpers.numpy_sequence(
    kind, weights, arrays[0], arrays[1:], **kwargs
  )
  helpers.assert_close(got[0], expected[0], tolerance)
  helpers.assert_close(got[1], expected[1], tolerance)


@every_kind
@every_driver
@with_implementations
def test_drivers_follow_the_equations_in_graph_mode(
  kind, driver, implementation
):
  with tf_contrib_rnn.implementation(implementation):
    results = run_sequence(kind, DRIVERS[driver], "graph")
  assert_sequence(kind, *results, 5e-6)


@every_kind
@pytest.mark.parametrize("driver", ["dynamic", "loop"])
@pytest.mark.parametrize("mode", ["eager", "function"])
@with_implementations
def test_drivers_follow_the_equations_without_a_session(
  kind, driver, mode, implementation
):
  with tf_contrib_rnn.implementation(implementation):
    results = run_sequence(kind, DRIVERS[driver], mode)
  assert_sequence(kind, *results, 5e-6)


@every_kind
@pytest.mark.parametrize("activation", helpers.ACTIVATIONS)
def test_activations_under_dynamic_rnn(kind, activation):
  results = run_sequence(
    kind,
    dynamic_driver,
    "graph",
    dtype="float64",
    activation=helpers.ACTIVATIONS[activation],
  )
  assert_sequence(kind, *results, 1e-11, activation=activation)


@every_kind
@pytest.mark.parametrize("units", [1, 2, 17, 129])
def test_odd_sizes_under_dynamic_rnn(kind, units):
  results = run_sequence(kind, dynamic_driver, "graph", (1, 3, 2), units)
  assert_sequence(kind, *results, 5e-6)


@every_kind
@every_dtype
def test_every_dtype_under_dynamic_rnn(kind, dtype):
  results = run_sequence(kind, dynamic_driver, "graph", dtype=dtype)
  assert_sequence(kind, *results, 3 * helpers.TOLERANCES[dtype])


@every_kind
@with_implementations
def test_dynamic_rnn_of_unknown_batch_and_time(kind, implementation):
  weights = KINDS[kind].weights(DEPTH, UNITS)
  with tf.Graph().as_default(), tf_contrib_rnn.implementation(implementation):
    x = v1.placeholder(tf.float32, [None, None, DEPTH])
    lengths = v1.placeholder(tf.int32, [None])
    cell = KINDS[kind].make(UNITS)
    results = v1.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float32)
    for batch, time in ((4, 6), (1, 1), (3, 2)):
      array = make_arrays(kind, [batch, time, DEPTH])[0]
      feed = {x: array, lengths: LENGTHS[:batch]}
      got = helpers.evaluate(results, [cell], [weights], feed)
      zeros = [np.zeros([batch, UNITS])] * KINDS[kind].states
      assert_sequence(
        kind, got, weights, [array] + zeros, 5e-6, lengths=LENGTHS[:batch]
      )


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


def run_dynamic(kind, x, weights, **kwargs):
  with tf.Graph().as_default():
    cell = KINDS[kind].make(UNITS)
    results = v1.nn.dynamic_rnn(cell, tf.constant(x), dtype=x.dtype, **kwargs)
    return helpers.evaluate(results, [cell], [weights])


def zero_arrays(kind, x):
  return [x] + [np.zeros([x.shape[0], UNITS])] * KINDS[kind].states


@every_kind
@with_implementations
def test_sequence_lengths_of_0_and_past_the_end(kind, implementation):
  x, *_ = make_arrays(kind, (BATCH, TIME, DEPTH))
  weights = KINDS[kind].weights(DEPTH, UNITS)
  with tf_contrib_rnn.implementation(implementation):
    got = run_dynamic(kind, x, weights, sequence_length=LENGTHS)
  assert_sequence(
    kind, got, weights, zero_arrays(kind, x), 5e-6, lengths=LENGTHS
  )
  assert not got[0][1].any() and not got[0][3, 2:].any()
  assert got[0][2].all()


@every_kind
def test_time_major(kind):
  x, *_ = make_arrays(kind, (BATCH, TIME, DEPTH))
  weights = KINDS[kind].weights(DEPTH, UNITS)
  outputs, state = run_dynamic(
    kind,
    x.transpose([1, 0, 2]),
    weights,
    time_major=True,
    sequence_length=LENGTHS,
  )
  got = outputs.transpose([1, 0, 2]), state
  assert_sequence(
    kind, got, weights, zero_arrays(kind, x), 5e-6, lengths=LENGTHS
  )


@every_kind
def test_swap_memory_changes_nothing(kind):
  x, *_ = make_arrays(kind, (BATCH, TIME, DEPTH))
  weights = KINDS[kind].weights(DEPTH, UNITS)
  got = run_dynamic(kind, x, weights, swap_memory=True)
  assert_sequence(kind, got, weights, zero_arrays(kind, x), 5e-6)


def reverse(x, lengths):
  """Each sequence turned around inside its own length."""
  x = x.copy()
  for row, length in zip(x, lengths):
    row[:length] = row[:length][::-1].copy()
  return x


@every_kind
@with_implementations
def test_bidirectional_dynamic_rnn(kind, implementation):
  x, *_ = make_arrays(kind, (BATCH, TIME, DEPTH))
  lengths = np.minimum(LENGTHS, TIME)
  weights = [KINDS[kind].weights(DEPTH, UNITS, seed) for seed in (0, 1)]
  with tf.Graph().as_default(), tf_contrib_rnn.implementation(implementation):
    cells = [KINDS[kind].make(UNITS) for _ in range(2)]
    results = v1.nn.bidirectional_dynamic_rnn(
      *cells, tf.constant(x), lengths, dtype=tf.float32
    )
    (fw, bw), states = helpers.evaluate(results, cells, weights)
  assert_sequence(
    kind,
    (fw, states[0]),
    weights[0],
    zero_arrays(kind, x),
    5e-6,
    lengths=lengths,
  )
  assert_sequence(
    kind,
    (reverse(bw, lengths), states[1]),
    weights[1],
    zero_arrays(kind, reverse(x, lengths)),
    5e-6,
    lengths=lengths,
  )


@every_kind
def test_static_bidirectional_rnn(kind):
  x, *_ = make_arrays(kind, (BATCH, TIME, DEPTH))
  weights = [KINDS[kind].weights(DEPTH, UNITS, seed) for seed in (0, 1)]
  with tf.Graph().as_default():
    cells = [KINDS[kind].make(UNITS) for _ in range(2)]
    outputs, *states = tf_contrib_rnn.static_bidirectional_rnn(
      *cells, tf.unstack(tf.constant(x), axis=1), dtype=tf.float32
    )
    results = [tf.split(tf.stack(outputs, 1), 2, 2), states]
    (fw, bw), states = helpers.evaluate(results, cells, weights)
  assert_sequence(kind, (fw, states[0]), weights[0], zero_arrays(kind, x), 5e-6)
  assert_sequence(
    kind,
    (bw[:, ::-1], states[1]),
    weights[1],
    zero_arrays(kind, x[:, ::-1]),
    5e-6,
  )


@every_kind
def test_static_rnn_obeys_sequence_lengths(kind):
  x, *_ = make_arrays(kind, (BATCH, TIME, DEPTH))
  weights = KINDS[kind].weights(DEPTH, UNITS)
  with tf.Graph().as_default():
    cell = KINDS[kind].make(UNITS)
    outputs, state = tf_contrib_rnn.static_rnn(
      cell,
      tf.unstack(tf.constant(x), axis=1),
      dtype=tf.float32,
      sequence_length=LENGTHS,
    )
    got = helpers.evaluate([tf.stack(outputs, 1), state], [cell], [weights])
  assert_sequence(
    kind, got, weights, zero_arrays(kind, x), 5e-6, lengths=LENGTHS
  )


# Gradients of inputs, states and all variables.


def weigh(results):
  """A loss in which every element counts differently."""
  total = 0.0
  for result in tf.nest.flatten(results):
    flat = tf.reshape(tf.cast(result, tf.float64), [-1])
    count = tf.cast(tf.range(tf.size(flat)), tf.float64)
    total += tf.reduce_sum(flat * tf.sin(count * 0.37 + 0.2))
  return total


def with_gradients(drive, mode):
  """A function of cells that drives and differentiates."""

  def graph(cells, *tensors):
    sources = list(tensors)
    loss = weigh(drive(cells, *tensors))
    return v1.gradients(loss, sources + list(cells[0].variables))

  def eager(cells, *tensors):
    with tf.GradientTape() as tape:
      tape.watch(tensors)
      loss = weigh(drive(cells, *tensors))
    return tape.gradient(loss, list(tensors) + list(cells[0].variables))

  return graph if mode == "graph" else eager


def run_gradients(kind, drive, mode, arrays, weights, **kwargs):
  make = lambda: [
    KINDS[kind].make(
      weights[1].shape[1] // (KINDS[kind].variables[1][2]), **kwargs
    )
  ]
  return helpers.run_in_mode(
    mode, make, [weights], with_gradients(drive, mode), arrays
  )


def assert_same_gradients(
  kind, drive, mode, arrays, weights, tolerance, **kwargs
):
  results = []
  for implementation in ("fused", "composed"):
    with tf_contrib_rnn.implementation(implementation):
      results.append(
        run_gradients(kind, drive, mode, arrays, weights, **kwargs)
      )
  assert len(results[0]) == len(arrays) + len(weights)
  helpers.assert_close(*results, tolerance)
  assert all(g.astype(np.float64).any() for g in results[0])
  return results


@every_kind
@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("activation", helpers.ACTIVATIONS)
def test_step_gradients_are_the_same_fused_and_composed(kind, mode, activation):
  arrays = make_arrays(kind, (BATCH, DEPTH), dtype="float64")
  weights = KINDS[kind].weights(DEPTH, UNITS, 1, "float64")
  assert_same_gradients(
    kind,
    step_all(kind),
    mode,
    arrays,
    weights,
    1e-12,
    activation=helpers.ACTIVATIONS[activation],
  )


@every_kind
@every_driver
def test_graph_gradients_under_drivers_fused_and_composed(kind, driver):
  arrays = make_arrays(kind, (BATCH, TIME, DEPTH), dtype="float64")
  weights = KINDS[kind].weights(DEPTH, UNITS, 1, "float64")
  assert_same_gradients(
    kind, DRIVERS[driver](kind), "graph", arrays, weights, 1e-12
  )


@every_kind
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_tape_gradients_through_time_fused_and_composed(kind, mode):
  arrays = make_arrays(kind, (BATCH, TIME, DEPTH), dtype="float64")
  weights = KINDS[kind].weights(DEPTH, UNITS, 1, "float64")
  assert_same_gradients(kind, loop_driver(kind), mode, arrays, weights, 1e-12)


@every_kind
@pytest.mark.parametrize("units", [1, 2, 17, 129])
@pytest.mark.parametrize("batch", [1, 7])
def test_gradients_of_odd_sizes_fused_and_composed(kind, units, batch):
  arrays = make_arrays(kind, (batch, DEPTH), units, "float64")
  weights = KINDS[kind].weights(DEPTH, units, 1, "float64")
  assert_same_gradients(kind, step_all(kind), "eager", arrays, weights, 1e-12)


@every_kind
@every_dtype
@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_gradients_of_every_dtype_fused_and_composed(kind, dtype, mode):
  arrays = make_arrays(kind, (BATCH, DEPTH), dtype=dtype)
  weights = KINDS[kind].weights(DEPTH, UNITS, 1, dtype)
  results = assert_same_gradients(
    kind, step_all(kind), mode, arrays, weights, 2 * helpers.TOLERANCES[dtype]
  )
  assert {g.dtype for g in results[0]} == {np.dtype(helpers.numpy_dtype(dtype))}
  exact = run_gradients(
    kind,
    step_all(kind),
    mode,
    helpers.as_float64(arrays),
    helpers.as_float64(weights),
  )
  helpers.assert_close(results[0], exact, 2 * helpers.TOLERANCES[dtype])


def numpy_loss(kind, arrays, weights):
  """The loss of `weigh` for a loop over time, from the reference."""
  outputs, states = helpers.numpy_sequence(kind, weights, arrays[0], arrays[1:])
  total = 0.0
  for result in [outputs, *states]:
    count = np.arange(result.size)
    total += np.sum(result.ravel() * np.sin(count * 0.37 + 0.2))
  return total


def slope(kind, arrays, weights, which, direction):
  """The reference's slope along a direction in one of its arguments."""
  step = 1e-5
  losses = []
  for sign in (1, -1):
    values = arrays + weights
    values[which] = values[which] + sign * step * direction
    count = len(arrays)
    losses.append(numpy_loss(kind, values[:count], values[count:]))
  return (losses[0] - losses[1]) / (2 * step)


@every_kind
@pytest.mark.parametrize("driver", ["dynamic", "loop"])
@with_implementations
def test_gradients_are_the_references_slopes(kind, driver, implementation):
  arrays = make_arrays(kind, (BATCH, TIME, DEPTH), dtype="float64")
  weights = KINDS[kind].weights(DEPTH, UNITS, 1, "float64")
  with tf_contrib_rnn.implementation(implementation):
    gradients = run_gradients(
      kind, DRIVERS[driver](kind), "graph", arrays, weights
    )
  rng = np.random.RandomState(9)
  for which, gradient in enumerate(gradients):
    direction = rng.normal(size=gradient.shape)
    expected = slope(kind, arrays, weights, which, direction)
    assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-6)


@every_kind
def test_padding_gets_no_gradient(kind):
  weights = KINDS[kind].weights(DEPTH, UNITS)
  x, *_ = make_arrays(kind, (BATCH, TIME, DEPTH))
  with tf.Graph().as_default():
    cell, inputs = KINDS[kind].make(UNITS), tf.constant(x)
    results = v1.nn.dynamic_rnn(cell, inputs, LENGTHS, dtype=tf.float32)
    gradient = v1.gradients(weigh(results), inputs)
    (got,) = helpers.evaluate(gradient, [cell], [weights])
  assert not got[1].any() and not got[3, 2:].any()
  assert got[0].any(1).all() and got[3, :2].any(1).all()


# TensorFlow 1's control flow, once TensorFlow 2's behaviour is disabled.

V1_SCRIPT = """
import json
import numpy as np
import tensorflow as tf
import helpers
import tf_contrib_rnn
v1 = tf.compat.v1
v1.disable_v2_behavior()

def run(kind, implementation, **kwargs):
  weights = helpers.KINDS[kind].weights(3, 5, 1, "float64")
  x = helpers.random(np.random.RandomState(2), [4, 6, 3], "float64")
  with tf.Graph().as_default(), tf_contrib_rnn.implementation(implementation):
    cell = helpers.KINDS[kind].make(5)
    inputs = v1.placeholder(tf.float64, [None, None, 3])
    results = v1.nn.dynamic_rnn(cell, inputs, [6, 0, 99, 2],
                                dtype=tf.float64, **kwargs)
    types = {op.type for op in tf.Graph.get_operations(v1.get_default_graph())}
    assert "While" not in types and "Enter" in types
    gradients = v1.gradients(results[0] ** 2, [inputs] + list(cell.variables))
    values = helpers.evaluate(
        [results, gradients], [cell], [weights], {inputs: x})
  zeros = [np.zeros([4, 5])] * helpers.KINDS[kind].states
  expected = helpers.numpy_sequence(
      kind, weights, x, zeros, lengths=[6, 0, 99, 2])
  return values, expected

def error(a, b):
  a, b = tf.nest.flatten(a), tf.nest.flatten(b)
  assert [x.shape for x in a] == [x.shape for x in b]
  return max(float(np.max(np.abs(x - y))) for x, y in zip(a, b))

results = {}
for kind in helpers.KINDS:
  fused, expected = run(kind, "fused")
  composed, _ = run(kind, "composed")
  swapped, _ = run(kind, "fused", swap_memory=True)
  results[kind] = {
      "forward": error(fused[0], expected),
      "gradients": error(fused[1], composed[1]),
      "smallest": min(float(np.max(np.abs(g))) for g in fused[1]),
      "swapped": error(swapped, fused)}
print(json.dumps(results))
"""


@pytest.fixture(scope="module", name="v1_results")
def fixture_v1_results():
  return json.loads(helpers.run_script(V1_SCRIPT).splitlines()[-1])


@every_kind
def test_without_v2_behavior_dynamic_rnn_follows_the_equations(
  kind, v1_results
):
  assert v1_results[kind]["forward"] < 1e-12


@every_kind
def test_without_v2_behavior_gradients_are_the_same_composed(kind, v1_results):
  assert v1_results[kind]["gradients"] < 1e-12
  assert v1_results[kind]["smallest"] > 1e-3


@every_kind
def test_without_v2_behavior_swap_memory_changes_nothing(kind, v1_results):
  assert v1_results[kind]["swapped"] == 0
