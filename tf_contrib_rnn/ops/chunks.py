"""Whole sequences in chunks, whose gradient needs less memory.

The gradient of a product and a recurrence needs the projected inputs x W of
all steps. They are the largest tensor of a layer if gates * units is more than
the depth of the inputs. Here the sequences are cut along time. The forward pass
keeps only the states between chunks. The backward pass goes from the last chunk
to the first, computes each chunk again from the state before it, and
differentiates it.
"""

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.ops import choice


class _Chunks:
  """How sequences are cut along time.

  Chunks are numbered as they run: from the end of the time, if `reverse` is
  true. There is at least one. All have as many steps, and what is left over is
  a last, shorter one, the rest.

  Attributes:
    count: The number of chunks without the rest, int or int32 [].
    rest: The number of steps of the rest, int or int32 [].
  """

  def __init__(self, inputs, steps, time_major, reverse):
    self._axis = 0 if time_major else 1
    self._reverse = reverse
    time = inputs.shape.as_list()[self._axis]
    if time is None:
      time = tf.shape(inputs)[self._axis]
      self.steps = tf.minimum(time, steps)
      self.count = tf.maximum(time // steps, 1)
    else:
      self.steps, self.count = steps, time // steps
    self._time = time
    self.rest = time - self.count * self.steps

  def _start(self, number):
    """Where a chunk begins. The rest has the number `count`."""
    if not self._reverse:
      return number * self.steps
    return tf.maximum(self._time - (number + 1) * self.steps, 0)

  def _size(self, is_rest):
    return self.rest if is_rest else self.steps

  def cut(self, sequences, number, is_rest=False):
    """The part of sequences, [batch, time, ...], that is in a chunk."""
    begin = [0, 0, 0]
    size = [-1 if n is None else n for n in sequences.shape.as_list()]
    begin[self._axis] = self._start(number)
    size[self._axis] = self._size(is_rest)
    return tf.slice(sequences, begin, size)

  def lengths(self, sequence_length, number, is_rest=False):
    """How many steps of each sequence are in a chunk, from 0 on."""
    left = tf.maximum(sequence_length, 0) - self._start(number)
    return tf.clip_by_value(left, 0, self._size(is_rest))

  def array(self, inputs, depth):
    """A TensorArray for chunks of sequences like these, without the rest."""
    shape = [*inputs.shape.as_list()[:2], depth]
    shape[self._axis] = self.steps if isinstance(self.steps, int) else None
    return tf.TensorArray(inputs.dtype, self.count, element_shape=shape)

  def write(self, array, number, chunk):
    if self._reverse:
      number = self.count - 1 - number
    return array.write(number, chunk)

  def join(self, array):
    """Makes sequences of what `write` has put into an array."""
    stacked = array.stack()
    if self._axis == 1:
      stacked = tf.transpose(stacked, [1, 0, 2, 3])
    sizes = tf.unstack(tf.shape(stacked))
    shape = stacked.shape.as_list()
    for of in (sizes, shape):
      of[self._axis : self._axis + 2] = [-1 if of is sizes else None]
    joined = tf.reshape(stacked, sizes)
    joined.set_shape(shape)
    return joined

  def run_rest(self, run: Callable[[], Any], without: Callable[[], Any]) -> Any:
    """The results of the rest, or those without one."""
    if isinstance(self.rest, int):
      return run() if self.rest else without()
    return tf.cond(self.rest > 0, run, without)

  def none(self, sequences):
    """No steps of sequences."""
    return sequences[:, :0] if self._axis else sequences[:0]

  def append(self, sequences, rest):
    """Sequences with the part of the rest."""
    if isinstance(self.rest, int) and not self.rest:
      return sequences
    pieces = [rest, sequences] if self._reverse else [sequences, rest]
    return tf.concat(pieces, self._axis)


def _differentiate(
  function: Callable[..., Sequence[tf.Tensor]],
  sources: Sequence[tf.Tensor],
  arriving: Sequence[tf.Tensor],
) -> list[tf.Tensor]:
  """The gradients of function(*sources), of whose results some arrive."""
  unconnected = tf.UnconnectedGradients.ZERO
  if tf.executing_eagerly():
    with tf.GradientTape() as tape:
      tape.watch(sources)
      results = function(*sources)
    return tape.gradient(results, sources, arriving, unconnected)
  # A tape cannot see into the loops of TensorFlow 1 graphs. Such a loop can
  # only be differentiated by what is in it.
  sources = [tf.identity(source) for source in sources]
  return tf.gradients(
    function(*sources), sources, arriving, unconnected_gradients=unconnected
  )


def _takes_from_outside(result: tf.Tensor, argument: tf.Tensor) -> bool:
  """Whether a result in a graph has a gradient to more than the argument."""
  seen, stack = {argument.op}, [result.op]
  while stack:
    op = stack.pop()
    # Variables have a message of their own.
    if op in seen or op.type in ("StopGradient", "ReadVariableOp"):
      continue
    seen.add(op)
    inputs = [tensor.op for tensor in op.inputs if tensor.dtype.is_floating]
    if not inputs:
      return True
    stack.extend(inputs)
  return False


def _guard(source: tf.Tensor, activation: Any) -> tf.Tensor:
  """The source, with an error for a gradient that would be missing.

  The gradient of a chunk is that of its sources only. What else an activation
  uses isn't known, but a result of it depends on that. The result has a
  gradient that is an error, and the source is made to depend on the result.
  """
  if not callable(activation):
    return source
  argument = tf.zeros(tf.shape(source), source.dtype)
  result = activation(argument)
  if not tf.is_tensor(result):
    return source  # which is an error of the recurrence
  if not (tf.executing_eagerly() or _takes_from_outside(result, argument)):
    return source

  @tf.custom_gradient
  def fail(result):
    def gradient(_):
      raise ValueError(
        "the activation uses a tensor from outside that may need a gradient, "
        "expected a function of its argument alone in gradient_in_chunks, or "
        "tf.stop_gradient of the tensor"
      )

    return tf.identity(result), gradient

  @tf.custom_gradient
  def attach(source, result):
    return tf.identity(source), lambda g: (g, tf.zeros_like(result))

  return attach(source, fail(result))


@dataclasses.dataclass(frozen=True)
class _Layer:
  """A product and a recurrence, as a function of tensors in lists.

  The sources are what has a gradient: inputs, kernel, other weights and states.
  The others are masks, and the lengths, if there are any.

  Attributes:
    sources: The number of sources.
    multiply: See `run`.
    recur: See `run`.
    weights: The weights without the kernel, for their structure.
    state: The initial state, for its structure.
    masks: The number of masks.
    steps: The number of steps of a chunk.
    time_major: See `run`.
    reverse: See `run`.
  """

  sources: int
  multiply: Callable[..., tf.Tensor]
  recur: Callable[..., tuple[tf.Tensor, Any]]
  weights: Any
  state: Any
  masks: int
  steps: int
  time_major: bool
  reverse: bool

  def _split(self, sources):
    """The inputs, the weights with the kernel, and the states."""
    states = len(tf.nest.flatten(self.state))
    return sources[0], sources[1:-states], sources[-states:]

  def _run(self, sources, others):
    """Runs sequences or a chunk of them: the outputs and the states."""
    inputs, (kernel, *weights), states = self._split(sources)
    masks, lengths = others[: self.masks], others[self.masks :]
    outputs, state = self.recur(
      self.multiply(inputs, kernel, *masks),
      *tf.nest.pack_sequence_as(self.weights, weights),
      tf.nest.pack_sequence_as(self.state, states),
      sequence_length=lengths[0] if lengths else None,
      time_major=self.time_major,
      reverse=self.reverse,
    )
    return [outputs, *tf.nest.flatten(state)]

  def _chunks(self, inputs):
    return _Chunks(inputs, self.steps, self.time_major, self.reverse)

  def _others(self, others, chunks, number, is_rest=False):
    """The masks, and the lengths in a chunk."""
    lengths = [
      chunks.lengths(length, number, is_rest) for length in others[self.masks :]
    ]
    return [*others[: self.masks], *lengths]

  def __call__(
    self, sources: Sequence[tf.Tensor], others: Sequence[tf.Tensor]
  ) -> list[tf.Tensor]:
    """Runs all chunks: the outputs and the states."""

    @tf.custom_gradient
    def run_in_chunks(*tensors):
      sources, others = tensors[: self.sources], tensors[self.sources :]
      results, borders = self._forward(sources, others)

      def gradient(*arriving, variables=None):
        if variables:
          names = ", ".join(variable.name for variable in variables)
          raise ValueError(
            f"the activation reads the variables {names}, expected a function "
            "of its argument alone in gradient_in_chunks"
          )
        # In a loop of TensorFlow 1, a loop of the gradient can't take these
        # from the loop forward. The gradient around it can.
        groups = [
          [tf.identity(tensor) for tensor in group]
          for group in (sources, arriving, others, borders)
        ]
        gradients = self._gradients(*groups)
        return [*gradients, *[None] * len(others)]

      return results, gradient

    return run_in_chunks(*sources, *others)

  def _forward(self, sources, others):
    """The outputs and states, and the states before each chunk.

    The latter are stacked. Those before the rest come last, not stacked.
    """
    inputs, weights, states = self._split(sources)
    chunks = self._chunks(inputs)

    def run_chunk(number, states, is_rest=False):
      x = chunks.cut(inputs, number, is_rest)
      outputs, *new_states = self._run(
        [x, *weights, *states], self._others(others, chunks, number, is_rest)
      )
      for new, old in zip(new_states, states):
        new.set_shape(old.shape)
      return outputs, new_states

    def body(number, states, borders, outputs):
      borders = [b.write(number, s) for b, s in zip(borders, states)]
      chunk, states = run_chunk(number, states)
      outputs = chunks.write(outputs, number, chunk)
      return number + 1, states, borders, outputs

    borders = [
      tf.TensorArray(state.dtype, chunks.count, element_shape=state.shape)
      for state in states
    ]
    units = states[-1].shape.as_list()[1]
    outputs = chunks.array(inputs, units)
    _, states, borders, outputs = tf.while_loop(
      lambda number, *_: number < chunks.count,
      body,
      (0, list(states), borders, outputs),
      parallel_iterations=1,  # more would hold the products of more chunks
    )
    before_rest = list(states)
    borders = [*(border.stack() for border in borders), *before_rest]
    joined = chunks.join(outputs)
    rest, states = chunks.run_rest(
      lambda: run_chunk(chunks.count, before_rest, is_rest=True),
      lambda: (chunks.none(joined), before_rest),
    )
    return [chunks.append(joined, rest), *states], borders

  def _gradients(self, *groups):
    """The gradients of the sources, which can be differentiated again.

    Their own gradient is that of the layer at once. The borders depend on the
    sources, but all of that gradient is in that of the sources.
    """

    @tf.custom_gradient
    def differentiate(*tensors):
      sources, arriving, others, borders = _group(tensors, map(len, groups))

      def at_once(*tensors):
        return _differentiate(
          lambda *chunk: self._run(chunk, others),
          tensors[: self.sources],
          tensors[self.sources :],
        )

      def gradient(*incoming):
        of_both = _differentiate(at_once, [*sources, *arriving], incoming)
        return [*of_both, *[None] * (len(others) + len(borders))]

      return self._backward(sources, arriving, others, borders), gradient

    return differentiate(*itertools.chain(*groups))

  def _backward(self, sources, arriving, others, borders):
    """The gradients of the sources, from the last chunk to the first."""
    inputs, weights, states = self._split(sources)
    chunks = self._chunks(inputs)
    borders, before_rest = borders[: len(states)], borders[len(states) :]

    def differentiate(number, before, sums, of_states, is_rest=False):
      others_of_chunk = self._others(others, chunks, number, is_rest)
      of_inputs, *gradients = _differentiate(
        lambda *chunk: self._run(chunk, others_of_chunk),
        [chunks.cut(inputs, number, is_rest), *weights, *before],
        [chunks.cut(arriving[0], number, is_rest), *of_states],
      )
      sums = [
        total + tf.cast(part, total.dtype)
        for total, part in zip(sums, gradients)
      ]
      of_states = gradients[len(weights) :]
      for gradient, state in zip(of_states, states):
        gradient.set_shape(state.shape)
      return of_inputs, sums, of_states

    def body(number, sums, of_states, of_inputs):
      before = [border[number] for border in borders]
      chunk, sums, of_states = differentiate(number, before, sums, of_states)
      of_inputs = chunks.write(of_inputs, number, chunk)
      return number - 1, sums, of_states, of_inputs

    # 16 bits are too few for the sum of many chunks.
    sums = [
      tf.zeros_like(w, tf.float32 if w.dtype.size == 2 else w.dtype)
      for w in weights
    ]
    begin = (sums, list(arriving[1:]))
    rest, sums, of_states = chunks.run_rest(
      lambda: differentiate(chunks.count, before_rest, *begin, is_rest=True),
      lambda: (chunks.none(inputs), *begin),
    )
    _, sums, of_states, of_inputs = tf.while_loop(
      lambda number, *_: number >= 0,
      body,
      (
        chunks.count - 1,
        sums,
        of_states,
        chunks.array(inputs, inputs.shape.as_list()[2]),
      ),
      parallel_iterations=1,
    )
    of_weights = [tf.cast(s, w.dtype) for s, w in zip(sums, weights)]
    of_inputs = chunks.append(chunks.join(of_inputs), rest)
    return [of_inputs, *of_weights, *of_states]


def _group(tensors, sizes):
  """Parts of a list, of these sizes."""
  rest = list(tensors)
  groups = []
  for size in sizes:
    groups.append(rest[:size])
    rest = rest[size:]
  return groups


def run(
  multiply: Callable[..., tf.Tensor],
  recur: functools.partial,
  inputs: tf.Tensor,
  kernel: Any,
  weights: Sequence[Any],
  state: Any,
  masks: Sequence[tf.Tensor] = (),
  sequence_length: Optional[tf.Tensor] = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[tf.Tensor, Any]:
  """Runs product and recurrence, in chunks if that was chosen.

  Args:
    multiply: Function from sequences, the kernel and `masks` to projected
      inputs.
    recur: Function of `tf_contrib_rnn.recurrence`, with its other arguments,
      such as `activation`, as keywords.
    inputs: Tensor [batch, time, depth], or [time, batch, depth].
    kernel: W, the matrix.
    weights: The arguments of `recur` between projected inputs and state, which
      may be nested.
    state: The initial state, a tensor or a tuple of them.
    masks: Tensors that have no gradient.
    sequence_length: Optional tensor [batch], int32.
    time_major: See `recurrence.ind_rnn`.
    reverse: See `recurrence.ind_rnn`.

  Returns:
    What `recur` returns: the outputs and the final state.
  """
  steps = choice.steps_of_chunks()
  time = inputs.shape.as_list()[0 if time_major else 1]
  if steps is None or (time is not None and time <= steps):
    return recur(
      multiply(inputs, kernel, *masks),
      *weights,
      state,
      sequence_length=sequence_length,
      time_major=time_major,
      reverse=reverse,
    )
  sources = [
    tf.convert_to_tensor(source, dtype_hint=inputs.dtype)
    for source in (inputs, kernel, *tf.nest.flatten([weights, state]))
  ]
  lengths = [] if sequence_length is None else [sequence_length]
  layer = _Layer(
    len(sources),
    multiply,
    recur,
    weights,
    state,
    len(masks),
    steps,
    time_major,
    reverse,
  )
  sources[-1] = _guard(sources[-1], recur.keywords.get("activation"))
  outputs, *states = layer(sources, [*masks, *lengths])
  return outputs, tf.nest.pack_sequence_as(state, states)
