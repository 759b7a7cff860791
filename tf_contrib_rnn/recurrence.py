"""The recurrences of the cells on projected inputs: fused or composed.

Each cell's recurrence is element-wise, so that all of its matrix work, x W for
every step, is done beforehand. The functions here take the result and run the
rest: as one op of the op library, or as a composition of TensorFlow's ops.
Which of the two runs changes no result, name or checkpoint.

Inputs of rank 2 are a step, of rank 3 a sequence.
"""

import contextlib
import contextvars
import dataclasses
import functools
import os
import warnings
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Callable
from typing import Optional

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import control_flow_util
from tensorflow.python.util import tf_decorator

from tf_contrib_rnn import _library

ENVIRONMENT_VARIABLE = "TF_CONTRIB_RNN_IMPLEMENTATION"
_IMPLEMENTATIONS = ("auto", "fused", "composed")

Activation = Callable[[tf.Tensor], tf.Tensor]

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

# Loaded at import: a SavedModel or a graph that holds the ops needs them
# registered before it is read.
_ops, _why_not = _library.load()

_implementation = contextvars.ContextVar("implementation", default=None)
_has_warned = False


@dataclasses.dataclass(frozen=True)
class Availability:
  """Whether the fused ops are there; true or false in a condition.

  Attributes:
    available: whether the op library is loaded.
    reason: why it is not, a sentence; None where it is.
  """

  available: bool
  reason: Optional[str] = None

  def __bool__(self) -> bool:
    return self.available


def fused_ops_available() -> Availability:
  """Says whether the fused ops can run here, and why if they can't.

  Returns:
    An object that is true where the op library for the running TensorFlow is
    loaded; elsewhere it is false, and its `reason` is a sentence.

  Example:

  >>> import tf_contrib_rnn
  >>> if tf_contrib_rnn.fused_ops_available():
  ...   print("fused")
  fused
  """
  return Availability(_ops is not None, _why_not)


def _check_implementation(name: str, source: str) -> str:
  if name not in _IMPLEMENTATIONS:
    raise ValueError(
      f"{source} is {name!r}, expected one of "
      f"{', '.join(map(repr, _IMPLEMENTATIONS))}"
    )
  return name


@contextlib.contextmanager
def implementation(name: str) -> Iterator[None]:
  """Chooses which implementation the cells called inside are built with.

  It goes before the environment variable TF_CONTRIB_RNN_IMPLEMENTATION, which
  takes the same values.

  Args:
    name: "fused": the op library has to be there; an activation that no op
      knows, a call compiled by XLA and a dtype other than float16, bfloat16,
      float32 and float64 are still composed. "composed": TensorFlow's own ops
      only, for a model that has to run where the library is not. "auto", the
      default: fused where it can be.

  Yields:
    Nothing.

  Raises:
    ValueError: if `name` is none of these.
    RuntimeError: from a cell's call, if `name` is "fused" and the op library
      can't be loaded.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IndRNNCell(4)
  >>> with tf_contrib_rnn.implementation("composed"):
  ...   output, state = cell(tf.ones([2, 3]), tf.zeros([2, 4]))
  >>> output.shape
  TensorShape([2, 4])
  """
  token = _implementation.set(_check_implementation(name, "implementation"))
  try:
    yield
  finally:
    _implementation.reset(token)


def _wanted_implementation() -> str:
  wanted = _implementation.get()
  if wanted is not None:
    return wanted
  return _check_implementation(
    os.environ.get(ENVIRONMENT_VARIABLE) or "auto", ENVIRONMENT_VARIABLE
  )


def _in_xla_context() -> bool:
  """Whether what is built now will be compiled by XLA, which has no such op."""
  return (
    not tf.executing_eagerly()
    and control_flow_util.GraphOrParentsInXlaContext(ops.get_default_graph())
  )


def _activation_name(activation: Activation) -> Optional[str]:
  """The name that the ops have for an activation, or None."""
  plain = tf_decorator.unwrap(activation)[1]
  for name, known in ACTIVATIONS.items():
    if plain is tf_decorator.unwrap(known)[1]:
      return name
  return None


