"""GridLSTMCell, BidirectionalGridLSTMCell and, in the same ways,
TimeFreqLSTMCell: steps, gradients, sequences, errors."""

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf
from grid_cell_helpers import BATCH
from grid_cell_helpers import call
from grid_cell_helpers import CELLS
from grid_cell_helpers import DEPTH
from grid_cell_helpers import draw_arrays
from grid_cell_helpers import GRIDS
from grid_cell_helpers import make_any
from grid_cell_helpers import make_grid
from grid_cell_helpers import make_time_freq
from grid_cell_helpers import numpy_step
from grid_cell_helpers import numpy_time_freq
from grid_cell_helpers import split_state
from grid_cell_helpers import UNITS

import tf_contrib_rnn

v1 = tf.compat.v1


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("clip", [None, 0.2])
@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("forget_bias", [1.0, -0.5])
def test_grid_step(
  bidirectional,
  grid,
  peepholes,
  shared,
  coupled,
  clip,
  shards,
  forget_bias,
):
  options = {
    "use_peepholes": peepholes,
    "share_time_frequency_weights": shared,
    "couple_input_forget_gates": coupled,
    "cell_clip": clip,
    "num_unit_shards": shards,
    "forget_bias": forget_bias,
  }
  make = lambda: make_grid(grid, bidirectional, **options)
  check_grid("eager", make, grid, options, bidirectional)


