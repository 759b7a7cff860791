"""FusedRNNCellAdaptor, TimeReversedFusedRNN, and subclasses of FusedRNNCell."""

import helpers
import numpy as np
import pytest
import tensorflow as tf
from fused_rnn_helpers import BATCH
from fused_rnn_helpers import DEPTH
from fused_rnn_helpers import draw_arrays
from fused_rnn_helpers import draw_weights
from fused_rnn_helpers import LSTMS
from fused_rnn_helpers import make
from fused_rnn_helpers import PEEPHOLES
from fused_rnn_helpers import reference
from fused_rnn_helpers import run_over
from fused_rnn_helpers import TIME
from fused_rnn_helpers import UNITS

import tf_contrib_rnn

v1 = tf.compat.v1

every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])


def made_names():
  return [v.op.name for v in v1.global_variables()]


CELLS = {
  "GRU": lambda: tf_contrib_rnn.GRUCell(UNITS),
  "IndyLSTM": lambda: tf_contrib_rnn.IndyLSTMCell(UNITS),
  "block": lambda: tf_contrib_rnn.LSTMBlockCell(UNITS),
}
either_function = pytest.mark.parametrize("dynamic", [False, True])


def steps_of(x, as_list):
  return tf.unstack(x) if as_list else x


def tensor_of(steps, as_list):
  assert isinstance(steps, list) == as_list
  return tf.stack(steps) if as_list else steps


@pytest.mark.parametrize("name", CELLS)
@either_function
@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_an_adaptor_runs_the_cell(graph, name, dynamic, as_list, given):
  """Against TensorFlow's dynamic_rnn with the same cell."""
  x = tf.constant(draw_arrays()[0])
  cell = CELLS[name]()
  keywords = {"sequence_length": [4, 0, 9], "dtype": tf.float32}
  if given:
    ones = tf.ones([BATCH, UNITS])
    state = tf.nest.map_structure(lambda _: ones, cell.state_size)
    keywords = {"initial_state": state}
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(cell, dynamic)
  outputs, state = fused(steps_of(x, as_list), **keywords)
  with v1.variable_scope(v1.get_variable_scope(), reuse=True):
    want = v1.nn.dynamic_rnn(cell, x, time_major=True, **keywords)
  assert all(n.startswith("rnn/") for n in made_names())
  assert len(made_names()) == len(cell.variables)
  got, want = helpers.evaluate([(tensor_of(outputs, as_list), state), want])
  tf.nest.assert_same_structure(got, want)
  helpers.assert_close(got, want, 2e-6)


@either_function
def test_an_adaptor_uses_this_packages_functions(graph, dynamic, caplog):
  caplog.set_level("DEBUG", "tf_contrib_rnn")
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(CELLS["IndyLSTM"](), dynamic)
  run_over(fused, scope="called")
  assert "whole sequences: called/indy_lstm_cell" in caplog.text
  assert made_names()[0] == "called/indy_lstm_cell/kernel_w"


@either_function
@pytest.mark.parametrize("in_function", [False, True])
def test_an_adaptor_in_eager_mode(dynamic, in_function):
  cell = CELLS["block"]()
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(cell, dynamic)
  function = lambda x: fused(x, dtype=tf.float32, sequence_length=[4, 0, 2])
  if in_function:
    function = tf.function(function)
  lstm = LSTMS["plain"]()
  for factor in (1, 2):
    x = draw_arrays()[0] * np.float32(factor)
    got = function(tf.constant(x))
    zeros = np.zeros([2, BATCH, UNITS])
    want = reference(lstm, [x, *zeros], cell.variables, [4, 0, 2])
    helpers.assert_close(got, want, 5e-6)
  assert len(cell.variables) == 2


@either_function
def test_errors_of_an_adaptor(graph, dynamic):
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(CELLS["GRU"](), dynamic)
  with pytest.raises(ValueError, match="dtype"):
    fused(tf.ones([TIME, BATCH, DEPTH]))
  with pytest.raises(TypeError, match="is not an RNNCell"):
    run_over(tf_contrib_rnn.FusedRNNCellAdaptor("GRUCell", dynamic))
  with pytest.raises(ValueError):
    fused([], dtype=tf.float32)
  x = v1.placeholder(tf.float32, [None, BATCH, DEPTH])
  if dynamic:
    assert fused(x, dtype=tf.float32)[0].shape.as_list() == [
      None,
      BATCH,
      UNITS,
    ]
  else:
    with pytest.raises(ValueError, match="Cannot infer .*num.* from shape"):
      fused(x, dtype=tf.float32)


