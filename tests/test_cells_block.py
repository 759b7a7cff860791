"""LSTMBlockCell, GRUBlockCell, GRUBlockCellV2: their equations in NumPy, their
gradients against finite differences, variables, modes, errors."""

import dataclasses
import importlib
from typing import Optional

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import sigmoid

import tf_contrib_rnn
from tf_contrib_rnn.ops import block

v1 = tf.compat.v1

BATCH, TIME, DEPTH, UNITS = 4, 6, 3, 5
LENGTHS = [6, 0, 9, 2]

every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])


# The equations in float64.


@dataclasses.dataclass
class Lstm:
  """An LSTM block's options and equations.

  The gradient takes no notice of the clip. So finite differences are taken of a
  function that moves c by what the clip moved it in the first run, not more.
  """

  peephole: bool = False
  clip: Optional[float] = None
  forget_bias: float = 1.0
  states: int = 2
  moves: list = dataclasses.field(default_factory=list)

  @property
  def arguments(self):
    return {
      "use_peephole": self.peephole,
      "cell_clip": self.clip,
      "forget_bias": self.forget_bias,
    }

  def make(self, units=UNITS, **kwargs):
    return tf_contrib_rnn.LSTMBlockCell(units, **self.arguments, **kwargs)

  def shapes(self, depth, units):
    kernel = [[depth + units, 4 * units], [4 * units]]
    return kernel + [[units]] * (3 if self.peephole else 0)

  def step(self, x, states, weights, number=0):
    (c, h), (kernel, bias, *peepholes) = states, weights
    wi, wf, wo = peepholes or np.zeros([3, c.shape[1]])
    gates = np.concatenate([x, h], 1) @ kernel + bias
    i, j, f, o = np.split(gates, 4, 1)
    f = f + self.forget_bias
    c = sigmoid(i + wi * c) * np.tanh(j) + sigmoid(f + wf * c) * c
    if self.clip and self.clip > 0:
      if number == len(self.moves):
        self.moves.append(np.clip(c, -self.clip, self.clip) - c)
      c = c + self.moves[number]
    return c, sigmoid(o + wo * c) * np.tanh(c)


@dataclasses.dataclass
class Gru:
  name: str = "GRUBlockCell"
  states: int = 1

  def make(self, units=UNITS, **kwargs):
    return getattr(tf_contrib_rnn, self.name)(units, **kwargs)

  def shapes(self, depth, units):
    rows = depth + units
    return [[rows, 2 * units], [2 * units], [rows, units], [units]]

  def step(self, x, states, weights, number=0):
    (h,), (w_ru, b_ru, w_c, b_c) = states, weights
    r, u = np.split(sigmoid(np.concatenate([x, h], 1) @ w_ru + b_ru), 2, 1)
    c = np.tanh(np.concatenate([x, r * h], 1) @ w_c + b_c)
    return (u * h + (1 - u) * c,)


MAKERS = {
  "plain": Lstm,
  "peephole": lambda: Lstm(peephole=True),
  "clip": lambda: Lstm(clip=0.2),
  "all": lambda: Lstm(peephole=True, clip=0.1, forget_bias=-0.5),
  "GRU": Gru,
  "GRUv2": lambda: Gru("GRUBlockCellV2"),
}
every_kind = pytest.mark.parametrize("name", MAKERS)
one_of_each = pytest.mark.parametrize("name", ["peephole", "GRU", "GRUv2"])


def draw(shapes, seed=0, dtype="float32"):
  rng = np.random.RandomState(seed)
  return [helpers.random(rng, shape, dtype) for shape in shapes]


def draw_weights(kind, depth=DEPTH, units=UNITS, dtype="float32"):
  return draw(kind.shapes(depth, units), 1, dtype)


def draw_step(kind, batch=BATCH, depth=DEPTH, units=UNITS, dtype="float32"):
  """Inputs and states."""
  return draw([[batch, depth]] + [[batch, units]] * kind.states, 2, dtype)


def pack(states):
  states = list(states)
  return states[0] if len(states) == 1 else tuple(states)


def sequence(kind, x, states, weights, lengths=None):
  """Time-major outputs, and the final states."""
  lengths = np.full(x.shape[1], len(x)) if lengths is None else lengths
  outputs = []
  for t, inputs in enumerate(x):
    runs = (t < np.asarray(lengths))[:, np.newaxis]
    new = kind.step(inputs, states, weights, t)
    outputs.append(np.where(runs, new[-1], 0))
    states = [np.where(runs, n, s) for n, s in zip(new, states)]
  return [np.stack(outputs), *states]


