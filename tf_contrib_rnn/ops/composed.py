"""The recurrences as compositions of TensorFlow's ops.

They are the reference for the fused ops, what runs where these can't, and what
the second-order gradients of these are made of.
"""

import dataclasses
from typing import Any
from typing import Callable

import tensorflow as tf

from tf_contrib_rnn import cell_kinds


@dataclasses.dataclass(frozen=True)
class Call:
  """The arguments of a recurrence: see `recurrence.ind_rnn`.

  Attributes:
    recurrent_kernels: the parts of u, side by side in the order of the gates.
    biases: as many parts of b; or one, of one row or two: see
      `recurrence.indy_gru`.
    states: the initial states, a tuple with h last.
    attributes: what only some cells have: the LSTM's forget_bias.
  """

  inputs: tf.Tensor
  recurrent_kernels: tuple[tf.Tensor, ...]
  biases: tuple[tf.Tensor, ...]
  states: tuple[tf.Tensor, ...]
  activation: Callable[[tf.Tensor], tf.Tensor]
  sequence_length: Any = None
  time_major: bool = False
  reverse: bool = False
  gate_order: str = "contrib"
  attributes: dict[str, Any] = dataclasses.field(default_factory=dict)

  def join_parts(self) -> "Call":
    """The same with u and b in one part each."""
    if len(self.biases) == 1:
      return self
    return dataclasses.replace(
      self,
      recurrent_kernels=(tf.concat(self.recurrent_kernels, -1),),
      biases=(tf.concat(self.biases, -1),),
    )


# A step takes (x, u, b, states, activation, **attributes), gates side by side
# in x, u and b, and gives the new states, a tuple with h last.


def _one_bias(b):
  return tf.reduce_sum(b, axis=0) if b.shape.rank == 2 else b


def _ind_rnn_step(x, u, b, states, activation):
  (h,) = states
  return (activation(x + h * u + _one_bias(b)),)


def _indy_gru_step(x, u, b, states, activation):
  (h,) = states
  x_r, x_z, x_c = tf.split(x, 3, axis=-1)
  u_r, u_z, u_c = tf.split(u, 3, axis=-1)
  b_r, b_z, b_c = tf.split(_one_bias(b), 3, axis=-1)
  r = tf.sigmoid(x_r + h * u_r + b_r)
  z = tf.sigmoid(x_z + h * u_z + b_z)
  recurrent = (r * h) * u_c
  if b.shape.rank == 2:
    b_c, d_c = tf.unstack(tf.split(b, 3, axis=-1)[2])
    recurrent += r * d_c
  c = activation(x_c + recurrent + b_c)
  return (z * h + (1 - z) * c,)


def _constant(value, dtype):
  """A number in a dtype, infinite where it is too large for that."""
  return tf.cast(tf.constant(value, tf.float64), dtype)


def _indy_lstm_step(x, u, b, states, activation, forget_bias):
  c, h = states
  gates = x + tf.tile(h, [1, 4]) * u + _one_bias(b)
  i, j, f, o = tf.split(gates, 4, axis=-1)
  c = c * tf.sigmoid(f + _constant(forget_bias, f.dtype)) + (
    tf.sigmoid(i) * activation(j)
  )
  return c, activation(c) * tf.sigmoid(o)


def _sru_step(x, u, b, states, activation):
  c, _ = states
  s, f, r, t = tf.split(x + tf.tile(c, [1, 4]) * u + _one_bias(b), 4, axis=-1)
  f, r = tf.sigmoid(f), tf.sigmoid(r)
  c = f * c + (1 - f) * s
  return c, r * activation(c) + (1 - r) * t


_STEPS = {
  cell_kinds.IND_RNN: _ind_rnn_step,
  cell_kinds.INDY_GRU: _indy_gru_step,
  cell_kinds.INDY_LSTM: _indy_lstm_step,
  cell_kinds.SRU: _sru_step,
}


