"""Layers over long sequences in chunks, whose gradient needs less memory."""

from typing import Any
from typing import Callable

import jax
import jax.numpy as jnp

from tf_contrib_rnn._chunk_steps import check_steps
from tf_contrib_rnn.jax import recurrence


def _check_results(results: Any, state: Any, axis: int, size: int) -> None:
  """Raises an error if a layer did not return outputs and the next state.

  Args:
    results: What the layer returned.
    state: The state that it got.
    axis: The axis of time.
    size: The number of steps that it got.
  """
  if not isinstance(results, (tuple, list)) or len(results) != 2:
    raise ValueError(
      f"layer returned {jax.tree.structure(results)}, expected a pair of "
      "outputs and state"
    )
  for shape in map(jnp.shape, jax.tree.leaves(results[0])):
    if shape[axis : axis + 1] != (size,):
      raise ValueError(
        f"layer returned outputs of shape {list(shape)} for a chunk of {size} "
        f"steps, expected {size} in dimension {axis}"
      )
  new, old = jax.tree.leaves(results[1]), jax.tree.leaves(state)
  returned: Any = jax.tree.structure(results[1])
  expected: Any = jax.tree.structure(state)
  if returned != expected:
    raise ValueError(
      f"layer returned a state of structure {returned}, expected {expected} as "
      "of initial_state"
    )
  for got, want in zip(map(jnp.asarray, new), old):
    # Python's numbers and the like have the dtype of what they meet.
    if got.shape != want.shape or not (
      got.dtype == want.dtype or want.weak_type
    ):
      raise ValueError(
        f"layer returned a state {got.dtype}{list(got.shape)}, expected "
        f"{want.dtype}{list(want.shape)} as of initial_state"
      )


def _scan(run, inputs, state, steps, axis, begin, reverse):
  """Runs chunks that all have `steps` steps. The first one starts at `begin`.

  Returns:
    The outputs and the final state.
  """
  shape = inputs.shape
  time = shape[axis]
  # No -1: there may be no sequences.
  split = (*shape[:axis], time // steps, steps, *shape[axis + 1 :])

  def body(state, chunk_and_start):
    outputs, state = run(chunk_and_start[0], state, chunk_and_start[1])
    return state, outputs

  def join(outputs):
    outputs = jnp.moveaxis(outputs, 0, axis)
    shape = outputs.shape
    return outputs.reshape(*shape[:axis], time, *shape[axis + 2 :])

  state, outputs = jax.lax.scan(
    jax.checkpoint(body, prevent_cse=False),
    state,
    (
      jnp.moveaxis(inputs.reshape(split), axis, 0),
      begin + jnp.arange(0, time, steps),
    ),
    reverse=reverse,
  )
  return jax.tree.map(join, outputs), state


def in_chunks(
  layer: Callable[..., tuple[Any, Any]],
  inputs: Any,
  initial_state: Any,
  steps: int,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[Any, Any]:
  """Runs a layer over sequences in chunks, for a gradient in less memory.

      outputs[k], h[k + 1] = layer(x[k], h[k])

  The result is that of the layer over all steps, and so is the gradient, up to
  rounding. The forward pass keeps h[k], the state before each chunk. The
  backward pass goes from the last chunk to the first, and computes everything
  else of a chunk again. The function is a `jax.lax.scan` of a
  `jax.checkpoint`.

  Args:
    layer: Function of a chunk [batch, steps, depth] and a state that returns
      the outputs of the chunk and the next state. If there is a
      `sequence_length`, its third argument is the number of steps of each
      sequence that are in the chunk, 0 or more. The function may use arrays
      from outside, such as weights, and their gradients are right.
    inputs: x, array [batch, time, depth], or [time, batch, depth] if
      `time_major` is true.
    initial_state: h[0], an array or a tree of arrays. The layer has to return
      states of the same structure, shapes and dtypes.
    steps: Int, the number of steps of a chunk. The last chunk may be shorter.
    sequence_length: Optional integers [batch]. See `ind_rnn`.
    time_major: Whether time is the first axis of inputs and outputs.
    reverse: Whether to go from the last chunk to the first. The layer itself
      has to run each chunk from its end.

  Returns:
    A pair `(outputs, state)`: the outputs for all steps, an array or a tree of
    arrays, and the final state.

  Raises:
    ValueError: If `steps` is not a whole number of 1 or more, if shapes do not
      match, or if the layer does not return outputs for each step and a state
      like `initial_state`.
    TypeError: If `sequence_length` are not integers.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.jax import in_chunks, ind_rnn
  >>> u, b = jnp.ones([1, 4]), jnp.zeros([4])
  >>> def loss(kernel, x):
  ...   layer = lambda x, h: ind_rnn(x @ kernel, u, b, h)
  ...   outputs, _ = in_chunks(layer, x, jnp.zeros([2, 4]), steps=100)
  ...   return outputs.sum()
  >>> jax.grad(loss)(jnp.ones([3, 4]), jnp.ones([2, 1000, 3])).shape
  (3, 4)
  """
  steps = check_steps("steps", steps)
  inputs = jnp.asarray(inputs)
  if inputs.ndim < 2:
    raise ValueError(
      f"inputs has shape {list(inputs.shape)}, expected [batch, time, depth] "
      "or, with time_major, [time, batch, depth]"
    )
  axis = 0 if time_major else 1
  batch, time = inputs.shape[1 - axis], inputs.shape[axis]
  initial_state = jax.tree.map(jnp.asarray, initial_state)
  if sequence_length is not None:
    sequence_length = recurrence.limit_lengths(sequence_length, batch, time)

  def run(chunk, state, start):
    size = chunk.shape[axis]
    lengths = ()
    if sequence_length is not None:
      lengths = (jnp.clip(sequence_length - start, 0, size),)
    results = layer(chunk, state, *lengths)
    _check_results(results, state, axis, size)
    return results

  if time <= steps:
    return run(inputs, initial_state, 0)
  # The rest is what runs last.
  rest = time % steps
  begin, rest_begin = (rest, 0) if reverse else (0, time - rest)

  def cut(start, size):
    return jax.lax.slice_in_dim(inputs, start, start + size, axis=axis)

  outputs, state = _scan(
    run, cut(begin, time - rest), initial_state, steps, axis, begin, reverse
  )
  if rest:
    last, state = jax.checkpoint(run)(cut(rest_begin, rest), state, rest_begin)
    pieces = (last, outputs) if reverse else (outputs, last)
    outputs = jax.tree.map(lambda *parts: jnp.concatenate(parts, axis), *pieces)
  return outputs, state
