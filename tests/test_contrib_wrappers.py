"""The wrappers of tf.contrib.rnn: projections, embeddings, highways, attention
and marks for XLA, around cells of several kinds."""

import contextlib
import dataclasses
import functools
import logging
import re
from typing import Callable

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn

v1 = tf.compat.v1

BATCH, UNITS, CLASSES = 3, 4, 7


# The cells inside, and what they compute.


def numpy_basic(weights, x, states):
  x = np.concatenate([x, *states], 1)
  h = np.tanh(x @ weights["kernel"] + weights["bias"])
  return [h, h]


def numpy_lstm(weights, x, states):
  c, h = states
  sums = np.concatenate([x, h], 1) @ weights["kernel"] + weights["bias"]
  i, j, f, o = np.split(sums, 4, 1)
  c = c * helpers.sigmoid(f + 1) + helpers.sigmoid(i) * np.tanh(j)
  h = helpers.sigmoid(o) * np.tanh(c)
  return [h, c, h]


def numpy_indy_gru(weights, x, states):
  (h,) = helpers.numpy_step("IndyGRU", [*weights.values()], x, states)
  return [h, h]


CELLS = {
  "basic_rnn_cell": (tf_contrib_rnn.BasicRNNCell, numpy_basic),
  "lstm_cell": (tf_contrib_rnn.LSTMCell, numpy_lstm),
  "indy_gru_cell": (tf_contrib_rnn.IndyGRUCell, numpy_indy_gru),
}

every_cell = pytest.mark.parametrize("cell", CELLS)


# The wrappers, and what they compute with a cell as a function of x and states.


def dense(weights, x, name="", activation=lambda x: x):
  if name:
    name += "/"
  return activation(x @ weights[name + "kernel"] + weights[name + "bias"])


def numpy_relu(x):
  return np.maximum(x, 0)


def numpy_input(weights, x, states, cell, **options):
  return cell(dense(weights, x, **options), states)


def numpy_output(weights, x, states, cell, **options):
  y, *states = cell(x, states)
  return [dense(weights, y, **options), *states]


def numpy_embedding(weights, x, states, cell):
  return cell(weights["embedding"][x.reshape(-1)], states)


def numpy_highway(weights, x, states, cell, coupled=True):
  gate = lambda name: helpers.sigmoid(
    x @ weights[f"{name}_w"] + weights[f"{name}_b"]
  )
  y, *states = cell(x, states)
  transform = 1 - gate("carry") if coupled else gate("transform")
  return [x * gate("carry") + y * transform, *states]


def numpy_attention(weights, x, states, cell, length=2, joined=False):
  size = weights["attention/attn_w"].shape[2]
  if joined:
    (states,) = states
    places = [-size * (length + 1), -size * length]
    states = np.split(states, places, 1)
  *states, attended, history = states
  history = history.reshape([len(x), length, size])
  y, *states = cell(dense(weights, np.concatenate([x, attended], 1)), states)
  query = dense(weights, np.concatenate(states, 1), "attention")
  keys = history @ weights["attention/attn_w"][0, 0] + query[:, np.newaxis]
  scores = np.exp(np.tanh(keys) @ weights["attention/attn_v"])
  scores /= np.sum(scores, 1, keepdims=True)
  attended = np.einsum("bl,bla->ba", scores, history)
  output = dense(
    weights, np.concatenate([y, attended], 1), "attn_output_projection"
  )
  history = np.concatenate([history[:, 1:], output[:, np.newaxis]], 1)
  states = [*states, attended, history.reshape([len(x), -1])]
  return [output, *([np.concatenate(states, 1)] if joined else states)]


def numpy_compiled(weights, x, states, cell):
  return cell(x, states)


