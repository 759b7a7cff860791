"""Fused cells: LSTMBlockFusedCell against its equations in NumPy, all kinds of
lengths, subclasses of LSTMBlockWrapper and FusedRNNCell, the adaptors."""

import functools

import helpers
import numpy as np
import pytest
import tensorflow as tf
import test_cells_block
from test_cells_block import draw
from test_cells_block import finite_differences
from test_cells_block import weigh
from test_cells_block import weigh_tensors

import tf_contrib_rnn
from tf_contrib_rnn.ops import block

v1 = tf.compat.v1

TIME, BATCH, DEPTH, UNITS = 4, 3, 3, 2
INT_MAX = 2**31 - 1

every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])
LSTMS = {
  name: maker
  for name, maker in test_cells_block.MAKERS.items()
  if "GRU" not in name
}
every_lstm = pytest.mark.parametrize("name", LSTMS)
LENGTHS = {
  "none": None,
  "mixed": [4, 0, 2],
  "short": [1, 2, 1],
  "zeros": [0, 0, 0],
  "full": [TIME] * BATCH,
}
every_length = pytest.mark.parametrize(
  "lengths", LENGTHS.values(), ids=LENGTHS.keys()
)


def make(lstm, units=UNITS, **kwargs):
  return tf_contrib_rnn.LSTMBlockFusedCell(units, **lstm.arguments, **kwargs)


def draw_arrays(shape=(TIME, BATCH, DEPTH), units=UNITS, dtype="float32"):
  """Inputs, c and h."""
  return draw([shape, [shape[1], units], [shape[1], units]], 2, dtype)


def draw_weights(lstm, depth=DEPTH, units=UNITS, dtype="float32"):
  return draw(lstm.shapes(depth, units), 1, dtype)


def reference(lstm, arrays, weights, lengths=None):
  """The outputs, the final c and h."""
  x, *states = helpers.as_float64(arrays)
  return test_cells_block.sequence(
    lstm, x, states, helpers.as_float64(weights), lengths
  )


def call(cell, x, c, h, lengths=None):
  outputs, state = cell(x, initial_state=(c, h), sequence_length=lengths)
  assert isinstance(state, tf_contrib_rnn.LSTMStateTuple)
  return [outputs, *state]


def run(mode, make_cell, function, arrays, weights):
  """Runs function(cell, *tensors) in a mode with these weights."""
  if mode == "graph":
    with tf.Graph().as_default():
      cell = make_cell()
      results = function(cell, *map(tf.constant, arrays))
      return helpers.evaluate(results, [cell], [weights])
  cell = make_cell()
  call(cell, *map(tf.constant, arrays))
  for variable, array in zip(cell.variables, weights):
    variable.assign(array)
  if mode == "function":
    function = tf.function(function)
  return helpers.to_numpy(function(cell, *map(tf.constant, arrays)))


def differentiate(cell, x, c, h, lengths=None):
  """Of x, c and h, then of the variables."""
  if tf.executing_eagerly() or tf.inside_function():
    with tf.GradientTape() as tape:
      tape.watch([x, c, h])
      loss = weigh_tensors(call(cell, x, c, h, lengths))
    return tape.gradient(loss, [x, c, h, *cell.variables])
  loss = weigh_tensors(call(cell, x, c, h, lengths))
  return v1.gradients(loss, [x, c, h, *cell.variables])


# LSTMBlockFusedCell.


@every_lstm
@every_mode
@every_length
def test_sequences_follow_the_equations(name, mode, lengths):
  lstm = LSTMS[name]()
  arrays, weights = draw_arrays(), draw_weights(lstm)
  function = lambda cell, *tensors: call(cell, *tensors, lengths)
  got = run(mode, lambda: make(lstm), function, arrays, weights)
  want = reference(lstm, arrays, weights, lengths)
  helpers.assert_close(got, want, 5e-6)


@every_lstm
@every_mode
@every_length
def test_gradients_of_sequences(name, mode, lengths):
  lstm = LSTMS[name]()
  arrays, weights = draw_arrays(), draw_weights(lstm)
  function = lambda cell, *tensors: differentiate(cell, *tensors, lengths)
  got = run(mode, lambda: make(lstm), function, arrays, weights)
  helpers.assert_close(
    got, gradients_wanted(name, lengths and (*lengths,)), 5e-6
  )


