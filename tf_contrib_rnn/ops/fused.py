"""The recurrences as ops of the op library, and the gradients of these."""

import functools
import itertools
from collections.abc import Sequence
from typing import Callable
from typing import Optional

import numpy as np
import tensorflow as tf
from tensorflow.python.util import tf_decorator

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.ops import composed
from tf_contrib_rnn.ops import library

# The activations that the ops know, by the names that the ops have for them.
ACTIVATIONS = {
  "tanh": tf.nn.tanh,
  "sigmoid": tf.nn.sigmoid,
  "relu": tf.nn.relu,
  "identity": tf.identity,
  "elu": tf.nn.elu,
  "softsign": tf.nn.softsign,
}
_DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)


def _list_functions() -> list[tuple[str, Callable[..., tf.Tensor]]]:
  """Every object under which TensorFlow has one of the activations."""
  v1 = tf.compat.v1
  modules = (tf, tf.nn, tf.math, v1, v1.nn, v1.math)
  pairs = []
  for name, function in ACTIVATIONS.items():
    pairs.append((name, tf_decorator.unwrap(function)[1]))
    pairs += [
      (name, getattr(module, name))
      for module in modules
      if hasattr(module, name)
    ]
  return pairs


_FUNCTIONS = _list_functions()


def _activation_name(activation) -> Optional[str]:
  """The name that the ops have for an activation, or None."""
  for name, function in _FUNCTIONS:
    if activation is function:
      return name
  return None


def _op_attributes(attributes: dict) -> dict:
  """What the op has for a call's attributes: floats for a double."""
  if "forget_bias" not in attributes:
    return attributes
  exact = attributes["forget_bias"]
  with np.errstate(over="ignore"):
    rounded = float(np.float32(exact))
  rest = exact - rounded if np.isfinite(rounded) else 0.0
  return {"forget_bias": rounded, "forget_bias_rest": rest}


def _first_and_more(parts: Sequence[tf.Tensor]) -> tuple:
  """Parts as the ops take them, see cc/tensorflow/ops.cc."""
  return parts[0], list(parts[1:])


def has_op(call: composed.Call) -> bool:
  """Whether the ops can do a call, if the library is there."""
  return (
    call.inputs.dtype in _DTYPES
    and _activation_name(call.activation) is not None
  )


