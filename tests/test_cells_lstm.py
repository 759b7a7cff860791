"""CoupledInputForgetGateLSTMCell, LayerNormBasicLSTMCell, GLSTMCell and
PhasedLSTMCell."""

import itertools
import math

import cell_contract
import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import core

v1 = tf.compat.v1

Coupled = tf_contrib_rnn.CoupledInputForgetGateLSTMCell


def make_coupled(units=4, **keywords):
  return Coupled(units, **keywords)


def make_layer_norm(units=4, **keywords):
  return tf_contrib_rnn.LayerNormBasicLSTMCell(units, **keywords)


def make_glstm(units=4, **keywords):
  return tf_contrib_rnn.GLSTMCell(units, **keywords)


def make_phased(units=4, **keywords):
  return tf_contrib_rnn.PhasedLSTMCell(units, **keywords)


def with_options(make, **options):
  return lambda **keywords: make(**{**options, **keywords})


def draw_events(shape):
  """Times that go on, and features, of a leading shape."""
  rng = np.random.RandomState(1)
  time = np.cumsum(rng.uniform(0, 3, [*shape, 1]), len(shape) - 1)
  features = helpers.random(rng, [*shape, cell_contract.DEPTH])
  return tf.constant(time, tf.float32), tf.constant(features)


def norms(*names):
  return [f"{name}/{part}" for name in names for part in ("gamma", "beta")]


def starts_of_norms(*names, gain=1, shift=0):
  values = itertools.cycle([gain, shift])
  return dict(zip(norms(*names), values))


COUPLED_NORMS = ("transform", "forget", "output", "state")
PHASED = [
  f"{gate}/{part}"
  for gate in ("mask_gates", "new_input", "output_gate")
  for part in ("kernel", "bias")
]
CASES = {
  "coupled": cell_contract.Case(
    make_coupled,
    "coupled_input_forget_gate_lstm_cell",
    ["W_0", "B"],
    {"B": 0},
  ),
  "no_layer_norm": cell_contract.Case(
    with_options(make_layer_norm, layer_norm=False),
    "layer_norm_basic_lstm_cell",
    ["kernel", "bias"],
    {},
  ),
  "glstm": cell_contract.Case(
    with_options(make_glstm, number_of_groups=2, num_proj=2),
    "glstm_cell",
    [
      *("group0/kernel", "group1/kernel"),
      *("bias_i", "bias_j", "bias_f", "bias_o"),
      "projection/kernel",
    ],
    dict.fromkeys(["bias_i", "bias_j", "bias_f", "bias_o"], 0),
  ),
  "phased": cell_contract.Case(
    make_phased,
    "phased_lstm_cell",
    [*PHASED, "period", "phase", "ratio_on"],
    {**dict.fromkeys(PHASED[1::2], 0), "ratio_on": 0.1},
    tuple(PHASED[1::2]),
    draw=draw_events,
  ),
}
WITH_OPTIONS = {
  "coupled_with_all": cell_contract.Case(
    with_options(
      make_coupled,
      use_peepholes=True,
      num_proj=3,
      num_unit_shards=2,
      num_proj_shards=2,
      layer_norm=True,
      norm_gain=0.5,
      norm_shift=0.125,
    ),
    "coupled_input_forget_gate_lstm_cell",
    [
      *("W_0", "W_1", "B"),
      *norms("transform", "forget", "output"),
      *("W_F_diag", "W_O_diag"),
      *norms("state"),
      *("W_P_0", "W_P_1"),
    ],
    {"B": 0, **starts_of_norms(*COUPLED_NORMS, gain=0.5, shift=0.125)},
  ),
  "layer_norm": cell_contract.Case(
    make_layer_norm,
    "layer_norm_basic_lstm_cell",
    ["kernel", *norms("input", *COUPLED_NORMS)],
    starts_of_norms("input", *COUPLED_NORMS),
  ),
}


