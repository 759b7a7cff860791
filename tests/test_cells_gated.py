"""UGRNNCell, IntersectionRNNCell and NASCell."""

import cell_contract
import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import core

v1 = tf.compat.v1


def make_ugrnn(units=3, **keywords):
  return tf_contrib_rnn.UGRNNCell(units, **keywords)


def make_intersection(units=3, **keywords):
  return tf_contrib_rnn.IntersectionRNNCell(units, 1, **keywords)


def make_nas(units=3, **keywords):
  return tf_contrib_rnn.NASCell(units, **keywords)


MAKES = {
  "ugrnn": make_ugrnn,
  "intersection": make_intersection,
  "nas": make_nas,
}

linear = ["kernel", "bias"]
CASES = {
  "ugrnn": cell_contract.Case(
    make_ugrnn, "ugrnn_cell", linear, {"bias": 0}, ("bias",)
  ),
  "intersection": cell_contract.Case(
    make_intersection,
    "intersection_rnn_cell",
    ["in_projection/kernel", "in_projection/bias", *linear],
    {"in_projection/bias": 0, "bias": 0},
    ("in_projection/bias", "bias"),
  ),
  "nas": cell_contract.Case(
    make_nas, "nas_cell", ["recurrent_kernel", "kernel"], {}, is_layer=True
  ),
}
WITH_OPTIONS = {
  "nas_with_all": cell_contract.Case(
    lambda units=3, **keywords: make_nas(
      units, num_proj=2, use_bias=True, **keywords
    ),
    "nas_cell",
    ["recurrent_kernel", "kernel", "bias", "projection_weights"],
    {"bias": 0},
    is_layer=True,
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


def numpy_linear(weights, inputs, scope=""):
  product = np.concatenate(inputs, 1) @ weights[f"{scope}kernel"]
  return product + weights[f"{scope}bias"]


def numpy_ugrnn(weights, x, states, forget_bias=1.0, activation=np.tanh):
  (h,) = states
  g, c = np.split(numpy_linear(weights, [x, h]), 2, 1)
  g = helpers.sigmoid(g + forget_bias)
  h = g * h + (1 - g) * activation(c)
  return [h, h]


def numpy_intersection(
  weights, x, states, forget_bias=1.0, activation=lambda z: np.maximum(z, 0)
):
  (h,) = states
  if "in_projection/kernel" in weights:
    x = numpy_linear(weights, [x], "in_projection/")
  gh, h1, gy, y1 = np.split(numpy_linear(weights, [x, h]), 4, 1)
  gh, gy = (helpers.sigmoid(g + forget_bias) for g in (gh, gy))
  return [
    gy * x + (1 - gy) * activation(y1),
    gh * h + (1 - gh) * np.tanh(h1),
  ]


def numpy_nas(weights, x, states):
  c, h = states
  of_state = h @ weights["recurrent_kernel"] + weights.get("bias", 0)
  u = np.split(x @ weights["kernel"], 8, 1)
  r = np.split(of_state, 8, 1)
  relu = lambda z: np.maximum(z, 0)
  sigmoid, tanh = helpers.sigmoid, np.tanh
  first = [
    sigmoid(u[0] + r[0]),
    relu(u[1] + r[1]),
    sigmoid(u[2] + r[2]),
    relu(u[3] * r[3]),
    tanh(u[4] + r[4]),
    sigmoid(u[5] + r[5]),
    tanh(u[6] + r[6]),
    sigmoid(u[7] + r[7]),
  ]
  second = [
    tanh(first[0] * first[1]),
    tanh(first[2] + first[3]),
    tanh(first[4] * first[5]),
    sigmoid(first[6] + first[7]),
  ]
  c = tanh(second[0] + c) * second[1]
  h = tanh(c * tanh(second[2] + second[3]))
  if "projection_weights" in weights:
    h = h @ weights["projection_weights"]
  return [h, c, h]


REFERENCES = {
  "ugrnn": numpy_ugrnn,
  "intersection": numpy_intersection,
  "nas": numpy_nas,
}


def draw_arrays(cell, batch=2, depth=2, dtype="float64"):
  rng = np.random.RandomState(batch + depth)
  state = tf.nest.map_structure(
    lambda size: helpers.random(rng, [batch, size], dtype), cell.state_size
  )
  return helpers.random(rng, [batch, depth], dtype), state


def check_step(
  make, reference, mode="graph", batch=2, depth=2, dtype="float64", **options
):
  """Compares a step with the reference, which takes the options."""
  x, state = draw_arrays(make(), batch, depth, dtype)
  got, weights = cell_helpers.run_step(mode, make, x, state)
  weights = {name: np.float64(array) for name, array in weights.items()}
  arrays = helpers.as_float64([x, *tf.nest.flatten(state)])
  want = reference(weights, arrays[0], arrays[1:], **options)
  assert all(str(array.dtype) == dtype for array in got)
  helpers.assert_close(got, want, helpers.TOLERANCES[dtype])


# One step.


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -1.5])
@pytest.mark.parametrize("activation", ["tanh", "relu", "custom"])
@pytest.mark.parametrize("cell", ["ugrnn", "intersection"])
def test_step(mode, forget_bias, activation, cell):
  name = "activation" if cell == "ugrnn" else "y_activation"
  options = {
    name: helpers.ACTIVATIONS[activation],
    "forget_bias": forget_bias,
  }
  check_step(
    lambda: MAKES[cell](**options),
    REFERENCES[cell],
    mode,
    forget_bias=forget_bias,
    activation=helpers.NUMPY_ACTIVATIONS[activation],
  )


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@pytest.mark.parametrize("num_proj", [None, 0, 1, 4])
@pytest.mark.parametrize("use_bias", [False, True])
def test_nas_step(mode, num_proj, use_bias):
  make = lambda: make_nas(num_proj=num_proj, use_bias=use_bias)
  width = 3 if num_proj is None else num_proj
  assert make().output_size == width
  assert make().state_size == core.LSTMStateTuple(3, width)
  check_step(make, numpy_nas, mode)


