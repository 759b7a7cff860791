"""LSTMBlockFusedCell against its equations in NumPy: all kinds of lengths, its
variables, errors."""

import functools

import helpers
import numpy as np
import pytest
import tensorflow as tf
from block_cell_helpers import draw
from block_cell_helpers import finite_differences
from block_cell_helpers import weigh
from block_cell_helpers import weigh_tensors
from fused_rnn_helpers import BATCH
from fused_rnn_helpers import call
from fused_rnn_helpers import DEPTH
from fused_rnn_helpers import draw_arrays
from fused_rnn_helpers import draw_weights
from fused_rnn_helpers import every_outside
from fused_rnn_helpers import INT_MAX
from fused_rnn_helpers import LSTMS
from fused_rnn_helpers import make
from fused_rnn_helpers import PEEPHOLES
from fused_rnn_helpers import reference
from fused_rnn_helpers import run
from fused_rnn_helpers import run_over
from fused_rnn_helpers import TIME
from fused_rnn_helpers import UNITS

import tf_contrib_rnn
from tf_contrib_rnn.ops import block

v1 = tf.compat.v1

every_mode = pytest.mark.parametrize("mode", ["graph", "eager", "function"])
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


def made_names():
  return [v.op.name for v in v1.global_variables()]


def differentiate(cell, x, c, h, lengths=None):
  """Of x, c and h, then of the variables."""
  if tf.executing_eagerly() or tf.inside_function():
    with tf.GradientTape() as tape:
      tape.watch([x, c, h])
      loss = weigh_tensors(call(cell, x, c, h, lengths))
    return tape.gradient(loss, [x, c, h, *cell.variables])
  loss = weigh_tensors(call(cell, x, c, h, lengths))
  return v1.gradients(loss, [x, c, h, *cell.variables])


# Sequences.


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


# Variables.


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


# Errors.


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
