"""dynamic_rnn with cells in wrappers and stacks, and what it hands to
TensorFlow's function."""

import itertools

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS
from helpers import v1
from rnn_helpers import assert_whole
from rnn_helpers import compare
from rnn_helpers import indy
from rnn_helpers import make_inputs
from rnn_helpers import start_session

import tf_contrib_rnn
from tf_contrib_rnn import core

legacy_cells = helpers.import_keras_2(".src.layers.rnn.legacy_cells")
legacy_cell_wrappers = helpers.import_keras_2(
  ".src.layers.rnn.legacy_cell_wrappers"
)
every_kind = pytest.mark.parametrize("kind", KINDS)
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)


# Wrappers. Each makes a cell of 5 units from 5 inputs.


def dropout_of_ones(cell):
  return core.DropoutWrapper(cell, 1.0, 1.0, 1.0)


def variational(cell, **kwargs):
  return core.DropoutWrapper(
    cell,
    0.6,
    0.7,
    variational_recurrent=True,
    input_size=tf.TensorShape([5]),
    dtype=tf.float32,
    seed=7,
    **kwargs,
  )


WRAPPERS = {
  "residual": core.ResidualWrapper,
  "device": lambda cell: core.DeviceWrapper(cell, "/cpu:0"),
  "device_function": lambda cell: core.DeviceWrapper(cell, lambda op: "/cpu:0"),
  "dropout_of_ones": dropout_of_ones,
  "variational": variational,
  "tf_keras_residual": legacy_cell_wrappers.ResidualWrapper,
  "tf_keras_device": lambda cell: legacy_cell_wrappers.DeviceWrapper(
    cell, "/cpu:0"
  ),
  "tf_keras_dropout": lambda cell: legacy_cell_wrappers.DropoutWrapper(
    cell, 1.0, 1.0
  ),
  "tf_nn_residual": lambda cell: tf.nn.RNNCellResidualWrapper(cell),
  "tf_nn_dropout": lambda cell: tf.nn.RNNCellDropoutWrapper(cell, 1.0, 1.0),
}


@every_kind
@pytest.mark.parametrize(
  "wrappers",
  [
    *itertools.product(WRAPPERS),
    *itertools.permutations(list(WRAPPERS)[:5], 2),
  ],
  ids="-".join,
)
def test_wrapped_cell(kind, wrappers, layers):
  def make_cell():
    cell = indy(kind)
    for name in wrappers:
      cell = WRAPPERS[name](cell)
    return [cell]

  compare(
    "dynamic_rnn",
    make_cell,
    [make_inputs(4, 7, 5), np.array([7, 1, 0, 4], np.int32)],
    5e-6,
  )
  assert_whole(layers(), 1)


@pytest.mark.parametrize(
  "multi", [core, legacy_cells], ids=["core", "tf_keras"]
)
@pytest.mark.parametrize("time_major", [False, True])
@with_implementations
def test_stacks_of_wrapped_cells(multi, time_major, implementation, layers):
  def make_cell():
    return [
      multi.MultiRNNCell(
        [
          variational(indy("IndyGRU")),
          core.ResidualWrapper(indy("IndyLSTM")),
          multi.MultiRNNCell([indy("IndRNN"), indy("IndyGRU")]),
          core.DeviceWrapper(indy("IndyLSTM"), "/cpu:0"),
        ]
      )
    ]

  shape = (7, 4) if time_major else (4, 7)
  with tf_contrib_rnn.implementation(implementation):
    compare(
      "dynamic_rnn",
      make_cell,
      [make_inputs(*shape, 5), np.array([7, 1, 0, 4], np.int32)],
      5e-6,
      time_major=time_major,
    )
  assert_whole(layers(), 5)


def test_one_cell_object_twice_in_a_stack(layers):
  def make_cell():
    cell = indy("IndyGRU")
    return [core.MultiRNNCell([cell] * 2)]

  compare("dynamic_rnn", make_cell, [make_inputs(4, 7, 5)])
  assert_whole(layers(), 2)


def test_stack_with_the_states_side_by_side(layers):
  def make_cell():
    return [
      core.MultiRNNCell(
        [indy("IndyGRU"), KINDS["IndRNN"].make(3)], state_is_tuple=False
      )
    ]

  compare("dynamic_rnn", make_cell, [make_inputs(4, 7, 5)])
  assert_whole(layers(), 2)


def run_dropout(wrap, batch=60, time=50, units=20, **kwargs):
  """The outputs of an IndRNN that passes ones on: u = 0, w = 1, b = 0."""
  with tf.Graph().as_default():
    cell = tf_contrib_rnn.IndRNNCell(units, activation=tf.identity)
    x = tf.ones([batch, time, units])
    feed = {}
    outputs, _ = tf_contrib_rnn.dynamic_rnn(
      wrap(cell, feed), x, dtype=tf.float32, **kwargs
    )
    w, u, b = cell.variables
    with start_session() as session:
      session.run(v1.global_variables_initializer())
      session.run([u.assign(tf.zeros_like(u)), b.assign(tf.zeros_like(b))])
      session.run(w.assign(tf.eye(units)))
      return session.run(outputs, feed)