@dataclasses.dataclass(frozen=True)
class Wrapper:
  """A wrapper with its arguments, and what it computes."""

  make: Callable
  numpy_step: Callable
  depth: int = 5

  @property
  def prefix(self):
    """The scope that the wrapper has, if it has one."""
    name = getattr(self.make, "func", self.make).__name__
    if name in ("HighwayWrapper", "CompiledWrapper"):
      return ""
    return "".join("_" * c.isupper() + c.lower() for c in name)[1:] + "/"

  def wrap(self, cell, **options):
    return self.make(cell, **options)

  def make_around(self, cell_name, **options):
    return self.wrap(CELLS[cell_name][0](UNITS), **options)

  def draw(self, rng, shape, dtype="float64"):
    if self.numpy_step is numpy_embedding:
      # One number a row, where sequences need three dimensions.
      return rng.randint(0, CLASSES, shape if len(shape) < 2 else [*shape, 1])
    return helpers.random(rng, [*shape, self.depth], dtype)

  def numpy(self, cell_name, weights, x, states):
    """A step, with weights by their names in or below the wrapper's scope."""
    weights = {
      name.removeprefix(self.prefix): np.float64(array)
      for name, array in weights.items()
    }
    inside = {
      name.removeprefix(cell_name + "/"): array
      for name, array in weights.items()
      # What has no scope of its own shows no names of the cell's.
      if name.startswith(cell_name)
      or (not self.prefix and not name.startswith(("carry_", "transform_")))
    }
    cell = functools.partial(CELLS[cell_name][1], inside)
    return self.numpy_step(weights, x, helpers.as_float64(states), cell)


part = functools.partial
INPUT = part(tf_contrib_rnn.InputProjectionWrapper, num_proj=3)
OUTPUT = part(tf_contrib_rnn.OutputProjectionWrapper, output_size=3)
EMBEDDING = part(
  tf_contrib_rnn.EmbeddingWrapper, embedding_classes=CLASSES, embedding_size=5
)
HIGHWAY = tf_contrib_rnn.HighwayWrapper
ATTENTION = part(tf_contrib_rnn.AttentionCellWrapper, attn_length=2)

WRAPPERS = {
  "input": Wrapper(INPUT, numpy_input),
  "output": Wrapper(OUTPUT, numpy_output),
  "embedding": Wrapper(EMBEDDING, numpy_embedding),
  "highway": Wrapper(HIGHWAY, numpy_highway, UNITS),
  "attention": Wrapper(ATTENTION, numpy_attention),
  "compiled": Wrapper(tf_contrib_rnn.CompiledWrapper, numpy_compiled),
}
WITH_OPTIONS = {
  "input relu": Wrapper(
    part(INPUT, activation=tf.nn.relu),
    part(numpy_input, activation=numpy_relu),
  ),
  "output relu": Wrapper(
    part(OUTPUT, activation=tf.nn.relu),
    part(numpy_output, activation=numpy_relu),
  ),
  "highway uncoupled": Wrapper(
    part(HIGHWAY, couple_carry_transform_gates=False),
    part(numpy_highway, coupled=False),
    UNITS,
  ),
  "attention to one": Wrapper(
    part(ATTENTION, attn_length=1), part(numpy_attention, length=1)
  ),
  "attention of other sizes": Wrapper(
    part(ATTENTION, attn_length=3, attn_size=6, attn_vec_size=2, input_size=1),
    part(numpy_attention, length=3),
  ),
  "compiled stateful": Wrapper(
    part(tf_contrib_rnn.CompiledWrapper, compile_stateful=True), numpy_compiled
  ),
}
JOINED = Wrapper(
  part(ATTENTION, attn_size=3, state_is_tuple=False),
  part(numpy_attention, joined=True),
)

every_wrapper = pytest.mark.parametrize("kind", WRAPPERS)
# Those of a scope of their own.
PLAIN = ["input", "output", "embedding", "attention"]
every_plain_wrapper = pytest.mark.parametrize("kind", PLAIN)
every_option = pytest.mark.parametrize("options", [*WRAPPERS, *WITH_OPTIONS])


def draw_state(cell, rng, dtype="float64", batch=BATCH):
  return tf.nest.map_structure(
    lambda size: helpers.random(rng, [batch, size], dtype), cell.state_size
  )


def draw(wrapper, cell_name, dtype="float64", batch=BATCH, shape=()):
  """Inputs and a state."""
  rng = np.random.RandomState(1)
  x = wrapper.draw(rng, [batch, *shape], dtype)
  cell = wrapper.make_around(cell_name)
  return x, draw_state(cell, rng, dtype, batch)


def scope_of(dtype):
  """The scope that is there already, with another dtype."""
  return v1.variable_scope(v1.get_variable_scope(), dtype=dtype)