def _from_keras(kind: cell_kinds.CellKind, call: Call) -> Call:
  """A call in Keras's order of gates as one in tf.contrib.rnn's."""

  def arrange(tensor):
    gates = dict(
      zip(kind.keras_gates, tf.split(tensor, len(kind.gates), axis=-1))
    )
    return tf.concat([gates[gate] for gate in kind.gates], axis=-1)

  return dataclasses.replace(
    call,
    inputs=arrange(call.inputs),
    recurrent_kernels=tuple(map(arrange, call.recurrent_kernels)),
    biases=tuple(map(arrange, call.biases)),
    gate_order="contrib",
  )


def compose(
  kind: cell_kinds.CellKind, call: Call
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
  """Runs a step or a sequence: (outputs, states)."""
  call = call.join_parts()
  if call.gate_order == "keras" and kind.keras_gates != kind.gates:
    call = _from_keras(kind, call)
  if call.inputs.shape.rank == 3:
    return _compose_sequence(kind, call)
  states = _compose_step(kind, call, call.inputs, call.states)
  return states[-1], states


def _compose_step(kind, call, x, states):
  (u,), (b,) = call.recurrent_kernels, call.biases
  if states[-1].shape[-1] == 0:
    # TensorFlow's graph optimizer crashes on compositions of no units.
    return (x + tf.reduce_sum(u) + tf.reduce_sum(b),) * len(kind.states)
  return _STEPS[kind](x, u, b, states, call.activation, **call.attributes)


def _compose_sequence(kind, call):
  """Runs the steps in a loop along time, as dynamic_rnn would."""
  x = call.inputs
  if not call.time_major:
    x = tf.transpose(x, [1, 0, 2])
  lengths = _lengths_of(x, call)

  def turn(t):  # its own inverse
    if not call.reverse:
      return t
    return tf.reverse_sequence(t, lengths, seq_axis=0, batch_axis=1)

  loop = _no_steps if x.shape[0] == 0 else _loop
  outputs, states = loop(kind, call, turn(x), lengths)
  outputs = turn(outputs)
  if not call.time_major:
    outputs = tf.transpose(outputs, [1, 0, 2])
  return outputs, states


def _lengths_of(x, call):
  """The number of steps of each sequence, from 0 to time; x is time-major."""
  time, batch = tf.unstack(tf.shape(x)[:2])
  if call.sequence_length is None:
    return tf.fill([batch], time)
  check = tf.debugging.assert_equal(
    tf.size(call.sequence_length),
    batch,
    "sequence_length has another size than the batch",
  )
  with tf.control_dependencies([] if check is None else [check]):
    return tf.clip_by_value(call.sequence_length, 0, time)


def _loop(kind, call, x, lengths):
  """(outputs, states) of the steps of x, [time, batch, gates * units]."""
  time, batch = tf.unstack(tf.shape(x)[:2])

  def body(t, outputs, states):
    is_running = (t < lengths)[:, tf.newaxis]
    new_states = _compose_step(kind, call, x[t], states)
    output = tf.where(is_running, new_states[-1], tf.zeros_like(new_states[-1]))
    states = tuple(
      tf.where(is_running, new, old) for new, old in zip(new_states, states)
    )
    return t + 1, outputs.write(t, output), states

  h = call.states[-1]
  outputs = tf.TensorArray(x.dtype, size=time, element_shape=h.shape)
  _, outputs, states = tf.while_loop(
    lambda t, *_: t < time,
    body,
    (0, outputs, call.states),
    maximum_iterations=time,  # XLA has to know, for the gradient
  )
  # The shape, for when there are no steps to take it from.
  return tf.reshape(outputs.stack(), [time, batch, tf.shape(h)[1]]), states


def _no_steps(kind, call, x, lengths):
  """What `_loop` gives for no steps, with gradients of zeros.

  Those of a loop that is known not to run are None.
  """
  del kind
  (u,), (b,) = call.recurrent_kernels, call.biases
  with tf.control_dependencies([lengths]):
    zero = tf.reduce_sum(u[:, :0]) + tf.reduce_sum(b[..., :0])
  zero += tf.reduce_sum(x)
  states = tuple(state + zero for state in call.states)
  return tf.zeros([0, *tf.unstack(tf.shape(states[-1]))], x.dtype), states