@functools.cache
def gradients_wanted(name, lengths):
  lstm = LSTMS[name]()
  loss = lambda values: weigh(reference(lstm, values[:3], values[3:], lengths))
  return finite_differences(loss, draw_arrays() + draw_weights(lstm))


@pytest.mark.parametrize("units", [1, 5, 17])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 3), (5, 1, 9), (3, 7, 1)])
def test_odd_sizes(shape, units):
  lstm = LSTMS["all"]()
  arrays = draw_arrays(shape, units)
  weights = draw_weights(lstm, shape[2], units)
  lengths = np.arange(shape[1], dtype=np.int32) % (shape[0] + 1)
  function = lambda cell, *tensors: call(cell, *tensors, lengths)
  got = run("eager", lambda: make(lstm, units), function, arrays, weights)
  helpers.assert_close(got, reference(lstm, arrays, weights, lengths), 5e-6)


def test_float16():
  lstm = LSTMS["all"]()
  arrays = draw_arrays(dtype="float16")
  weights = draw_weights(lstm, dtype="float16")
  got = run("graph", lambda: make(lstm), call, arrays, weights)
  assert {g.dtype.name for g in got} == {"float16"}
  helpers.assert_close(got, reference(lstm, arrays, weights), 1e-2)


@pytest.mark.parametrize("lengths", [None, [4, 0, 2]], ids=["whole", "lengths"])
def test_it_is_an_lstm_block_cell_under_dynamic_rnn(lengths):
  lstm = LSTMS["all"]()
  weights = draw_weights(lstm)
  (x,) = draw([[TIME, BATCH, DEPTH]])
  keywords = {"sequence_length": lengths, "dtype": tf.float32}
  with tf.Graph().as_default():
    fused, cell = make(lstm), lstm.make(UNITS)
    results = [
      fused(tf.constant(x), **keywords),
      tf_contrib_rnn.dynamic_rnn(
        cell, tf.constant(x), time_major=True, **keywords
      ),
    ]
    results = [tf.nest.flatten(one) for one in results]
    for one, layer in zip(results, (fused, cell)):
      one += v1.gradients(weigh_tensors(one), layer.variables)
    got = helpers.evaluate(results, [fused, cell], [weights] * 2)
  helpers.assert_close(*got, 2e-6)


def test_the_initial_state_is_zeros_without_one():
  lstm = LSTMS["peephole"]()
  arrays, weights = draw_arrays(), draw_weights(lstm)
  arrays[1:] = np.zeros([2, BATCH, UNITS], np.float32)
  for dtype in (tf.float32, "float32"):
    got = run(
      "graph",
      lambda: make(lstm),
      lambda cell, x, c, h, dtype=dtype: cell(x, dtype=dtype),
      arrays,
      weights,
    )
    helpers.assert_close(got, reference(lstm, arrays, weights), 5e-6)


@pytest.mark.parametrize("unknown", ["time", "batch", "both", "lengths"])
def test_shapes_that_only_running_tells(unknown):
  lstm = LSTMS["peephole"]()
  arrays, weights = draw_arrays(), draw_weights(lstm)
  shapes = {
    "time": [None, BATCH, DEPTH],
    "batch": [TIME, None, DEPTH],
    "both": [None, None, DEPTH],
    "lengths": [TIME, BATCH, DEPTH],
  }
  with tf.Graph().as_default():
    x = v1.placeholder(tf.float32, shapes[unknown])
    c, h = (v1.placeholder(tf.float32, None) for _ in range(2))
    lengths = v1.placeholder(tf.int32, None)
    cell = make(lstm)
    results = call(cell, x, c, h, lengths)
    gradients = v1.gradients(weigh_tensors(results), cell.variables)
    assert results[0].shape[2] == UNITS and results[1].shape[1] == UNITS
    feed = dict(zip([x, c, h, lengths], [*arrays, [4, 0, 2]]))
    got = helpers.evaluate([*results, *gradients], [cell], [weights], feed)
  want = reference(lstm, arrays, weights, [4, 0, 2])
  helpers.assert_close(got[:3], want, 5e-6)
  assert all(np.all(np.isfinite(g)) for g in got)