class Summing(tf_contrib_rnn.FusedRNNCell):
  """Running sums, which are as long as they are: no end is seen to."""

  def __call__(
    self,
    inputs,
    initial_state=None,
    dtype=None,
    sequence_length=None,
    scope=None,
  ):
    self.seen = initial_state, dtype, sequence_length, scope
    as_list = isinstance(inputs, list)
    sums = tf.cumsum(tf.stack(inputs) if as_list else inputs)
    return steps_of(sums, as_list), sums[-1]


def reverse(x, lengths):
  x = np.array(x)
  for row, length in enumerate(lengths):
    x[:length, row] = x[:length, row][::-1]
  return x


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("lengths", [None, [4, 0, 2]])
@every_mode
def test_a_reversed_cell(mode, as_list, lengths):
  x = draw_arrays()[0]

  def function(x):
    fused = tf_contrib_rnn.TimeReversedFusedRNN(Summing())
    outputs, state = fused(steps_of(x, as_list), sequence_length=lengths)
    return tensor_of(outputs, as_list), state

  if mode == "graph":
    with tf.Graph().as_default():
      got = helpers.evaluate(function(tf.constant(x)))
  else:
    got = (tf.function(function) if mode == "function" else function)(x)
  # A list is reversed whole.
  ends = [TIME] * BATCH if as_list or lengths is None else lengths
  sums = np.cumsum(reverse(x, ends), 0)
  helpers.assert_close(got, [reverse(sums, ends), sums[-1]], 1e-6)


def test_a_reversed_cell_passes_its_arguments_on():
  cell = Summing()
  tf_contrib_rnn.TimeReversedFusedRNN(cell)(
    tf.ones([TIME, BATCH, DEPTH]), 1, 2, [1, 2, 3], 4
  )
  assert cell.seen == (1, 2, [1, 2, 3], 4)


@pytest.mark.parametrize("length_dtype", [tf.int32, tf.int64])
def test_a_reversed_adaptor_is_half_of_a_bidirectional_rnn(graph, length_dtype):
  x = tf.constant(draw_arrays()[0])
  lengths = tf.constant([4, 0, 2], length_dtype)
  cell, other = CELLS["GRU"](), CELLS["GRU"]()
  (_, want), (_, want_state) = v1.nn.bidirectional_dynamic_rnn(
    other, cell, x, lengths, dtype=tf.float32, time_major=True
  )
  fused = tf_contrib_rnn.TimeReversedFusedRNN(
    tf_contrib_rnn.FusedRNNCellAdaptor(cell, use_dynamic_rnn=True)
  )
  got = fused(x, dtype=tf.float32, sequence_length=lengths)
  got, want = helpers.evaluate([got, (want, want_state)])
  helpers.assert_close(got, want, 1e-6)


def test_a_reversed_block(graph):
  lstm = LSTMS["peephole"]()
  weights, (x, *_) = draw_weights(lstm), draw_arrays()
  cell = make(lstm)
  fused = tf_contrib_rnn.TimeReversedFusedRNN(cell)
  results = fused(
    tf.constant(x), dtype=tf.float32, sequence_length=[4, 0, 2], scope="called"
  )
  assert made_names() == [f"called/{n}" for n in PEEPHOLES]
  got = helpers.evaluate(results, [cell], [weights])
  zeros = np.zeros([2, BATCH, UNITS])
  arrays = [reverse(x, [4, 0, 2]), *zeros]
  outputs, *state = reference(lstm, arrays, weights, [4, 0, 2])
  helpers.assert_close(got, [reverse(outputs, [4, 0, 2]), *state], 5e-6)
  with pytest.raises(ValueError, match="expects 1 input"):
    fused(tf.unstack(tf.constant(x)), dtype=tf.float32)


@pytest.mark.parametrize("lengths", [[TIME + 1, 0, 2], [1, -1, 2]])
def test_a_reversed_cell_with_lengths_outside(lengths):
  fused = tf_contrib_rnn.TimeReversedFusedRNN(make(LSTMS["plain"]()))
  with pytest.raises(tf.errors.InvalidArgumentError):
    run_over(fused, sequence_length=lengths)