def weigh(results):
  """A number of all results, that each entry has another part in."""
  return sum(
    (r * np.sin(0.37 * np.arange(r.size) + 0.2).reshape(r.shape)).sum()
    for r in results
  )


def weigh_tensors(results):
  total = 0.0
  for r in results:
    numbers = tf.reshape(tf.range(tf.size(r)), tf.shape(r))
    weights = tf.sin(0.37 * tf.cast(numbers, tf.float64) + 0.2)
    total += tf.reduce_sum(tf.cast(r, tf.float64) * weights)
  return total


def finite_differences(function, arrays, step=1e-6):
  """The gradients of a function of arrays, an entry after the other."""
  arrays = helpers.as_float64(arrays)
  function(arrays)
  gradients = [np.zeros_like(a) for a in arrays]
  for array, gradient in zip(arrays, gradients):
    for index in np.ndindex(array.shape):
      value = array[index]
      ends = []
      for array[index] in (value + step, value - step):
        ends.append(function(arrays))
      array[index] = value
      gradient[index] = (ends[0] - ends[1]) / (2 * step)
  return gradients


def run(mode, kind, function, arrays, weights, units=UNITS, **kwargs):
  """Runs function(cell, *tensors) in a mode with these weights."""
  if mode == "graph":
    with tf.Graph().as_default():
      cell = kind.make(units, **kwargs)
      results = function(cell, *map(tf.constant, arrays))
      return helpers.evaluate(results, [cell], [weights])
  cell = make_and_set(kind, arrays, weights, units, **kwargs)
  if mode == "function":
    function = tf.function(function)
  return helpers.to_numpy(function(cell, *map(tf.constant, arrays)))


def make_and_set(kind, arrays, weights, units=UNITS, **kwargs):
  """A cell in eager mode."""
  cell = kind.make(units, **kwargs)
  call(cell, *map(tf.constant, arrays))
  for variable, array in zip(cell.variables, weights):
    variable.assign(array)
  return cell


def call(cell, x, *states):
  output, state = cell(x, pack(states))
  return [output, *tf.nest.flatten(state)]


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


# Variables.

NAMES = {
  "plain": ["lstm_cell/kernel", "lstm_cell/bias"],
  "peephole": [
    "lstm_cell/kernel",
    "lstm_cell/bias",
    "lstm_cell/w_i_diag",
    "lstm_cell/w_f_diag",
    "lstm_cell/w_o_diag",
  ],
  "GRU": ["gru_cell/w_ru", "gru_cell/b_ru", "gru_cell/w_c", "gru_cell/b_c"],
  "GRUv2": [
    "gru_cell/gates/kernel",
    "gru_cell/gates/bias",
    "gru_cell/candidate/kernel",
    "gru_cell/candidate/bias",
  ],
}
every_name = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(name="graph")
def fixture_graph():
  with tf.Graph().as_default() as graph:
    v1.set_random_seed(1)
    yield graph


def made_names():
  return [v.op.name for v in v1.global_variables()]


def step(cell, dtype=tf.float32, depth=DEPTH, **kwargs):
  x = tf.ones([BATCH, depth], dtype)
  return cell(x, cell.zero_state(BATCH, dtype), **kwargs)


@every_name
def test_names_shapes_and_order(graph, name):
  kind = MAKERS[name]()
  cell = kind.make()
  step(cell)
  assert made_names() == NAMES[name]
  shapes = [v.shape.as_list() for v in cell.variables]
  assert shapes == kind.shapes(DEPTH, UNITS)
  assert cell.trainable_variables == v1.trainable_variables()
  assert cell.output_size == UNITS
  assert tf.nest.flatten(cell.state_size) == [UNITS] * kind.states


def test_the_lstms_state_is_a_state_tuple():
  cell = tf_contrib_rnn.LSTMBlockCell(UNITS)
  assert isinstance(cell.state_size, tf_contrib_rnn.LSTMStateTuple)
  _, state = step(cell)
  assert isinstance(state, tf_contrib_rnn.LSTMStateTuple)