def _runs_fused(activation_name: Optional[str], dtype: tf.DType) -> bool:
  global _has_warned
  wanted = _wanted_implementation()
  if wanted == "composed" or activation_name is None or dtype not in _DTYPES:
    return False
  if _in_xla_context():
    return False
  if _ops is not None:
    return True
  if wanted == "fused":
    raise RuntimeError(
      f"The fused implementation was asked for, but {_why_not}"
    )
  if not _has_warned:
    _has_warned = True
    warnings.warn(
      f"The cells run as compositions of TensorFlow's ops, with the same "
      f"results but slower: {_why_not}",
      RuntimeWarning,
      stacklevel=2,
    )
  return False


@dataclasses.dataclass(frozen=True)
class _Cell:
  """What the two implementations need to know of a cell.

  Attributes:
    op: the name of its op behind `ContribRnn>`; the gradient's ends in Grad.
    function: what the op library calls that op in Python.
    step: composes a step: (x, u, b, states, activation, **attributes) -> the
      new states, a tuple with h last.
    gates: how many gates it has: x, u and b hold one number each a unit.
    states: how many states it has.
  """

  op: str
  function: str
  step: Callable[..., tuple[tf.Tensor, ...]]
  gates: int
  states: int


def _ind_rnn_step(x, u, b, states, activation):
  (h,) = states
  return (activation(x + h * u + b),)


def _indy_gru_step(x, u, b, states, activation):
  (h,) = states
  x_r, x_z, x_c = tf.split(x, 3, axis=-1)
  u_r, u_z, u_c = tf.split(u, 3, axis=-1)
  b_r, b_z, b_c = tf.split(b, 3, axis=-1)
  r = tf.sigmoid(x_r + h * u_r + b_r)
  z = tf.sigmoid(x_z + h * u_z + b_z)
  c = activation(x_c + (r * h) * u_c + b_c)
  return (z * h + (1 - z) * c,)


def _indy_lstm_step(x, u, b, states, activation, forget_bias):
  c, h = states
  gates = x + tf.tile(h, [1, 4]) * u + b
  i, j, f, o = tf.split(gates, 4, axis=-1)
  c = c * tf.sigmoid(f + tf.cast(forget_bias, f.dtype)) + (
    tf.sigmoid(i) * activation(j)
  )
  return c, activation(c) * tf.sigmoid(o)


_IND_RNN = _Cell("IndRNN", "contrib_rnn_ind_rnn", _ind_rnn_step, 1, 1)
_INDY_GRU = _Cell("IndyGRU", "contrib_rnn_indy_gru", _indy_gru_step, 3, 1)
_INDY_LSTM = _Cell("IndyLSTM", "contrib_rnn_indy_lstm", _indy_lstm_step, 4, 2)
_CELLS = (_IND_RNN, _INDY_GRU, _INDY_LSTM)


@dataclasses.dataclass(frozen=True)
class _Order:
  """How the sequences of a call lie and run."""

  time_major: bool = False
  reverse: bool = False


def _compose(
  cell, x, u, b, states, activation, sequence_length, order, **attributes
):
  """The composition of a step or a sequence: (outputs, states)."""

  def step(x, states):
    if states[-1].shape[-1] == 0:
      # TensorFlow's graph optimizer crashes on compositions of no units.
      return (x + tf.reduce_sum(u) + tf.reduce_sum(b),) * cell.states
    return cell.step(x, u, b, states, activation, **attributes)

  if x.shape.rank == 2:
    if sequence_length is not None:
      raise ValueError(
        "sequence_length is given with inputs of rank 2 (a "
        "step), expected inputs of rank 3 (a sequence)"
      )
    states = step(x, states)
    return states[-1], states
  return _compose_sequence(step, x, states, sequence_length, order)