@pytest.mark.parametrize(
  "shape,units,with_lengths",
  [
    ((4, 0, 3), 2, False),
    ((4, 0, 3), 2, True),
    ((4, 3, 0), 2, False),
    ((4, 3, 0), 2, True),
    ((4, 3, 3), 0, False),
  ],
)
def test_sizes_of_0(shape, units, with_lengths):
  arrays = [tf.constant(a) for a in draw_arrays(shape, units)]
  lengths = tf.zeros([shape[1]], tf.int32) if with_lengths else None
  cell = make(LSTMS["peephole"](), units)
  outputs, c, h = call(cell, *arrays, lengths)
  assert outputs.shape == [4, shape[1], units]
  assert c.shape == h.shape == [shape[1], units]
  gradients = differentiate(cell, *arrays, lengths)
  assert gradients[0].shape == shape


def test_no_steps():
  x, c, h = map(tf.constant, draw_arrays((0, BATCH, DEPTH)))
  cell = make(LSTMS["plain"]())
  outputs, *state = call(cell, x, c, h, [0] * BATCH)
  assert outputs.shape == [0, BATCH, UNITS]
  helpers.assert_close(state, [c, h], 0)
  with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
    call(cell, x, c, h)


def test_inputs_past_the_end_do_not_reach_the_results():
  x, c, h = draw_arrays()
  cell = make(LSTMS["plain"]())
  want = call(cell, x, c, h, [4, 0, 2])
  x[2:, 2] = x[:, 1] = 1e30
  helpers.assert_close(call(cell, x, c, h, [4, 0, 2]), want, 0)
  x[2:, 2] = np.nan
  helpers.assert_close(call(cell, x, c, h, [4, 0, 2]), want, 0)


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_the_same_cell_twice(mode):
  cell = make(LSTMS["plain"]())
  function = lambda *arguments: call(cell, *arguments)
  if mode == "function":
    function = tf.function(function)
  for shape in ((4, 3, 3), (5, 2, 3), (4, 3, 3)):
    arrays = draw_arrays(shape)
    want = (
      reference(LSTMS["plain"](), arrays, cell.variables or [])
      if cell.variables
      else None
    )
    got = function(*map(tf.constant, arrays))
    if want:
      helpers.assert_close(got, want, 5e-6)
  assert len(cell.variables) == 2


def test_second_derivatives_are_not_defined():
  arrays = [tf.constant(a) for a in draw_arrays()]
  cell = make(LSTMS["plain"]())
  with tf.GradientTape() as outer:
    outer.watch(arrays)
    gradient = differentiate(cell, *arrays)[0]
  with pytest.raises(LookupError, match="BlockLSTMGrad"):
    outer.gradient(gradient, arrays[0])


# Lengths that are none.

OUTSIDE = {
  "negative": ([4, -1, 2], "negative"),
  "all negative": ([-1, -2, -3], "negative"),
  "past": ([TIME + 1, 0, 2], "past the end"),
  "maximum": ([INT_MAX, 1, 1], "past the end"),
  "minimum": ([-INT_MAX - 1, 1, 1], "negative"),
}
every_outside = pytest.mark.parametrize(
  "lengths,message", OUTSIDE.values(), ids=OUTSIDE
)


@every_outside
@every_mode
def test_lengths_outside_raise(lengths, message, mode):
  """TensorFlow 1.15, and the kernel itself, abort the process for most."""
  arrays, weights = draw_arrays(), draw_weights(LSTMS["plain"]())
  function = lambda cell, *tensors: call(cell, *tensors, lengths)
  with pytest.raises(tf.errors.InvalidArgumentError, match=message):
    run(mode, lambda: make(LSTMS["plain"]()), function, arrays, weights)


@every_outside
def test_lengths_that_turn_out_to_be_outside(lengths, message):
  with tf.Graph().as_default():
    fed = v1.placeholder(tf.int32, [None])
    cell = make(LSTMS["plain"]())
    results = call(cell, *map(tf.constant, draw_arrays()), fed)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
      helpers.evaluate(
        results, [cell], [draw_weights(LSTMS["plain"]())], {fed: lengths}
      )