@pytest.mark.parametrize("cell", MAKES)
@pytest.mark.parametrize("batch", [0, 1, 5])
@pytest.mark.parametrize("depth", [0, 1, 5])
@pytest.mark.parametrize("units", [0, 1, 5])
def test_sizes(cell, batch, depth, units):
  check_step(
    lambda: MAKES[cell](units), REFERENCES[cell], batch=batch, depth=depth
  )


@pytest.mark.parametrize("cell", MAKES)
@pytest.mark.parametrize("dtype", helpers.TOLERANCES)
def test_dtypes(cell, dtype):
  check_step(MAKES[cell], REFERENCES[cell], dtype=dtype)


@pytest.mark.parametrize("cell", ["ugrnn", "intersection", "nas"])
def test_gradients(cell):
  keywords = {"use_bias": True, "num_proj": 2} if cell == "nas" else {}
  make = lambda: MAKES[cell](**keywords)
  x, state = draw_arrays(make())
  cell_helpers.check_gradients(make, x, state, REFERENCES[cell])


def test_ugrnn_output_is_its_state():
  with tf.Graph().as_default():
    _, (output, state) = cell_contract.step(CASES["ugrnn"])
    assert output is state


# Projection of an IntersectionRNNCell's inputs.


@pytest.mark.parametrize("num_in_proj", [None, 0, 1, 7])
def test_inputs_as_wide_as_the_cell_are_not_projected(num_in_proj):
  make = lambda: tf_contrib_rnn.IntersectionRNNCell(2, num_in_proj)
  check_step(make, numpy_intersection)
  cell = make()
  cell_contract.step(CASES["intersection"], cell)
  assert [*map(cell_helpers.short_name, cell.variables)] == linear


@pytest.mark.parametrize("num_in_proj", [None, 0])
def test_other_inputs_need_a_projection(num_in_proj):
  cell = tf_contrib_rnn.IntersectionRNNCell(3, num_in_proj)
  with tf.Graph().as_default():
    with pytest.raises(ValueError, match="input size == output size"):
      cell_contract.step(CASES["intersection"], cell)


# Initializers.


@pytest.mark.parametrize("initializer", [0.5, v1.ones_initializer])
@pytest.mark.parametrize("name", ["ugrnn", "intersection"])
def test_initializer_reaches_the_kernels(initializer, name):
  if initializer == 0.5:
    initializer = v1.constant_initializer(initializer)
  case = CASES[name]
  cell, _ = cell_contract.step(case, case.make(initializer=initializer))
  for short, variable in zip(case.variables, cell.variables):
    value = 0 if "bias" in short else variable.numpy().flat[0]
    assert np.all(variable.numpy() == value), short
    assert "bias" in short or value in (0.5, 1)


# Activations and other arguments.


@pytest.mark.parametrize("activation", [None, "tanh"])
@pytest.mark.parametrize("name", ["ugrnn", "intersection"])
def test_activation_that_is_no_function(activation, name):
  keyword = "activation" if name == "ugrnn" else "y_activation"
  cell = MAKES[name](**{keyword: activation})
  with tf.Graph().as_default():
    with pytest.raises(TypeError, match="not callable"):
      cell_contract.step(CASES[name], cell)


def test_nas_keywords():
  cell = make_nas(name="mine", dtype=tf.float64, trainable=False)
  assert cell.dtype == "float64"
  with tf.Graph().as_default():
    x, state = draw_arrays(cell)
    cell(tf.constant(x), cell_helpers.as_tensors(state))
    assert cell_contract.made() == ["mine/recurrent_kernel:0", "mine/kernel:0"]
    assert not v1.trainable_variables() and not cell.trainable_weights


def test_nas_keyword_that_is_not_known():
  with pytest.raises(TypeError, match="Keyword argument not understood"):
    make_nas(unknown=1)


@pytest.mark.parametrize("state_type", [core.LSTMStateTuple, tuple, list])
def test_nas_state(state_type):
  cell = make_nas(num_proj=2)
  zeros = core.LSTMStateTuple(tf.zeros([3, 3]), tf.zeros([3, 2]))
  state = zeros if state_type is core.LSTMStateTuple else state_type(zeros)
  output, new_state = cell(tf.ones([3, 2]), state)
  assert isinstance(new_state, core.LSTMStateTuple)
  assert new_state.h is output and new_state.c.shape == [3, 3]


@pytest.mark.parametrize("name", CASES)
def test_integers_as_inputs(name):
  cell = CASES[name].make()
  with tf.Graph().as_default(), pytest.raises(TypeError):
    cell(tf.ones([3, 2], tf.int32), cell.zero_state(3, tf.int32))
