"""What the tests of fused cells share: inputs, lengths, what they compute, and
ways to run a cell."""

import block_cell_helpers
import helpers
import pytest
import tensorflow as tf
from block_cell_helpers import draw

import tf_contrib_rnn

TIME, BATCH, DEPTH, UNITS = 4, 3, 3, 2
INT_MAX = 2**31 - 1
LSTMS = {
  name: maker
  for name, maker in block_cell_helpers.MAKERS.items()
  if "GRU" not in name
}


def make(lstm, units=UNITS, **kwargs):
  return tf_contrib_rnn.LSTMBlockFusedCell(units, **lstm.arguments, **kwargs)


def draw_arrays(shape=(TIME, BATCH, DEPTH), units=UNITS, dtype="float32"):
  """Inputs, c and h."""
  return draw([shape, [shape[1], units], [shape[1], units]], 2, dtype)


def draw_weights(lstm, depth=DEPTH, units=UNITS, dtype="float32"):
  return draw(lstm.shapes(depth, units), 1, dtype)


def reference(lstm, arrays, weights, lengths=None):
  """The outputs, the final c and h."""
  x, *states = helpers.as_float64(arrays)
  return block_cell_helpers.sequence(
    lstm, x, states, helpers.as_float64(weights), lengths
  )


def call(cell, x, c, h, lengths=None):
  outputs, state = cell(x, initial_state=(c, h), sequence_length=lengths)
  assert isinstance(state, tf_contrib_rnn.LSTMStateTuple)
  return [outputs, *state]


def run(mode, make_cell, function, arrays, weights):
  """Runs function(cell, *tensors) in a mode with these weights."""
  if mode == "graph":
    with tf.Graph().as_default():
      cell = make_cell()
      results = function(cell, *map(tf.constant, arrays))
      return helpers.evaluate(results, [cell], [weights])
  cell = make_cell()
  call(cell, *map(tf.constant, arrays))
  for variable, array in zip(cell.variables, weights):
    variable.assign(array)
  if mode == "function":
    function = tf.function(function)
  return helpers.to_numpy(function(cell, *map(tf.constant, arrays)))


# Lengths that are none.

OUTSIDE = {
  "negative": ([4, -1, 2], "negative"),
  "all negative": ([-1, -2, -3], "negative"),
  "past": ([TIME + 1, 0, 2], "past the end"),
  "maximum": ([INT_MAX, 1, 1], "past the end"),
  "minimum": ([-INT_MAX - 1, 1, 1], "negative"),
}
every_outside = pytest.mark.parametrize(
  "lengths,message", OUTSIDE.values(), ids=OUTSIDE
)


def run_over(cell, **kwargs):
  return cell(tf.ones([TIME, BATCH, DEPTH]), dtype=tf.float32, **kwargs)


PEEPHOLES = ["kernel", "bias", "w_i_diag", "w_f_diag", "w_o_diag"]
