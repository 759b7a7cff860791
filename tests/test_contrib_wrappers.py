"""The wrappers of tf.contrib.rnn, around cells of several kinds: one step of
them, sizes, marks for XLA, errors and logs."""

import contextlib
import functools
import logging

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf
from wrapper_helpers import ATTENTION
from wrapper_helpers import BATCH
from wrapper_helpers import CELLS
from wrapper_helpers import CLASSES
from wrapper_helpers import draw
from wrapper_helpers import Echo
from wrapper_helpers import EMBEDDING
from wrapper_helpers import every_cell
from wrapper_helpers import every_option
from wrapper_helpers import every_plain_wrapper
from wrapper_helpers import every_wrapper
from wrapper_helpers import HIGHWAY
from wrapper_helpers import INPUT
from wrapper_helpers import JOINED
from wrapper_helpers import numpy_embedding
from wrapper_helpers import OUTPUT
from wrapper_helpers import part
from wrapper_helpers import PLAIN
from wrapper_helpers import scope_of
from wrapper_helpers import step
from wrapper_helpers import step_of
from wrapper_helpers import UNITS
from wrapper_helpers import WITH_OPTIONS
from wrapper_helpers import WRAPPERS

import tf_contrib_rnn

v1 = tf.compat.v1


# One step.


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@every_cell
@every_wrapper
def test_step(mode, cell, kind):
  check_step(mode, cell, WRAPPERS[kind])


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@pytest.mark.parametrize("options", WITH_OPTIONS)
def test_step_with_options(mode, options):
  check_step(mode, "lstm_cell", WITH_OPTIONS[options])


def check_step(mode, cell, wrapper):
  x, state = draw(wrapper, cell, "float32")
  got, weights = cell_helpers.run_step(
    mode, lambda: wrapper.make_around(cell), x, state
  )
  want = wrapper.numpy(cell, weights, x, tf.nest.flatten(state))
  helpers.assert_close(got, want, helpers.TOLERANCES["float32"])


@pytest.mark.parametrize("mode", cell_helpers.MODES)
def test_step_of_one_tensor_as_state(mode):
  x, state = draw(JOINED, "basic_rnn_cell", "float32")
  assert state.shape == (BATCH, UNITS + 3 + 6)
  got, weights = cell_helpers.run_step(
    mode, lambda: JOINED.make_around("basic_rnn_cell"), x, state
  )
  want = JOINED.numpy("basic_rnn_cell", weights, x, [state])
  helpers.assert_close(got, want, helpers.TOLERANCES["float32"])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@every_cell
@every_wrapper
def test_dtypes(dtype, cell, kind):
  if dtype == "bfloat16" and kind == "embedding":
    pytest.skip("TensorFlow 1.15 had none")
  wrapper = WRAPPERS[kind]
  x, state = draw(wrapper, cell, dtype)
  with scope_of(dtype):
    made = wrapper.make_around(cell)
    made(tf.constant(x), cell_helpers.as_tensors(state))
    weights = cell_helpers.assign(made)
    with tf.GradientTape() as tape:
      got = made(tf.constant(x), cell_helpers.as_tensors(state))
      total = tf.reduce_sum(got[0])
  assert {t.dtype.name for t in tf.nest.flatten(got)} == {dtype}
  want = wrapper.numpy(cell, weights, x, tf.nest.flatten(state))
  helpers.assert_close(got, want, helpers.TOLERANCES[dtype])
  for gradient in tape.gradient(total, made.trainable_variables):
    if gradient is not None:
      assert gradient.dtype.name == dtype


@pytest.mark.parametrize("kind", ["highway", "attention"])
def test_own_variables_are_of_the_dtype_of_the_scope(kind, graph):
  with pytest.raises(TypeError, match="float32"):
    step_of(kind, dtype=tf.float64)


@every_cell
@every_option
def test_gradients(cell, options):
  wrapper = {**WRAPPERS, **WITH_OPTIONS}[options]
  if wrapper.numpy_step is numpy_embedding:
    pytest.skip("see the test of its gradient")
  x, state = draw(wrapper, cell, batch=1)
  with scope_of(tf.float64):
    cell_helpers.check_gradients(
      lambda: wrapper.make_around(cell),
      x,
      state,
      functools.partial(wrapper.numpy, cell),
    )


def test_gradient_of_the_embedding_is_sparse(graph):
  made = step_of("embedding")
  output, _ = made(tf.constant([5, 0, 5]), made.zero_state(3, tf.float32))
  (gradient,) = v1.gradients(output, made.weights[:1])
  assert isinstance(gradient, tf.IndexedSlices)
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    indices = session.run(gradient.indices)
  assert sorted(indices) == [0, 5, 5]