@pytest.mark.parametrize("check", cell_contract.CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_contract(check, case):
  cell_contract.run(check, CASES[case])


@pytest.mark.parametrize("check", cell_contract.OF_OPTIONS)
@pytest.mark.parametrize("case", WITH_OPTIONS)
def test_contract_with_options(check, case):
  cell_contract.run(check, WITH_OPTIONS[case])


# The reference.


def numpy_norm(weights, name, z, epsilon=1e-12):
  if not z.size:
    return z
  z = z - z.mean(1, keepdims=True)
  z = z / np.sqrt(z.var(1, keepdims=True) + epsilon)
  return z * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def numpy_rows(weights, name):
  """The pieces of a matrix, together."""
  rows = [array for key, array in weights.items() if key.startswith(name)]
  return np.concatenate(rows)


def numpy_coupled(
  weights, x, states, forget_bias=1.0, activation=np.tanh, clip=None
):
  c, h = states
  pieces = {n: w for n, w in weights.items() if n[2:].isdigit()}
  z = np.concatenate([x, h], 1) @ numpy_rows(pieces, "W_")
  if "state/beta" in weights:
    gates = [
      numpy_norm(weights, name, gate)
      for name, gate in zip(COUPLED_NORMS, np.split(z, 3, 1))
    ]
  else:
    gates = np.split(z + weights["B"], 3, 1)
  j, f, o = gates
  f = helpers.sigmoid(f + forget_bias + weights.get("W_F_diag", 0) * c)
  c = f * c + (1 - f) * activation(j)
  if "state/beta" in weights:
    c = numpy_norm(weights, "state", c)
  h = helpers.sigmoid(o + weights.get("W_O_diag", 0) * c) * activation(c)
  if "W_P_0" in weights:
    h = h @ numpy_rows(weights, "W_P_")
    h = h if clip is None else np.clip(h, -clip, clip)
  return [h, c, h]


def numpy_layer_norm(
  weights, x, states, forget_bias=1.0, activation=np.tanh, epsilon=1e-12
):
  c, h = states
  z = np.concatenate([x, h], 1) @ weights["kernel"] + weights.get("bias", 0)
  i, j, f, o = np.split(z, 4, 1)
  norm = lambda name, z: (
    z if "bias" in weights else numpy_norm(weights, name, z, epsilon)
  )
  i, j = norm("input", i), activation(norm("transform", j))
  f, o = norm("forget", f), norm("output", o)
  sigmoid = helpers.sigmoid
  c = norm("state", c * sigmoid(f + forget_bias) + sigmoid(i) * j)
  h = activation(c) * sigmoid(o)
  return [h, c, h]


def numpy_glstm(weights, x, states, forget_bias=1.0, activation=np.tanh):
  c, h = states
  groups = sum(name.startswith("group") for name in weights)
  pieces = [
    np.split(np.concatenate(pair, 1) @ weights[f"group{group}/kernel"], 4, 1)
    for group, pair in enumerate(
      zip(np.split(x, groups, 1), np.split(h, groups, 1))
    )
  ]
  i, j, f, o = (
    np.concatenate(gate, 1) + weights[f"bias_{name}"]
    for name, gate in zip("ijfo", zip(*pieces))
  )
  sigmoid = helpers.sigmoid
  c = sigmoid(f + forget_bias) * c + sigmoid(i) * np.tanh(j)
  h = sigmoid(o) * activation(c)
  if "projection/kernel" in weights:
    h = h @ weights["projection/kernel"]
  return [h, c, h]


def numpy_phased(weights, x, states, leak=0.001, peepholes=False, turns=None):
  """A step.

  Args:
    weights: arrays by name.
    x: time and features.
    states: c and h.
    leak: as the cell's.
    peepholes: whether there are any.
    turns: (optional) how many periods are over; else what the weights say.
  """
  time, features = x
  c, h = states

  def product(name, *more):
    seen = np.concatenate([features, h, *(more if peepholes else ())], 1)
    return seen @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

  i, f = np.split(helpers.sigmoid(product("mask_gates", c)), 2, 1)
  n = c * f + i * np.tanh(
    np.concatenate([features, h], 1) @ weights["new_input/kernel"]
    + weights["new_input/bias"]
  )
  m = np.tanh(n) * helpers.sigmoid(product("output_gate", n))
  since = time - weights["phase"]
  if turns is None:
    turns = np.floor(since / weights["period"]) * weights["period"]
  p = (since - turns) / weights["period"]
  r = weights["ratio_on"]
  k = np.where(p < r / 2, 2 * p / r, np.where(p < r, 2 - 2 * p / r, leak * p))
  c, h = k * n + (1 - k) * c, k * m + (1 - k) * h
  return [h, c, h]


REFERENCES = {
  "coupled": (make_coupled, numpy_coupled),
  "layer_norm": (make_layer_norm, numpy_layer_norm),
  "glstm": (make_glstm, numpy_glstm),
}


def draw_arrays(cell, batch=2, depth=4, dtype="float64"):
  rng = np.random.RandomState(batch + depth)
  sizes = cell.state_size
  state = tf.nest.map_structure(
    lambda size: helpers.random(rng, [batch, size], dtype), sizes
  )
  return helpers.random(rng, [batch, depth], dtype), state


def check_step(
  make,
  reference,
  mode="graph",
  batch=2,
  depth=4,
  dtype="float64",
  tolerance=None,
  **options,
):
  """Compares a step with the reference, which takes the options."""
  x, state = draw_arrays(make(), batch, depth, dtype)
  got, weights = cell_helpers.run_step(mode, make, x, state)
  weights = {name: np.asarray(a, "float64") for name, a in weights.items()}
  arrays = helpers.as_float64([x, *tf.nest.flatten(state)])
  want = reference(weights, arrays[0], arrays[1:], **options)
  assert all(str(array.dtype) == dtype for array in got)
  helpers.assert_close(got, want, tolerance or helpers.TOLERANCES[dtype])


class InScopeOfDtype(Coupled):
  """Called in a scope of the inputs' dtype, as its norms need it."""

  def __call__(self, inputs, state, scope=None):
    here = v1.get_variable_scope()
    with v1.variable_scope(here, dtype=inputs.dtype):
      return super().__call__(inputs, state, scope)


# CoupledInputForgetGateLSTMCell.


@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("num_proj, shards", [(None, 3), (3, 1), (5, 4)])
@pytest.mark.parametrize("clip", [None, 0.2])
@pytest.mark.parametrize("activation", ["tanh", "relu", "custom"])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("forget_bias", [1.0, -0.5])
def test_coupled_step(
  mode, peepholes, num_proj, shards, clip, activation, layer_norm, forget_bias
):
  options = {
    "use_peepholes": peepholes,
    "num_proj": num_proj,
    "proj_clip": clip,
    "num_unit_shards": shards,
    "num_proj_shards": shards,
    "activation": helpers.ACTIVATIONS[activation],
    "layer_norm": layer_norm,
    "forget_bias": forget_bias,
  }
  check_step(
    lambda: InScopeOfDtype(4, **options),
    numpy_coupled,
    mode,
    forget_bias=forget_bias,
    activation=helpers.NUMPY_ACTIVATIONS[activation],
    clip=clip,
  )


@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("num_proj", [None, 3])
@pytest.mark.parametrize("wider", [0, 2])
def test_coupled_state_in_one_tensor(mode, num_proj, wider):
  make = lambda: make_coupled(num_proj=num_proj, state_is_tuple=False)
  size = 4 + (num_proj or 4)
  assert make().state_size == size and make().output_size == num_proj or 4
  x, state = draw_arrays(make())
  state = np.pad(state, [(0, 0), (0, wider)])
  got, weights = cell_helpers.run_step(mode, make, x, state)
  h, *new_state = numpy_coupled(weights, x, [state[:, :4], state[:, 4:size]])
  helpers.assert_close(got, [h, np.concatenate(new_state, 1)], 1e-12)


def test_coupled_shards_have_their_rows():
  cell = make_coupled(num_unit_shards=4, num_proj=3, num_proj_shards=3)
  cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  assert [v.shape[0] for v in cell.variables if "W_" in v.name] == [
    *(2, 2, 1, 1),
    *(2, 1, 1),
  ]


@pytest.mark.parametrize(
  "options",
  [{"num_unit_shards": 9}, {"num_proj": 3, "num_proj_shards": 5}],
)
def test_more_shards_than_rows(options):
  with tf.Graph().as_default():
    with pytest.raises(ValueError, match="Too many shards"):
      cell = make_coupled(**options)
      cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))


