"""static_rnn, static_bidirectional_rnn and the stacks of both directions,
compared with TensorFlow's own functions."""

import functools

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS
from helpers import v1
from rnn_helpers import assert_same
from rnn_helpers import assert_whole
from rnn_helpers import indy
from rnn_helpers import make_inputs
from rnn_helpers import run_graph

import tf_contrib_rnn
from tf_contrib_rnn import core

every_kind = pytest.mark.parametrize("kind", KINDS)


def compare_static(name, make_cells, lengths=None, time=7, **kwargs):
  x = make_inputs(4, time, 5)

  def build(function, x):
    return function(
      *make_cells(),
      tf.unstack(x, time, 1),
      sequence_length=lengths,
      dtype=x.dtype,
      **kwargs,
    )

  ours = functools.partial(build, getattr(tf_contrib_rnn, name))
  theirs = functools.partial(build, getattr(v1.nn, name))
  assert_same(run_graph(ours, [x]), run_graph(theirs, [x]))


@every_kind
@pytest.mark.parametrize("lengths", [None, [7, 1, 0, 4]])
def test_static_rnn(kind, lengths, layers):
  compare_static("static_rnn", lambda: [indy(kind)], lengths)
  assert_whole(layers(), 1)


@every_kind
@pytest.mark.parametrize("lengths", [None, [7, 1, 0, 4]])
def test_static_bidirectional_rnn(kind, lengths, layers):
  compare_static(
    "static_bidirectional_rnn",
    lambda: [indy(kind), KINDS[kind].make(6)],
    lengths,
    scope="mine",
  )
  assert_whole(layers(), 2)


def test_static_functions_leave_other_cells_to_tensorflow(layers):
  compare_static("static_rnn", lambda: [core.LSTMCell(5)])
  compare_static(
    "static_bidirectional_rnn", lambda: [indy("IndyGRU"), core.GRUCell(5)]
  )
  assert len(layers()) == 2
  assert all("step by step" in message for message in layers())


def stack_by_hand(cells_fw, cells_bw, x, lengths, **kwargs):
  """tf.contrib.rnn's function, written with TensorFlow's own."""
  states = []
  with v1.variable_scope("stack_bidirectional_rnn"):
    for i, cells in enumerate(zip(cells_fw, cells_bw)):
      with v1.variable_scope(f"cell_{i}"):
        outputs, both = v1.nn.bidirectional_dynamic_rnn(
          *cells, x, lengths, dtype=x.dtype, **kwargs
        )
        x = tf.concat(outputs, 2)
      states.append(both)
  return x, [fw for fw, _ in states], [bw for _, bw in states]


@every_kind
@pytest.mark.parametrize("time_major", [False, True])
def test_stack_bidirectional_dynamic_rnn(kind, time_major, layers):
  lengths = np.array([7, 1, 0, 4], np.int32)
  shape = (7, 4) if time_major else (4, 7)

  def build(ours, x):
    both = [[KINDS[kind].make(3), KINDS[kind].make(6)] for _ in range(2)]
    if not ours:
      return stack_by_hand(*both, x, lengths, time_major=time_major)
    return tf_contrib_rnn.stack_bidirectional_dynamic_rnn(
      *both,
      x,
      dtype=x.dtype,
      sequence_length=lengths,
      time_major=time_major,
      swap_memory=True,
    )

  arrays = [make_inputs(*shape, 5)]
  got = run_graph(functools.partial(build, True), arrays)
  assert_same(got, run_graph(functools.partial(build, False), arrays))
  assert got[0][0].startswith(
    "stack_bidirectional_rnn/cell_0/bidirectional_rnn/fw/"
  )
  assert_whole(layers(), 4)


@pytest.mark.one_value
@every_kind
def test_stack_bidirectional_rnn(kind):
  lengths = np.array([7, 1, 0, 4], np.int32)

  def build(ours, x):
    both = [[KINDS[kind].make(3), KINDS[kind].make(6)] for _ in range(2)]
    if ours:
      return tf_contrib_rnn.stack_bidirectional_rnn(
        *both, tf.unstack(x, 7, 1), dtype=x.dtype, sequence_length=lengths
      )
    outputs, *states = stack_by_hand(*both, x, lengths)
    return tf.unstack(outputs, 7, 1), *states

  arrays = [make_inputs(4, 7, 5)]
  got = run_graph(functools.partial(build, True), arrays)
  want = run_graph(functools.partial(build, False), arrays)
  assert got[0] == [
    name.replace("bidirectional_rnn/fw", "fw").replace(
      "bidirectional_rnn/bw", "bw"
    )
    for name in want[0]
  ]
  assert_same((want[0], *got[1:]), want)


def test_stack_takes_initial_states():
  """With lengths of 0, each final state is the initial one."""
  states = np.arange(4 * 2 * 5, dtype=np.float32).reshape([4, 2, 5])
  with tf.Graph().as_default():
    outputs, fw, bw = tf_contrib_rnn.stack_bidirectional_dynamic_rnn(
      [indy("IndyGRU"), indy("IndyGRU")],
      [indy("IndyGRU"), indy("IndyGRU")],
      tf.ones([2, 3, 4]),
      initial_states_fw=[tf.constant(states[0]), tf.constant(states[1])],
      initial_states_bw=[tf.constant(states[2]), tf.constant(states[3])],
      sequence_length=[0, 0],
    )
    got = helpers.evaluate([outputs, fw, bw])
  np.testing.assert_array_equal(got[0], np.zeros([2, 3, 10]))
  np.testing.assert_array_equal([*got[1], *got[2]], states)