@pytest.mark.parametrize("steps", [-1, -(2**62), TIME + 1, 2**62, INT_MAX])
@every_mode
def test_the_kernel_never_sees_steps_outside(steps, mode):
  """Not even where something has removed the assertions from the graph."""
  lstm = LSTMS["plain"]()
  arrays, weights = draw_arrays(), draw_weights(lstm)

  def function(cell, x, c, h):
    kernel, bias = cell.variables or cell.weights
    return block.lstm_sequences(
      x,
      tf.constant(steps, tf.int64),
      (c, h),
      UNITS,
      kernel,
      bias,
      [],
      1.0,
      None,
    )

  def built():
    cell = make(lstm)
    cell(tf.zeros([1, BATCH, DEPTH]), dtype=tf.float32)
    return cell

  _, outputs = run(mode, built, function, arrays, weights)
  want = np.zeros_like(outputs)
  if steps > 0:
    want, *_ = reference(lstm, arrays, weights)
  helpers.assert_close(outputs, want, 5e-6)


@pytest.mark.parametrize(
  "lengths", [np.int64([4, 2, 1]), np.float32([4, 2, 1]), [4.0, 2.0, 1.0]]
)
def test_lengths_of_another_dtype(lengths):
  with pytest.raises(TypeError, match="sequence_length is of .*, expected in"):
    call(make(LSTMS["plain"]()), *draw_arrays(), lengths)


@pytest.mark.parametrize("lengths", [4, [4, 2], [4, 2, 1, 0], [[4, 2, 1]]])
def test_lengths_of_another_shape(lengths):
  with pytest.raises(ValueError, match=r"sequence_length has shape .*, exp"):
    call(make(LSTMS["plain"]()), *draw_arrays(), lengths)


def test_lengths_that_turn_out_to_have_another_shape():
  with tf.Graph().as_default():
    fed = v1.placeholder(tf.int32, None)
    cell = make(LSTMS["plain"]())
    results = call(cell, *map(tf.constant, draw_arrays()), fed)
    for lengths in ([4, 2], 4, [[4, 2, 1]]):
      with pytest.raises(tf.errors.InvalidArgumentError):
        helpers.evaluate(
          results, [cell], [draw_weights(LSTMS["plain"]())], {fed: lengths}
        )


# Variables of LSTMBlockFusedCell.


@pytest.fixture(name="graph")
def fixture_graph():
  with tf.Graph().as_default() as graph:
    v1.set_random_seed(1)
    yield graph


def made_names():
  return [v.op.name for v in v1.global_variables()]


def run_over(cell, **kwargs):
  return cell(tf.ones([TIME, BATCH, DEPTH]), dtype=tf.float32, **kwargs)


PEEPHOLES = ["kernel", "bias", "w_i_diag", "w_f_diag", "w_o_diag"]


def test_names_shapes_order_and_starting_values(graph):
  cell = tf_contrib_rnn.LSTMBlockFusedCell(40, use_peephole=True)
  run_over(cell)
  assert made_names() == [f"lstm_fused_cell/{n}" for n in PEEPHOLES]
  shapes = [v.shape.as_list() for v in cell.variables]
  assert shapes == LSTMS["peephole"]().shapes(DEPTH, 40)
  assert cell.trainable_variables == v1.trainable_variables()
  assert cell.num_units == 40
  kernel, bias, *peepholes = helpers.evaluate(cell.variables)
  assert not bias.any()
  assert 0.9 < np.abs(kernel).max() / np.sqrt(6 / sum(kernel.shape)) <= 1
  for value in peepholes:
    assert 0.8 < np.abs(value).max() / np.sqrt(3 / 40) <= 1