def test_projection_to_nothing():
  cell = make_coupled(num_proj=0)
  assert cell.state_size == core.LSTMStateTuple(4, 4)
  with (
    tf.Graph().as_default(),
    pytest.raises(ValueError, match="num_proj is 0"),
  ):
    cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_coupled_norms_have_the_dtype_of_the_scope(dtype):
  x, state = draw_arrays(make_coupled(), dtype=dtype)
  tensors = tf.constant(x), cell_helpers.as_tensors(state)
  with pytest.raises(ValueError, match="gamma is float32, the inputs " + dtype):
    make_coupled(layer_norm=True)(*tensors)
  InScopeOfDtype(4, layer_norm=True)(*tensors)


def test_unused_bias_has_no_gradient():
  cell = make_coupled(layer_norm=True)
  with tf.GradientTape() as tape:
    output, _ = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
  gradients = tape.gradient(output, cell.variables)
  assert [g is None for g in gradients] == [
    v.name.endswith("/B:0") for v in cell.variables
  ]


# LayerNormBasicLSTMCell.


@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "custom"])
@pytest.mark.parametrize("forget_bias", [1.0, -0.5])
@pytest.mark.parametrize("keep_prob", [1.0, 1, 3.0])
def test_layer_norm_step(mode, layer_norm, activation, forget_bias, keep_prob):
  check_step(
    lambda: make_layer_norm(
      layer_norm=layer_norm,
      activation=helpers.ACTIVATIONS[activation],
      forget_bias=forget_bias,
      dropout_keep_prob=keep_prob,
    ),
    numpy_layer_norm,
    mode,
    forget_bias=forget_bias,
    activation=helpers.NUMPY_ACTIVATIONS[activation],
  )


