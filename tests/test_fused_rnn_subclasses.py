"""Subclasses of LSTMBlockWrapper, and what is abstract."""

import helpers
import numpy as np
import pytest
import tensorflow as tf
from block_cell_helpers import draw
from fused_rnn_helpers import BATCH
from fused_rnn_helpers import call
from fused_rnn_helpers import DEPTH
from fused_rnn_helpers import draw_arrays
from fused_rnn_helpers import every_outside
from fused_rnn_helpers import run
from fused_rnn_helpers import TIME
from fused_rnn_helpers import UNITS

import tf_contrib_rnn

v1 = tf.compat.v1

every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])


def made_names():
  return [v.op.name for v in v1.global_variables()]


class Halving(tf_contrib_rnn.LSTMBlockWrapper):
  """c' = c/2 + x W, h' = sin(c') + h0."""

  def __init__(self, units, **kwargs):
    super().__init__(**kwargs)
    self.units = units
    self.seen = []

  @property
  def num_units(self):
    return self.units

  def build(self, shape):
    self.seen.append(shape)
    depth = tf.TensorShape(shape[0] if isinstance(shape, list) else shape)[-1]
    self.w = self.add_weight("w", [depth, self.units])
    self.built = True

  def _call_cell(
    self, inputs, initial_cell_state, initial_output, dtype, sequence_length
  ):
    self.seen += [dtype, sequence_length]
    c, steps = initial_cell_state, []
    for x in tf.unstack(inputs):
      c = c / 2 + tf.matmul(x, self.w)
      steps.append(c)
    steps = tf.stack(steps)
    return steps, tf.sin(steps) + initial_output


def halve(x, c, h, w, lengths):
  outputs, states = np.zeros([*x.shape[:2], w.shape[1]]), [(c, h)]
  for inputs in x:
    c = c / 2 + inputs @ w
    states.append((c, np.sin(c) + h))
  for row, length in enumerate(lengths):
    for t in range(length):
      outputs[t, row] = states[t + 1][1][row]
  return [outputs] + [
    np.stack([states[n][part][row] for row, n in enumerate(lengths)])
    for part in (0, 1)
  ]


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("lengths", [None, [4, 0, 2]])
@every_mode
def test_a_subclass(mode, as_list, lengths):
  arrays = draw_arrays(dtype="float64")
  weights = draw([[DEPTH, UNITS]], 1, "float64")

  def function(cell, x, c, h):
    steps = tf.unstack(x) if as_list else x
    outputs, *state = call(cell, steps, c, h, lengths)
    assert isinstance(outputs, list) == as_list
    return [tf.stack(outputs) if as_list else outputs, *state]

  cells = []

  def make_cell():
    cells.append(Halving(UNITS))
    return cells[0]

  got = run(mode, make_cell, function, arrays, weights)
  want = halve(
    *arrays, *weights, [TIME] * BATCH if lengths is None else lengths
  )
  helpers.assert_close(got, want, 1e-12)
  assert cells[0].seen[1] == tf.float64


def test_what_a_subclass_gets(graph):
  x = tf.ones([TIME, BATCH, DEPTH])
  cells = [Halving(UNITS), Halving(UNITS), Halving(UNITS, name="named")]
  cells[0](x, dtype="float32")
  cells[1](tf.unstack(x), dtype=tf.float32, sequence_length=(4, 0, 2))
  cells[2](x, dtype=tf.float32, scope="called")
  assert made_names() == ["halving/w", "halving_1/w", "called/w"]
  shape, dtype, lengths = cells[0].seen
  assert tf.TensorShape(shape) == [TIME, BATCH, DEPTH]
  assert dtype is tf.float32 and lengths is None
  shapes, _, lengths = cells[1].seen
  assert [tf.TensorShape(s) for s in shapes] == [[BATCH, DEPTH]] * TIME
  assert lengths.dtype == tf.int32 and lengths.shape == [BATCH]


@every_outside
def test_lengths_outside_in_a_subclass(lengths, message):
  with pytest.raises(tf.errors.InvalidArgumentError, match=message):
    call(Halving(UNITS), *map(tf.constant, draw_arrays()), lengths)


def test_steps_of_another_rank():
  with pytest.raises(ValueError, match=r"expected \[time, batch, depth\]"):
    Halving(UNITS)(tf.ones([BATCH, DEPTH]), dtype=tf.float32)


def test_what_is_abstract_can_not_be_made():
  class Half(tf_contrib_rnn.LSTMBlockWrapper):
    num_units = 3

  class Nothing(tf_contrib_rnn.FusedRNNCell):
    pass

  for abstract in (
    tf_contrib_rnn.LSTMBlockWrapper,
    Half,
    tf_contrib_rnn.FusedRNNCell,
    Nothing,
  ):
    with pytest.raises(TypeError, match="[Cc]an't instantiate abstract class"):
      abstract()
  assert not issubclass(
    tf_contrib_rnn.LSTMBlockFusedCell, tf_contrib_rnn.FusedRNNCell
  )