def _compose_sequence(step, x, states, sequence_length, order):
  """Runs `step` along time in a loop, as dynamic_rnn would."""
  if not order.time_major:
    x = tf.transpose(x, [1, 0, 2])
  time, batch = tf.unstack(tf.shape(x)[:2])
  if sequence_length is None:
    sequence_length = tf.fill([batch], time)
  lengths = tf.clip_by_value(sequence_length, 0, time)

  def turn(t):  # its own inverse
    if not order.reverse:
      return t
    return tf.reverse_sequence(t, lengths, seq_axis=0, batch_axis=1)

  x = turn(x)

  def body(t, outputs, states):
    is_running = (t < lengths)[:, tf.newaxis]
    new_states = step(x[t], states)
    outputs = outputs.write(
      t, tf.where(is_running, new_states[-1], tf.zeros_like(new_states[-1]))
    )
    states = tuple(
      tf.where(is_running, new, old) for new, old in zip(new_states, states)
    )
    return t + 1, outputs, states

  outputs = tf.TensorArray(x.dtype, size=time, element_shape=states[-1].shape)
  _, outputs, states = tf.while_loop(
    lambda t, *_: t < time, body, (0, outputs, tuple(states))
  )
  outputs = turn(
    tf.reshape(
      outputs.stack(), tf.stack([time, batch, tf.shape(states[-1])[1]])
    )
  )
  if not order.time_major:
    outputs = tf.transpose(outputs, [1, 0, 2])
  return outputs, states


def _fuse(
  cell, x, u, b, states, activation_name, sequence_length, order, **attributes
):
  """The same by the op of the cell."""
  lengths = [] if sequence_length is None else [sequence_length]
  results = getattr(_ops, cell.function)(
    x,
    u,
    b,
    *states,
    lengths,
    activation=activation_name,
    time_major=order.time_major,
    reverse=order.reverse,
    **attributes,
  )
  if x.shape.rank == 2:
    # The sequences of one step are the states: h first, in the op's order.
    return results[0], tuple(reversed(results[: cell.states]))
  return results[0], tuple(results[cell.states :])


def _check_states(states, units):
  """Refuses early, and in the same way, what either implementation would."""
  for state in states:
    if not state.shape.is_compatible_with([None, units]):
      raise ValueError(
        f"The state has shape {state.shape}, expected [batch, " f"{units}]"
      )


