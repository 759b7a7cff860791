"""What the tests of the wrappers of tf.contrib.rnn share: the wrappers, the
cells inside them, and what both compute."""

import dataclasses
import functools
from typing import Callable

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


class Echo(tf_contrib_rnn.RNNCell):
  """A cell that returns its inputs."""

  output_size = state_size = 3

  def call(self, inputs, state):
    return inputs, state


def dtype_of(x):
  return x.dtype if x.dtype.is_floating else tf.float32


def run_dynamic(module, cell, x, lengths=None):
  return module.dynamic_rnn(cell, x, lengths, dtype=dtype_of(x))
