"""LSTMBlockCell, GRUBlockCell, GRUBlockCellV2: their equations in NumPy, their
gradients against finite differences, modes, sequences."""

import importlib

import helpers
import numpy as np
import pytest
import tensorflow as tf
from block_cell_helpers import BATCH
from block_cell_helpers import call
from block_cell_helpers import DEPTH
from block_cell_helpers import draw
from block_cell_helpers import draw_step
from block_cell_helpers import draw_weights
from block_cell_helpers import finite_differences
from block_cell_helpers import LENGTHS
from block_cell_helpers import Lstm
from block_cell_helpers import make_and_set
from block_cell_helpers import MAKERS
from block_cell_helpers import pack
from block_cell_helpers import run
from block_cell_helpers import sequence
from block_cell_helpers import TIME
from block_cell_helpers import UNITS
from block_cell_helpers import weigh
from block_cell_helpers import weigh_tensors

import tf_contrib_rnn
from tf_contrib_rnn.ops import block

v1 = tf.compat.v1

every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])
every_kind = pytest.mark.parametrize("name", MAKERS)
one_of_each = pytest.mark.parametrize("name", ["peephole", "GRU", "GRUv2"])


def differentiate(function):
  """Of the tensors, then of the variables."""

  def gradients(cell, *tensors):
    if tf.executing_eagerly() or tf.inside_function():
      with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = weigh_tensors(function(cell, *tensors))
      return tape.gradient(loss, [*tensors, *cell.variables])
    loss = weigh_tensors(function(cell, *tensors))
    return v1.gradients(loss, [*tensors, *cell.variables])

  return gradients


# Steps.


@every_kind
@every_mode
def test_step_follows_the_equations(name, mode):
  kind = MAKERS[name]()
  arrays, weights = draw_step(kind), draw_weights(kind)
  got = run(mode, kind, call, arrays, weights)
  x, *states = helpers.as_float64(arrays)
  new = kind.step(x, states, helpers.as_float64(weights))
  helpers.assert_close(got, [new[-1], *new], 5e-6)


@one_of_each
@pytest.mark.parametrize(
  "batch,depth,units", [(1, 1, 1), (3, 1, 5), (1, 5, 3), (5, 3, 17), (2, 9, 33)]
)
def test_steps_and_gradients_of_odd_sizes(name, batch, depth, units):
  kind = MAKERS[name]()
  arrays = draw_step(kind, batch, depth, units)
  weights = draw_weights(kind, depth, units)
  got = run("eager", kind, call, arrays, weights, units)
  x, *states = helpers.as_float64(arrays)
  new = kind.step(x, states, helpers.as_float64(weights))
  helpers.assert_close(got, [new[-1], *new], 5e-6)
  gradients = run("eager", kind, differentiate(call), arrays, weights, units)
  if units < 17:
    check_step_gradients(kind, gradients, arrays, weights)
  shapes = [np.shape(a) for a in arrays + weights]
  assert [g.shape for g in gradients] == shapes


def check_step_gradients(kind, gradients, arrays, weights, tolerance=5e-6):
  count = 1 + kind.states

  def loss(values):
    new = kind.step(values[0], values[1:count], values[count:])
    return weigh([new[-1], *new])

  want = finite_differences(loss, arrays + weights)
  helpers.assert_close(gradients, want, tolerance)


@every_kind
@every_mode
def test_gradients_of_a_step(name, mode):
  kind = MAKERS[name]()
  arrays, weights = draw_step(kind), draw_weights(kind)
  gradients = run(mode, kind, differentiate(call), arrays, weights)
  check_step_gradients(kind, gradients, arrays, weights)


@pytest.mark.parametrize("result", [0, 1])
def test_gradients_of_one_state_alone(result):
  """The other's gradient is zeros to the op, or nothing at all."""
  kind = Lstm(peephole=True)
  arrays, weights = draw_step(kind), draw_weights(kind)
  one = lambda cell, x, *states: [cell(x, states)[1][result]]
  loss = lambda values: weigh(
    [kind.step(values[0], values[1:3], values[3:])[result]]
  )
  want = finite_differences(loss, arrays + weights)
  for mode in ("eager", "graph"):
    got = run(mode, kind, differentiate(one), arrays, weights)
    helpers.assert_close(got, want, 5e-6)