def test_a_second_cell_scopes_and_reuse(graph):
  make_cell = tf_contrib_rnn.LSTMBlockFusedCell
  cell = make_cell(UNITS)
  run_over(cell)
  run_over(cell)
  run_over(make_cell(UNITS))
  run_over(make_cell(UNITS), scope="called")
  run_over(make_cell(UNITS, name="mine"))
  run_over(make_cell(UNITS, name=None))
  with v1.variable_scope("outer"):
    run_over(make_cell(UNITS))
  prefixes = [n.rpartition("/")[0] for n in made_names()[::2]]
  assert prefixes == [
    "lstm_fused_cell",
    "lstm_fused_cell_1",
    "called",
    "mine",
    "lstm_block_fused_cell",
    "outer/lstm_fused_cell",
  ]
  count = len(made_names())
  for reuse in (True, v1.AUTO_REUSE):
    again = make_cell(UNITS, reuse=reuse)
    run_over(again)
    assert again.variables == cell.variables
  assert len(made_names()) == count
  with pytest.raises(ValueError, match="Trying to share variable"):
    run_over(make_cell(UNITS + 1, reuse=True))
  with pytest.raises(ValueError, match="does not exist"):
    run_over(make_cell(UNITS, reuse=True, name="nothing"))


def test_a_partitioner_splits_all(graph):
  with v1.variable_scope("s", partitioner=v1.fixed_size_partitioner(2)):
    outputs, _ = run_over(make(LSTMS["peephole"]()))
  assert made_names() == [
    f"s/lstm_fused_cell/{n}/part_{i}" for n in PEEPHOLES for i in (0, 1)
  ]
  assert np.all(np.isfinite(helpers.evaluate(outputs)))


# Errors of LSTMBlockFusedCell.


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int32"])
def test_other_dtypes(dtype):
  x = tf.ones([TIME, BATCH, DEPTH], dtype)
  with pytest.raises(TypeError, match=f"{dtype}, expected float16 or float32"):
    make(LSTMS["plain"]())(x, dtype=tf.as_dtype(dtype))


def test_dtypes_that_differ():
  x = tf.ones([TIME, BATCH, DEPTH])
  half = [tf.zeros([BATCH, UNITS], tf.float16)] * 2
  for keywords in (
    {"dtype": tf.float16},
    {"initial_state": half},
    {"initial_state": half, "dtype": tf.float32},
  ):
    with pytest.raises(TypeError, match="c is of float16, the inputs of float"):
      make(LSTMS["plain"]())(x, **keywords)
  with pytest.raises(TypeError, match="The variables are of float16"):
    make(LSTMS["plain"](), dtype=tf.float16)(x, dtype=tf.float32)


def test_initial_states_that_are_no_pairs():
  x, c, h = draw_arrays()
  cell = make(LSTMS["plain"]())
  with pytest.raises(ValueError, match="Either initial_state or dtype needs"):
    cell(x)
  with pytest.raises(ValueError, match="tuple with length 2"):
    cell(x, initial_state=(c, h, h))
  with pytest.raises(TypeError, match=r"expected a tuple \(c, h\)"):
    cell(x, initial_state=tf.stack([c, h]))
  helpers.assert_close(cell(x, initial_state=[c, h]), call(cell, x, c, h), 0)


@pytest.mark.parametrize(
  "shape", [[UNITS], [BATCH, UNITS + 1], [1, UNITS], [BATCH, UNITS, 1]]
)
def test_initial_states_of_other_shapes(shape):
  x, good, _ = map(tf.constant, draw_arrays())
  bad = tf.zeros(shape)
  cell = make(LSTMS["plain"]())
  for state in ((bad, good), (good, bad)):
    with pytest.raises(ValueError, match="Shape of [ch] is"):
      call(cell, x, *state)
  call(cell, x, good, good)
  unknown = tf.function(
    lambda *tensors: call(cell, x, *tensors),
    input_signature=[tf.TensorSpec(None)] * 2,
  )
  unknown(good, good)
  for state in ((bad, good), (good, bad)):
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
      unknown(*state)


def test_inputs_of_other_shapes(graph):
  for shape in ([BATCH, DEPTH], [1, 1, 1, 1], None):
    with pytest.raises((TypeError, ValueError), match="ndim|rank|known depth"):
      make(LSTMS["plain"]())(
        v1.placeholder(tf.float32, shape), dtype=tf.float32
      )
  with pytest.raises(TypeError, match="expected .* with a known depth"):
    x = v1.placeholder(tf.float32, [TIME, BATCH, None])
    make(LSTMS["plain"]())(x, dtype=tf.float32)


