"""The cells in JAX, jitted: one product for all steps, then a lax.scan or this
project's recurrence; and the products alone."""

import jax
import jax.numpy as jnp
import numpy as np

import tf_contrib_rnn.jax
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


def _sru(_, b, c, x):
  s, f, r, t = jnp.split(x, 4, -1)
  b_f, b_r = jnp.split(b, 2)
  f, r = jax.nn.sigmoid(f + b_f), jax.nn.sigmoid(r + b_r)
  c = f * c + (1 - f) * s
  return c, r * jnp.tanh(c) + (1 - r) * t


_STEPS = {
  "IndRNN": _ind_rnn,
  "IndyGRU": _indy_gru,
  "IndyLSTM": _indy_lstm,
  "SRU": _sru,
}
_RECURRENCES = {
  "IndRNN": tf_contrib_rnn.jax.ind_rnn,
  "IndyGRU": tf_contrib_rnn.jax.indy_gru,
  "IndyLSTM": tf_contrib_rnn.jax.indy_lstm,
  "SRU": lambda x, _, *others, **options: tf_contrib_rnn.jax.sru(
    x, *others, **options
  ),
}


def _scan(problem):
  step = _STEPS[problem.cell]
  state = _zero_state(problem)
  return lambda x, w, u, b: jax.lax.scan(
    lambda s, p: step(u, b, s, p), state, _product(x, w)
  )[1]


def _fused(problem):
  state = _zero_state(problem)
  run = _RECURRENCES[problem.cell]
  return lambda x, w, u, b: run(_product(x, w), u, b, state, time_major=True)[0]


def _floor(_):
  return lambda x, w, u, b: _product(x, w)


def _product(x, w):
  """x W of matrices: so XLA makes w's gradient faster on CPUs."""
  return (x.reshape(-1, x.shape[-1]) @ w).reshape(*x.shape[:-1], w.shape[1])


def _zero_state(problem):
  zeros = jnp.zeros([problem.batch, problem.units])
  return (zeros, zeros) if problem.cell == "IndyLSTM" else zeros


_LAYERS = {"lax_scan": _scan, "jax_ffi": _fused, "jax_floor": _floor}


def build(name, problem):
  layer = _LAYERS[name](problem)

  def gradients(dy, *arguments):
    y, pull_back = jax.vjp(layer, *arguments)
    return y, pull_back(dy)

  arguments = [
    jnp.asarray(problem.x().swapaxes(0, 1)),
    jnp.asarray(problem.kernel()),
    jnp.asarray(problem.recurrent_kernel()),
    jnp.asarray(problem.bias()),
  ]
  if name == "jax_floor":
    dy = problem.projected_gradients()
    dy = jnp.asarray(dy.reshape(problem.time, problem.batch, -1))
  else:
    dy = jnp.asarray(problem.output_gradients().swapaxes(0, 1))
  layer_jit, gradients_jit = jax.jit(layer), jax.jit(gradients)

  def train():
    return jax.block_until_ready(gradients_jit(dy, *arguments))

  def results():
    y, (dx, *_) = train()
    return [np.swapaxes(y, 0, 1), np.swapaxes(dx, 0, 1)]

  return Calls(
    lambda: jax.block_until_ready(layer_jit(*arguments)),
    train,
    None if name == "jax_floor" else results,
  )
