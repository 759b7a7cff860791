"""What the tests of tf_contrib_rnn.jax share."""

import functools

import helpers
import jax
import jax.numpy as jnp
import numpy as np

import tf_contrib_rnn.jax

GATES = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4}
CELLS = list(GATES)


def composed(name):
  """An activation that is no function that the kernels know."""
  return {
    "tanh": lambda x: jnp.tanh(x),
    "sigmoid": lambda x: 1 / (1 + jnp.exp(-x)),
    "relu": lambda x: jnp.where(x > 0, x, 0),
    "identity": lambda x: x * 1,
    "elu": lambda x: jnp.where(x > 0, x, jnp.expm1(jnp.minimum(x, 0))),
    "softsign": lambda x: x / (1 + jnp.abs(x)),
  }[name]


def draw(cell, time, batch, units, dtype="float64", time_major=False, seed=0):
  """Random arguments: inputs, recurrent kernel, bias, initial state."""
  rng = np.random.RandomState(seed + time + 10 * batch + 100 * units)
  make = lambda *shape: jnp.asarray(rng.uniform(-1, 1, shape), dtype)
  width = GATES[cell] * units
  leading = (time, batch) if time_major else (batch, time)
  state = make(batch, units)
  if cell == "indy_lstm":
    state = (state, make(batch, units))
  return [make(*leading, width), make(1, width), make(width), state]


def function(cell, **options):
  return functools.partial(getattr(tf_contrib_rnn.jax, cell), **options)


def weigh(results):
  """A number that every number of some results changes, each otherwise."""
  return sum(
    jnp.sum(leaf.astype(jnp.float64) * weights(leaf.shape))
    for leaf in jax.tree.leaves(results)
  )


def weights(shape):
  return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape)


def gradients(call, arguments):
  """The gradients of all arguments of a function of arrays."""
  loss = lambda *arguments: weigh(call(*arguments))
  numbers = tuple(range(len(arguments)))
  return jax.jit(jax.grad(loss, numbers))(*arguments)


def assert_close(got, want, tolerance):
  helpers.assert_close(jax.tree.leaves(got), jax.tree.leaves(want), tolerance)


def as_dtype(arrays, dtype):
  return jax.tree.map(lambda array: jnp.asarray(array, dtype), arrays)