def fuse(
  kind: cell_kinds.CellKind, call: composed.Call
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
  """Runs a step or a sequence: (outputs, states)."""
  lengths = [] if call.sequence_length is None else [call.sequence_length]
  results = getattr(library.ops, library.op_function(kind))(
    call.inputs,
    *_first_and_more(call.recurrent_kernels),
    *_first_and_more(call.biases),
    *call.states,
    lengths,
    activation=_activation_name(call.activation),
    gate_order=call.gate_order,
    time_major=call.time_major,
    reverse=call.reverse,
    **_op_attributes(call.attributes),
  )
  if call.inputs.shape.rank == 2:
    # The sequences of one step are the states: h first, in the op's order.
    return results[0], tuple(reversed(results[: len(kind.states)]))
  return results[0], tuple(results[len(kind.states) :])


class _OpInputs:
  """The inputs of a cell's gradient op, or of the op, by what they are."""

  def __init__(self, kind: cell_kinds.CellKind, op):
    lengths = op.get_attr("num_lengths")
    num_parts = 1 + op.get_attr("num_more")
    groups = (
      1,
      num_parts,
      num_parts,
      len(kind.states),
      lengths,
      len(kind.states),
      2 * len(kind.states),
    )
    rest = list(op.inputs)
    parts = []
    for size in groups:
      parts.append(rest[:size])
      rest = rest[size:]
    (
      (self.inputs,),
      self.recurrent_kernels,
      self.biases,
      self.states,
      self.sequence_length,
      self.sequences,  # the op's results along time
      self.incoming,  # the gradients of the op's results
    ) = parts


def _attributes(op) -> dict:
  names = ["time_major", "reverse"]
  if "IndyLSTM" in op.type:
    names += ["forget_bias", "forget_bias_rest"]
  values = {name: op.get_attr(name) for name in names}
  for name in ("activation", "gate_order"):
    values[name] = tf.compat.as_str(op.get_attr(name))
  return values


def _skip_zeros(gradient: tf.Tensor) -> tf.Tensor:
  """An empty tensor, which the op takes for zeros, instead of known zeros.

  TensorFlow makes them for every result that nothing depends on. Only for a
  result that no caller gets: zeros for another may be the caller's own, who may
  differentiate what becomes of them.
  """
  if tf.executing_eagerly():
    return gradient
  op = gradient.op
  is_zeros = op.type == "ZerosLike" or (
    op.type == "Fill" and tf.get_static_value(op.inputs[1]) == 0
  )
  return tf.zeros([0], gradient.dtype) if is_zeros else gradient


def _fill_in_zeros(gradient: tf.Tensor, result: tf.Tensor) -> tf.Tensor:
  """What `_skip_zeros` left out."""
  return (
    gradient
    if gradient.shape.rank == result.shape.rank
    else (tf.zeros_like(result))
  )


def _gradient(kind: cell_kinds.CellKind, op, *incoming):
  """The gradient of a cell's op, by its gradient op."""
  inputs = _OpInputs(kind, op)
  arriving = list(incoming)
  if inputs.inputs.shape.rank == 3:  # the LSTM's c of every step
    for i in range(1, len(kind.states)):
      arriving[i] = _skip_zeros(arriving[i])
  gradients = getattr(library.ops, library.op_function(kind) + "_grad")(
    inputs.inputs,
    *_first_and_more(inputs.recurrent_kernels),
    *_first_and_more(inputs.biases),
    *inputs.states,
    inputs.sequence_length,
    *op.outputs[: len(kind.states)],
    *arriving,
    **_attributes(op),
  )
  return tf.nest.flatten(gradients) + [None] * len(inputs.sequence_length)


def _gradient_of_gradient(kind: cell_kinds.CellKind, op, *incoming):
  """The gradient of a gradient op, by differentiating the composition.

  The cell's op's results are functions of its inputs, which get all of the
  gradient; so these results as inputs of the gradient op get none.
  """
  inputs = _OpInputs(kind, op)
  groups = (inputs.recurrent_kernels, inputs.biases, inputs.states)
  sources = [inputs.inputs, *itertools.chain(*groups)]
  ranks = (inputs.inputs.shape.rank, inputs.biases[0].shape.rank)
  second = _second_order(
    kind, len(inputs.biases), ranks, tuple(_attributes(op).items())
  )
  gradients = second(
    sources, inputs.sequence_length, inputs.incoming, list(incoming)
  )
  return [
    *gradients[: len(sources)],
    *[None] * (len(inputs.sequence_length) + len(inputs.sequences)),
    *gradients[len(sources) :],
  ]


@functools.cache
def _second_order(
  kind: cell_kinds.CellKind, parts: int, ranks: tuple, pairs: tuple
):
  """A function of the gradient op's inputs and of its results' gradients.

  It is a tf.function: in a TensorFlow 1 graph, a loop can be differentiated
  twice only inside one. `parts` are those of the recurrent kernel and of the
  bias, `ranks` those of the inputs and of a bias.
  """
  is_step = ranks[0] == 2
  attributes = dict(pairs)
  names = ("time_major", "reverse", "gate_order")
  options = {name: attributes.pop(name) for name in names}
  options["activation"] = ACTIVATIONS[attributes.pop("activation")]
  if attributes:
    options["attributes"] = {"forget_bias": sum(attributes.values())}

  def results_and_arriving(sources, lengths, incoming):
    """What the op gives, h first, each with the gradient that comes for it."""
    call = composed.Call(
      sources[0],
      tuple(sources[1 : 1 + parts]),
      tuple(sources[1 + parts : 1 + 2 * parts]),
      tuple(sources[1 + 2 * parts :]),
      sequence_length=lengths[0] if lengths else None,
      **options,
    )
    outputs, states = composed.compose(kind, call)
    if is_step:
      results, arriving = list(reversed(states)), incoming[: len(kind.states)]
    else:
      results = [outputs, *states]
      arriving = [incoming[0], *incoming[len(kind.states) :]]
    return results, list(map(_fill_in_zeros, arriving, results))

  def second(sources: Sequence, lengths, incoming, gradients):
    with tf.GradientTape() as outer:
      outer.watch([sources, incoming])
      with tf.GradientTape() as inner:
        inner.watch(sources)
        results, arriving = results_and_arriving(sources, lengths, incoming)
      first = inner.gradient(
        results,
        sources,
        output_gradients=arriving,
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
      )
    return outer.gradient(
      first,
      [*sources, *incoming],
      output_gradients=gradients,
      unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )

  return tf.function(second, autograph=False, reduce_retracing=True)


def _register_gradients(kind: cell_kinds.CellKind) -> None:
  name = "ContribRnn>" + kind.name
  tf.RegisterGradient(name)(functools.partial(_gradient, kind))
  tf.RegisterGradient(name + "Grad")(
    functools.partial(_gradient_of_gradient, kind)
  )


for _kind in cell_kinds.CELL_KINDS:
  _register_gradients(_kind)
