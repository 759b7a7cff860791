"""The cells in JAX: one product for all steps, then a jitted lax.scan."""

import jax
import jax.numpy as jnp
import numpy as np

from candidates import Calls


def _ind_rnn(u, b, state, x):
  state = jnp.tanh(x + state * u + b)
  return state, state


def _indy_gru(u, b, state, x):
  x_r, x_z, x_c = jnp.split(x, 3, -1)
  u_r, u_z, u_c = jnp.split(u, 3, -1)
  b_r, b_z, b_c = jnp.split(b, 3, -1)
  r = jax.nn.sigmoid(x_r + state * u_r + b_r)
  z = jax.nn.sigmoid(x_z + state * u_z + b_z)
  c = jnp.tanh(x_c + r * state * u_c + b_c)
  state = z * state + (1 - z) * c
  return state, state


def _indy_lstm(u, b, state, x):
  c, h = state
  i, j, f, o = jnp.split(x + jnp.tile(h, (1, 4)) * u + b, 4, -1)
  c = c * jax.nn.sigmoid(f + 1.0) + jax.nn.sigmoid(i) * jnp.tanh(j)
  h = jnp.tanh(c) * jax.nn.sigmoid(o)
  return (c, h), h


_STEPS = {"IndRNN": _ind_rnn, "IndyGRU": _indy_gru, "IndyLSTM": _indy_lstm}


def build(_, problem):
  step = _STEPS[problem.cell]
  zeros = jnp.zeros([problem.batch, problem.units])
  state = (zeros, zeros) if problem.cell == "IndyLSTM" else zeros

  def layer(x, w, u, b):
    return jax.lax.scan(lambda s, p: step(u, b, s, p), state, x @ w)[1]

  def gradients(dy, *arguments):
    y, pull_back = jax.vjp(layer, *arguments)
    return y, pull_back(dy)

  arguments = [
    jnp.asarray(problem.x().swapaxes(0, 1)),
    jnp.asarray(problem.kernel()),
    jnp.asarray(problem.recurrent_kernel()),
    jnp.asarray(problem.bias()),
  ]
  dy = jnp.asarray(problem.output_gradients().swapaxes(0, 1))
  layer_jit, gradients_jit = jax.jit(layer), jax.jit(gradients)

  def train():
    return jax.block_until_ready(gradients_jit(dy, *arguments))

  def results():
    y, (dx, *_) = train()
    return [np.swapaxes(y, 0, 1), np.swapaxes(dx, 0, 1)]

  return Calls(
    lambda: jax.block_until_ready(layer_jit(*arguments)), train, results
  )
