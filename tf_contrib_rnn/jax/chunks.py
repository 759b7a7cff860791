"""Layers over long sequences in chunks, whose gradient needs less memory."""

from typing import Any
from typing import Callable

import jax
import jax.numpy as jnp

from tf_contrib_rnn._chunk_steps import check_steps


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
    sequence_length: Optional integers [batch].
    time_major: Whether time is the first axis of inputs and outputs.
    reverse: Whether to go from the last chunk to the first. The layer itself
      has to run each chunk from its end.

  Returns:
    A pair `(outputs, state)`: the outputs for all steps, an array or a tree of
    arrays, and the final state.

  Raises:
    ValueError: If `steps` is not a whole number of 1 or more.

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
  axis = 0 if time_major else 1
  time = inputs.shape[axis]
  if time <= steps:
    lengths = () if sequence_length is None else (sequence_length,)
    return layer(inputs, initial_state, *lengths)
  count, rest = divmod(time, steps)
  # The rest is what runs last.
  whole = time - rest
  begin = rest if reverse else 0
  rest_begin = 0 if reverse else whole

  def run(chunk, state, start):
    if sequence_length is None:
      return layer(chunk, state)
    lengths = jnp.clip(
      jnp.asarray(sequence_length) - start, 0, chunk.shape[axis]
    )
    return layer(chunk, state, lengths)

  def body(state, chunk_and_start):
    outputs, state = run(chunk_and_start[0], state, chunk_and_start[1])
    return state, outputs

  def cut(start, size):
    return jax.lax.slice_in_dim(inputs, start, start + size, axis=axis)

  shape = inputs.shape
  split = (*shape[:axis], count, steps, *shape[axis + 1 :])
  state, stacked = jax.lax.scan(
    jax.checkpoint(body, prevent_cse=False),
    initial_state,
    (
      jnp.moveaxis(cut(begin, whole).reshape(split), axis, 0),
      begin + steps * jnp.arange(count),
    ),
    reverse=reverse,
  )

  def join(outputs):
    outputs = jnp.moveaxis(outputs, 0, axis)
    shape = outputs.shape
    return outputs.reshape(*shape[:axis], whole, *shape[axis + 2 :])

  outputs = jax.tree.map(join, stacked)
  if rest:
    last, state = jax.checkpoint(run)(cut(rest_begin, rest), state, rest_begin)
    pieces = (last, outputs) if reverse else (outputs, last)
    outputs = jax.tree.map(lambda *parts: jnp.concatenate(parts, axis), *pieces)
  return outputs, state
