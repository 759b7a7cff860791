"""What the cells and layers of linen and nnx compute: one step, or sequences.

The functions take a cell and its weights. A cell has `kind`, `activation_fn`,
`gate_fn` if it has gates, and `promote`, which converts arrays to the dtype
of the computation. `kind` lists the weights, with gates side by side in the
order of tf.contrib.rnn: a kernel [D, gates * H], a recurrent kernel [1,
gates * H] and a bias [gates * H]. The SRU has a kernel and a bias [2 * H].
"Carry" is flax's name for the state: h, the pair (c, h), or c of the SRU.
"""

import dataclasses
import functools
import math
from typing import Any
from typing import Callable
from typing import Optional

import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.recurrent import flip_sequences

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn._chunk_steps import check_steps
from tf_contrib_rnn.jax import _composed
from tf_contrib_rnn.jax import chunks
from tf_contrib_rnn.jax import recurrence


def _as_they_are(recurrent_kernel, bias, *states):
  return recurrent_kernel, bias, states


@dataclasses.dataclass(frozen=True)
class Kind:
  """One of the cells, as flax runs it.

  Attributes:
    cell: The facts about the cell.
    recur: The function of `tf_contrib_rnn.jax` that runs whole sequences.
    attributes: Further arguments of that function and of the composition.
    complete: Function from the weights (without the kernel) and the states of
      the carry to the arrays that the composition takes: recurrent kernel, bias
      and states.
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
    """The number of arrays in the carry."""
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
  """Draws from [-1, 1), as tf.contrib.rnn initializes recurrent kernels."""
  return jax.random.uniform(key, shape, dtype, -1.0, 1.0)


def by_gate(initializers: list[Callable]) -> Callable:
  """Returns an initializer of gates side by side, each drawn on its own."""

  def initialize(key, shape, dtype):
    *rows, width = shape
    shape = (*rows, width // len(initializers))
    keys = jax.random.split(key, len(initializers))
    gates = [draw(k, shape, dtype) for draw, k in zip(initializers, keys)]
    return _side_by_side(gates)

  return initialize


def _side_by_side(gates):
  """Joins arrays, or the boxes that with_partitioning puts around them.

  The box of linen is a tree with the array. That of nnx is an object that has
  the array. If some have a box, as where only one of an IndyLSTM's two
  initializers of the bias makes one, the first is for all.
  """
  arrays = [
    jax.tree.leaves(getattr(gate, "raw_value", gate))[0] for gate in gates
  ]
  joined = jnp.concatenate(arrays, -1)
  box = next((g for g, a in zip(gates, arrays) if g is not a), joined)
  if hasattr(box, "raw_value"):
    return dataclasses.replace(box, raw_value=joined)
  return jax.tree.unflatten(jax.tree.structure(box), [joined])


def check_features(name: str, features: Any) -> None:
  """Raises an error if this is not a number of features.

  Raises:
    ValueError: The message names the argument.
  """
  is_whole = isinstance(features, (int, np.integer)) and not isinstance(
    features, bool
  )
  if not is_whole or features < 1:
    raise ValueError(
      f"{name} is {features!r}, expected a whole number, 1 or more"
    )


def check_chunk_steps(chunk_steps: Optional[int]) -> Optional[int]:
  """Returns the number of steps of a chunk, or None for all at once.

  Raises:
    ValueError: If it is neither.
  """
  if chunk_steps is None:
    return None
  return check_steps("chunk_steps", chunk_steps)


def shape_of_step(inputs: Any, time_major: bool) -> tuple:
  """The shape [*batch, D] of one step of sequences.

  Raises:
    ValueError: If inputs are not sequences.
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
  """Compares shapes with those of the kernel and of the batch."""
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
  # Fewer bits may be too few for the time.
  return lengths.astype(jnp.int32) if lengths.dtype.itemsize < 4 else lengths


