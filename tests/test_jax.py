"""The recurrences for JAX: against TensorFlow's ops and the composition, at odd
sizes and lengths; what is wrong in a call."""

import helpers
import numpy as np
import pytest
import tensorflow as tf

jax = pytest.importorskip("jax", reason="JAX is not installed")

import jax.numpy as jnp  # noqa: E402
import jax_helpers  # noqa: E402
from jax_helpers import CELLS  # noqa: E402
from jax_helpers import draw  # noqa: E402

import tf_contrib_rnn.jax  # noqa: E402
from tf_contrib_rnn import recurrence  # noqa: E402
from tf_contrib_rnn.jax import _activations  # noqa: E402

OPTIONS = [
  {},
  {"time_major": True, "reverse": True},
  {"sequence_length": [4, 0, 1, 9]},
  {"sequence_length": [4, 0, 1, 9], "reverse": True},
]
# Beside vectors of 16 and 32 numbers, and tiles of 128.
SIZES = [
  (0, 2, 3),
  (5, 0, 3),
  (5, 2, 0),
  (1, 1, 1),
  (2, 1, 17),
  (3, 2, 33),
  (4, 3, 129),
  (151, 2, 2),
  (7, 17, 151),
]
TOLERANCES = {"float32": 2e-6, "float64": 1e-12}


@pytest.fixture(autouse=True)
def fixture_x64():
  with jax.enable_x64(True):
    yield


def run_tensorflow(cell, arguments, **options):
  """Outputs, state and gradients by the fused ops."""
  convert = lambda array: tf.constant(np.asarray(array))
  *arrays, state = jax.tree.map(convert, arguments)
  with tf.GradientTape() as tape:
    tape.watch([arrays, state])
    results = getattr(recurrence, cell)(*arrays, state, **options)
    loss = sum(
      tf.reduce_sum(tf.cast(leaf, tf.float64) * jax_helpers.weights(leaf.shape))
      for leaf in tf.nest.flatten(results)
    )
  gradients = tape.gradient(loss, [arrays, state])
  return helpers.to_numpy([results, gradients])


def test_every_function_has_an_example():
  for name in tf_contrib_rnn.jax.__all__:
    assert ">>>" in getattr(tf_contrib_rnn.jax, name).__doc__, name


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("cell", CELLS)
def test_equals_the_ops_of_tensorflow(cell, dtype, options):
  time_major = options.get("time_major", False)
  arguments = draw(cell, 6, 4, 33, dtype, time_major)
  call = jax_helpers.function(cell, **options)
  results, gradients = run_tensorflow(cell, arguments, **options)
  jax_helpers.assert_close(call(*arguments), results, TOLERANCES[dtype])
  jax_helpers.assert_close(
    jax_helpers.gradients(call, arguments), gradients, TOLERANCES[dtype]
  )


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_equals_the_composition_at_odd_sizes(cell, size):
  _, batch, _ = size
  arguments = draw(cell, *size)
  lengths = np.arange(batch) * 2 - 1  # -1: counts as 0
  for options in ({}, {"sequence_length": lengths}):
    fused = jax_helpers.function(cell, **options)
    reference = jax_helpers.function(
      cell, activation=jax_helpers.composed("tanh"), **options
    )
    assert_equal(fused, reference, arguments)


def assert_equal(call, reference, arguments, tolerance=1e-12):
  """Compares results and gradients of two functions."""
  for compute in (lambda f, a: f(*a), jax_helpers.gradients):
    got, want = compute(call, arguments), compute(reference, arguments)
    jax_helpers.assert_close(got, want, tolerance)


