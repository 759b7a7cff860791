"""What the cells and layers of linen and nnx compute: a step, whole sequences.

A cell hands over itself and its weights. What is asked of it: `kind`,
`activation_fn`, `gate_fn` if it has gates, and `promote`, which brings arrays
to the dtype of the computation. The weights are those that `kind` names, gates
side by side in tf.contrib.rnn's order: a kernel [D, gates * H], a recurrent
kernel [1, gates * H] and a bias [gates * H]; of the SRU, a kernel and a bias
[2 * H]. A carry is what flax calls the state: h, c and h, or the SRU's c.
"""

import dataclasses
import functools
import math
from typing import Any
from typing import Callable

import jax
import jax.numpy as jnp
from flax.linen.recurrent import flip_sequences

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.jax import _composed
from tf_contrib_rnn.jax import recurrence


def _as_they_are(recurrent_kernel, bias, *states):
  return recurrent_kernel, bias, states


@dataclasses.dataclass(frozen=True)
class Kind:
  """One of the cells, as flax runs it.

  Attributes:
    cell: its facts.
    recur: the function of `tf_contrib_rnn.jax` that runs whole sequences.
    attributes: what that and the composition are given besides.
    complete: makes of the weights but the kernel and of the states of the carry
      what the composition takes: recurrent kernel, bias and states.
  """

  cell: cell_kinds.CellKind
  recur: Callable
  attributes: tuple = ()
  complete: Callable = _as_they_are

  @property
  def gates(self) -> int:
    return len(self.cell.gates)

  @property
  def states(self) -> int:
    """How many arrays the carry has."""
    return len(self.cell.states) - (not self.cell.carries_output)

  @property
  def outputs_tell_carry(self) -> bool:
    return self.cell.carries_output and self.states == 1


IND_RNN = Kind(cell_kinds.IND_RNN, recurrence.ind_rnn)
INDY_GRU = Kind(cell_kinds.INDY_GRU, recurrence.indy_gru)
# flax has no forget_bias: what there is of it is in the bias.
INDY_LSTM = Kind(
  cell_kinds.INDY_LSTM, recurrence.indy_lstm, (("forget_bias", 0.0),)
)
SRU = Kind(cell_kinds.SRU, recurrence.sru, complete=recurrence.complete_sru)