@pytest.mark.parametrize("clip", [None, 0, -1.0])
def test_a_clip_of_zero_and_below_is_none(clip):
  kind = Lstm()
  arrays, weights = draw_step(kind), draw_weights(kind)
  arrays[1] *= 100
  new = kind.step(arrays[0], arrays[1:], weights)
  assert np.abs(new[0]).max() > 10
  kind.clip = clip
  got = run("eager", kind, call, arrays, weights)
  helpers.assert_close(got, [new[1], *new], 5e-6)


@pytest.mark.parametrize("name", ["all", "plain"])
def test_float16(name):
  kind = MAKERS[name]()
  arrays = draw_step(kind, dtype="float16")
  weights = draw_weights(kind, dtype="float16")
  got = run("graph", kind, call, arrays, weights)
  assert {g.dtype.name for g in got} == {"float16"}
  x, *states = helpers.as_float64(arrays)
  new = kind.step(x, states, helpers.as_float64(weights))
  helpers.assert_close(got, [new[-1], *new], 1e-2)
  gradients = run("eager", kind, differentiate(call), arrays, weights)
  assert {g.dtype.name for g in gradients} == {"float16"}
  check_step_gradients(kind, gradients, arrays, weights, 2e-2)


@one_of_each
def test_second_derivatives_are_not_defined(name):
  kind = MAKERS[name]()
  arrays = [tf.constant(a) for a in draw_step(kind)]
  cell = kind.make()
  with tf.GradientTape() as outer:
    outer.watch(arrays)
    with tf.GradientTape() as inner:
      inner.watch(arrays)
      output, _ = cell(arrays[0], pack(arrays[1:]))
    gradient = inner.gradient(output, arrays[0])
  with pytest.raises(LookupError, match="BlockCellGrad"):
    outer.gradient(gradient, arrays[0])


def test_gradients_are_registered_once():
  importlib.reload(block)  # no KeyError
  kind = Lstm()
  arrays, weights = draw_step(kind), draw_weights(kind)
  gradients = run("eager", kind, differentiate(call), arrays, weights)
  check_step_gradients(kind, gradients, arrays, weights)


# Modes.


@one_of_each
def test_a_cell_that_is_called_twice_has_its_variables_once(name):
  kind = MAKERS[name]()
  x, *states = map(tf.constant, draw_step(kind))
  cell = kind.make()
  first = cell(x, pack(states))
  before = [v.numpy() for v in cell.variables]
  second = cell(x, pack(states))
  helpers.assert_close(first, second, 0)
  assert len(cell.variables) == len(kind.shapes(1, 1))
  helpers.assert_close(cell.variables, before, 0)


@one_of_each
def test_a_function_is_traced_for_each_shape(name):
  kind = MAKERS[name]()
  cell = kind.make()
  traced = tf.function(lambda *arguments: call(cell, *arguments))
  for batch in (1, 3, 1):
    arrays = draw_step(kind, batch)
    got = traced(*map(tf.constant, arrays))
    x, *states = helpers.as_float64(arrays)
    new = kind.step(x, states, helpers.as_float64(cell.variables))
    helpers.assert_close(got, [new[-1], *new], 5e-6)
  # Twice for the first shape: TensorFlow does, where variables are made.
  assert traced.experimental_get_tracing_count() <= 3


@one_of_each
def test_shapes_that_only_running_tells(name):
  kind = MAKERS[name]()
  arrays, weights = draw_step(kind), draw_weights(kind)
  want = run("eager", kind, differentiate(call), arrays, weights)
  cell = make_and_set(kind, arrays, weights)
  specs = [tf.TensorSpec([None, DEPTH])] + [tf.TensorSpec(None)] * kind.states
  got = tf.function(
    lambda *tensors: differentiate(call)(cell, *tensors), input_signature=specs
  )(*arrays)
  helpers.assert_close(got, want, 1e-6)


