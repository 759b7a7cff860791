"""Malformed use of the cells, and what only looks malformed."""

import re

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS

import tf_contrib_rnn

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)

BATCH, TIME, DEPTH, UNITS = 4, 2, 3, 5


@pytest.fixture(name="graph")
def fixture_graph():
  with tf.Graph().as_default() as graph:
    yield graph


def step(cell, dtype=tf.float32):
  x = tf.ones([BATCH, DEPTH], dtype)
  return cell(x, cell.zero_state(BATCH, dtype))


def dynamic(cell):
  x = tf.ones([BATCH, TIME, DEPTH])
  return v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)


def zeros_state(kind, shape, dtype=tf.float32):
  return kind.state([tf.zeros(shape, dtype)] * kind.states)


def raises(error, *parts):
  return pytest.raises(error, match=".*".join(map(re.escape, parts)))


# Reuse.


@every_kind
def test_second_dynamic_rnn_without_reuse(graph, kind):
  dynamic(kind.make(UNITS))
  with raises(
    ValueError,
    f"Variable rnn/{kind.prefix}/{kind.variables[0][0]} already "
    "exists, disallowed. Did you mean to set reuse=True or "
    "reuse=tf.AUTO_REUSE in VarScope?",
  ):
    dynamic(kind.make(UNITS))


@every_kind
def test_scope_opened_again_without_reuse(graph, kind):
  with v1.variable_scope("s"):
    step(kind.make(UNITS))
  with raises(
    ValueError,
    f"Variable s/{kind.prefix}/{kind.variables[0][0]} already "
    "exists, disallowed. Did you mean to set reuse=True or "
    "reuse=tf.AUTO_REUSE in VarScope?",
  ):
    with v1.variable_scope("s"):
      step(kind.make(UNITS))


@every_kind
def test_reuse_of_what_is_not_there(graph, kind):
  with raises(
    ValueError,
    f"Variable {kind.prefix}/{kind.variables[0][0]} does not exist, "
    "or was not created with tf.get_variable().",
  ):
    step(kind.make(UNITS, reuse=True))


@every_kind
def test_scope_reuse_of_what_is_not_there(graph, kind):
  with raises(
    ValueError,
    "Variable s/rnn/",
    "does not exist, or was not " "created with tf.get_variable().",
  ):
    with v1.variable_scope("s", reuse=True):
      dynamic(kind.make(UNITS))


@every_kind
def test_reuse_of_another_size(graph, kind):
  step(kind.make(UNITS, name="foo"))
  name, _, gates = kind.variables[0]
  with raises(
    ValueError,
    f"Trying to share variable foo/{name}, but specified shape "
    f"(3, {gates * 6}) and found shape (3, {gates * 5}).",
  ):
    step(kind.make(6, name="foo", reuse=True))


@every_kind
def test_reuse_of_another_depth(graph, kind):
  step(kind.make(UNITS, name="foo"))
  cell = kind.make(UNITS, name="foo", reuse=v1.AUTO_REUSE)
  with raises(
    ValueError,
    "Trying to share variable foo/",
    "specified shape " "(2, ",
    "found shape (3, ",
  ):
    cell(tf.ones([BATCH, 2]), cell.zero_state(BATCH, tf.float32))


# Inputs.


@every_kind
def test_inputs_of_rank_3(graph, kind):
  cell = kind.make(UNITS)
  with raises(
    ValueError,
    f"Input 0 of layer {kind.prefix}",
    "is incompatible with the layer: expected ndim=2, found ndim=3.",
  ):
    cell(tf.ones([BATCH, TIME, DEPTH]), cell.zero_state(BATCH, tf.float32))


@every_kind
def test_inputs_of_rank_1(graph, kind):
  cell = kind.make(UNITS)
  with raises(ValueError, "expected ndim=2, found ndim=1."):
    cell(tf.ones([DEPTH]), cell.zero_state(BATCH, tf.float32))


@every_kind
def test_inputs_of_another_depth_than_before(graph, kind):
  cell = kind.make(UNITS)
  step(cell)
  with pytest.raises(ValueError):
    cell(tf.ones([BATCH, DEPTH + 1]), cell.zero_state(BATCH, tf.float32))


@every_kind
def test_unknown_depth(graph, kind):
  cell = kind.make(UNITS)
  x = v1.placeholder(tf.float32, [4, None])
  with raises(
    ValueError, "Expected inputs.shape[-1] to be known, saw shape: (4, "
  ):
    cell(x, cell.zero_state(BATCH, tf.float32))
  assert not v1.global_variables()