def step(cell, x, **options):
  state = cell.zero_state(x.shape[0], x.dtype)
  return cell(x, state, **options)


def step_of(kind, cell=None, dtype=tf.float32, batch=2, scope=None, **options):
  """A call with ones; returns the wrapper."""
  wrapper = WRAPPERS[kind]
  inside = tf_contrib_rnn.GRUCell(UNITS) if cell is None else cell
  made = wrapper.wrap(inside, **options)
  call(kind, made, dtype, batch, scope=scope)
  return made


def call(kind, made, dtype=tf.float32, batch=2, **options):
  shape = [batch] if kind == "embedding" else [batch, WRAPPERS[kind].depth]
  x = tf.ones(shape, tf.int32 if kind == "embedding" else dtype)
  return made(x, made.zero_state(batch, dtype), **options)


def names():
  return [v.name.removesuffix(":0") for v in v1.global_variables()]


@pytest.fixture(name="graph")
def fixture_graph():
  with tf.Graph().as_default() as graph:
    v1.set_random_seed(1)
    yield graph


# One step.


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@every_cell
@every_wrapper
def test_step(mode, cell, kind):
  check_step(mode, cell, WRAPPERS[kind])


@pytest.mark.each_value
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


# Variables.

OF_LSTM = ["lstm_cell/kernel", "lstm_cell/bias"]
VARIABLES = {
  "input": ["kernel", "bias", *OF_LSTM],
  "output": [*OF_LSTM, "kernel", "bias"],
  "embedding": ["embedding", *OF_LSTM],
  "highway": [*OF_LSTM, "carry_w", "carry_b"],
  "attention": [
    "kernel",
    "bias",
    *OF_LSTM,
    "attention/attn_w",
    "attention/attn_v",
    "attention/kernel",
    "attention/bias",
    "attn_output_projection/kernel",
    "attn_output_projection/bias",
  ],
  "compiled": OF_LSTM,
}


def full_names(kind, scope=""):
  return [scope + WRAPPERS[kind].prefix + name for name in VARIABLES[kind]]


def step_of_lstm(kind, **options):
  return step_of(kind, tf_contrib_rnn.LSTMCell(UNITS), **options)


@every_wrapper
@pytest.mark.parametrize("scope", ["", "a/"])
def test_variables_and_their_order(kind, scope, graph):
  with v1.variable_scope("a") if scope else contextlib.nullcontext():
    made = step_of_lstm(kind)
  assert names() == full_names(kind, scope)
  assert [v.name.removesuffix(":0") for v in made.weights] == names()
  assert [id(v) for v in made.trainable_weights] == [
    id(v) for v in v1.trainable_variables()
  ]
  assert not made.non_trainable_weights


@every_wrapper
def test_variables_in_eager_mode(kind):
  made = step_of_lstm(kind)
  # Cells of one name are counted in a process.
  variables = [re.sub(r"lstm_cell_\d+|:0", "", v.name) for v in made.variables]
  assert [name.replace("lstm_cell", "") for name in full_names(kind)] == [
    name.replace("lstm_cell", "") for name in variables
  ]


@every_wrapper
def test_names_with_a_scope_given(kind, graph):
  step_of_lstm(kind, scope="mine")
  assert names() == {
    "highway": ["mine/kernel", "mine/bias", "carry_w", "carry_b"],
    "compiled": ["mine/kernel", "mine/bias"],
  }.get(kind, [f"mine/{name}" for name in VARIABLES[kind]])


@every_wrapper
def test_first_scope_is_kept(kind, graph):
  with v1.variable_scope("a"):
    made = step_of_lstm(kind)
  with v1.variable_scope("b"):
    call(kind, made)
  # A highway has no scope to keep, but its cell has.
  new = ["b/carry_w", "b/carry_b"] if kind == "highway" else []
  assert names() == full_names(kind, "a/") + new


def test_uncoupled_highway_has_more_variables(graph):
  step_of("highway", couple_carry_transform_gates=False, carry_bias_init=0.5)
  assert names()[-4:] == ["carry_w", "carry_b", "transform_w", "transform_b"]
  biases = initial_values()
  np.testing.assert_array_equal(biases["carry_b"], [0.5] * UNITS)
  np.testing.assert_array_equal(biases["transform_b"], [-0.5] * UNITS)