def _run(
  cell,
  inputs,
  recurrent_kernel,
  bias,
  states,
  activation,
  sequence_length,
  order,
  **attributes,
):
  inputs = tf.convert_to_tensor(inputs, name="inputs")
  convert = functools.partial(tf.convert_to_tensor, dtype_hint=inputs.dtype)
  recurrent_kernel = convert(recurrent_kernel, name="recurrent_kernel")
  bias = convert(bias, name="bias")
  states = [convert(state, name="initial_state") for state in states]
  width = bias.shape.num_elements()
  _check_states(states, None if width is None else width // cell.gates)
  if sequence_length is not None:
    sequence_length = tf.cast(sequence_length, tf.int32)
  name = _activation_name(activation)
  if _runs_fused(name, inputs.dtype):
    return _fuse(
      cell,
      inputs,
      recurrent_kernel,
      bias,
      states,
      name,
      sequence_length,
      order,
      **attributes,
    )
  return _compose(
    cell,
    inputs,
    recurrent_kernel,
    bias,
    states,
    activation,
    sequence_length,
    order,
    **attributes,
  )


def ind_rnn(
  inputs: Any,
  recurrent_kernel: Any,
  bias: Any,
  initial_state: Any,
  activation: Activation = tf.nn.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
  """Runs the recurrence of an IndRNN: h' = act(x + u h + b).

  Args:
    inputs: the projected inputs x W, [batch, units] for a step, [batch, time,
      units] for a sequence; float16, bfloat16, float32 or float64, like all
      that follow.
    recurrent_kernel: u, [1, units].
    bias: b, [units].
    initial_state: h, [batch, units].
    activation: act, a function from a tensor to one of the same shape.
    sequence_length: for sequences, int32 [batch]: a length past the end counts
      as the end, a negative one as 0. Outputs past it are zeros, and the state
      stops there.
    time_major: sequences are [time, batch, units] instead, outputs as well.
    reverse: each sequence runs from its own end to its start.

  Returns:
    The outputs, shaped like the inputs, and the final state [batch, units].

  Raises:
    ValueError: for shapes that do not match, where they are known.
    TypeError: for dtypes that do not match, when a graph is built.
    tf.errors.InvalidArgumentError: for either when it runs.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import recurrence
  >>> outputs, state = recurrence.ind_rnn(
  ...     np.ones([1, 3, 1]), np.ones([1, 1]), np.zeros([1]),
  ...     np.zeros([1, 1]), activation=tf.identity)
  >>> outputs.numpy().ravel().tolist()
  [1.0, 2.0, 3.0]
  """
  outputs, (state,) = _run(
    _IND_RNN,
    inputs,
    recurrent_kernel,
    bias,
    (initial_state,),
    activation,
    sequence_length,
    _Order(time_major, reverse),
  )
  return outputs, state


def indy_gru(
  inputs: Any,
  recurrent_kernel: Any,
  bias: Any,
  initial_state: Any,
  activation: Activation = tf.nn.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
  """Runs the recurrence of an IndyGRU; gates in the order r, z, c.

      r = sigmoid(x_r + u_r h + b_r)
      z = sigmoid(x_z + u_z h + b_z)
      c = act(x_c + u_c (r h) + b_c)
      h' = z h + (1 - z) c

  Args:
    inputs: as of `ind_rnn`, with 3 * units in place of units.
    recurrent_kernel: u, [1, 3 * units].
    bias: b, [3 * units].
    initial_state: h, [batch, units].
    activation: as of `ind_rnn`.
    sequence_length: as of `ind_rnn`.
    time_major: as of `ind_rnn`.
    reverse: as of `ind_rnn`.

  Returns:
    The outputs, [batch, units] for a step, [batch, time, units] for a
    sequence, and the final state [batch, units].

  Raises:
    ValueError, TypeError, tf.errors.InvalidArgumentError: as `ind_rnn`.
  """
  outputs, (state,) = _run(
    _INDY_GRU,
    inputs,
    recurrent_kernel,
    bias,
    (initial_state,),
    activation,
    sequence_length,
    _Order(time_major, reverse),
  )
  return outputs, state


def indy_lstm(
  inputs: Any,
  recurrent_kernel: Any,
  bias: Any,
  initial_state: Sequence[Any],
  forget_bias: float = 1.0,
  activation: Activation = tf.nn.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
  """Runs the recurrence of an IndyLSTM; gates in the order i, j, f, o.

      i, f, o = sigmoid(x + u h + b), to f's sum forget_bias is added
      j = act(x_j + u_j h + b_j)
      c' = f c + i j
      h' = act(c') o

  Args:
    inputs: as of `ind_rnn`, with 4 * units in place of units.
    recurrent_kernel: u, [1, 4 * units].
    bias: b, [4 * units].
    initial_state: the pair c, h, each [batch, units].
    forget_bias: a number.
    activation: as of `ind_rnn`.
    sequence_length: as of `ind_rnn`.
    time_major: as of `ind_rnn`.
    reverse: as of `ind_rnn`.

  Returns:
    The outputs, [batch, units] for a step, [batch, time, units] for a
    sequence, and the pair of final c and h, each [batch, units].

  Raises:
    ValueError, TypeError, tf.errors.InvalidArgumentError: as `ind_rnn`.
  """
  inputs = tf.convert_to_tensor(inputs, name="inputs")
  rest = float(forget_bias) - float(np.float32(forget_bias))
  if inputs.dtype == tf.float64 and rest:
    # The op's attribute is a float: what it can't hold goes into the bias.
    bias = tf.convert_to_tensor(bias, tf.float64)
    forget_gate = tf.one_hot(2, 4, dtype=tf.float64)
    bias += rest * tf.repeat(forget_gate, tf.size(bias) // 4)
    forget_bias = float(np.float32(forget_bias))
  outputs, state = _run(
    _INDY_LSTM,
    inputs,
    recurrent_kernel,
    bias,
    tuple(initial_state),
    activation,
    sequence_length,
    _Order(time_major, reverse),
    forget_bias=float(forget_bias),
  )
  return outputs, state


class _OpInputs:
  """The inputs of a cell's op, or of its gradient's, by what they are."""

  def __init__(self, cell: _Cell, inputs: Sequence[tf.Tensor], lengths: int):
    states = cell.states
    self.forward = list(inputs[: 3 + states + lengths])
    self.weights = self.forward[:3]
    self.states = self.forward[3 : 3 + states]
    self.sequence_length = self.forward[3 + states :]
    rest = list(inputs[len(self.forward) :])
    self.sequences = rest[:states]
    self.incoming = rest[states:]
    self.is_step = self.weights[0].shape.rank == 2


def _attributes(op) -> dict:
  names = ["activation", "time_major", "reverse"]
  if "IndyLSTM" in op.type:
    names.append("forget_bias")
  values = {name: op.get_attr(name) for name in names}
  values["activation"] = tf.compat.as_str(values["activation"])
  return values


def _register_gradients(cell: _Cell) -> None:
  def gradient(op, *incoming):
    """The gradient of the forward op, by the gradient op."""
    inputs = _OpInputs(cell, op.inputs, op.get_attr("num_lengths"))
    incoming = list(incoming)
    if not inputs.is_step:
      # The c of every step is for this gradient alone: nothing differentiates
      # it, and zeros of its size need not be read.
      for i in range(1, cell.states):
        incoming[i] = tf.zeros([0], inputs.weights[0].dtype)
    gradients = getattr(_ops, cell.function + "_grad")(
      *inputs.weights,
      *inputs.states,
      inputs.sequence_length,
      *op.outputs[: cell.states],
      *incoming,
      **_attributes(op),
    )
    return [*gradients] + [None] * len(inputs.sequence_length)

  def gradient_of_gradient(op, *incoming):
    """The gradient of the gradient op, by differentiating the composition.

    The forward op's results are functions of its inputs, which get all of the
    gradient; so the results as inputs of the gradient op get none.
    """
    inputs = _OpInputs(cell, op.inputs, op.get_attr("num_lengths"))
    sources = [*inputs.weights, *inputs.states]
    second = _second_order(cell, inputs.is_step, tuple(_attributes(op).items()))
    gradients = second(
      sources, inputs.sequence_length, inputs.incoming, list(incoming)
    )
    return [
      *gradients[: len(sources)],
      *[None] * (len(inputs.sequence_length) + cell.states),
      *gradients[len(sources) :],
    ]

  tf.RegisterGradient("ContribRnn>" + cell.op)(gradient)
  tf.RegisterGradient("ContribRnn>" + cell.op + "Grad")(gradient_of_gradient)


@functools.cache
def _second_order(cell: _Cell, is_step: bool, attributes: tuple):
  """A function of the gradient op's inputs and of its results' gradients.

  It is a tf.function: in a TensorFlow 1 graph, a loop can be differentiated
  twice only inside one.
  """
  attributes = dict(attributes)
  activation = ACTIVATIONS[attributes.pop("activation")]
  order = _Order(attributes.pop("time_major"), attributes.pop("reverse"))

  def second(sources, lengths, incoming, gradients):
    with tf.GradientTape() as outer:
      outer.watch([sources, incoming])
      with tf.GradientTape() as inner:
        inner.watch(sources)
        outputs, states = _compose(
          cell,
          *sources[:3],
          sources[3:],
          activation,
          lengths[0] if lengths else None,
          order,
          **attributes,
        )
      # As the op's outputs: every state along time, h first, then final states.
      if is_step:
        targets = list(reversed(states))
        arriving = incoming[: cell.states]
      else:
        targets = [outputs, *states]
        arriving = [incoming[0], *incoming[cell.states :]]
      first = inner.gradient(targets, sources, output_gradients=arriving)
    return outer.gradient(
      first,
      [*sources, *incoming],
      output_gradients=gradients,
      unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )

  return tf.function(second, autograph=False)


for _cell in _CELLS:
  _register_gradients(_cell)
