"""Gradients of the independent cells, of inputs, states and all variables:
fused against composed, and the slopes of the equations."""

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS
from independent_cell_helpers import BATCH
from independent_cell_helpers import DEPTH
from independent_cell_helpers import DRIVERS
from independent_cell_helpers import every_driver
from independent_cell_helpers import LENGTHS
from independent_cell_helpers import loop_driver
from independent_cell_helpers import make_arrays
from independent_cell_helpers import step_all
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