@pytest.mark.parametrize("shape", [[2, 3], [2, 3, 4]])
@pytest.mark.parametrize("count", [1, 2])
def test_a_list_of_steps(shape, count):
  with pytest.raises(ValueError, match="list|expects 1 input|ndim"):
    make(LSTMS["plain"]())([tf.ones(shape)] * count, dtype=tf.float32)


# Subclasses of LSTMBlockWrapper.


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


# FusedRNNCellAdaptor and TimeReversedFusedRNN.

CELLS = {
  "GRU": lambda: tf_contrib_rnn.GRUCell(UNITS),
  "IndyLSTM": lambda: tf_contrib_rnn.IndyLSTMCell(UNITS),
  "block": lambda: tf_contrib_rnn.LSTMBlockCell(UNITS),
}
either_function = pytest.mark.parametrize("dynamic", [False, True])


def steps_of(x, as_list):
  return tf.unstack(x) if as_list else x


def tensor_of(steps, as_list):
  assert isinstance(steps, list) == as_list
  return tf.stack(steps) if as_list else steps


@pytest.mark.parametrize("name", CELLS)
@either_function
@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_an_adaptor_runs_the_cell(graph, name, dynamic, as_list, given):
  """Against TensorFlow's dynamic_rnn with the same cell."""
  x = tf.constant(draw_arrays()[0])
  cell = CELLS[name]()
  keywords = {"sequence_length": [4, 0, 9], "dtype": tf.float32}
  if given:
    ones = tf.ones([BATCH, UNITS])
    state = tf.nest.map_structure(lambda _: ones, cell.state_size)
    keywords = {"initial_state": state}
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(cell, dynamic)
  outputs, state = fused(steps_of(x, as_list), **keywords)
  with v1.variable_scope(v1.get_variable_scope(), reuse=True):
    want = v1.nn.dynamic_rnn(cell, x, time_major=True, **keywords)
  assert all(n.startswith("rnn/") for n in made_names())
  assert len(made_names()) == len(cell.variables)
  got, want = helpers.evaluate([(tensor_of(outputs, as_list), state), want])
  tf.nest.assert_same_structure(got, want)
  helpers.assert_close(got, want, 2e-6)


@either_function
def test_an_adaptor_uses_this_packages_functions(graph, dynamic, caplog):
  caplog.set_level("DEBUG", "tf_contrib_rnn")
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(CELLS["IndyLSTM"](), dynamic)
  run_over(fused, scope="called")
  assert "whole sequences: called/indy_lstm_cell" in caplog.text
  assert made_names()[0] == "called/indy_lstm_cell/kernel_w"


@either_function
@pytest.mark.parametrize("in_function", [False, True])
def test_an_adaptor_in_eager_mode(dynamic, in_function):
  cell = CELLS["block"]()
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(cell, dynamic)
  function = lambda x: fused(x, dtype=tf.float32, sequence_length=[4, 0, 2])
  if in_function:
    function = tf.function(function)
  lstm = LSTMS["plain"]()
  for factor in (1, 2):
    x = draw_arrays()[0] * np.float32(factor)
    got = function(tf.constant(x))
    zeros = np.zeros([2, BATCH, UNITS])
    want = reference(lstm, [x, *zeros], cell.variables, [4, 0, 2])
    helpers.assert_close(got, want, 5e-6)
  assert len(cell.variables) == 2


@either_function
def test_errors_of_an_adaptor(graph, dynamic):
  fused = tf_contrib_rnn.FusedRNNCellAdaptor(CELLS["GRU"](), dynamic)
  with pytest.raises(ValueError, match="dtype"):
    fused(tf.ones([TIME, BATCH, DEPTH]))
  with pytest.raises(TypeError, match="is not an RNNCell"):
    run_over(tf_contrib_rnn.FusedRNNCellAdaptor("GRUCell", dynamic))
  with pytest.raises(ValueError):
    fused([], dtype=tf.float32)
  x = v1.placeholder(tf.float32, [None, BATCH, DEPTH])
  if dynamic:
    assert fused(x, dtype=tf.float32)[0].shape.as_list() == [
      None,
      BATCH,
      UNITS,
    ]
  else:
    with pytest.raises(ValueError, match="Cannot infer .*num.* from shape"):
      fused(x, dtype=tf.float32)