# Sizes and states.


@every_wrapper
@every_cell
def test_sizes_and_zero_state(kind, cell, graph):
  made = WRAPPERS[kind].make_around(cell)
  inside = CELLS[cell][0](UNITS)
  output_size, state_size = UNITS, inside.state_size
  if kind == "output":
    output_size = 3
  if kind == "attention":
    state_size = (state_size, UNITS, 2 * UNITS)
  assert made.output_size == output_size
  assert made.state_size == state_size
  state = made.zero_state(BATCH, tf.float64)
  tf.nest.assert_same_structure(state, state_size)
  for tensor, size in zip(tf.nest.flatten(state), tf.nest.flatten(state_size)):
    assert tensor.shape == [BATCH, size] and tensor.dtype == tf.float64


def test_attention_of_other_sizes():
  make = part(ATTENTION, attn_length=3, attn_size=6, attn_vec_size=2)
  made = make(tf_contrib_rnn.LSTMCell(UNITS))
  lstm = tf_contrib_rnn.LSTMStateTuple(UNITS, UNITS)
  assert made.state_size == (lstm, 6, 18)
  assert made.output_size == 6
  joined = make(tf_contrib_rnn.GRUCell(UNITS), state_is_tuple=False)
  assert joined.state_size == UNITS + 6 + 18


@every_wrapper
def test_unknown_batch(kind, graph):
  made = WRAPPERS[kind].make_around("lstm_cell")
  is_embedded = kind == "embedding"
  dtype = tf.int32 if is_embedded else tf.float32
  shape = [None] if is_embedded else [None, WRAPPERS[kind].depth]
  x = v1.placeholder(dtype, shape)
  state = made.zero_state(tf.shape(x)[0], tf.float32)
  output, _ = made(x, state)
  assert output.shape.as_list() == [None, made.output_size]
  value = np.ones([2, *shape[1:]])
  assert helpers.evaluate(
    output, [made], [[np.zeros(v.shape) for v in made.variables]], {x: value}
  ).shape == (2, made.output_size)


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
@pytest.mark.parametrize("shape", [[BATCH], [BATCH, 1]])
def test_embedding_takes_numbers(dtype, shape):
  made = tf_contrib_rnn.EmbeddingWrapper(Echo(), CLASSES, 3)
  numbers = tf.reshape(tf.constant([6, 0, 3], dtype), shape)
  output, _ = made(numbers, tf.zeros([BATCH, 3]))
  embedding = made.variables[0].numpy()
  np.testing.assert_array_equal(output, embedding[[6, 0, 3]])


def test_embedding_runs_on_the_cpu(graph):
  with tf.device("/gpu:0"):
    made = tf_contrib_rnn.EmbeddingWrapper(tf_contrib_rnn.GRUCell(4), 5, 3)
    output, _ = made(tf.constant([1]), made.zero_state(1, tf.float32))
  assert output.device.lower().endswith("cpu:0")
  assert all(v.device.lower().endswith("cpu:0") for v in made.variables)


# Marks for XLA.


def marks(cell):
  """By type of op: whether it is marked. Ops without the attribute left out."""
  output, _ = step(cell, tf.ones([2, UNITS]))
  v1.gradients(output, v1.trainable_variables())
  found = {}
  for op in v1.get_default_graph().get_operations():
    with contextlib.suppress(ValueError):
      found.setdefault(op.type, set()).add(op.get_attr("_XlaCompile"))
  return found


@pytest.mark.parametrize("stateful", [False, True])
def test_ops_and_gradients_are_marked(stateful, graph):
  cell = tf_contrib_rnn.DropoutWrapper(tf_contrib_rnn.GRUCell(UNITS), 0.5)
  found = marks(tf_contrib_rnn.CompiledWrapper(cell, stateful))
  for op in ("MatMul", "Sigmoid", "SigmoidGrad", "Tanh", "TanhGrad"):
    assert found[op] == {True}
  assert found["RandomUniform"] == {stateful}
  assert marks(tf_contrib_rnn.GRUCell(UNITS)) == found


def test_marks_in_functions():
  cell = tf_contrib_rnn.CompiledWrapper(tf_contrib_rnn.GRUCell(UNITS))
  traced = tf.function(functools.partial(step, cell))
  traced(tf.ones([2, UNITS]))
  graph = traced.get_concrete_function(tf.ones([2, UNITS])).graph
  marked = {
    op.type
    for op in graph.get_operations()
    if "_XlaCompile" in op.node_def.attr and op.get_attr("_XlaCompile")
  }
  assert {"MatMul", "Sigmoid", "Tanh"} <= marked


# Errors.


