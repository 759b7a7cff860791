"""Gradients of long sequences in chunks, in JAX and flax."""

import functools

import numpy as np
import pytest

pytest.importorskip("flax", reason="flax is not installed")

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import nnx

import tf_contrib_rnn.flax
import tf_contrib_rnn.flax.nnx
import tf_contrib_rnn.jax

LAYERS = ["IndRNN", "IndyGRU", "IndyLSTM", "SRU"]
BATCH, TIME, DEPTH, UNITS = 3, 13, 5, 4


def draw(seed, *shape):
  rng = np.random.RandomState(seed)
  return jnp.asarray(rng.uniform(-1, 1, shape), jnp.float32)


def assert_close(got, want, tolerance=2e-6):
  got, want = jax.tree.leaves(got), jax.tree.leaves(want)
  assert len(got) == len(want)
  for g, w in zip(got, want):
    assert g.shape == w.shape and g.dtype == w.dtype
    largest = max(1, np.max(np.abs(w), initial=0))
    np.testing.assert_allclose(g, w, rtol=0, atol=tolerance * largest)


def loss_of(results):
  return sum(
    jnp.sin((i + 1) * leaf).sum()
    for i, leaf in enumerate(jax.tree.leaves(results))
  )


@pytest.mark.parametrize("lengths", [None, [13, 0, 5]], ids=["all", "lengths"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("steps", [1, 4, 13])
@pytest.mark.parametrize("name", LAYERS)
def test_linen(name, steps, time_major, reverse, lengths):
  make = functools.partial(
    getattr(tf_contrib_rnn.flax, name),
    UNITS,
    time_major=time_major,
    return_carry=True,
    reverse=reverse,
    keep_order=True,
  )
  x = draw(0, BATCH, TIME, DEPTH)
  x = x.swapaxes(0, 1) if time_major else x
  lengths = None if lengths is None else jnp.array(lengths)
  variables = make().init(jax.random.key(0), x)

  def results(layer, variables, x):
    found = layer.apply(variables, x, seq_lengths=lengths)
    return loss_of(found), found

  for argument in (x, x[::-1] * 0.5):
    got, want = (
      jax.jit(
        jax.value_and_grad(
          functools.partial(results, layer), (0, 1), has_aux=True
        )
      )(variables, argument)
      for layer in (make(chunk_steps=steps), make())
    )
    assert_close(got, want)


@pytest.mark.parametrize("name", LAYERS)
def test_nnx(name):
  x = draw(0, BATCH, TIME, DEPTH)
  make = functools.partial(getattr(tf_contrib_rnn.flax.nnx, name), DEPTH, UNITS)
  got, want = (
    nnx.value_and_grad(lambda layer: loss_of(layer(x)))(layer)
    for layer in (make(chunk_steps=4, rngs=nnx.Rngs(0)), make(rngs=nnx.Rngs(0)))
  )
  assert_close(got, want)


def test_gradients_of_16_bits_are_added_in_the_dtype_of_parameters():
  layer = tf_contrib_rnn.flax.IndRNN(
    UNITS,
    activation_fn=lambda x: x,
    recurrent_kernel_init=nn.initializers.zeros_init(),
    dtype=jnp.bfloat16,
    chunk_steps=1,
  )
  x = jnp.ones([1, 1000, DEPTH], jnp.bfloat16)
  variables = layer.init(jax.random.key(0), x)
  loss = lambda v: layer.apply(v, x).astype(jnp.float32).sum()
  bias = jax.grad(loss)(variables)["params"]["cell"]["bias"]
  np.testing.assert_array_equal(bias, np.full([UNITS], 1000))  # else 256


def run_gru(kernel, x, steps=None, lengths=None, **options):
  u, b = draw(1, 1, 3 * UNITS), draw(2, 3 * UNITS)

  def layer(x, h, lengths=None):
    return tf_contrib_rnn.jax.indy_gru(
      x @ kernel, u, b, h, sequence_length=lengths, **options
    )

  h = jnp.zeros([BATCH, UNITS])
  if steps is None:
    return layer(x, h, lengths)
  return tf_contrib_rnn.jax.in_chunks(layer, x, h, steps, lengths, **options)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [13, 0, 5]], ids=["all", "lengths"])
def test_function(reverse, lengths):
  lengths = None if lengths is None else jnp.array(lengths)
  kernel, x = draw(0, DEPTH, 3 * UNITS), draw(3, BATCH, TIME, DEPTH)

  def gradients(steps):
    return jax.value_and_grad(
      lambda *arguments: loss_of(
        run_gru(*arguments, steps, lengths, reverse=reverse)
      ),
      (0, 1),
    )(kernel, x)

  assert_close(gradients(5), gradients(None))


def test_vmap_and_the_gradient_of_the_gradient():
  kernel, x = draw(0, DEPTH, 3 * UNITS), draw(3, 2, BATCH, TIME, DEPTH)

  def second(steps):
    first = jax.grad(lambda kernel, x: loss_of(run_gru(kernel, x, steps)))
    squares = lambda kernel, x: (first(kernel, x) ** 2).sum()
    return jax.vmap(jax.grad(squares), (None, 0))(kernel, x)

  assert_close(second(5), second(None), tolerance=1e-5)