@pytest.mark.parametrize("activation", _activations.ACTIVATIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_activations(cell, activation):
  arguments = draw(cell, 5, 3, 4)
  fused = jax_helpers.function(cell, activation=activation)
  reference = jax_helpers.function(
    cell, activation=jax_helpers.composed(activation)
  )
  assert "tf_contrib_rnn_forward" in str(jax.make_jaxpr(fused)(*arguments))
  assert "scan" in str(jax.make_jaxpr(reference)(*arguments))
  assert_equal(fused, reference, arguments)


def test_functions_are_known_by_the_names_of_jax():
  for function, name in (
    (jnp.tanh, "tanh"),
    (jax.nn.tanh, "tanh"),
    (jax.lax.tanh, "tanh"),
    (jax.nn.sigmoid, "sigmoid"),
    (jax.lax.logistic, "sigmoid"),
    (jax.nn.relu, "relu"),
    (jax.nn.elu, "elu"),
    (jax.nn.soft_sign, "softsign"),
    ("soft_sign", "softsign"),
    ("linear", "identity"),
    (jax.nn.gelu, None),
  ):
    assert _activations.find(function)[1] == name


@pytest.mark.parametrize("activation", ["tanh", jax_helpers.composed("tanh")])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("cell", CELLS)
def test_16_bits(cell, dtype, activation):
  arguments = draw(cell, 7, 3, 17, dtype)
  call = jax_helpers.function(cell, activation=activation)
  results = call(*arguments)
  assert {leaf.dtype for leaf in jax.tree.leaves(results)} == {jnp.dtype(dtype)}
  exact = jax_helpers.as_dtype(arguments, "float64")
  tolerance = {"float16": 2e-3, "bfloat16": 2e-2}[dtype]
  jax_helpers.assert_close(results, call(*exact), tolerance)
  jax_helpers.assert_close(
    jax_helpers.gradients(call, arguments),
    jax_helpers.gradients(call, exact),
    tolerance,
  )


@pytest.mark.parametrize("activation", ["identity", lambda x: x])
def test_16_bits_carry_the_state_in_float32(activation):
  steps = jnp.full([1, 1024, 1], 2**-9, "bfloat16")  # too small to add to 1
  zeros = jnp.zeros([1, 1], "bfloat16")
  _, state = tf_contrib_rnn.jax.ind_rnn(
    steps, zeros + 1, zeros[0], zeros, activation=activation
  )
  assert state.item() == 2


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_a_sequence_of_one(cell):
  inputs, *others = draw(cell, 1, 3, 5)
  call = jax_helpers.function(cell)
  output, state = call(inputs[:, 0], *others)
  outputs, states = call(inputs, *others)
  jax_helpers.assert_close((output, state), (outputs[:, 0], states), 1e-12)


@pytest.mark.parametrize("activation", ["tanh", jax_helpers.composed("tanh")])
@pytest.mark.parametrize("cell", CELLS)
def test_what_lies_past_the_end_counts_for_nothing(cell, activation):
  inputs, *others = draw(cell, 6, 3, 4)
  lengths = np.array([0, 2, 100], "int8")
  past = np.arange(6)[:, np.newaxis] >= lengths[:, np.newaxis, np.newaxis]
  call = jax_helpers.function(
    cell, sequence_length=lengths, activation=activation
  )
  clean, spoilt = jnp.where(past, 0, inputs), jnp.where(past, jnp.nan, inputs)
  for compute in (call, lambda *a: jax_helpers.gradients(call, a)):
    got, want = compute(spoilt, *others), compute(clean, *others)
    jax_helpers.assert_close(got, want, 0)
  outputs, state = call(inputs, *others)
  assert not np.any(outputs[0]) and not np.any(outputs[1, 2:])
  states = jax.tree.map(lambda array: array[0], (state, others[-1]))
  jax_helpers.assert_close(*states, 0)


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64"])
def test_lengths_of_any_integers(dtype):
  largest = np.iinfo(dtype).max
  with jax.enable_x64(False):
    arguments = draw("ind_rnn", 300, 2, 3, "float32")
    got, want = (
      tf_contrib_rnn.jax.ind_rnn(*arguments, sequence_length=lengths)
      for lengths in (
        np.array([1, largest], dtype),
        [1, min(largest, 300)],
      )
    )
    jax_helpers.assert_close(got, want, 0)


def test_a_large_forget_bias_keeps_its_digits():
  inputs, u, b, state = draw("indy_lstm", 3, 2, 4)
  for activation in ("tanh", jax_helpers.composed("tanh")):
    call = jax_helpers.function("indy_lstm", activation=activation)
    got = call(inputs, u, b, state, forget_bias=1 / 3)
    f_bias = np.repeat([0, 0, 1 / 3, 0], 4)
    want = call(inputs, u, b + f_bias, state, forget_bias=0)
    jax_helpers.assert_close(got, want, 1e-12)


WRONG = [
  ("inputs", lambda x: x[0, 0], "inputs has shape .*, expected rank 2"),
  (
    "inputs",
    lambda x: x[..., 1:],
    r"expected the products x W, whose last dimension is 3 \* units",
  ),
  ("inputs", lambda x: x.astype("int32"), "inputs has dtype int32, expected"),
  ("recurrent_kernel", lambda u: u[0], r"recurrent_kernel has shape \[12\]"),
  ("bias", lambda b: b[1:], r"bias has shape \[11\], expected \[12\]"),
  ("bias", lambda b: b.astype("float32"), "bias has dtype float32, expected f"),
  ("initial_state", lambda h: h[1:], r"initial_state has shape \[1, 4\]"),
]


@pytest.mark.parametrize(("name", "change", "message"), WRONG)
def test_wrong_arguments_are_named(name, change, message):
  names = ["inputs", "recurrent_kernel", "bias", "initial_state"]
  arguments = dict(zip(names, draw("indy_gru", 3, 2, 4)))
  arguments[name] = change(arguments[name])
  with pytest.raises((ValueError, TypeError), match=message):
    tf_contrib_rnn.jax.indy_gru(**arguments)


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"sequence_length": [1]}, r"sequence_length has shape \[1\], expected"),
    ({"sequence_length": [1.0, 2.0]}, "sequence_length has dtype float"),
    ({"activation": "swish"}, "activation is 'swish', expected a function or"),
    ({"activation": 3}, "activation is 3, expected a function or a name"),
  ],
)
def test_wrong_options_are_named(options, message):
  with pytest.raises((ValueError, TypeError), match=message):
    tf_contrib_rnn.jax.indy_gru(*draw("indy_gru", 3, 2, 4), **options)


def test_a_state_that_is_no_pair_and_lengths_of_a_step():
  inputs, u, b, (c, _) = draw("indy_lstm", 3, 2, 4)
  with pytest.raises(ValueError, match="initial_state has 1 parts, expected"):
    tf_contrib_rnn.jax.indy_lstm(inputs, u, b, (c,))
  with pytest.raises(ValueError, match=r"is one array of shape \[1, 4\], exp"):
    tf_contrib_rnn.jax.indy_lstm(inputs, u, b, c[:1])
  with pytest.raises(ValueError, match="rank 2 .a step., expected"):
    tf_contrib_rnn.jax.indy_lstm(
      inputs[:, 0], u, b, (c, c), sequence_length=[1, 1]
    )