class Summing(tf_contrib_rnn.FusedRNNCell):
  """Running sums, which are as long as they are: no end is seen to."""

  def __call__(
    self,
    inputs,
    initial_state=None,
    dtype=None,
    sequence_length=None,
    scope=None,
  ):
    self.seen = initial_state, dtype, sequence_length, scope
    as_list = isinstance(inputs, list)
    sums = tf.cumsum(tf.stack(inputs) if as_list else inputs)
    return steps_of(sums, as_list), sums[-1]


def reverse(x, lengths):
  x = np.array(x)
  for row, length in enumerate(lengths):
    x[:length, row] = x[:length, row][::-1]
  return x


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("lengths", [None, [4, 0, 2]])
@every_mode
def test_a_reversed_cell(mode, as_list, lengths):
  x = draw_arrays()[0]

  def function(x):
    fused = tf_contrib_rnn.TimeReversedFusedRNN(Summing())
    outputs, state = fused(steps_of(x, as_list), sequence_length=lengths)
    return tensor_of(outputs, as_list), state

  if mode == "graph":
    with tf.Graph().as_default():
      got = helpers.evaluate(function(tf.constant(x)))
  else:
    got = (tf.function(function) if mode == "function" else function)(x)
  # A list is reversed whole.
  ends = [TIME] * BATCH if as_list or lengths is None else lengths
  sums = np.cumsum(reverse(x, ends), 0)
  helpers.assert_close(got, [reverse(sums, ends), sums[-1]], 1e-6)


def test_a_reversed_cell_passes_its_arguments_on():
  cell = Summing()
  tf_contrib_rnn.TimeReversedFusedRNN(cell)(
    tf.ones([TIME, BATCH, DEPTH]), 1, 2, [1, 2, 3], 4
  )
  assert cell.seen == (1, 2, [1, 2, 3], 4)


@pytest.mark.parametrize("length_dtype", [tf.int32, tf.int64])
def test_a_reversed_adaptor_is_half_of_a_bidirectional_rnn(graph, length_dtype):
  x = tf.constant(draw_arrays()[0])
  lengths = tf.constant([4, 0, 2], length_dtype)
  cell, other = CELLS["GRU"](), CELLS["GRU"]()
  (_, want), (_, want_state) = v1.nn.bidirectional_dynamic_rnn(
    other, cell, x, lengths, dtype=tf.float32, time_major=True
  )
  fused = tf_contrib_rnn.TimeReversedFusedRNN(
    tf_contrib_rnn.FusedRNNCellAdaptor(cell, use_dynamic_rnn=True)
  )
  got = fused(x, dtype=tf.float32, sequence_length=lengths)
  got, want = helpers.evaluate([got, (want, want_state)])
  helpers.assert_close(got, want, 1e-6)


def test_a_reversed_block(graph):
  lstm = LSTMS["peephole"]()
  weights, (x, *_) = draw_weights(lstm), draw_arrays()
  cell = make(lstm)
  fused = tf_contrib_rnn.TimeReversedFusedRNN(cell)
  results = fused(
    tf.constant(x), dtype=tf.float32, sequence_length=[4, 0, 2], scope="called"
  )
  assert made_names() == [f"called/{n}" for n in PEEPHOLES]
  got = helpers.evaluate(results, [cell], [weights])
  zeros = np.zeros([2, BATCH, UNITS])
  arrays = [reverse(x, [4, 0, 2]), *zeros]
  outputs, *state = reference(lstm, arrays, weights, [4, 0, 2])
  helpers.assert_close(got, [reverse(outputs, [4, 0, 2]), *state], 5e-6)
  with pytest.raises(ValueError, match="expects 1 input"):
    fused(tf.unstack(tf.constant(x)), dtype=tf.float32)


@pytest.mark.parametrize("lengths", [[TIME + 1, 0, 2], [1, -1, 2]])
def test_a_reversed_cell_with_lengths_outside(lengths):
  fused = tf_contrib_rnn.TimeReversedFusedRNN(make(LSTMS["plain"]()))
  with pytest.raises(tf.errors.InvalidArgumentError):
    run_over(fused, sequence_length=lengths)