def test_the_compiled_gradient_needs_less_memory():
  kernel, x = draw(0, 1, 3 * UNITS), draw(3, BATCH, 4000, 1)

  def temporary_bytes(steps):
    gradient = jax.grad(lambda *a: loss_of(run_gru(*a, steps)[1]))
    compiled = jax.jit(gradient).lower(kernel, x).compile()
    return compiled.memory_analysis().temp_size_in_bytes

  product = 4 * BATCH * 4000 * 3 * UNITS
  assert temporary_bytes(None) > product > 1.5 * temporary_bytes(100)


@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "4"])
def test_wrong_steps_are_named(steps):
  with pytest.raises(ValueError, match=r"^steps is .*, expected a whole"):
    run_gru(draw(0, DEPTH, 12), draw(3, BATCH, TIME, DEPTH), steps)
  message = r"^chunk_steps is .*, expected a whole"
  with pytest.raises(ValueError, match=message):
    tf_contrib_rnn.flax.SRU(UNITS, chunk_steps=steps)
  with pytest.raises(ValueError, match=message):
    tf_contrib_rnn.flax.nnx.SRU(
      DEPTH, UNITS, chunk_steps=steps, rngs=nnx.Rngs(0)
    )


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint32"])
def test_lengths_of_few_bits_and_without_sign(dtype):
  kernel, x = draw(0, DEPTH, 3 * UNITS), draw(3, BATCH, 300, DEPTH)
  lengths = np.array([3, 100, 0])
  want = run_gru(kernel, x, lengths=lengths)
  for given in (lengths.astype(dtype), jnp.asarray(lengths, dtype)):
    assert_close(run_gru(kernel, x, 70, given), want)
  for options in ({}, {"chunk_steps": 70}):
    layer = tf_contrib_rnn.flax.IndyGRU(UNITS, return_carry=True, **options)
    variables = layer.init(jax.random.key(0), x)
    got, want = (
      layer.apply(variables, x, seq_lengths=lengths.astype(kind))
      for kind in (dtype, "int32")
    )
    assert_close(got, want)


@pytest.mark.parametrize("steps", [4, 20])
@pytest.mark.parametrize(
  "lengths, error, message",
  [
    ([1.0, 2.0, 3.0], TypeError, "dtype float.., expected integers"),
    ([True, False, True], TypeError, "dtype bool, expected integers"),
    ([1, 2], ValueError, r"shape \[2\], expected \[3\]"),
  ],
)
def test_wrong_lengths_are_named(lengths, error, message, steps):
  with pytest.raises(error, match="^sequence_length has " + message):
    tf_contrib_rnn.jax.in_chunks(
      lambda x, h, lengths: (x, h),
      draw(0, BATCH, TIME, DEPTH),
      jnp.zeros([BATCH, UNITS]),
      steps,
      lengths,
    )


def test_inputs_of_rank_1_are_named():
  with pytest.raises(ValueError, match=r"^inputs has shape \[13\], expected"):
    tf_contrib_rnn.jax.in_chunks(lambda x, h: (x, h), draw(0, TIME), 0.0, 4)


@pytest.mark.parametrize("steps", [4, 20])
@pytest.mark.parametrize(
  "layer, message",
  [
    (lambda x, h: x, r"PyTreeDef\(\*\), expected a pair of outputs and state"),
    (lambda x, h: (x[:, -1], h), "outputs of shape .*, expected {} in dim"),
    (lambda x, h: (x[:, :3], h), "outputs of shape .*, expected {} in dim"),
    (lambda x, h: (x[:, 0, 0], h), "outputs of shape .*, expected {} in dim"),
    (lambda x, h: (x, (h,)), "a state of structure .* as of initial_state"),
    (lambda x, h: (x, h[:1]), r"a state float32\[1, 4\], expected float32\[3"),
    (lambda x, h: (x, h > 0), r"a state bool\[3, 4\], expected float32\[3, 4"),
  ],
)
def test_wrong_results_of_a_layer_are_named(layer, message, steps):
  x, h = draw(0, BATCH, TIME, DEPTH), jnp.zeros([BATCH, UNITS])
  message = message.replace("{}", str(min(steps, TIME)))
  with pytest.raises(ValueError, match="^layer returned " + message):
    tf_contrib_rnn.jax.in_chunks(layer, x, h, steps)


@pytest.mark.parametrize("steps", [4, 20])
def test_states_may_be_numbers_and_keys(steps):
  def layer(x, state):
    total, key = state
    return x, (total + x.sum(dtype=x.dtype), jax.random.split(key)[0])

  x = draw(0, BATCH, TIME, DEPTH).astype(jnp.bfloat16)
  state = (0.0, jax.random.key(0))
  outputs, (total, _) = tf_contrib_rnn.jax.in_chunks(layer, x, state, steps)
  assert (outputs == x).all() and total.dtype == jnp.bfloat16
