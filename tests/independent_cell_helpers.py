"""What the tests of the independent cells share: inputs, steps, and drivers of
sequences."""

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS

import tf_contrib_rnn

v1 = tf.compat.v1

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


# Each driver as a function of cells and tensors, which gives outputs
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