def run_dropout(keep_prob, units=400):
  """act(j) with the input gate open and the forget gate closed: the new c."""
  cell = make_layer_norm(
    units,
    layer_norm=False,
    forget_bias=-1e4,
    activation=tf.identity,
    dropout_keep_prob=keep_prob,
    dropout_prob_seed=3,
  )
  cell(tf.ones([1, 1]), cell.zero_state(1, tf.float32))
  kernel, bias = cell.variables
  kernel.assign(tf.zeros_like(kernel))
  bias.assign(tf.repeat([1e4, 2.0, 0.0, 0.0], units))
  _, state = cell(tf.ones([1, 1]), cell.zero_state(1, tf.float32))
  return state.c.numpy()


@pytest.mark.parametrize("as_tensor", [False, True])
def test_dropout(as_tensor):
  c = run_dropout(tf.constant(0.25) if as_tensor else 0.25)
  assert {*np.unique(c)} == {0, 8}
  assert abs(np.mean(c != 0) - 0.25) < 0.1


@pytest.mark.parametrize("keep_prob", [1, 1.0, np.float32(1)])
def test_dropout_that_keeps_all(keep_prob):
  assert np.all(run_dropout(keep_prob) == 2)


@pytest.mark.parametrize("keep_prob", [0.0, -0.5, 2])
def test_dropout_of_no_probability(keep_prob):
  with pytest.raises(ValueError):
    run_dropout(keep_prob)


