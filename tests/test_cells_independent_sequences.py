"""The independent cells under every driver of sequences: the same numbers from
the same weights, and those of the equations in float64."""

import json

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS
from independent_cell_helpers import BATCH
from independent_cell_helpers import DEPTH
from independent_cell_helpers import DRIVERS
from independent_cell_helpers import dynamic_driver
from independent_cell_helpers import every_driver
from independent_cell_helpers import LENGTHS
from independent_cell_helpers import make_arrays
from independent_cell_helpers import TIME
from independent_cell_helpers import UNITS

import tf_contrib_rnn

pytestmark = pytest.mark.every_pair

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS)
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)
every_dtype = pytest.mark.parametrize("dtype", helpers.TOLERANCES)


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