@every_name
def test_starting_values(graph, name):
  step(MAKERS[name]().make(40))
  for variable, value in zip(
    v1.global_variables(), helpers.evaluate(v1.global_variables())
  ):
    last = variable.op.name.rpartition("cell/")[2]
    if last in ("b_ru", "gates/bias"):
      assert np.all(value == 1)
    elif last in ("bias", "b_c", "candidate/bias"):
      assert np.all(value == 0)
    else:
      limit = np.sqrt((3 if value.ndim == 1 else 6) / sum(value.shape))
      assert np.all(np.abs(value) <= limit)
      assert 0.85 * limit < np.abs(value).max() and np.std(value) > 0.4 * limit


@every_name
def test_scopes_options_reach_the_variables(graph, name):
  options = {
    "initializer": v1.constant_initializer(0.25),
    "regularizer": tf.reduce_sum,
    "partitioner": v1.fixed_size_partitioner(2),
    "use_resource": True,
  }
  with v1.variable_scope("scope", **options):
    output, _ = step(MAKERS[name]().make())
  assert made_names() == [
    f"scope/{n}/part_{i}" for n in NAMES[name] for i in (0, 1)
  ]
  assert len(v1.losses.get_regularization_losses()) == len(made_names())
  output, *values = helpers.evaluate([output, *v1.global_variables()])
  assert np.all(np.isfinite(output))
  for variable, value in zip(made_names(), values):
    start = 0.25
    if "/b" in variable.partition("cell/")[2] or "cell/b" in variable:
      start = 1 if "b_ru" in variable or "gates" in variable else 0
    assert np.all(value == start), variable


@every_name
def test_a_second_cell_and_reuse(graph, name):
  make = MAKERS[name]().make
  step(make())
  first = made_names()
  step(make())
  prefix = first[0].partition("/")[0]
  assert made_names()[len(first) :] == [
    n.replace(prefix, f"{prefix}_1") for n in first
  ]
  for reuse in (True, v1.AUTO_REUSE):
    cell = make(reuse=reuse)
    step(cell)
    assert [v.op.name for v in cell.variables] == first
  assert len(made_names()) == 2 * len(first)
  with pytest.raises(ValueError, match="Trying to share variable"):
    step(MAKERS[name]().make(UNITS + 1, reuse=True))


@every_name
def test_reuse_of_what_is_not_there(graph, name):
  with pytest.raises(ValueError, match="does not exist"):
    step(MAKERS[name]().make(reuse=True))


@every_name
def test_a_second_dynamic_rnn_without_reuse(graph, name):
  x = tf.ones([BATCH, TIME, DEPTH])
  make = MAKERS[name]().make
  v1.nn.dynamic_rnn(make(), x, dtype=tf.float32)
  assert made_names() == [f"rnn/{n}" for n in NAMES[name]]
  with pytest.raises(ValueError, match="already exists, disallowed"):
    v1.nn.dynamic_rnn(make(), x, dtype=tf.float32)


def test_names_given(graph):
  step(tf_contrib_rnn.LSTMBlockCell(UNITS, name="mine"))
  step(tf_contrib_rnn.GRUBlockCell(UNITS, name=None))
  step(tf_contrib_rnn.LSTMBlockCell(UNITS), scope="called")
  cell = tf_contrib_rnn.GRUBlockCellV2(UNITS)
  with v1.variable_scope("outer"):
    step(cell)
  step(cell)  # keeps its first scope
  assert [n for n in made_names() if not n.endswith(("bias", "_c"))] == [
    "mine/kernel",
    "gru_block_cell/w_ru",
    "gru_block_cell/b_ru",
    "called/kernel",
    "outer/gru_cell/gates/kernel",
    "outer/gru_cell/candidate/kernel",
  ]


def test_dtypes_of_variables(graph):
  for dtype in (tf.float16, "float16"):
    cell = tf_contrib_rnn.LSTMBlockCell(UNITS, dtype=dtype)
    step(cell, tf.float16)
    assert {v.dtype.base_dtype for v in cell.variables} == {tf.float16}


# Errors.


@every_name
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int32"])
def test_other_dtypes(name, dtype):
  for context in (tf.Graph().as_default(), tf.init_scope()):
    with context, pytest.raises(TypeError, match=f"{dtype}, expected float"):
      step(MAKERS[name]().make(), tf.as_dtype(dtype))


