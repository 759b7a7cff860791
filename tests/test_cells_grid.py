"""TimeFreqLSTMCell, GridLSTMCell and BidirectionalGridLSTMCell."""

import itertools

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn

v1 = tf.compat.v1

CELLS = ["TimeFreq", "Grid", "BidirectionalGrid"]
UNITS = 2
BATCH = 3
# For windows of 2 columns: where each starts, block by block, and how a grid
# cell is told. The inputs have 7 columns.
DEPTH = 7
GRIDS = {
  "whole": ([[0, 3]], {"num_frequency_blocks": [2], "frequency_skip": 3}),
  "part": (
    [[1, 3]],
    {
      "num_frequency_blocks": [2],
      "frequency_skip": 2,
      "start_freqindex_list": [1],
      "end_freqindex_list": [6],
    },
  ),
  "blocks": (
    [[0], [2, 4]],
    {
      "num_frequency_blocks": [1, 2],
      "frequency_skip": 2,
      "start_freqindex_list": [0, 2],
      "end_freqindex_list": [3, 6],
    },
  ),
}


def make_grid(grid="whole", bidirectional=False, units=UNITS, **keywords):
  name = "BidirectionalGridLSTMCell" if bidirectional else "GridLSTMCell"
  keywords = {"feature_size": 2, **GRIDS[grid][1], **keywords}
  return getattr(tf_contrib_rnn, name)(units, **keywords)


def make_time_freq(units=UNITS, **keywords):
  keywords = {"feature_size": 2, "frequency_skip": 3, **keywords}
  return tf_contrib_rnn.TimeFreqLSTMCell(units, **keywords)


def make_any(name, **keywords):
  """A cell of any kind whose state_size is what it takes."""
  if name == "TimeFreq":
    return make_time_freq(**{"feature_size": DEPTH, **keywords})
  return make_grid(bidirectional=name == "BidirectionalGrid", **keywords)


def draw_arrays(windows, units=UNITS, batch=BATCH, dtype="float64"):
  """Inputs, and one state [c, m, c, m, ...] for all windows."""
  rng = np.random.RandomState(windows)
  shapes = [batch, DEPTH], [batch, 2 * windows * units]
  return [helpers.random(rng, shape, dtype) for shape in shapes]


# The reference.


def numpy_gates(weights, names, z, cells, options):
  """The sigmoids i and f, tanh(j), the sums of o, and its peepholes."""
  kernel, bias, peephole = names
  rows = [
    weights[f"{kernel}_{i}"]
    for i in itertools.takewhile(
      lambda i: f"{kernel}_{i}" in weights, itertools.count()
    )
  ]
  sums = z @ np.concatenate(rows) + weights[bias]
  see = lambda gate, cells: sum(
    c * weights[name]
    for c, name in zip(cells, peephole(gate))
    if name in weights
  )
  if options.get("couple_input_forget_gates"):
    i, j, o = np.split(sums, 3, 1)
    i = helpers.sigmoid(i + see("I", cells))
    return i, 1 - i, np.tanh(j), lambda new: o + see("O", new)
  i, j, f, o = np.split(sums, 4, 1)
  f = f + options.get("forget_bias", 1.0)
  return (
    helpers.sigmoid(i + see("I", cells)),
    helpers.sigmoid(f + see("F", cells)),
    np.tanh(j),
    lambda new: o + see("O", new),
  )


def numpy_clip(c, options):
  clip = options.get("cell_clip")
  return c if clip is None else np.clip(c, -clip, clip)