@one_of_each
@pytest.mark.parametrize("batch,depth,units", [(0, 3, 5), (2, 3, 0), (2, 0, 5)])
def test_sizes_of_0(name, batch, depth, units):
  kind = MAKERS[name]()
  cell = kind.make(units)
  arrays = [tf.constant(a) for a in draw_step(kind, batch, depth, units)]
  for result in call(cell, *arrays):
    assert result.shape == [batch, units]
  gradients = differentiate(call)(cell, *arrays)
  shapes = [a.shape for a in arrays] + [v.shape for v in cell.variables]
  assert [g.shape for g in gradients] == shapes


# Sequences.


def run_sequences(name, driver, lengths=None):
  """The results of a driver [batch, time, ...], and those wanted."""
  kind = MAKERS[name]()
  weights = draw_weights(kind)
  (x,) = draw([[TIME, BATCH, DEPTH]], 3)
  zeros = np.zeros([kind.states, BATCH, UNITS])
  want = sequence(
    kind, np.float64(x), zeros, helpers.as_float64(weights), lengths
  )
  with tf.Graph().as_default():
    cell = kind.make()
    outputs, state = driver(cell, tf.constant(x.swapaxes(0, 1)), lengths)
    got = helpers.evaluate(
      [outputs, *tf.nest.flatten(state)], [cell], [weights]
    )
  return got, [want[0].swapaxes(0, 1), *want[1:]]


def dynamic(module):
  def driver(cell, x, lengths):
    return module.dynamic_rnn(cell, x, lengths, dtype=tf.float32)

  return driver


def static(module):
  def driver(cell, x, lengths):
    steps = tf.unstack(x, axis=1)
    outputs, state = module.static_rnn(
      cell, steps, dtype=tf.float32, sequence_length=lengths
    )
    return tf.stack(outputs, 1), state

  return driver


def raw(cell, x, lengths):
  ends = tf.fill([BATCH], TIME) if lengths is None else tf.constant(lengths)
  steps = tf.TensorArray(tf.float32, TIME).unstack(tf.transpose(x, [1, 0, 2]))

  def loop(time, output, state, _):
    if output is None:
      state = cell.zero_state(BATCH, tf.float32)
    inputs = steps.read(tf.minimum(time, TIME - 1))
    return time >= tf.minimum(ends, TIME), inputs, state, output, None

  outputs, state, _ = v1.nn.raw_rnn(cell, loop)
  return tf.transpose(outputs.stack(), [1, 0, 2]), state


def bidirectional(cell, x, lengths):
  """The backward one reads the reversed inputs: its results are as forward."""
  lengths = [TIME] * BATCH if lengths is None else np.minimum(lengths, TIME)
  x = tf.reverse_sequence(x, lengths, seq_axis=1)
  other = tf_contrib_rnn.IndRNNCell(UNITS)
  (_, outputs), (_, state) = tf_contrib_rnn.bidirectional_dynamic_rnn(
    other, cell, x, lengths, dtype=tf.float32
  )
  return tf.reverse_sequence(outputs, lengths, seq_axis=1), state


DRIVERS = {
  "dynamic": dynamic(v1.nn),
  "own dynamic": dynamic(tf_contrib_rnn),
  "static": static(v1.nn),
  "own static": static(tf_contrib_rnn),
  "raw": raw,
}


@one_of_each
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "lengths"])
def test_sequences(name, driver, lengths):
  got, want = run_sequences(name, DRIVERS[driver], lengths)
  helpers.assert_close(got, want, 5e-6)