def test_other_dtypes_when_it_is_made_or_called_again():
  with pytest.raises(TypeError, match="is float16, expected float32"):
    step(tf_contrib_rnn.GRUBlockCell(UNITS), tf.float16)
  with pytest.raises(TypeError, match="is float64, expected float16 or"):
    step(tf_contrib_rnn.LSTMBlockCell(UNITS, dtype=tf.float64), tf.float32)
  with pytest.raises(TypeError, match="variables are of float16"):
    step(tf_contrib_rnn.LSTMBlockCell(UNITS, dtype=tf.float16), tf.float32)
  cell = tf_contrib_rnn.LSTMBlockCell(UNITS)
  step(cell)
  with pytest.raises(TypeError, match="is float64, expected float16 or"):
    step(cell, tf.float64)
  with pytest.raises(TypeError, match="c is of float16, the inputs of float32"):
    cell(tf.ones([BATCH, DEPTH]), cell.zero_state(BATCH, tf.float16))


BAD_STATES = {
  "rank 1": [UNITS],
  "rank 3": [BATCH, UNITS, 1],
  "width": [BATCH, UNITS + 1],
  "batch": [1, UNITS],
}


@pytest.mark.parametrize("name", ["plain", "GRU"])
@pytest.mark.parametrize("shape", BAD_STATES.values(), ids=BAD_STATES)
def test_states_of_other_shapes(name, shape):
  """The kernel would abort the process for one of rank 1."""
  kind = MAKERS[name]()
  x, good = tf.ones([BATCH, DEPTH]), tf.ones([BATCH, UNITS])
  bad = tf.ones(shape)
  cell = kind.make()
  for states in ([bad, good], [good, bad])[: kind.states]:
    with pytest.raises(ValueError, match="Shape of [ch] is .*, expected"):
      cell(x, pack(states[: kind.states]))
  cell(x, pack([good] * kind.states))
  specs = [tf.TensorSpec(None)] * (1 + kind.states)

  @tf.function(input_signature=specs)
  def unknown(x, *states):
    return cell(tf.ensure_shape(x, [None, DEPTH]), pack(states))

  unknown(x, *[good] * kind.states)
  with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
    unknown(x, *[bad] * kind.states)


def test_states_that_are_no_pairs():
  cell = tf_contrib_rnn.LSTMBlockCell(UNITS)
  x, state = tf.ones([BATCH, DEPTH]), tf.ones([BATCH, UNITS])
  with pytest.raises(ValueError, match="tuple with length 2"):
    cell(x, (state,) * 3)
  with pytest.raises(TypeError, match=r"expected a tuple \(c, h\)"):
    cell(x, tf.ones([2, BATCH, UNITS]))
  helpers.assert_close(cell(x, [state] * 2), cell(x, (state.numpy(),) * 2), 0)


@every_name
def test_inputs_of_other_shapes(graph, name):
  kind = MAKERS[name]()
  state = pack([tf.ones([BATCH, UNITS])] * kind.states)
  for shape in ([BATCH, None], None, [BATCH], [BATCH, DEPTH, 1]):
    with pytest.raises(ValueError, match="depth|ndim|rank"):
      kind.make()(v1.placeholder(tf.float32, shape), state)


@every_name
def test_unknown_arguments(name):
  for keyword in ({"activation": tf.tanh}, {"initializer": None}):
    with pytest.raises(TypeError, match="unexpected keyword"):
      MAKERS[name]().make(**keyword)


@pytest.mark.parametrize("name", ["GRUBlockCell", "GRUBlockCellV2"])
def test_cell_size(name, caplog):
  make = getattr(tf_contrib_rnn, name)
  for arguments in ((), (4, 4)):
    with pytest.raises(ValueError, match="Exactly one of num_units or cell_s"):
      make(*arguments)
  make(4)
  assert "cell_size" not in caplog.text
  assert make(cell_size=4).output_size == 4
  assert "cell_size is deprecated, use num_units instead" in caplog.text


def test_sizes_that_are_no_numbers():
  with pytest.raises(TypeError):
    step(tf_contrib_rnn.LSTMBlockCell(2.5))
  with pytest.raises(ValueError):
    x, state = tf.ones([2, 3]), tf.ones([2, 2])
    tf_contrib_rnn.LSTMBlockCell(-2)(x, (state, state))
  with pytest.raises((TypeError, ValueError)):
    step(tf_contrib_rnn.LSTMBlockCell(UNITS, forget_bias="much"))