def initial_values():
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    return dict(zip(names(), session.run(v1.global_variables())))


LIMIT_OF_EMBEDDING = np.sqrt(3)


@every_wrapper
def test_starting_values(kind, graph):
  step_of_lstm(kind)
  for name, value in initial_values().items():
    if name == "carry_b":
      assert np.all(value == 1)
    elif name.endswith("bias"):
      assert not np.any(value)
    elif name.endswith("embedding"):
      largest = np.max(np.abs(value))
      assert 0.8 * LIMIT_OF_EMBEDDING < largest < LIMIT_OF_EMBEDDING
    else:
      sizes = value.shape[-2:] if value.ndim > 1 else value.shape * 2
      assert np.max(np.abs(value)) < np.sqrt(6 / sum(sizes))
      assert value.size < 9 or np.max(np.abs(value)) > 0.6 * np.sqrt(
        6 / sum(sizes)
      )


@every_wrapper
def test_initializer_of_the_scope(kind, graph):
  with v1.variable_scope("a", initializer=v1.constant_initializer(0.5)):
    step_of_lstm(kind)
  for name, value in initial_values().items():
    is_bias = name.endswith(("bias", "carry_b"))
    assert is_bias or np.all(value == 0.5)
    assert (
      not is_bias
      or np.all(value == (1 if kind == "highway" else 0))
      or (name.endswith("bias") and not np.any(value))
    )


@pytest.mark.parametrize("of_scope", [None, 0.5])
def test_initializer_of_the_embedding(of_scope, graph):
  initializer = v1.constant_initializer(of_scope) if of_scope else None
  with v1.variable_scope("a", initializer=initializer):
    step_of("embedding", initializer=v1.constant_initializer(0.25))
  assert np.all(initial_values()["a/embedding_wrapper/embedding"] == 0.25)


@every_wrapper
def test_options_of_the_scope(kind, graph):
  seen = []

  def get(getter, **keywords):
    seen.append(keywords["name"])
    return getter(**{**keywords, "trainable": False})

  with v1.variable_scope(
    "a", regularizer=tf.reduce_sum, custom_getter=get, use_resource=True
  ):
    made = step_of_lstm(kind)
  assert seen == names() == full_names(kind, "a/")
  assert len(v1.get_collection("regularization_losses")) == len(seen)
  assert not made.trainable_weights
  assert {id(v) for v in made.weights} == {id(v) for v in v1.global_variables()}


# A partitioner of two parts splits these; the biases of dense layers it leaves.
UNSPLIT = {
  "input": ["bias"],
  "output": ["bias"],
  "attention": ["bias", "attention/bias", "attn_output_projection/bias"],
}


@every_wrapper
def test_partitioner_leaves_biases_of_dense_layers_whole(kind, graph):
  with v1.variable_scope("a", partitioner=v1.fixed_size_partitioner(2)):
    made = step_of_lstm(kind)
  expected = []
  for name in VARIABLES[kind]:
    whole = "a/" + WRAPPERS[kind].prefix + name
    if name in UNSPLIT.get(kind, []):
      expected.append(whole)
    else:
      # Of one row no two parts can be made.
      parts = 1 if name == "attention/attn_w" else 2
      expected += [f"{whole}/part_{i}" for i in range(parts)]
  assert names() == expected
  if kind not in ("highway", "compiled"):
    assert len(made.weights) == len(VARIABLES[kind])
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())


