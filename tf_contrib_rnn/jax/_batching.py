"""jax.vmap of a recurrence: the mapped axis becomes part of another.

Folded into the batch, members share the weights; folded into the units, each
has its own. The functions that are called are the primitives of `_fused`, the
arrays theirs, lengths first.
"""

from collections.abc import Sequence
from typing import Callable
from typing import Optional

import jax
import jax.numpy as jnp

Dims = Sequence[Optional[int]]  # the mapped axis of each array; None: none
Function = Callable[..., Sequence[jax.Array]]


def _size(arrays, dims):
  """How many members there are."""
  return next(a.shape[dim] for a, dim in zip(arrays, dims) if dim is not None)


def _bring(array, dim, size, axis):
  """Moves the mapped axis to `axis`, or makes one there."""
  if dim is not None:
    return jnp.moveaxis(array, dim, axis)
  array = jnp.expand_dims(array, axis)
  shape = list(array.shape)
  shape[axis] = size
  return jnp.broadcast_to(array, shape)


def in_batch(
  forward: Function, arrays: Sequence[jax.Array], dims: Dims, batch_axis: int
) -> tuple[tuple[jax.Array, ...], tuple[int, ...]]:
  """Calls `forward` with all members in one batch.

  Args:
    forward: the primitive.
    arrays: lengths, inputs, recurrent_kernel, bias, *states.
    dims: the mapped axes; the weights have none.
    batch_axis: the batch's axis in one member's inputs.

  Returns:
    The results, and their mapped axes.
  """
  size = _size(arrays, dims)
  lengths, inputs, recurrent_kernel, bias, *states = arrays

  def fold(array, dim, axis):
    array = _bring(array, dim, size, axis)
    shape = array.shape
    merged = size * shape[axis + 1]
    return array.reshape([*shape[:axis], merged, *shape[axis + 2 :]])

  def unfold(array):
    axis = batch_axis if array.ndim == 3 else 0
    shape = array.shape
    batch = [size, shape[axis] // max(size, 1)]
    array = array.reshape([*shape[:axis], *batch, *shape[axis + 1 :]])
    return array, axis

  if lengths.size or dims[0] is not None:
    lengths = fold(lengths, dims[0], 0)
  results = forward(
    lengths,
    fold(inputs, dims[1], batch_axis),
    recurrent_kernel,
    bias,
    *(fold(state, dim, 0) for state, dim in zip(states, dims[4:])),
  )
  arrays, axes = zip(*map(unfold, results))
  return arrays, axes


def in_units(
  function: Function, arrays: Sequence[jax.Array], dims: Dims, units: int
) -> tuple[tuple[jax.Array, ...], tuple[int, ...]]:
  """Calls any primitive with all members' units side by side.

  Args:
    function: the primitive.
    arrays: its arrays; gates are the outer part of their last axis.
    dims: the mapped axes; the lengths have none.
    units: how many units a member has.

  Returns:
    The results, and their mapped axes.
  """
  size = _size(arrays, dims)

  def fold(array, dim):
    if dim is None and array.shape == (0,):
      return array  # stands for zeros
    array = _bring(array, dim, size, array.ndim - (1 if dim is None else 2))
    *before, width = array.shape
    gates = width // max(units, 1)
    array = array.reshape([*before, gates, units])
    return jnp.swapaxes(array, -3, -2).reshape([*before[:-1], size * width])

  def unfold(array):
    *before, width = array.shape
    gates = width // max(size * units, 1)
    array = jnp.swapaxes(array.reshape([*before, gates, size, units]), -3, -2)
    return array.reshape([*before, size, gates * units]), len(before)

  lengths, *others = arrays
  results = function(lengths, *map(fold, others, dims[1:]))
  arrays, axes = zip(*map(unfold, results))
  return arrays, axes