@every_kind
def test_unknown_depth_under_dynamic_rnn(graph, kind):
  x = v1.placeholder(tf.float32, [4, 2, None])
  with raises(
    ValueError,
    "Input size (depth of inputs) must be accessible "
    "via shape inference, but saw value None",
  ):
    v1.nn.dynamic_rnn(kind.make(UNITS), x, dtype=tf.float32)


@every_kind
@pytest.mark.parametrize("eager", [False, True], ids=["graph", "eager"])
@pytest.mark.parametrize(
  "dtype",
  ["int32", "int64", "uint8", "bool", "complex64", "complex128", "string"],
)
def test_inputs_that_are_not_floating(kind, eager, dtype):
  x = np.zeros([BATCH, DEPTH]).astype("U" if dtype == "string" else dtype)
  graph = tf.Graph()
  with graph.as_default() if not eager else tf.init_scope():
    with pytest.raises((TypeError, ValueError)):
      kind.make(UNITS)(tf.constant(x), zeros_state(kind, [BATCH, UNITS]))


@every_kind
@pytest.mark.parametrize("dtype", ["int32", tf.bool, tf.complex64, "string"])
def test_cell_dtypes_that_are_not_floating(kind, dtype):
  with raises(TypeError, "float"):
    kind.make(UNITS, dtype=dtype)


# Dtypes that do not match: (inputs, state, cell).

MISMATCHES = [
  ("float32", "float64", None),
  ("float64", "float32", None),
  ("float16", "float32", None),
  ("bfloat16", "float16", None),
  ("float32", "int32", None),
  ("float32", "float32", "float64"),
  ("float64", "float64", "float32"),
  ("float32", "float64", "float64"),
  ("int32", "float32", "float32"),
]


@every_kind
@with_implementations
@pytest.mark.parametrize("inputs,state,cell", MISMATCHES)
def test_dtypes_that_differ_are_type_errors_in_graphs(
  graph, kind, implementation, inputs, state, cell
):
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises(TypeError):
      kind.make(UNITS, dtype=cell)(
        tf.ones([BATCH, DEPTH], inputs),
        zeros_state(kind, [BATCH, UNITS], state),
      )


@every_kind
@with_implementations
@pytest.mark.parametrize("inputs,state,cell", MISMATCHES)
def test_dtypes_that_differ_are_errors_in_eager_mode(
  kind, implementation, inputs, state, cell
):
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises((TypeError, tf.errors.InvalidArgumentError)):
      kind.make(UNITS, dtype=cell)(
        tf.ones([BATCH, DEPTH], inputs),
        zeros_state(kind, [BATCH, UNITS], state),
      )


@every_kind
def test_initial_state_of_another_dtype_under_dynamic_rnn(graph, kind):
  with pytest.raises((TypeError, ValueError)):
    v1.nn.dynamic_rnn(
      kind.make(UNITS),
      tf.ones([BATCH, TIME, DEPTH]),
      initial_state=zeros_state(kind, [BATCH, UNITS], tf.float64),
    )


# States.

WRONG_STATES = {
  "wide": [BATCH, UNITS + 1],
  "narrow": [BATCH, UNITS - 1],
  "batch": [BATCH - 1, UNITS],
  "both": [BATCH + 1, UNITS + 1],
}
every_wrong_state = pytest.mark.parametrize(
  "shape", WRONG_STATES.values(), ids=WRONG_STATES
)


@every_kind
@with_implementations
@every_wrong_state
def test_state_of_a_wrong_static_shape(graph, kind, implementation, shape):
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises(ValueError):
      kind.make(UNITS)(tf.ones([BATCH, DEPTH]), zeros_state(kind, shape))


@every_kind
@with_implementations
@every_wrong_state
def test_state_of_a_wrong_shape_in_eager_mode(kind, implementation, shape):
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
      kind.make(UNITS)(tf.ones([BATCH, DEPTH]), zeros_state(kind, shape))


@every_kind
@with_implementations
@every_wrong_state
@pytest.mark.parametrize("known", [[None, None], None])
def test_state_of_a_wrong_shape_found_when_run(
  graph, kind, implementation, shape, known
):
  states = [v1.placeholder(tf.float32, known) for _ in range(kind.states)]
  with tf_contrib_rnn.implementation(implementation):
    output, _ = kind.make(UNITS)(tf.ones([BATCH, DEPTH]), kind.state(states))
  feed = {s: np.zeros(shape) for s in states}
  with pytest.raises(tf.errors.InvalidArgumentError):
    helpers.evaluate(output, feed=feed)