def test_partitions_of_the_embedding_take_turns(graph):
  with v1.variable_scope("a", partitioner=v1.fixed_size_partitioner(3)):
    made = tf_contrib_rnn.EmbeddingWrapper(Echo(), CLASSES, 3)
    output, _ = made(tf.range(CLASSES), tf.zeros([CLASSES, 3]))
  sizes = [v.shape[0] for v in v1.global_variables()]
  assert sizes == [3, 2, 2]
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    parts, rows = session.run([v1.global_variables(), output])
  for number, row in enumerate(rows):
    np.testing.assert_array_equal(row, parts[number % 3][number // 3])


class Echo(tf_contrib_rnn.RNNCell):
  """A cell that returns its inputs."""

  output_size = state_size = 3

  def call(self, inputs, state):
    return inputs, state


# Reuse.


@every_plain_wrapper
@pytest.mark.parametrize("reuse", [True, v1.AUTO_REUSE])
def test_reuse_reaches_the_cell(kind, reuse, graph):
  step_of(kind, reuse=None if reuse is True else reuse)
  made = names()
  step_of(kind, reuse=reuse)
  assert names() == made
  gru = tf_contrib_rnn.GRUCell(UNITS + 1)
  with pytest.raises(ValueError, match="Trying to share variable"):
    step_of(kind, gru, reuse=reuse)


@every_plain_wrapper
def test_reuse_of_nothing(kind, graph):
  with pytest.raises(ValueError, match="does not exist"):
    step_of(kind, reuse=True)


@every_wrapper
def test_scope_that_reuses(kind, graph):
  with v1.variable_scope("a"):
    step_of(kind)
  made = names()
  with v1.variable_scope("a", reuse=True):
    step_of(kind)
  assert names() == made


@every_plain_wrapper
def test_second_instance_without_reuse(kind, graph):
  step_of(kind)
  with pytest.raises(ValueError, match="Variable .* already exists"):
    step_of(kind)


@every_plain_wrapper
def test_second_call_shares(kind, graph):
  made = step_of(kind)
  before = names()
  call(kind, made)
  assert names() == before


def test_second_call_of_a_highway_without_reuse(graph):
  made = step_of("highway")
  with pytest.raises(ValueError, match="Variable carry_w already exists"):
    call("highway", made)
  with v1.variable_scope(v1.get_variable_scope(), reuse=True):
    call("highway", made)
  assert len(names()) == 6


# Eager mode and tf.functions.


@every_wrapper
def test_eager_calls_share_variables(kind):
  made = step_of(kind)
  first = {id(v) for v in made.variables}
  with v1.variable_scope("elsewhere"):
    call(kind, made, batch=3)
  assert {id(v) for v in made.variables} == first


@every_wrapper
def test_function_traced_twice_then_eager(kind):
  made = WRAPPERS[kind].make_around("indy_gru_cell")
  run = functools.partial(step_from_zeros, made)
  traced = tf.function(run, autograph=False)
  rng = np.random.RandomState(0)
  for batch in (2, 3):
    x = tf.constant(WRAPPERS[kind].draw(rng, [batch], "float32"))
    helpers.assert_close(traced(x), run(x), 5e-6)
  assert traced.experimental_get_tracing_count() > 1
  count = {"input": 8, "output": 8, "embedding": 7, "highway": 8}
  assert len(made.variables) == count.get(kind, 14 if kind[0] == "a" else 6)


def step_from_zeros(made, x):
  return made(x, made.zero_state(x.shape[0], tf.float32))


@pytest.mark.parametrize("kind", ["output", "attention", "highway"])
def test_two_functions_have_wrappers_of_their_own(kind):
  x = WRAPPERS[kind].draw(np.random.RandomState(0), [2, 3], "float32")
  variables = []
  for _ in range(2):
    cell = OUTPUT(tf_contrib_rnn.BasicRNNCell(2), output_size=UNITS)
    made = WRAPPERS[kind].wrap(cell)
    run = functools.partial(run_dynamic, tf_contrib_rnn, made)
    traced = tf.function(run, autograph=False)
    helpers.assert_close(traced(tf.constant(x)), run(tf.constant(x)), 5e-6)
    variables += made.variables
  count = len(VARIABLES[kind]) + 2
  assert len({id(v) for v in variables}) == 2 * count


@every_wrapper
def test_weights_that_the_cell_had_before(kind):
  cell = tf_contrib_rnn.GRUCell(UNITS)
  step(cell, tf.ones([2, {"input": 3}.get(kind, WRAPPERS[kind].depth)]))
  made = step_of(kind, cell)
  variables = {id(v) for v in made.trainable_variables}
  assert variables >= {id(v) for v in cell.trainable_variables}
  made.trainable = False
  assert not made.trainable_weights
  assert {id(v) for v in made.non_trainable_weights} == variables


@every_wrapper
def test_checkpoints_of_objects(kind, tmp_path):
  made = step_of_lstm(kind)
  cell_helpers.assign(made)
  path = tf.train.Checkpoint(cell=made).save(str(tmp_path / "ckpt"))
  other = WRAPPERS[kind].make_around("lstm_cell")
  status = tf.train.Checkpoint(cell=other).restore(path)
  call(kind, other)
  status.assert_consumed()
  for a, b in zip(made.variables, other.variables):
    np.testing.assert_array_equal(a, b)


def test_saved_model(tmp_path):
  module = tf.Module()
  module.cell = WRAPPERS["attention"].make_around("basic_rnn_cell")
  module.run = tf.function(functools.partial(step_from_zeros, module.cell))
  x = tf.ones([2, 5])
  want = module.run(x)
  tf.saved_model.save(module, str(tmp_path))
  loaded = tf.saved_model.load(str(tmp_path))
  helpers.assert_close(loaded.run(x), want, 1e-6)


# Under functions that run sequences.


def run_dynamic(module, cell, x, lengths=None):
  return module.dynamic_rnn(cell, x, lengths, dtype=dtype_of(x))


def run_static(module, cell, x, lengths=None):
  outputs, state = module.static_rnn(
    cell, tf.unstack(x, axis=1), dtype=dtype_of(x), sequence_length=lengths
  )
  return tf.stack(outputs, 1), state


def run_raw(module, cell, x, lengths):
  dtype, (batch, time) = dtype_of(x), x.shape[:2]
  axes = [1, 0, *range(2, x.shape.rank)]
  array = v1.TensorArray(x.dtype, time).unstack(tf.transpose(x, axes))

  def loop(t, output, state, _):
    state = cell.zero_state(batch, dtype) if output is None else state
    inputs = array.read(tf.minimum(t, time - 1))
    inputs.set_shape([batch, *x.shape[2:]])
    return t >= tf.constant(lengths), inputs, state, output, None

  outputs, state, _ = v1.nn.raw_rnn(cell, loop)
  return tf.transpose(outputs.stack(), [1, 0, 2]), state


RUN = {
  "dynamic_rnn": run_dynamic,
  "static_rnn": run_static,
  "raw_rnn": run_raw,
}


def dtype_of(x):
  return x.dtype if x.dtype.is_floating else tf.float32


def numpy_sequence(step, x, states, lengths):
  """The outputs and the last states of a function of inputs and states."""
  outputs = []
  for t in range(x.shape[1]):
    runs = (t < np.array(lengths))[:, np.newaxis]
    output, *new = step(x[:, t], states)
    outputs.append(np.where(runs, output, 0))
    states = [np.where(runs, n, s) for n, s in zip(new, states)]
  return [np.stack(outputs, 1), *states]


@pytest.mark.each_value
@every_cell
@every_wrapper
@pytest.mark.parametrize("function", RUN)
def test_sequences(cell, kind, function, graph):
  wrapper, lengths = WRAPPERS[kind], [3, 0, 2]
  x = wrapper.draw(np.random.RandomState(2), [BATCH, 3], "float32")
  made = wrapper.make_around(cell)
  with v1.variable_scope("a"):
    results = RUN[function](tf_contrib_rnn, made, tf.constant(x), lengths)
  prefix = "a/rnn/" + wrapper.prefix
  assert all(v.name.startswith(prefix) for v in made.variables)
  weights = [
    helpers.random(np.random.RandomState(i), v.shape)
    for i, v in enumerate(made.variables)
  ]
  got = helpers.evaluate(results, [made], [weights])
  by_name = {
    v.name.removeprefix(prefix).removesuffix(":0"): array
    for v, array in zip(made.variables, weights)
  }
  zeros = [np.zeros([BATCH, n]) for n in tf.nest.flatten(made.state_size)]
  step = lambda x, states: wrapper.numpy(cell, by_name, x, states)
  want = numpy_sequence(step, x, zeros, lengths)
  helpers.assert_close(got, want, 5e-6)


@every_wrapper
def test_bidirectional(kind, graph):
  make = lambda: WRAPPERS[kind].make_around("lstm_cell")
  x = WRAPPERS[kind].draw(np.random.RandomState(0), [BATCH, 4], "float32")
  cells = [make(), make()]
  results = tf_contrib_rnn.bidirectional_dynamic_rnn(
    *cells, tf.constant(x), [4, 0, 2], dtype=tf.float32
  )
  assert names() == [
    name
    for direction in ("fw", "bw")
    for name in full_names(kind, f"bidirectional_rnn/{direction}/")
  ]
  (forward, backward), _ = results
  assert forward.shape == backward.shape == [BATCH, 4, cells[0].output_size]


@every_wrapper
def test_in_multi_rnn_cell(kind, graph):
  wrapper = WRAPPERS[kind]
  first = wrapper.wrap(tf_contrib_rnn.IndRNNCell(UNITS))
  second = tf_contrib_rnn.IndRNNCell(UNITS)
  stack = tf_contrib_rnn.MultiRNNCell([first, second])
  x = wrapper.draw(np.random.RandomState(0), [BATCH, 4], "float32")
  run_dynamic(tf_contrib_rnn, stack, tf.constant(x))
  scope = "rnn/multi_rnn_cell/cell_0/" + wrapper.prefix
  own = [name for name in VARIABLES[kind] if name not in OF_LSTM]
  assert {scope + name for name in own} <= {*names()}
  assert scope + "ind_rnn_cell/kernel_w" in names()
  assert [v.name.removesuffix(":0") for v in stack.weights] == names()


@every_wrapper
def test_around_multi_rnn_cell(kind, graph):
  wrapper = WRAPPERS[kind]
  cells = [tf_contrib_rnn.LSTMCell(UNITS), tf_contrib_rnn.IndRNNCell(UNITS)]
  made = wrapper.wrap(tf_contrib_rnn.MultiRNNCell(cells))
  x = wrapper.draw(np.random.RandomState(0), [BATCH, 4], "float32")
  outputs, state = run_dynamic(tf_contrib_rnn, made, tf.constant(x))
  assert outputs.shape == [BATCH, 4, made.output_size]
  tf.nest.assert_same_structure(state, made.state_size)
  scope = "rnn/" + wrapper.prefix
  assert scope + "multi_rnn_cell/cell_1/ind_rnn_cell/bias" in names()
  own = [name for name in VARIABLES[kind] if name not in OF_LSTM]
  assert {scope + name for name in own} <= {*names()}


def make_nested(outer, inner):
  """One wrapper in another; the widths fit."""
  unit = tf_contrib_rnn.IndyLSTMCell(UNITS)
  inside = {"output": part(OUTPUT, output_size=UNITS)}.get(
    inner, WRAPPERS[inner].make
  )(unit)
  if outer == "input":
    return part(INPUT, num_proj=UNITS)(inside)
  return WRAPPERS[outer].wrap(inside)


NESTED = [
  (outer, inner)
  for outer in WRAPPERS
  for inner in WRAPPERS
  if (inner != "embedding" or outer in ("output", "compiled"))
  and {outer, inner} != {"highway"}
  and {outer, inner} != {"highway", "embedding"}
]


@pytest.mark.each_value
@pytest.mark.parametrize("outer, inner", NESTED)
def test_wrappers_in_each_other(outer, inner):
  rng = np.random.RandomState(0)
  kind = "embedding" if inner == "embedding" else outer
  kind = "highway" if "highway" in (kind, inner) else kind
  x = WRAPPERS[kind].draw(rng, [BATCH], "float32")
  with tf.Graph().as_default():
    made = make_nested(outer, inner)
    state = draw_state(made, rng, "float32")
    results = made(tf.constant(x), cell_helpers.as_tensors(state))
    weights = cell_helpers.draw(made)
    want = helpers.evaluate(results, [made], [weights.values()])
  made = make_nested(outer, inner)
  made(tf.constant(x), cell_helpers.as_tensors(state))
  assert len(made.variables) == len(weights)
  for variable in made.variables:
    variable.assign(weights[cell_helpers.short_name(variable)])
  got = made(tf.constant(x), cell_helpers.as_tensors(state))
  helpers.assert_close(helpers.to_numpy(got), want, 5e-6)


def test_highway_in_a_highway_in_a_graph(graph):
  with pytest.raises(ValueError, match="carry_w already exists"):
    step(make_nested("highway", "highway"), tf.ones([2, UNITS]))


def test_highway_in_a_highway_has_two_gates_in_eager_mode():
  made = make_nested("highway", "highway")
  for _ in range(2):
    step(made, tf.ones([2, UNITS]))
  assert len({id(v) for v in made.variables}) == 3 + 4


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
