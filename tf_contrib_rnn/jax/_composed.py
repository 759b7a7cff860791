"""The recurrences composed of JAX's operations.

They are the reference for the fused ones, what runs where these can't, and what
these are differentiated by in forward mode and from the second order on.
"""

import dataclasses
from typing import Any
from typing import Optional

import jax
import jax.numpy as jnp

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.jax._activations import Activation


@dataclasses.dataclass(frozen=True)
class Options:
  """How a cell runs: all of a call but its arrays.

  Attributes:
    activation: a function.
    time_major: as of `recurrence.ind_rnn`.
    reverse: as of `recurrence.ind_rnn`.
    attributes: what only some cells have: pairs such as the LSTM's
      ("forget_bias", 1.0), or a "gate_fn" other than sigmoid.
  """

  activation: Activation
  time_major: bool = False
  reverse: bool = False
  attributes: tuple[tuple[str, Any], ...] = ()


# A step takes (x, u, b, states, activation, **attributes), gates side by side
# in x, u and b, and gives the new states, a tuple with h last.


def _ind_rnn_step(x, u, b, states, activation):
  (h,) = states
  return (activation(x + h * u + b),)


def _indy_gru_step(x, u, b, states, activation, gate_fn=jax.nn.sigmoid):
  (h,) = states
  x_r, x_z, x_c = jnp.split(x, 3, axis=-1)
  u_r, u_z, u_c = jnp.split(u, 3, axis=-1)
  b_r, b_z, b_c = jnp.split(b, 3, axis=-1)
  r = gate_fn(x_r + h * u_r + b_r)
  z = gate_fn(x_z + h * u_z + b_z)
  c = activation(x_c + (r * h) * u_c + b_c)
  return (z * h + (1 - z) * c,)


def _indy_lstm_step(
  x, u, b, states, activation, forget_bias, gate_fn=jax.nn.sigmoid
):
  c, h = states
  gates = x + jnp.tile(h, [1, 4]) * u + b
  i, j, f, o = jnp.split(gates, 4, axis=-1)
  c = c * gate_fn(f + forget_bias) + gate_fn(i) * activation(j)
  return c, activation(c) * gate_fn(o)


def _sru_step(x, u, b, states, activation, gate_fn=jax.nn.sigmoid):
  c, _ = states
  s, f, r, t = jnp.split(x + jnp.tile(c, [1, 4]) * u + b, 4, axis=-1)
  f, r = gate_fn(f), gate_fn(r)
  c = f * c + (1 - f) * s
  return c, r * activation(c) + (1 - r) * t


_STEPS = {
  cell_kinds.IND_RNN: _ind_rnn_step,
  cell_kinds.INDY_GRU: _indy_gru_step,
  cell_kinds.INDY_LSTM: _indy_lstm_step,
  cell_kinds.SRU: _sru_step,
}


def compose(
  kind: cell_kinds.CellKind,
  options: Options,
  lengths: Optional[jax.Array],
  inputs: jax.Array,
  recurrent_kernel: jax.Array,
  bias: jax.Array,
  *states: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  """Runs a step or a sequence: (outputs, states).

  As in the kernels, 16-bit numbers are computed, and the state carried, in
  float32.
  """
  dtype = inputs.dtype
  wide = jnp.promote_types(dtype, jnp.float32)
  x, u, b, *initial = (
    array.astype(wide) for array in (inputs, recurrent_kernel, bias, *states)
  )

  def step(states, x):
    return _STEPS[kind](
      x, u, b, states, options.activation, **dict(options.attributes)
    )

  if x.ndim == 2:
    final = step(tuple(initial), x)
    outputs = final[-1]
  else:
    outputs, final = _run_steps(step, options, x, tuple(initial), lengths)
  return outputs.astype(dtype), tuple(state.astype(dtype) for state in final)


def _run_steps(step, options, x, states, lengths):
  """Runs the steps in a loop along time."""
  if not options.time_major:
    x = jnp.swapaxes(x, 0, 1)

  def run(states, t_and_x):
    t, x = t_and_x
    if lengths is None:
      states = step(states, x)
      return states, states[-1]
    is_running = (t < lengths)[:, jnp.newaxis]
    # What lies past the end, NaN perhaps, shall not reach a gradient either.
    new_states = step(states, jnp.where(is_running, x, 0))
    output = jnp.where(is_running, new_states[-1], 0)
    states = tuple(
      jnp.where(is_running, new, old) for new, old in zip(new_states, states)
    )
    return states, output

  # From the last step to the first, a sequence waits for its own end.
  states, outputs = jax.lax.scan(
    run, states, (jnp.arange(x.shape[0]), x), reverse=options.reverse
  )
  if not options.time_major:
    outputs = jnp.swapaxes(outputs, 0, 1)
  return outputs, states