@with_implementations
@pytest.mark.parametrize("wrong", [0, 1], ids=["c", "h"])
def test_one_wrong_state_of_the_lstms_two(graph, implementation, wrong):
  shapes = [[BATCH, UNITS]] * 2
  shapes[wrong] = [BATCH, UNITS + 1]
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises(ValueError):
      tf_contrib_rnn.IndyLSTMCell(UNITS)(
        tf.ones([BATCH, DEPTH]), tuple(map(tf.zeros, shapes))
      )


@pytest.mark.parametrize(
  "state",
  [
    lambda: tf.zeros([BATCH, UNITS]),
    lambda: (tf.zeros([BATCH, UNITS]),),
    lambda: (tf.zeros([BATCH, UNITS]),) * 3,
    lambda: None,
  ],
  ids=["tensor", "one", "three", "none"],
)
def test_lstm_states_that_are_no_pair(graph, state):
  with pytest.raises((TypeError, ValueError)):
    tf_contrib_rnn.IndyLSTMCell(UNITS)(tf.ones([BATCH, DEPTH]), state())


@pytest.mark.parametrize("kind", ["IndRNN", "IndyGRU"])
@pytest.mark.parametrize(
  "state",
  [lambda: None, lambda: (tf.zeros([BATCH, UNITS]),) * 2],
  ids=["none", "pair"],
)
@with_implementations
def test_states_that_are_no_tensor(graph, kind, state, implementation):
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises((TypeError, ValueError)):
      KINDS[kind].make(UNITS)(tf.ones([BATCH, DEPTH]), state())


@pytest.mark.parametrize("kind", ["IndRNN", "IndyGRU"])
@pytest.mark.parametrize("shape", [[BATCH, 1], [UNITS], []])
@with_implementations
def test_states_that_would_broadcast_otherwise(kind, shape, implementation):
  with tf_contrib_rnn.implementation(implementation):
    with raises(ValueError, "The state has shape"):
      KINDS[kind].make(UNITS)(tf.ones([BATCH, DEPTH]), tf.zeros(shape))


@every_kind
@with_implementations
def test_state_from_numpy_takes_the_dtype_of_the_inputs(kind, implementation):
  state = [np.zeros([BATCH, UNITS])] * kind.states  # float64
  with tf_contrib_rnn.implementation(implementation):
    output, _ = kind.make(UNITS)(
      tf.ones([BATCH, DEPTH]), state if kind.states > 1 else state[0]
    )
  assert output.dtype == tf.float32


@every_kind
def test_missing_state(kind):
  with pytest.raises(TypeError):
    kind.make(UNITS)(tf.ones([BATCH, DEPTH]))


def run_with_state(kind, tile, leaves):
  """The outputs, and the gradients of inputs, states and variables."""
  rng = np.random.RandomState(3)
  x = tf.constant(helpers.random(rng, [BATCH, DEPTH]))
  rows = [tf.constant(s) for s in leaves]
  states = [tf.tile(s, [BATCH, 1]) if tile else s for s in rows]
  cell = kind.make(UNITS)
  output, state = cell(x, kind.state(states))
  scale = tf.constant(helpers.random(rng, [BATCH, UNITS]))
  loss = [tf.reduce_sum(t * scale) for t in tf.nest.flatten([output, state])]
  gradients = v1.gradients(tf.add_n(loss), [x] + rows + list(cell.variables))
  return helpers.evaluate(
    [output, state, gradients], [cell], [kind.weights(DEPTH, UNITS)]
  )


@every_kind
@with_implementations
def test_state_of_one_row_broadcasts_with_its_gradient(kind, implementation):
  rng = np.random.RandomState(4)
  leaves = [helpers.random(rng, [1, UNITS]) for _ in range(kind.states)]
  results = []
  for tile in (False, True):
    with tf.Graph().as_default(), tf_contrib_rnn.implementation(implementation):
      results.append(run_with_state(kind, tile, leaves))
  assert results[0][0].shape == (BATCH, UNITS)
  assert [g.shape for g in results[0][2][1 : 1 + kind.states]] == (
    [(1, UNITS)] * kind.states
  )
  helpers.assert_close(*results, 2e-6)


@every_kind
@with_implementations
def test_state_of_one_row_broadcasts_in_eager_mode(kind, implementation):
  rng = np.random.RandomState(4)
  weights = kind.weights(DEPTH, UNITS)
  x = helpers.random(rng, [BATCH, DEPTH])
  leaves = [helpers.random(rng, [1, UNITS]) for _ in range(kind.states)]
  cell = kind.make(UNITS)
  helpers.build_and_set([cell], [weights])
  with tf_contrib_rnn.implementation(implementation):
    output, state = cell(tf.constant(x), kind.state(map(tf.constant, leaves)))
  name = next(n for n, k in KINDS.items() if k is kind)
  tiled = [np.tile(s, [BATCH, 1]) for s in leaves]
  expected = helpers.numpy_step(name, weights, x, tiled)
  helpers.assert_close(state, expected, 5e-6)
  helpers.assert_close(output, expected[-1], 5e-6)