@pytest.mark.parametrize("kind", PLAIN)
def test_only_cells_are_wrapped(kind):
  with pytest.raises(TypeError, match="is not an RNNCell"):
    WRAPPERS[kind].wrap(3)


@pytest.mark.parametrize("kind", ["highway", "compiled"])
def test_other_things_are_an_error_when_called(kind):
  made = WRAPPERS[kind].wrap(object())
  with pytest.raises(TypeError, match="not callable"):
    made(tf.ones([2, UNITS]), tf.ones([2, UNITS]))


GRU = tf_contrib_rnn.GRUCell(UNITS)
LSTM = tf_contrib_rnn.LSTMCell(UNITS)


@pytest.mark.parametrize(
  "make, message",
  [
    (lambda: OUTPUT(GRU, output_size=0), "output_size is 0"),
    (lambda: EMBEDDING(GRU, embedding_classes=0), "are 0 and 5"),
    (lambda: EMBEDDING(GRU, embedding_size=0), "are 7 and 0"),
    (lambda: ATTENTION(GRU, attn_length=0), "attn_length is 0"),
    (lambda: ATTENTION(LSTM, state_is_tuple=False), "is a tuple"),
  ],
)
def test_malformed_arguments(make, message):
  with pytest.raises(ValueError, match=message):
    make()


@pytest.mark.parametrize("kind", WRAPPERS)
@pytest.mark.parametrize("option", ["name", "dtype"])
def test_no_name_and_no_dtype(kind, option):
  with pytest.raises(TypeError, match="unexpected keyword argument"):
    WRAPPERS[kind].wrap(GRU, **{option: None})


@pytest.mark.parametrize("kind", ["input", "attention", "highway"])
@pytest.mark.parametrize("shape", [[2, None], [2, 3, UNITS]])
def test_inputs_of_unknown_depth_or_another_rank(kind, shape, graph):
  made = WRAPPERS[kind].make_around("basic_rnn_cell")
  with pytest.raises(ValueError):
    made(v1.placeholder(tf.float32, shape), made.zero_state(2, tf.float32))


@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("dtype", [tf.float32, tf.uint8])
def test_embedding_refuses_other_inputs(mode, dtype):
  with tf.Graph().as_default() if mode == "graph" else tf.init_scope():
    made = WRAPPERS["embedding"].make_around("basic_rnn_cell")
    with pytest.raises(TypeError, match="expected int32 or int64"):
      made(tf.zeros([2], dtype), made.zero_state(2, tf.float32))


def test_embedding_refuses_two_numbers_a_row(graph):
  made = WRAPPERS["embedding"].make_around("basic_rnn_cell")
  with pytest.raises(ValueError):
    made(tf.zeros([2, 2], tf.int32), made.zero_state(2, tf.float32))


def test_numbers_without_a_row_are_an_error_when_run(graph):
  made = WRAPPERS["embedding"].make_around("basic_rnn_cell")
  output, _ = made(tf.constant([CLASSES]), made.zero_state(1, tf.float32))
  with pytest.raises(tf.errors.InvalidArgumentError):
    helpers.evaluate(
      output, [made], [[np.zeros(v.shape) for v in made.variables]]
    )


@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_highway_needs_one_shape(mode):
  with tf.Graph().as_default() if mode == "graph" else tf.init_scope():
    made = HIGHWAY(tf_contrib_rnn.IndRNNCell(UNITS))
    with pytest.raises(ValueError, match="expected that of the inputs"):
      step(made, tf.ones([2, UNITS + 1]))


@every_plain_wrapper
@pytest.mark.parametrize("activation", ["relu"])
def test_activation_is_a_function(kind, activation):
  if kind not in ("input", "output"):
    pytest.skip("has no activation")
  with pytest.raises(TypeError, match="not callable"):
    step_of(kind, activation=activation)


# Logs.


@pytest.fixture(name="log")
def fixture_log(caplog):
  logger = tf.get_logger()
  logger.addHandler(caplog.handler)
  yield caplog
  logger.removeHandler(caplog.handler)


@pytest.mark.parametrize(
  "make, message",
  [
    (lambda: INPUT(GRU, input_size=5), "input_size parameter is deprecated"),
    (
      lambda: ATTENTION(GRU, state_is_tuple=False),
      "concatenated state is slow",
    ),
    (lambda: INPUT(GRU), None),
    (lambda: ATTENTION(GRU, input_size=5), None),
  ],
)
def test_what_is_logged(make, message, log):
  with log.at_level(logging.WARNING):
    made = make()
  assert isinstance(made, tf_contrib_rnn.RNNCell)
  if message:
    assert message in log.text
  else:
    assert not log.records