def test_bias_without_layer_norm_starts_as_the_kernel():
  with tf.Graph().as_default():
    cell, _ = cell_contract.step(
      CASES["no_layer_norm"], make_layer_norm(500, layer_norm=False)
    )
    _, bias = helpers.evaluate(cell.variables)
  limit = math.sqrt(3 / 2000)
  assert -limit < bias.min() < -0.99 * limit
  assert 0.99 * limit < bias.max() < limit


# GLSTMCell.


@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("num_proj", [None, 8])
@pytest.mark.parametrize("activation", ["tanh", "relu", "custom"])
@pytest.mark.parametrize("forget_bias", [1.0, -0.5])
def test_glstm_step(mode, groups, num_proj, activation, forget_bias):
  check_step(
    lambda: make_glstm(
      number_of_groups=groups,
      num_proj=num_proj,
      activation=helpers.ACTIVATIONS[activation],
      forget_bias=forget_bias,
    ),
    numpy_glstm,
    mode,
    forget_bias=forget_bias,
    activation=helpers.NUMPY_ACTIVATIONS[activation],
  )


@pytest.mark.parametrize(
  "options, error",
  [
    ({"number_of_groups": 3}, ValueError),
    ({"number_of_groups": 2, "num_proj": 3}, ValueError),
    ({"number_of_groups": 0}, ZeroDivisionError),
  ],
)
def test_groups_that_do_not_fit(options, error):
  with pytest.raises(error):
    make_glstm(**options)


def test_depth_that_does_not_fit_the_groups():
  cell = make_glstm(number_of_groups=2)
  with tf.Graph().as_default():
    with pytest.raises(ValueError, match="depth is 3, expected a multiple"):
      cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))


def test_glstm_initializer_reaches_the_groups_alone():
  cell = make_glstm(
    num_proj=2, number_of_groups=2, initializer=v1.ones_initializer
  )
  cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
  ones = [bool(np.all(v.numpy() == 1)) for v in cell.variables]
  assert ones == [True] * 2 + [False] * 5


# What the three have in common.


@pytest.mark.parametrize("cell", REFERENCES)
@pytest.mark.parametrize("batch", [0, 1, 5])
@pytest.mark.parametrize("depth, units", [(0, 3), (1, 5), (5, 0)])
def test_sizes(cell, batch, depth, units):
  make, reference = REFERENCES[cell]
  check_step(lambda: make(units), reference, batch=batch, depth=depth)


@pytest.mark.parametrize("cell", REFERENCES)
def test_one_unit(cell):
  make, reference = REFERENCES[cell]
  # A norm of one unit divides a rounded zero by 1e-6.
  check_step(lambda: make(1), reference, tolerance=1e-9)


@pytest.mark.parametrize("cell", REFERENCES)
@pytest.mark.parametrize("dtype", helpers.TOLERANCES)
def test_dtypes(cell, dtype):
  make, reference = REFERENCES[cell]
  options = {}
  if cell == "layer_norm" and dtype == "float16":
    options["epsilon"] = 1e-3
  check_step(make, reference, dtype=dtype, **options)


@pytest.mark.parametrize(
  "cell, options",
  [
    ("coupled", {}),
    ("coupled", {"use_peepholes": True, "num_proj": 2, "layer_norm": True}),
    ("layer_norm", {}),
    ("layer_norm", {"layer_norm": False}),
    ("glstm", {"number_of_groups": 2, "num_proj": 2}),
  ],
)
def test_gradients(cell, options):
  make, reference = REFERENCES[cell]
  if cell == "coupled":
    make = InScopeOfDtype
  x, state = draw_arrays(make(4, **options))
  cell_helpers.check_gradients(
    lambda: make(4, **options), x, state, reference, 1e-7
  )


