"""The wrappers of tf.contrib.rnn under functions that run sequences, in stacks
and in each other."""

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf
from wrapper_helpers import BATCH
from wrapper_helpers import draw_state
from wrapper_helpers import dtype_of
from wrapper_helpers import every_cell
from wrapper_helpers import every_wrapper
from wrapper_helpers import full_names
from wrapper_helpers import INPUT
from wrapper_helpers import names
from wrapper_helpers import OF_LSTM
from wrapper_helpers import OUTPUT
from wrapper_helpers import part
from wrapper_helpers import run_dynamic
from wrapper_helpers import step
from wrapper_helpers import UNITS
from wrapper_helpers import VARIABLES
from wrapper_helpers import WRAPPERS

import tf_contrib_rnn

v1 = tf.compat.v1


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


def numpy_sequence(step, x, states, lengths):
  """The outputs and the last states of a function of inputs and states."""
  outputs = []
  for t in range(x.shape[1]):
    runs = (t < np.array(lengths))[:, np.newaxis]
    output, *new = step(x[:, t], states)
    outputs.append(np.where(runs, output, 0))
    states = [np.where(runs, n, s) for n, s in zip(new, states)]
  return [np.stack(outputs, 1), *states]


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