def run_step(cell: Any, weights: tuple, carry: Any, inputs: Any) -> tuple:
  """Runs one step of a cell. Returns (new carry, output), like flax's cells.

  The new carry has the dtype of the old one, whatever dtype the computation
  has, so that a loop can carry it. A step is always composed: XLA compiles it
  together with the loop around it.

  Args:
    cell: The cell.
    weights: The weights that the cell's kind lists.
    carry: Arrays [*batch, H].
    inputs: Array [*batch, D].

  Raises:
    ValueError: If shapes do not match. The message names the argument.
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
  chunk_steps: Optional[int] = None,
) -> Any:
  """Runs a cell over sequences like nn.RNN: one product, one recurrence.

  Args:
    cell: The cell.
    weights: The weights that the cell's kind lists.
    carry: The carry before the first step, arrays [*batch, H].
    inputs: Array [*batch, time, D], or [time, *batch, D] if `time_major`.
    seq_lengths: See nn.RNN.
    return_carry: See nn.RNN.
    time_major: See nn.RNN.
    reverse: See nn.RNN.
    keep_order: See nn.RNN.
    chunk_steps: See `tf_contrib_rnn.jax.in_chunks`. None is all at once.

  Returns:
    The outputs, shaped like the inputs. If `return_carry` is true, a pair of
    the carry and the outputs.

  Raises:
    ValueError: If shapes do not match. The message names the argument.
    TypeError: If lengths are not integers.
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
  inputs = flip(inputs) if flips else inputs
  size = math.prod(batch)
  if chunk_steps is None:
    recur = _recur
    x, arrays, states = _project(cell, weights, carry, inputs)
  else:
    recur = functools.partial(_recur_in_chunks, chunk_steps)
    # The weights as they are: see there.
    arrays = weights
    x, _, states = _promote(cell, weights, carry, inputs)
  *steps, width = x.shape
  shape = (x.shape[0], size) if time_major else (size, x.shape[-2])
  run = functools.partial(
    recur,
    cell,
    x.reshape(*shape, width),
    arrays,
    states,
    time_major=time_major,
  )
  outputs, states = run(reverse=reverse and not flips)
  if return_carry and seq_lengths is not None:
    states = _last_states(cell, run, outputs, seq_lengths, time_major)
  outputs = outputs.reshape(*steps, outputs.shape[-1])
  if flips and keep_order:
    outputs = flip(outputs)
  return (_like(carry, states), outputs) if return_carry else outputs


def _promote(cell, weights, carry, inputs):
  """Inputs, weights, and states as rows, in the dtype of the computation."""
  inputs, *arrays = cell.promote(inputs, *weights, *jax.tree.leaves(carry))
  weights, states = arrays[: len(weights)], arrays[len(weights) :]
  return inputs, weights, [s.reshape(-1, s.shape[-1]) for s in states]


def _multiply(inputs, kernel):
  """x W. As matrices: XLA makes the kernel's gradient faster on CPUs."""
  rows = inputs.reshape(-1, inputs.shape[-1])
  return jnp.dot(rows, kernel).reshape(*inputs.shape[:-1], kernel.shape[1])


def _project(cell, weights, carry, inputs):
  """Returns x W, the other weights, and the states as rows.

  All are in the dtype of the computation.
  """
  inputs, (kernel, *others), states = _promote(cell, weights, carry, inputs)
  return _multiply(inputs, kernel), others, states


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
  """The outputs and the final states, by the fused function if it can run."""
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


def _recur_in_chunks(
  steps, cell, inputs, weights, states, sequence_length=None, **options
):
  """Like product and `_recur`, with a gradient in chunks."""

  def layer(x, states, lengths=None):
    # Converted here, so that the gradients of all chunks are added in the
    # dtype of the parameters.
    kernel, *others = (w.astype(x.dtype) for w in weights)
    return _recur(
      cell,
      _multiply(x, kernel),
      others,
      states,
      sequence_length=lengths,
      **options,
    )

  return chunks.in_chunks(
    layer, inputs, states, steps, sequence_length, **options
  )


def _compose(cell, x, others, states, sequence_length=None, **options):
  """Like `_recur`, but composed. It takes one step as well, and any gate_fn."""
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
  """The states at the end of each sequence, as nn.RNN returns them.

  nn.RNN takes the state of step length - 1 by an index. Therefore a length
  larger than time counts as time, and so does 0.
  """
  time_axis = 0 if time_major else 1
  time = outputs.shape[time_axis]
  lengths = jnp.reshape(seq_lengths, -1)
  lengths = jnp.where(lengths > 0, jnp.minimum(lengths, time), lengths + time)
  if not cell.kind.outputs_tell_carry:  # they have no c
    return run(sequence_length=lengths)[1]
  index = jnp.expand_dims(lengths - 1, (time_axis, 2))
  return [jnp.take_along_axis(outputs, index, time_axis).squeeze(time_axis)]