@pytest.mark.parametrize("activation", [None, "tanh"])
@pytest.mark.parametrize("cell", REFERENCES)
def test_activation_that_is_no_function(cell, activation):
  cell = REFERENCES[cell][0](activation=activation)
  with tf.Graph().as_default(), pytest.raises(TypeError, match="not callable"):
    cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))


@pytest.mark.parametrize("make", [make_coupled, make_layer_norm])
def test_integers_as_inputs(make):
  cell = make()
  with tf.Graph().as_default(), pytest.raises((TypeError, ValueError)):
    cell(tf.ones([3, 2], tf.int32), cell.zero_state(3, tf.int32))


@pytest.mark.parametrize(
  "make, options, words",
  [
    (make_coupled, {"state_is_tuple": False}, "concatenated state is slower"),
    (make_layer_norm, {"input_size": 3}, "input_size parameter is deprecated"),
  ],
)
def test_warnings(make, options, words, caplog):
  make()
  assert not caplog.messages
  make(**options)
  assert len(caplog.messages) == 1 and words in caplog.messages[0]


@pytest.mark.parametrize("case", CASES)
def test_state_and_output(case):
  cell, (output, state) = cell_contract.step(CASES[case])
  assert isinstance(state, core.LSTMStateTuple) and state.h is output
  assert cell.output_size == output.shape[1]
  assert cell.state_size == core.LSTMStateTuple(4, cell.output_size)


# PhasedLSTMCell.


def draw_phased(batch=7, units=4, depth=3, time_dtype="float32"):
  rng = np.random.RandomState(batch)
  time = rng.uniform(-20, 50, [batch, 1]).astype(time_dtype)
  arrays = [
    helpers.random(rng, [batch, size]) for size in (depth, units, units)
  ]
  return (time, arrays[0]), core.LSTMStateTuple(*arrays[1:])


def set_oscillation(weights):
  """Weights of a cell with periods from 2, and units that are open."""
  units = len(weights["period"])
  weights["period"] = np.linspace(2, 9, units, dtype="f")
  weights["phase"] = np.linspace(0, 3, units, dtype="f")
  weights["ratio_on"] = np.linspace(0.9, 0.4, units, dtype="f")


@pytest.fixture(name="oscillates")
def fixture_oscillates(monkeypatch):
  """`cell_helpers` then draws periods that are no negative numbers."""
  draw = cell_helpers.draw

  def draw_and_set(cell, seed=0):
    weights = draw(cell, seed)
    set_oscillation(weights)
    return weights

  monkeypatch.setattr(cell_helpers, "draw", draw_and_set)