@one_of_each
def test_bidirectional(name):
  kind = MAKERS[name]()
  weights = draw_weights(kind)
  (x,) = draw([[BATCH, TIME, DEPTH]], 3)
  with tf.Graph().as_default():
    cells = [kind.make(), kind.make()]
    results = tf_contrib_rnn.bidirectional_dynamic_rnn(
      *cells, tf.constant(x), np.minimum(LENGTHS, TIME), dtype=tf.float32
    )
    names = [v.name for v in v1.global_variables()]
    (fw, bw), states = helpers.evaluate(results, cells, [weights] * 2)
  assert names[0].startswith("bidirectional_rnn/fw/")
  assert names[-1].startswith("bidirectional_rnn/bw/")
  zeros = np.zeros([kind.states, BATCH, UNITS])
  for outputs, state, step in ((fw, states[0], 1), (bw, states[1], -1)):
    for row, length in enumerate(np.minimum(LENGTHS, TIME)):
      inputs = x[row : row + 1, :length].swapaxes(0, 1)[::step]
      if not length:
        assert not outputs[row].any()
        continue
      want, *ends = sequence(
        kind,
        np.float64(inputs),
        zeros[:, :1],
        helpers.as_float64(weights),
      )
      helpers.assert_close(outputs[row, :length], want[::step, 0], 5e-6)
      leaves = tf.nest.flatten(state)
      helpers.assert_close(
        [leaf[row] for leaf in leaves], [end[0] for end in ends], 5e-6
      )


@pytest.mark.parametrize(
  "make,other",
  [
    (
      lambda: tf_contrib_rnn.LSTMBlockCell(UNITS, 0.3),
      lambda: tf_contrib_rnn.LSTMCell(UNITS, forget_bias=0.3),
    ),
    (
      lambda: tf_contrib_rnn.GRUBlockCellV2(UNITS),
      lambda: tf_contrib_rnn.GRUCell(UNITS),
    ),
  ],
  ids=["LSTM", "GRU"],
)
def test_the_other_cells_checkpoints_results_and_gradients(
  make, other, tmp_path
):
  """Names, shapes and mathematics are those of LSTMCell and GRUCell."""
  (x,) = draw([[BATCH, TIME, DEPTH]], 3)
  path = str(tmp_path / "model")
  results = []
  for number, maker in enumerate([other, make]):
    with tf.Graph().as_default(), v1.Session() as session:
      v1.set_random_seed(1)
      inputs = tf.constant(x)
      outputs, state = tf_contrib_rnn.dynamic_rnn(
        maker(), inputs, LENGTHS, dtype=tf.float32
      )
      losses = [outputs, *tf.nest.flatten(state)]
      gradients = v1.gradients(
        weigh_tensors(losses), [inputs, *v1.trainable_variables()]
      )
      if number:
        v1.train.Saver().restore(session, path)
      else:
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, path)
      results.append(session.run(losses + gradients))
  helpers.assert_close(results[1], results[0], 5e-6)


def test_inside_wrappers():
  with tf.Graph().as_default():
    cells = [
      tf_contrib_rnn.LSTMBlockCell(DEPTH),
      tf_contrib_rnn.ResidualWrapper(tf_contrib_rnn.GRUBlockCellV2(DEPTH)),
      tf_contrib_rnn.DropoutWrapper(
        tf_contrib_rnn.GRUBlockCell(UNITS), 1.0, 1.0, 1.0
      ),
    ]
    stack = tf_contrib_rnn.MultiRNNCell(cells)
    x = tf.ones([BATCH, TIME, DEPTH])
    outputs, state = tf_contrib_rnn.dynamic_rnn(stack, x, dtype=tf.float32)
    names = [v.name for v in v1.global_variables()]
    assert outputs.shape == [BATCH, TIME, UNITS] and len(state) == 3
    gradients = v1.gradients(outputs, v1.trainable_variables())
    assert None not in gradients
    assert np.all(np.isfinite(helpers.evaluate(outputs)))
  layer = "rnn/multi_rnn_cell/cell_"
  assert [n for n in names if "kernel" in n] == [
    f"{layer}0/lstm_cell/kernel:0",
    f"{layer}1/gru_cell/gates/kernel:0",
    f"{layer}1/gru_cell/candidate/kernel:0",
  ]
  assert f"{layer}2/gru_cell/w_ru:0" in names