def uniform(key: Any, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
  """Draws from [-1, 1): how tf.contrib.rnn starts recurrent kernels."""
  return jax.random.uniform(key, shape, dtype, -1.0, 1.0)


def by_gate(initializers: list[Callable]) -> Callable:
  """An initializer of gates side by side, each drawn as an array of its own."""

  def initialize(key, shape, dtype):
    *rows, width = shape
    shape = (*rows, width // len(initializers))
    keys = jax.random.split(key, len(initializers))
    gates = [draw(k, shape, dtype) for draw, k in zip(initializers, keys)]
    return _side_by_side(gates)

  return initialize


def _side_by_side(gates):
  """Joins arrays, or what with_partitioning has put around them.

  linen's is a tree of the array, nnx's an object that has it.
  """
  if hasattr(gates[0], "raw_value"):
    joined = _side_by_side([gate.raw_value for gate in gates])
    return dataclasses.replace(gates[0], raw_value=joined)
  return jax.tree.map(lambda *arrays: jnp.concatenate(arrays, -1), *gates)


def check_features(name: str, features: Any) -> None:
  """Refuses a number of features that is none.

  Raises:
    ValueError: naming the argument.
  """
  is_whole = isinstance(features, int) and not isinstance(features, bool)
  if not is_whole or features < 1:
    raise ValueError(
      f"{name} is {features!r}, expected a whole number, 1 or more"
    )


def shape_of_step(inputs: Any, time_major: bool) -> tuple:
  """The shape [*batch, D] of one step of sequences.

  Raises:
    ValueError: if inputs are no sequences.
  """
  shape = jnp.shape(inputs)
  if len(shape) < 2:
    raise ValueError(
      f"inputs has shape {list(shape)}, expected [*batch, time, features] or, "
      "with time_major, [time, *batch, features]"
    )
  return shape[1:] if time_major else (*shape[:-2], shape[-1])


def _check_shape(name: str, array: Any, expected: tuple) -> None:
  if jnp.shape(array) != expected:
    raise ValueError(
      f"{name} has shape {list(jnp.shape(array))}, expected {list(expected)}"
    )


def _check(cell, weights, inputs, carry, name_of_carry, batch):
  """Compares shapes with the kernel's, and with the batch's dimensions."""
  depth, width = weights[0].shape
  _check_shape("inputs", inputs, (*jnp.shape(inputs)[:-1], depth))
  states = jax.tree.leaves(carry)
  if len(states) != cell.kind.states:
    raise ValueError(
      f"{name_of_carry} has {len(states)} arrays, expected {cell.kind.states}"
    )
  for state in states:
    _check_shape(name_of_carry, state, (*batch, width // cell.kind.gates))


def _convert_lengths(seq_lengths, batch):
  if seq_lengths is None:
    return None
  lengths = jnp.asarray(seq_lengths)
  _check_shape("seq_lengths", lengths, batch)
  if not jnp.issubdtype(lengths.dtype, jnp.integer):
    raise TypeError(f"seq_lengths has dtype {lengths.dtype}, expected integers")
  return lengths


def run_step(cell: Any, weights: tuple, carry: Any, inputs: Any) -> tuple:
  """One step of a cell: (new carry, output), as flax's cells return them.

  The new carry has the dtype of the old one, whatever the computation has, so
  that a loop can carry it. A step is composed: XLA makes one loop of it and
  what is around it.

  Args:
    cell: as above.
    weights: those that its kind names.
    carry: arrays [*batch, H].
    inputs: [*batch, D].

  Raises:
    ValueError: naming the argument, for shapes that do not match.
  """
  batch = jnp.shape(inputs)[:-1]
  _check(cell, weights, inputs, carry, "carry", batch)
  x, others, states = _project(cell, weights, carry, inputs)
  x = x.reshape(math.prod(batch), x.shape[-1])
  output, states = _compose(cell, x, others, states)
  return _like(carry, states), output.reshape(*batch, output.shape[-1])


def run_sequences(
  cell: Any,
  weights: tuple,
  carry: Any,
  inputs: Any,
  seq_lengths: Any,
  return_carry: bool,
  time_major: bool,
  reverse: bool,
  keep_order: bool,
) -> Any:
  """Runs a cell over sequences as nn.RNN does: one product, one recurrence.

  Args:
    cell, weights: as of `run_step`.
    carry: where the sequences start, arrays [*batch, H].
    inputs: [*batch, time, D], or with time_major [time, *batch, D].
    seq_lengths, return_carry, time_major, reverse, keep_order: as of nn.RNN.

  Returns:
    Outputs like the inputs, or with return_carry the carry and the outputs.

  Raises:
    ValueError: naming the argument, for shapes that do not match.
    TypeError: for lengths that are no integers.
  """
  batch = shape_of_step(inputs, time_major)[:-1]
  _check(cell, weights, inputs, carry, "initial_carry", batch)
  seq_lengths = _convert_lengths(seq_lengths, batch)
  flip = functools.partial(
    flip_sequences,
    seq_lengths=seq_lengths,
    num_batch_dims=len(batch),
    time_major=time_major,
  )
  # Padding stays at the end, which it would not where a recurrence is reversed.
  flips = reverse and (seq_lengths is not None or not keep_order)
  x, others, states = _project(
    cell, weights, carry, flip(inputs) if flips else inputs
  )
  *steps, width = x.shape
  size = math.prod(batch)
  shape = (x.shape[0], size) if time_major else (size, x.shape[-2])
  x = x.reshape(*shape, width)
  run = functools.partial(
    _recur, cell, x, others, states, time_major=time_major
  )
  outputs, states = run(reverse=reverse and not flips)
  if return_carry and seq_lengths is not None:
    states = _last_states(cell, run, outputs, seq_lengths, time_major)
  outputs = outputs.reshape(*steps, outputs.shape[-1])
  if flips and keep_order:
    outputs = flip(outputs)
  return (_like(carry, states), outputs) if return_carry else outputs


def _project(cell, weights, carry, inputs):
  """x W, the other weights, and the states as rows, in the dtype of the
  computation."""
  inputs, kernel, *arrays = cell.promote(
    inputs, *weights, *jax.tree.leaves(carry)
  )
  others, states = arrays[: len(weights) - 1], arrays[len(weights) - 1 :]
  states = [state.reshape(-1, state.shape[-1]) for state in states]
  # As matrices: XLA makes the kernel's gradient faster on CPUs.
  rows = inputs.reshape(-1, inputs.shape[-1])
  x = jnp.dot(rows, kernel).reshape(*inputs.shape[:-1], kernel.shape[1])
  return x, others, states


def _like(carry, states):
  """States in the structure, shapes and dtypes of a carry."""
  old, structure = jax.tree.flatten(carry)
  return structure.unflatten(
    [
      n.reshape(jnp.shape(o)).astype(jnp.asarray(o).dtype)
      for n, o in zip(states, old)
    ]
  )


def _recur(cell, x, others, states, **options):
  """The outputs and the final states, by the fused function if it can."""
  kind = cell.kind
  if getattr(cell, "gate_fn", jax.nn.sigmoid) is not jax.nn.sigmoid:
    return _compose(cell, x, others, states, **options)
  outputs, final = kind.recur(
    x,
    *others,
    states[0] if len(states) == 1 else states,
    activation=cell.activation_fn,
    **dict(kind.attributes),
    **options,
  )
  return outputs, jax.tree.leaves(final)


def _compose(cell, x, others, states, sequence_length=None, **options):
  """As `_recur`, composed, for a step as well, and for any gate_fn."""
  kind = cell.kind
  attributes = kind.attributes
  if kind.gates > 1:
    attributes = (*attributes, ("gate_fn", cell.gate_fn))
  u, b, states = kind.complete(*others, *states)
  outputs, final = _composed.compose(
    kind.cell,
    _composed.Options(cell.activation_fn, attributes=attributes, **options),
    *recurrence.vary_alike((sequence_length, x, u, b, *states)),
  )
  return outputs, final[: kind.states]


def _last_states(cell, run, outputs, seq_lengths, time_major):
  """The states at the end of each sequence, as nn.RNN takes them.

  nn.RNN takes those of step length - 1 by an index, so that a length past the
  end is the end, and 0 is too.
  """
  time_axis = 0 if time_major else 1
  time = outputs.shape[time_axis]
  lengths = jnp.reshape(seq_lengths, -1)
  lengths = jnp.where(lengths > 0, jnp.minimum(lengths, time), lengths + time)
  if not cell.kind.outputs_tell_carry:  # they have no c
    return run(sequence_length=lengths)[1]
  index = jnp.expand_dims(lengths - 1, (time_axis, 2))
  return [jnp.take_along_axis(outputs, index, time_axis).squeeze(time_axis)]