@every_kind
@with_implementations
def test_dynamic_rnn_rejects_a_state_of_one_row(graph, kind, implementation):
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises(ValueError):
      v1.nn.dynamic_rnn(
        kind.make(UNITS),
        tf.ones([BATCH, TIME, DEPTH]),
        initial_state=zeros_state(kind, [1, UNITS]),
      )


# Constructors.


@every_kind
@pytest.mark.parametrize(
  "units,size",
  [(0, 0), (5.0, 5), (np.int64(5), 5), (np.float32(5), 5), (np.array(5), 5)],
)
@with_implementations
def test_num_units_that_work(graph, kind, units, size, implementation):
  cell = kind.make(units)
  with tf_contrib_rnn.implementation(implementation):
    output, state = step(cell)
  assert cell.output_size == size
  assert output.shape.as_list() == [BATCH, size]
  assert helpers.evaluate(output).shape == (BATCH, size)
  assert {s.shape.as_list()[1] for s in tf.nest.flatten(state)} == {size}


@every_kind
@with_implementations
def test_0_units_in_eager_mode(kind, implementation):
  with tf_contrib_rnn.implementation(implementation):
    output, state = step(kind.make(0))
  for leaf in tf.nest.flatten([output, state]):
    assert leaf.shape == (BATCH, 0)


@every_kind
@with_implementations
def test_a_cell_of_0_units_runs_under_dynamic_rnn_with_gradients(
  graph, kind, implementation
):
  with tf_contrib_rnn.implementation(implementation):
    output, _ = dynamic(kind.make(0))
  gradients = v1.gradients(output, v1.trainable_variables())
  assert helpers.evaluate(output).shape == (BATCH, TIME, 0)
  got = [g.shape for g in helpers.evaluate(gradients)]
  assert got == list(map(tuple, kind.shapes(DEPTH, 0)))


@every_kind
@pytest.mark.parametrize(
  "units", [5.5, -1, -5.0, "x", "5", "", None, [5], float("nan"), float("inf")]
)
def test_num_units_that_are_value_errors(kind, units):
  with raises(ValueError, "num_units is", "whole number"):
    kind.make(units)


@pytest.mark.parametrize("forget_bias", [None, "x", [1.0, 2.0]])
def test_forget_bias_that_is_no_number(forget_bias):
  with raises(TypeError, "forget_bias is", "expected a number"):
    tf_contrib_rnn.IndyLSTMCell(UNITS, forget_bias=forget_bias)


def test_forget_bias_that_is_a_graph_tensor(graph):
  with raises(TypeError, "forget_bias is", "expected a number"):
    tf_contrib_rnn.IndyLSTMCell(UNITS, forget_bias=tf.constant(0.5))


@every_kind
def test_missing_num_units(kind):
  with raises(TypeError, "num_units"):
    kind.make()


@every_kind
@pytest.mark.parametrize("keyword", ["state_is_tuple", "foo", "_reuse"])
def test_unknown_keyword(kind, keyword):
  with raises(
    TypeError, "__init__() got an unexpected keyword argument " f"'{keyword}'"
  ):
    kind.make(UNITS, **{keyword: True})


@pytest.mark.parametrize(
  "keyword", ["kernel_initializer", "bias_initializer", "forget_bias"]
)
def test_ind_rnn_takes_no_initializers_and_no_forget_bias(keyword):
  with raises(TypeError, f"unexpected keyword argument '{keyword}'"):
    tf_contrib_rnn.IndRNNCell(UNITS, **{keyword: 1.0})


@every_kind
@pytest.mark.parametrize(
  "activation",
  [3, "nope", [tf.tanh], 1.5, object()],
  ids=["int", "name", "list", "float", "object"],
)
def test_activations_that_are_no_function(kind, activation):
  with raises(ValueError, "activation is"):
    kind.make(UNITS, activation=activation)


def test_an_unknown_name_of_the_package_is_an_attribute_error():
  with raises(AttributeError, "IndyGRUCel"):
    _ = tf_contrib_rnn.IndyGRUCel


@pytest.mark.parametrize("name", ["", "Fused", "x", None])
def test_unknown_implementations(name):
  with raises(ValueError, "expected one of"):
    with tf_contrib_rnn.implementation(name):
      pass