def numpy_time_freq(weights, x, states, options, starts=(0, 3)):
  """The output and new state of windows that start there."""
  (state,) = states
  size = options.get("feature_size", 2)
  units = len(weights["B"]) // 4
  parts = np.split(state, state.shape[1] // units, 1)
  before = np.zeros_like(parts[0])
  outputs, new_state = [], []
  for start, c, m in zip(starts, parts[::2], parts[1::2]):
    z = np.concatenate([x[:, start : start + size], m, before], 1)
    i, f, j, o = numpy_gates(
      weights, ("W", "B", lambda gate: [f"W_{gate}_diag"]), z, [c], options
    )
    c = numpy_clip(f * c + i * j, options)
    before = helpers.sigmoid(o([c])) * np.tanh(c)
    outputs.append(before)
    new_state += [c, before]
  return np.concatenate(outputs, 1), np.concatenate(new_state, 1)


def numpy_grid(weights, x, state, blocks, options):
  """The outputs and new states, window by window.

  Args:
    weights: the arrays by name.
    x: the inputs [batch, depth].
    state: c and m of each window, in one list.
    blocks: for each block, where its windows of two columns start.
    options: those of the cell.
  """
  state = iter(state)
  outputs, new_state = [], []
  for block, starts in enumerate(blocks):
    c_freq = m_freq = 0 * x[:, :1] + np.zeros(UNITS)
    for start in starts:
      c_time, m_time = next(state), next(state)
      z = np.concatenate([x[:, start : start + 2], m_time, m_freq], 1)
      new, results = [], []
      gates = [
        numpy_gates(weights, names, z, [c_freq, c_time], options)
        for names in names_of_lstms(block, options)
      ]
      for c, (i, f, j, _) in zip([c_freq, c_time], gates):
        new.append(numpy_clip(f * c + i * j, options))
      for c, (*_, o) in zip(new, gates):
        results.append(helpers.sigmoid(o(new)) * np.tanh(c))
      c_freq, c_time = new
      m_freq, m_time = results
      outputs += [m_time, m_freq]
      new_state += [c_time, m_time]
  return outputs, new_state


def names_of_lstms(block, options):
  """Of the frequency LSTM and the time LSTM."""
  shared = options.get("share_time_frequency_weights")
  for kind in ("freq", "freq" if shared else "time"):
    yield (
      f"W_{kind[0]}_{block}",
      f"B_{kind[0]}_{block}",
      lambda gate, kind=kind: [
        f"W_{gate}_diag_{kind}{cell}_{block}" for cell in "ft"
      ],
    )


def numpy_step(weights, x, state, grid, options, bidirectional=False):
  """The output and the parts of the new state, as the cell has them."""
  blocks = GRIDS[grid][0]
  if not bidirectional:
    outputs, state = numpy_grid(weights, x, state, blocks, options)
    return [np.concatenate(outputs, 1), *state]
  offset = options.get("backward_slice_offset", 0)
  padded = np.pad(x, [(0, 0), (max(-offset, 0), max(offset, 0))])
  turned = [[k + max(offset, 0) for k in starts[::-1]] for starts in blocks]
  half = len(state) // 2
  results = [
    numpy_grid(
      {
        name.removeprefix(scope): value
        for name, value in weights.items()
        if name.startswith(scope)
      },
      *arguments,
      options,
    )
    for scope, *arguments in (
      ("fwd/", x, state[:half], blocks),
      ("bwd/", padded, state[half:], turned),
    )
  ]
  outputs, states = zip(*results)
  return [np.concatenate(sum(outputs, []), 1), *sum(states, [])]


# One step.


def split_state(cell, state):
  """One array as the parts of the cell's state."""
  sizes = len(cell.state_size)
  return type(cell.state_size)(*np.split(state, sizes, 1))


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


@pytest.mark.each_value
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


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("clip", [None, 0.2])
@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("forget_bias", [1.0, -0.5])
@pytest.mark.parametrize(
  "size, skip, starts", [(2, 3, [0, 3]), (3, 2, [0, 2, 4]), (7, 1, [0])]
)
def test_time_freq_step(
  mode, peepholes, clip, shards, forget_bias, size, skip, starts
):
  options = {
    "use_peepholes": peepholes,
    "cell_clip": clip,
    "num_unit_shards": shards,
    "forget_bias": forget_bias,
    "feature_size": size,
    "frequency_skip": skip,
  }
  x, state = draw_arrays(len(starts))
  got, weights = cell_helpers.run_step(
    mode, lambda: make_time_freq(**options), x, state
  )
  want = numpy_time_freq(weights, x, [state], options, starts)
  helpers.assert_close(got, want, 1e-12)


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


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("clip", [None, 0.3])
def test_time_freq_gradients(peepholes, clip):
  options = {"use_peepholes": peepholes, "cell_clip": clip}
  x, state = draw_arrays(2, batch=1)
  cell_helpers.check_gradients(
    lambda: make_time_freq(**options),
    x,
    state,
    lambda weights, x, states: numpy_time_freq(weights, x, states, options),
  )


# Variables.


def call(cell, batch=BATCH, **keywords):
  inputs = tf.zeros([batch, DEPTH])
  return cell(inputs, cell.zero_state(batch, tf.float32), **keywords)


def names():
  return [v.name.removesuffix(":0") for v in v1.global_variables()]


PEEPHOLES = [
  "W_F_diag_{}f_{}",
  "W_F_diag_{}t_{}",
  "W_I_diag_{}f_{}",
  "W_I_diag_{}t_{}",
  "W_O_diag_{}f_{}",
  "W_O_diag_{}t_{}",
]


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("shards", [1, 2])
def test_variables_of_grids(peepholes, shared, coupled, bidirectional, shards):
  kinds = ["freq"] if shared else ["freq", "time"]
  columns = (3 if coupled else 4) * UNITS
  rows = {1: [6], 2: [3, 3]}[shards]
  want = []
  for scope in ("fwd/", "bwd/") if bidirectional else ("",):
    for block in range(2):
      for kind in kinds:
        for k, height in enumerate(rows):
          name = f"{scope}W_{kind[0]}_{block}_{k}"
          want.append((name, [height, columns]))
        want.append((f"{scope}B_{kind[0]}_{block}", [columns]))
      for kind in kinds if peepholes else ():
        for name in PEEPHOLES[2:] if coupled else PEEPHOLES:
          want.append((scope + name.format(kind, block), [UNITS]))
  with tf.Graph().as_default():
    cell = make_grid(
      "blocks",
      bidirectional,
      use_peepholes=peepholes,
      share_time_frequency_weights=shared,
      couple_input_forget_gates=coupled,
      num_unit_shards=shards,
    )
    call(cell)
    prefix = (
      "bidirectional_grid_lstm_cell" if bidirectional else "grid_lstm_cell"
    )
    assert [(v.name, v.shape) for v in cell.variables] == [
      (f"{prefix}/{name}:0", shape) for name, shape in want
    ]
    whole = v1.get_collection(v1.GraphKeys.CONCATENATED_VARIABLES)
    kernels = len(kinds) * (4 if bidirectional else 2)
    assert len(whole) == (kernels if shards > 1 else 0)


@pytest.mark.parametrize("shards", [1, 2])
def test_variables_of_time_freq(shards):
  with tf.Graph().as_default():
    cell = make_time_freq(
      feature_size=DEPTH, use_peepholes=True, num_unit_shards=shards
    )
    call(cell)
    kernels = {
      1: [("W_0", [11, 8])],
      2: [("W_0", [6, 8]), ("W_1", [5, 8])],
    }[shards]
    diagonals = [(f"W_{gate}_diag", [2]) for gate in "FIO"]
    assert [(v.name, v.shape) for v in cell.variables] == [
      (f"time_freq_lstm_cell/{name}:0", shape)
      for name, shape in [*kernels, ("B", [8]), *diagonals]
    ]


@pytest.mark.parametrize("name", CELLS)
def test_what_variables_start_with(name):
  with tf.Graph().as_default(), v1.Session() as session:
    cell = make_any(
      name, units=30, use_peepholes=True, initializer=v1.ones_initializer()
    )
    call(cell)
    session.run(v1.global_variables_initializer())
    for variable, value in zip(cell.variables, session.run(cell.variables)):
      if "/B" in variable.name:
        assert not np.any(value)
      else:
        fans = sum(value.shape) if value.ndim == 2 else 2 * len(value)
        limit = np.sqrt(6 / fans)
        assert 0.7 * limit < np.max(np.abs(value)) <= limit


@pytest.mark.parametrize("name", CELLS)
def test_scopes_and_reuse(name):
  with tf.Graph().as_default():
    cell = make_any(name, num_unit_shards=2)
    with v1.variable_scope("a"):
      call(cell)
    call(cell)
    made = names()
    assert all(name.startswith("a/") for name in made)
    with v1.variable_scope("a"):
      call(make_any(name, num_unit_shards=2, reuse=True))
      with pytest.raises(ValueError, match="already exists, disallowed"):
        call(make_any(name, num_unit_shards=2))
      with pytest.raises(ValueError, match="specified shape"):
        call(make_any(name, num_unit_shards=2, units=3, reuse=True))
    assert names() == made
    with v1.variable_scope("b"):
      for _ in range(2):
        call(make_any(name, reuse=v1.AUTO_REUSE))
      with pytest.raises(ValueError, match="does not exist"):
        call(make_any(name, reuse=True), scope="c")
    call(make_any(name), scope="mine")
    assert names()[-1].startswith("mine/") and "cell/" not in names()[-1]
    with pytest.raises(TypeError, match="name"):
      make_any(name, name="d")


@pytest.mark.parametrize("name", CELLS)
def test_scope_options(name):
  with tf.Graph().as_default(), v1.Session() as session:
    with v1.variable_scope(
      "a",
      initializer=v1.constant_initializer(0.5),
      partitioner=v1.fixed_size_partitioner(2),
    ):
      cell = make_any(name, use_peepholes=True)
      output, _ = call(cell)
    assert all(name[:-1].endswith("/part_") for name in names())
    session.run(v1.global_variables_initializer())
    for variable in v1.global_variables():
      start = 0 if "/B" in variable.name else 0.5
      assert np.all(session.run(variable) == start)
    assert np.all(np.isfinite(session.run(output)))


@pytest.mark.parametrize("name", CELLS)
def test_eager_calls_and_functions_share_variables(name):
  cell = make_any(name, num_unit_shards=2)
  traced = tf.function(lambda inputs: call(cell, inputs.shape[0])[0])
  for batch in (2, 5):
    assert traced(tf.zeros([batch])).shape == [batch, cell.output_size]
  first = [id(v) for v in cell.variables]
  call(cell)
  call(cell, batch=4)
  assert [id(v) for v in cell.variables] == first
  assert len({v.name for v in cell.variables}) == len(first)


# State.


def test_state_sizes():
  cell = make_grid("blocks")
  fields = [
    f"state_f{window:02d}_b{block:02d}_{part}"
    for block, windows in enumerate([1, 2])
    for window in range(windows)
    for part in "cm"
  ]
  assert [*cell.state_tuple_type._fields] == fields
  assert cell.state_size == cell.state_tuple_type(*[UNITS] * 6)
  assert cell.state_tuple_type.__name__ == "GridLSTMStateTuple"
  assert cell.state_tuple_type is not make_grid("blocks").state_tuple_type
  assert cell.output_size == 12
  both = make_grid("blocks", True)
  name = "BidirectionalGridLSTMStateTuple"
  assert both.state_tuple_type.__name__ == name
  assert [*both.state_tuple_type._fields] == [
    f"{direction}_{field}" for direction in ("fwd", "bwd") for field in fields
  ]
  assert both.output_size == 24
  wide = make_time_freq(units=5)
  assert (wide.state_size, wide.output_size) == (10, 5)


def test_states_of_grids_are_namedtuples():
  with tf.Graph().as_default():
    cell = make_grid()
    state = cell.zero_state(BATCH, tf.float32)
    with pytest.raises(AttributeError, match="state_f00_b00_c"):
      cell(tf.zeros([BATCH, DEPTH]), (*state,))
    other = make_grid()
    _, new_state = other(tf.zeros([BATCH, DEPTH]), state)
    assert type(new_state) is other.state_tuple_type


def test_windows_of_time_freq_need_a_wider_state_than_it_says():
  with tf.Graph().as_default():
    with pytest.raises(ValueError, match="4 columns, expected 8"):
      call(make_time_freq())
    with pytest.raises(ValueError):
      tf_contrib_rnn.dynamic_rnn(
        make_time_freq(), tf.zeros([BATCH, 4, DEPTH]), dtype=tf.float32
      )


def test_unknown_batch():
  with tf.Graph().as_default():
    inputs = v1.placeholder(tf.float32, [None, DEPTH])
    state = v1.placeholder(tf.float32, [None, None])
    output, new_state = make_time_freq()(inputs, state)
    assert output.shape.as_list() == [None, 4]
    assert new_state.shape.as_list() == [None, 8]
    for name in CELLS:
      outputs, _ = tf_contrib_rnn.dynamic_rnn(
        make_any(name, reuse=v1.AUTO_REUSE),
        v1.placeholder(tf.float32, [None, 4, DEPTH]),
        dtype=tf.float32,
      )
      assert outputs.shape[:2].as_list() == [None, 4]


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