@pytest.mark.usefixtures("oscillates")
@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("leak", [0.001, 0.5, -0.1])
@pytest.mark.parametrize("time_dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [0, 1, 7])
@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize("units", [0, 1, 4])
def test_phased_step(mode, peepholes, leak, time_dtype, batch, depth, units):
  make = lambda: make_phased(units, use_peepholes=peepholes, leak=leak)
  x, state = draw_phased(batch, units, depth, time_dtype)
  got, weights = cell_helpers.run_step(mode, make, x, state)
  weights = {name: np.asarray(a, "float64") for name, a in weights.items()}
  want = numpy_phased(
    weights,
    helpers.as_float64(x),
    helpers.as_float64(state),
    leak=leak,
    peepholes=peepholes,
  )
  assert all(array.dtype == np.float32 for array in got)
  # Times of 50 have an error of 4e-6 in float32.
  helpers.assert_close(got, want, 3e-5)


@pytest.mark.usefixtures("oscillates")
@pytest.mark.parametrize("peepholes", [False, True])
def test_phased_gradients(peepholes):
  cell = make_phased(use_peepholes=peepholes, leak=0.5)
  x, state = draw_phased()
  tensors = cell_helpers.as_tensors((x, state))
  cell(*tensors)
  weights = cell_helpers.assign(cell)
  with tf.GradientTape() as tape:
    tape.watch(tensors)
    results = tf.nest.flatten(cell(*tensors))
    total = tf.add_n(
      [
        tf.reduce_sum(
          t * np.cos(np.arange(tf.size(t)), dtype="f").reshape(t.shape)
        )
        for t in results
      ]
    )
  got = tape.gradient(total, [*tf.nest.flatten(tensors), *cell.variables])
  arrays = helpers.as_float64([*x, *state, *weights.values()])
  weights = dict(zip(weights, arrays[4:]))
  # In the gradient the periods that are over stay as they are.
  since = arrays[0] - weights["phase"]
  turns = np.floor(since / weights["period"]) * weights["period"]
  function = lambda: cell_helpers.loss(
    numpy_phased(weights, arrays[:2], arrays[2:4], 0.5, peepholes, turns)
  )
  for gradient, array in zip(got, arrays):
    want = cell_helpers.differences(function, array, 1e-6)
    helpers.assert_close(gradient, want, 2e-4)


@pytest.mark.parametrize("mode", cell_helpers.MODES)
def test_phased_starts(mode):
  make = lambda: make_phased(
    2000, ratio_on=0.25, period_init_min=2.0, period_init_max=20.0
  )
  run = lambda cell: cell(draw_events([1]), cell.zero_state(1, tf.float32))
  if mode == "graph":
    with tf.Graph().as_default():
      cell = make()
      run(cell)
      values = helpers.evaluate(cell.variables[-3:])
  else:
    cell = make()
    (tf.function(run) if mode == "function" else run)(cell)
    values = [v.numpy() for v in cell.variables[-3:]]
  period, phase, ratio_on = values
  logarithms = np.log(period / 2) / np.log(10)
  for uniform in (logarithms, phase / period):
    assert -1e-6 <= uniform.min() < 0.01 and 0.99 < uniform.max() <= 1.000001
    assert abs(uniform.mean() - 0.5) < 0.05
  assert np.all(ratio_on == 0.25)


def test_ratio_on_that_is_not_trainable():
  cell = make_phased(trainable_ratio_on=False)
  cell_contract.step(CASES["phased"], cell)
  assert [v.name for v in cell.non_trainable_variables] == [
    "phased_lstm_cell/ratio_on:0"
  ]
  assert len(cell.trainable_variables) == 8


@pytest.mark.parametrize("time_dtype", ["int32", "int64"])
def test_whole_numbers_as_time(time_dtype):
  cell = make_phased(period_init_min=5.0, period_init_max=6.0)
  x = tf.ones([2, 3])
  zeros = cell.zero_state(2, tf.float32)
  output, _ = cell((tf.constant([[3], [8]], time_dtype), x), zeros)
  assert output.dtype == tf.float32 and np.all(np.isfinite(output))


@pytest.mark.parametrize(
  "inputs, error",
  [
    (lambda: tf.ones([2, 3]), TypeError),
    (lambda: (tf.ones([2]), tf.ones([2, 3])), ValueError),
    (lambda: (tf.ones([2, 3]), tf.ones([2, 3])), ValueError),
    (lambda: (tf.ones([2, 1]), tf.ones([2, 3], tf.float64)), TypeError),
    (lambda: (tf.ones([2, 1]), tf.ones([2, 3], tf.float16)), TypeError),
  ],
)
def test_wrong_inputs_of_a_phased_cell(inputs, error):
  with tf.Graph().as_default(), pytest.raises(error):
    cell = make_phased()
    cell(inputs(), cell.zero_state(2, tf.float32))


def test_phased_cell_in_a_scope_of_another_dtype():
  cell = make_phased()
  with tf.Graph().as_default():
    with v1.variable_scope("a", dtype=tf.float64):
      with pytest.raises(ValueError, match="expected float32"):
        cell_contract.step(CASES["phased"], cell)