def check_grid(mode, make, grid, options, bidirectional=False):
  cell = make()
  x, state = draw_arrays(len(cell.state_size) // 2)
  state = split_state(cell, state)
  got, weights = cell_helpers.run_step(mode, make, x, state)
  want = numpy_step(weights, x, state, grid, options, bidirectional)
  helpers.assert_close(got, want, 1e-12)


@pytest.mark.parametrize("mode", ["graph", "function"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_grid_step_in_graphs(mode, bidirectional):
  options = {"use_peepholes": True, "num_unit_shards": 2}
  make = lambda: make_grid("whole", bidirectional, **options)
  check_grid(mode, make, "whole", options, bidirectional)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("offset", [-3, -1, 0, 1, 4])
def test_backward_slice_offset(grid, offset):
  options = {"backward_slice_offset": offset}
  check_grid(
    "eager", lambda: make_grid(grid, True, **options), grid, options, True
  )


@pytest.mark.parametrize("clip", [0, 0.0, -0.1])
def test_clip_of_zero_or_less(clip):
  x, state = draw_arrays(2)
  cell = make_grid(cell_clip=clip)
  state = split_state(cell, state)
  (_, c, *_), _ = cell_helpers.run_step(
    "eager", lambda: make_grid(cell_clip=clip), x, state
  )
  assert np.all(c == -clip)


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("wider", [0, 3])
def test_state_in_one_tensor(mode, grid, wider):
  make = lambda: make_grid(grid, state_is_tuple=False, use_peepholes=True)
  blocks = GRIDS[grid][0]
  windows = sum(map(len, blocks))
  assert make().state_size == make().output_size == 2 * windows * UNITS
  assert make().state_tuple_type is None
  x, state = draw_arrays(windows)
  if wider:
    state = np.pad(state, [(0, 0), (0, wider)])
  got, weights = cell_helpers.run_step(mode, make, x, state)
  # Each block reads what the first one reads.
  parts = [state[:, k : k + UNITS] for k in range(0, 8, UNITS)]
  read = [part for block in blocks for part in parts[: 2 * len(block)]]
  output, *new_state = numpy_step(weights, x, read, grid, {})
  helpers.assert_close(got, [output, np.concatenate(new_state, 1)], 1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", ["TimeFreq", "Grid"])
def test_dtypes(name, dtype):
  with tf.Graph().as_default():
    options = {"share_time_frequency_weights": True} if name == "Grid" else {}
    cell = make_any(name, use_peepholes=True, cell_clip=0.5, **options)
    inputs = tf.ones([BATCH, DEPTH], dtype)
    results = tf.nest.flatten(cell(inputs, cell.zero_state(BATCH, dtype)))
    gradients = v1.gradients(results, cell.variables)
    for part in results + cell.variables + gradients:
      assert part.dtype.base_dtype.name == dtype
    weights = cell_helpers.draw(cell).values()
    for value in helpers.evaluate(results + gradients, [cell], [weights]):
      assert np.all(np.isfinite(np.float64(value)))


# Tiny, as each weight takes two steps of NumPy.
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_grid_gradients(peepholes, shared, coupled, bidirectional):
  options = {
    "use_peepholes": peepholes,
    "share_time_frequency_weights": shared,
    "couple_input_forget_gates": coupled,
  }
  make = lambda: make_grid("part", bidirectional, **options)
  cell = make()
  x, state = draw_arrays(len(cell.state_size) // 2, batch=1)
  cell_helpers.check_gradients(
    make,
    x,
    split_state(cell, state),
    lambda weights, x, state: numpy_step(
      weights, x, state, "part", options, bidirectional
    ),
  )


# Sequences.


def numpy_sequence(step, x, states, lengths):
  outputs = []
  for t in range(x.shape[1]):
    runs = (t < np.array(lengths))[:, np.newaxis]
    output, *new = step(x[:, t], states)
    outputs.append(np.where(runs, output, 0))
    states = [np.where(runs, n, s) for n, s in zip(new, states)]
  return [np.stack(outputs, 1), *states]


def run_dynamic(cell, x, lengths, module):
  return module.dynamic_rnn(cell, x, lengths, dtype=x.dtype)


def run_static(cell, x, lengths, module):
  outputs, state = module.static_rnn(
    cell, tf.unstack(x, axis=1), dtype=x.dtype, sequence_length=lengths
  )
  return tf.stack(outputs, 1), state


def run_raw(cell, x, lengths, module):
  array = v1.TensorArray(x.dtype, 4).unstack(tf.transpose(x, [1, 0, 2]))

  def loop(time, output, state, _):
    state = cell.zero_state(BATCH, x.dtype) if output is None else state
    inputs = array.read(tf.minimum(time, 3))
    inputs.set_shape([BATCH, DEPTH])
    return time >= lengths, inputs, state, output, None

  outputs, state, _ = v1.nn.raw_rnn(cell, loop)
  return tf.transpose(outputs.stack(), [1, 0, 2]), state


def make_step(name, weights):
  if name == "TimeFreq":
    options = {"feature_size": DEPTH}
    return lambda x, state: numpy_time_freq(weights, x, state, options, [0])
  both = name == "BidirectionalGrid"
  return lambda x, state: numpy_step(weights, x, state, "whole", {}, both)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("run", [run_dynamic, run_static, run_raw])
@pytest.mark.parametrize("module", [tf_contrib_rnn, v1.nn])
def test_sequences(name, run, module):
  x = helpers.random(np.random.RandomState(0), [BATCH, 4, DEPTH], "float64")
  with tf.Graph().as_default():
    cell = make_any(name)
    results = run(cell, tf.constant(x), tf.constant([4, 0, 2]), module)
    weights = cell_helpers.draw(cell)
    values = helpers.evaluate(results, [cell], [weights.values()])
  # Below rnn/ and the scope of the cell.
  weights = {key.partition("/")[2]: w for key, w in weights.items()}
  sizes = tf.nest.flatten(cell.state_size)
  states = [np.zeros([BATCH, size]) for size in sizes]
  want = numpy_sequence(make_step(name, weights), x, states, [4, 0, 2])
  helpers.assert_close(values, want, 1e-12)


def make_stack():
  """Each cell on the outputs of the one before, of 7, 8 and 24 columns."""
  return tf_contrib_rnn.MultiRNNCell(
    [
      make_grid(state_is_tuple=False),
      tf_contrib_rnn.DropoutWrapper(
        make_grid(bidirectional=True, num_frequency_blocks=[3])
      ),
      make_time_freq(feature_size=24),
    ]
  )


@pytest.mark.parametrize("mode", cell_helpers.MODES)
def test_stacks_and_wrappers(mode):
  cells = []

  def run(inputs):
    if not cells:
      cells.extend([make_stack(), make_any("Grid")])
    outputs, _ = tf_contrib_rnn.bidirectional_dynamic_rnn(
      *cells, inputs, [4, 0, 2], dtype=inputs.dtype
    )
    return outputs

  if mode == "graph":
    with tf.Graph().as_default():
      forward, backward = helpers.evaluate(run(tf.ones([BATCH, 4, DEPTH])))
  else:
    run = tf.function(run) if mode == "function" else run
    forward, backward = run(tf.ones([BATCH, 4, DEPTH]))
  assert forward.shape == (BATCH, 4, UNITS)
  assert backward.shape == (BATCH, 4, 4 * UNITS)


# Errors.


@pytest.mark.parametrize(
  "keywords, error, message",
  [
    ({"num_frequency_blocks": [4]}, ValueError, "says 4 windows.*have 2"),
    ({"num_frequency_blocks": [0]}, ValueError, "says 0 windows"),
    ({"num_frequency_blocks": []}, ValueError, "0 num_frequency_blocks"),
    ({"num_frequency_blocks": [2, 2]}, ValueError, "2 num_frequency_blocks"),
    (
      {"start_freqindex_list": [0, 1], "end_freqindex_list": [6, 7]},
      ValueError,
      "2 blocks that start",
    ),
    (
      {"start_freqindex_list": [0], "end_freqindex_list": [6, 7]},
      ValueError,
      "2 that end",
    ),
    ({"start_freqindex_list": [0]}, TypeError, "end_freqindex_list is None"),
    (
      {"start_freqindex_list": [3], "end_freqindex_list": [8]},
      ValueError,
      "from column 3 to 8 do not fit into inputs of 7",
    ),
    (
      {"start_freqindex_list": [-3], "end_freqindex_list": [6]},
      ValueError,
      "from column -3",
    ),
  ],
)
def test_errors_of_grids(keywords, error, message):
  with tf.Graph().as_default():
    for bidirectional in (False, True):
      with pytest.raises(error, match=message):
        call(make_grid(bidirectional=bidirectional, **keywords))


def test_an_end_without_a_start_counts_for_nothing():
  with tf.Graph().as_default():
    assert call(make_grid(end_freqindex_list=[5]))[0].shape == [BATCH, 8]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_blocks_are_required(bidirectional):
  with pytest.raises(ValueError, match="num_frequency_blocks is None"):
    make_grid(bidirectional=bidirectional, num_frequency_blocks=None)
  with pytest.raises(TypeError):
    make_grid(bidirectional=bidirectional, num_frequency_blocks=3)


@pytest.mark.parametrize("make", [make_time_freq, make_grid])
@pytest.mark.parametrize(
  "keywords, error, message",
  [
    ({"feature_size": None}, TypeError, "feature_size is None"),
    ({"feature_size": 8}, ValueError, "8 columns .*into inputs of 7"),
    ({"feature_size": 0}, ValueError, "expected 1 or more"),
    ({"frequency_skip": None}, TypeError, "frequency_skip is None"),
    ({"frequency_skip": 1.5}, TypeError, "expected an int"),
    ({"frequency_skip": 0}, ValueError, "expected 1 or more"),
    ({"num_unit_shards": 7}, ValueError, "Too many shards"),
  ],
)
def test_errors_of_windows(make, keywords, error, message):
  with tf.Graph().as_default():
    cell = make(**keywords)
    state = cell.zero_state(BATCH, tf.float32)
    if make is make_time_freq:
      state = tf.zeros([BATCH, 8])
    with pytest.raises(error, match=message):
      cell(tf.zeros([BATCH, DEPTH]), state)


@pytest.mark.parametrize("name", CELLS)
def test_errors_of_inputs(name):
  with tf.Graph().as_default():
    cell = make_any(name)
    state = cell.zero_state(BATCH, tf.float32)
    for shape in ([BATCH, None], [BATCH, DEPTH, 1], [DEPTH]):
      with pytest.raises(ValueError, match="known depth"):
        cell(v1.placeholder(tf.float32, shape), state)
    with pytest.raises(TypeError):
      make_any(name)(tf.zeros([BATCH, DEPTH], tf.float64), state)


def test_a_state_in_one_tensor_may_be_too_narrow():
  with tf.Graph().as_default():
    with pytest.raises(ValueError, match="7 columns, expected 8"):
      make_grid(state_is_tuple=False)(
        tf.zeros([BATCH, DEPTH]), tf.zeros([BATCH, 7])
      )