def test_input_and_output_dropout_have_the_right_rates(layers):
  outputs = run_dropout(
    lambda cell, _: core.DropoutWrapper(cell, 0.5, 0.8, seed=1)
  )
  assert set(np.unique(np.round(outputs, 4))) == {0.0, 2.5}
  assert abs(np.mean(outputs != 0) - 0.4) < 0.01
  # Each step and each row has a mask of its own.
  kept = (outputs != 0).reshape(-1, outputs.shape[-1])
  assert len(np.unique(kept, axis=0)) > 0.9 * len(kept)
  assert_whole(layers(), 1)


def test_variational_dropout_keeps_its_mask(layers):
  outputs = run_dropout(
    lambda cell, _: core.DropoutWrapper(
      cell,
      0.5,
      0.5,
      variational_recurrent=True,
      input_size=20,
      dtype=tf.float32,
    )
  )
  assert len(np.unique(outputs.reshape(-1, 20), axis=0)) == 1
  assert set(np.unique(outputs)) <= {0.0, 4.0}
  assert_whole(layers(), 1)


def test_dropout_by_a_placeholder(layers):
  def wrap(cell, feed):
    keep = v1.placeholder(tf.float32, [])
    feed[keep] = 0.25
    return core.DropoutWrapper(cell, input_keep_prob=keep)

  outputs = run_dropout(wrap)
  assert set(np.unique(outputs)) == {0.0, 4.0}
  assert abs(np.mean(outputs != 0) - 0.25) < 0.01
  assert_whole(layers(), 1)


# What goes to TensorFlow's function, and says why.


class MyGRU(tf_contrib_rnn.IndyGRUCell):
  def call(self, inputs, state):
    output, state = super().call(inputs, state)
    return 2 * output, state


class MyWrapper(core.ResidualWrapper):
  pass


STEPWISE = {
  "LSTMCell is none of": lambda: core.LSTMCell(5),
  "MyGRU is none of": lambda: MyGRU(5),
  "MyWrapper is none of": lambda: MyWrapper(indy("IndyGRU")),
  "GRUCell is none of": lambda: core.MultiRNNCell(
    [indy("IndyGRU"), core.GRUCell(5)]
  ),
  "drops out parts of the state": lambda: core.DropoutWrapper(
    indy("IndyLSTM"),
    state_keep_prob=0.5,
    variational_recurrent=True,
    dtype=tf.float32,
    seed=7,
  ),
  "drops out parts of the state ": lambda: core.DropoutWrapper(
    indy("IndyLSTM"),
    state_keep_prob=0.5,
    dropout_state_filter_visitor=lambda state: False,
    variational_recurrent=True,
    dtype=tf.float32,
    seed=7,
  ),
  "has a residual_fn": lambda: core.ResidualWrapper(
    indy("IndRNN"), lambda i, o: o - tf.reduce_mean(i)
  ),
}


@pytest.mark.parametrize("reason", STEPWISE)
def test_other_cells_go_to_tensorflow(reason, layers):
  compare(
    "dynamic_rnn",
    lambda: [STEPWISE[reason]()],
    [make_inputs(4, 7, 5), np.array([7, 1, 0, 4], np.int32)],
  )
  (message,) = layers()
  assert message.startswith("dynamic_rnn: step by step, by TensorFlow: ")
  assert reason.strip() in message


def test_what_runs_is_logged(layers):
  with tf.Graph().as_default():
    cells = [indy("IndyGRU"), indy("IndyLSTM")]
    tf_contrib_rnn.dynamic_rnn(
      core.MultiRNNCell(cells), tf.zeros([2, 3, 4]), dtype=tf.float32
    )
  assert layers() == [
    "whole sequences: rnn/multi_rnn_cell/cell_0/indy_gru_cell",
    "whole sequences: rnn/multi_rnn_cell/cell_1/indy_lstm_cell",
  ]


def count_ops(graph):
  """The types of a graph's ops, those inside its functions included."""
  types = [op.type for op in graph.get_operations()]
  for function in graph.as_graph_def().library.function:
    types += [node.op for node in function.node_def]
  return types


@every_kind
@pytest.mark.parametrize("reverse", [False, True])
def test_a_layer_is_one_product_and_one_op(kind, reverse):
  with tf.Graph().as_default() as graph:
    x = tf.zeros([4, 7, 5])
    if reverse:
      tf_contrib_rnn.bidirectional_dynamic_rnn(
        indy(kind), indy(kind), x, [7, 1, 0, 4], dtype=x.dtype
      )
    else:
      tf_contrib_rnn.dynamic_rnn(indy(kind), x, [7, 1, 0, 4], dtype=x.dtype)
  types = count_ops(graph)
  layers = 2 if reverse else 1
  assert types.count("MatMul") == layers
  assert types.count(f"ContribRnn>{kind}") == layers
  for copy in ("Transpose", "ReverseSequence", "ReverseV2", "While"):
    assert copy not in types


@every_kind
def test_the_switch_of_the_cells_decides(kind):
  with tf.Graph().as_default() as graph:
    with tf_contrib_rnn.implementation("composed"):
      tf_contrib_rnn.dynamic_rnn(
        indy(kind), tf.zeros([4, 7, 5]), dtype=tf.float32
      )
  types = count_ops(graph)
  assert f"ContribRnn>{kind}" not in types
  assert types.count("MatMul") == 1
