"""The recurrences of the cells on projected inputs: fused or composed.

Each cell's recurrence is element-wise, so that all of its matrix work, x W for
every step, is done beforehand. The functions here take the result and run the
rest: as one op of the op library, or as a composition of TensorFlow's ops.
Which of the two runs changes no result, name or checkpoint.

Inputs of rank 2 are a step, of rank 3 a sequence.
"""

import functools
from collections.abc import Sequence
from typing import Any
from typing import Callable

import tensorflow as tf

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.ops import choice
from tf_contrib_rnn.ops import composed
from tf_contrib_rnn.ops import fused

Activation = Callable[[tf.Tensor], tf.Tensor]


def _check_shape(name: str, tensor: tf.Tensor, expected: list) -> None:
  if not tensor.shape.is_compatible_with(expected):
    expected = ["?" if size is None else size for size in expected]
    raise ValueError(f"{name} has shape {tensor.shape}, expected {expected}")


def _check(kind: cell_kinds.CellKind, call: composed.Call) -> None:
  """Refuses, in the same way, what the one implementation or the other would.

  Raises:
    ValueError: naming the argument, for an unknown order of gates, and shapes
      that can be seen not to match.
  """
  if call.gate_order not in ("contrib", "keras"):
    raise ValueError(
      f'gate_order is {call.gate_order!r}, expected "contrib" or "keras"'
    )
  if call.inputs.shape.rank not in (2, 3):
    raise ValueError(
      f"inputs has shape {call.inputs.shape}, expected rank 2 (a step) or 3 (a "
      "sequence)"
    )
  width = call.inputs.shape[-1]
  _check_shape("recurrent_kernel", call.recurrent_kernel, [1, width])
  has_two = call.bias.shape.rank == 2
  _check_shape("bias", call.bias, [2, width] if has_two else [width])
  width = call.bias.shape[-1]
  for state in call.states:
    units = None if width is None else width // len(kind.gates)
    _check_shape("The state", state, [None, units])
  if call.sequence_length is None:
    return
  if call.inputs.shape.rank == 2:
    raise ValueError(
      "sequence_length is given with inputs of rank 2 (a step), expected "
      "inputs of rank 3 (a sequence)"
    )
  batch = call.inputs.shape[1 if call.time_major else 0]
  _check_shape("sequence_length", call.sequence_length, [batch])


def _run(
  kind,
  inputs,
  recurrent_kernel,
  bias,
  states,
  sequence_length=None,
  **options,
):
  """Converts and checks the arguments, and runs one of the implementations."""
  inputs = tf.convert_to_tensor(inputs, name="inputs")
  convert = functools.partial(tf.convert_to_tensor, dtype_hint=inputs.dtype)
  if sequence_length is not None:
    sequence_length = tf.saturate_cast(sequence_length, tf.int32)
  call = composed.Call(
    inputs,
    convert(recurrent_kernel, name="recurrent_kernel"),
    convert(bias, name="bias"),
    tuple(convert(state, name="initial_state") for state in states),
    sequence_length=sequence_length,
    **options,
  )
  _check(kind, call)
  if fused.has_op(call) and choice.can_fuse():
    return fused.fuse(kind, call)
  return composed.compose(kind, call)


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
    bias: b, [units]; of [2, units] the sum counts.
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

  >>> import numpy as np, tensorflow as tf
  >>> from tf_contrib_rnn import recurrence
  >>> outputs, state = recurrence.ind_rnn(
  ...     np.ones([1, 3, 1]), np.ones([1, 1]), np.zeros([1]),
  ...     np.zeros([1, 1]), activation=tf.identity)
  >>> outputs.numpy().ravel().tolist()
  [1.0, 2.0, 3.0]
  """
  outputs, (state,) = _run(
    cell_kinds.IND_RNN,
    inputs,
    recurrent_kernel,
    bias,
    (initial_state,),
    sequence_length,
    activation=activation,
    time_major=time_major,
    reverse=reverse,
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
  gate_order: str = "contrib",
) -> tuple[tf.Tensor, tf.Tensor]:
  """Runs the recurrence of an IndyGRU.

      r = sigmoid(x_r + u_r h + b_r + d_r)
      z = sigmoid(x_z + u_z h + b_z + d_z)
      c = act(x_c + b_c + r (u_c h + d_c))
      h' = z h + (1 - z) c

  tf.contrib.rnn has no d; Keras and cuDNN have it, as `reset_after`.

  Args:
    inputs: as of `ind_rnn`, with 3 * units in place of units.
    recurrent_kernel: u, [1, 3 * units].
    bias: b, [3 * units], or b and d, [2, 3 * units].
    initial_state: h, [batch, units].
    activation: as of `ind_rnn`.
    sequence_length: as of `ind_rnn`.
    time_major: as of `ind_rnn`.
    reverse: as of `ind_rnn`.
    gate_order: how gates lie along the last axis of the first three: "contrib",
      r, z, c as in tf.contrib.rnn, or "keras", z, r, c.

  Returns:
    The outputs, [batch, units] for a step, [batch, time, units] for a
    sequence, and the final state [batch, units].

  Raises:
    ValueError, TypeError, tf.errors.InvalidArgumentError: as `ind_rnn`;
    ValueError: for another `gate_order`.
  """
  outputs, (state,) = _run(
    cell_kinds.INDY_GRU,
    inputs,
    recurrent_kernel,
    bias,
    (initial_state,),
    sequence_length,
    activation=activation,
    time_major=time_major,
    reverse=reverse,
    gate_order=gate_order,
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
  gate_order: str = "contrib",
) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
  """Runs the recurrence of an IndyLSTM.

      i, f, o = sigmoid(x + u h + b), to f's sum forget_bias is added
      j = act(x_j + u_j h + b_j)
      c' = f c + i j
      h' = act(c') o

  Args:
    inputs: as of `ind_rnn`, with 4 * units in place of units.
    recurrent_kernel: u, [1, 4 * units].
    bias: b, [4 * units]; of [2, 4 * units] the sum counts.
    initial_state: the pair c, h, each [batch, units].
    forget_bias: a number.
    activation: as of `ind_rnn`.
    sequence_length: as of `ind_rnn`.
    time_major: as of `ind_rnn`.
    reverse: as of `ind_rnn`.
    gate_order: as of `indy_gru`; "contrib" is i, j, f, o, "keras" i, f, j, o.

  Returns:
    The outputs, [batch, units] for a step, [batch, time, units] for a
    sequence, and the pair of final c and h, each [batch, units].

  Raises:
    ValueError, TypeError, tf.errors.InvalidArgumentError: as `ind_rnn`;
    ValueError: for another `gate_order`.
  """
  outputs, state = _run(
    cell_kinds.INDY_LSTM,
    inputs,
    recurrent_kernel,
    bias,
    tuple(initial_state),
    sequence_length,
    activation=activation,
    time_major=time_major,
    reverse=reverse,
    gate_order=gate_order,
    attributes={"forget_bias": float(forget_bias)},
  )
  return outputs, state


def sru(
  inputs: Any,
  bias: Any,
  initial_state: Any,
  activation: Activation = tf.nn.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
  """Runs the recurrence of an SRU.

      f, r = sigmoid([x_f, x_r] + b)
      c' = f c + (1 - f) x_s
      y = r act(c') + (1 - r) x_t

  Args:
    inputs: as of `ind_rnn`, with 4 * units in place of units: x_s, x_f, x_r,
      x_t side by side.
    bias: b, [2 * units].
    initial_state: c, [batch, units].
    activation: as of `ind_rnn`.
    sequence_length: as of `ind_rnn`.
    time_major: as of `ind_rnn`.
    reverse: as of `ind_rnn`.

  Returns:
    The outputs y, [batch, units] for a step, [batch, time, units] for a
    sequence, and the final c [batch, units].

  Raises:
    ValueError, TypeError, tf.errors.InvalidArgumentError: as `ind_rnn`.

  Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
  Parallelizable Recurrence" (https://arxiv.org/abs/1709.02755).
  """
  outputs, (c, _) = sru_with_last_output(
    inputs,
    bias,
    initial_state,
    activation=activation,
    sequence_length=sequence_length,
    time_major=time_major,
    reverse=reverse,
  )
  return outputs, c


def sru_with_last_output(
  inputs: Any, bias: Any, initial_state: Any, **options: Any
) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
  """Runs `sru`, for callers who want each sequence's last output as well.

  Args:
    inputs, bias, initial_state, **options: as of `sru`; the activation is
      among the options.

  Returns:
    The outputs, and the pair of the final c and the last y, each [batch,
    units]. The last y of a sequence without steps is zeros.
  """
  inputs = tf.convert_to_tensor(inputs, name="inputs")
  convert = functools.partial(tf.convert_to_tensor, dtype_hint=inputs.dtype)
  bias = convert(bias, name="bias")
  state = convert(initial_state, name="initial_state")
  width = inputs.shape[-1] if inputs.shape.rank else None
  _check_shape("bias", bias, [None if width is None else width // 2])
  # What the op has beside: recurrent weights of c, biases of all gates, and a
  # state that is the last output.
  zeros = tf.zeros_like(bias[: tf.size(bias) // 2])
  return _run(
    cell_kinds.SRU,
    inputs,
    tf.zeros([1, 2 * tf.size(bias)], bias.dtype),
    tf.concat([zeros, bias, zeros], 0),
    (state, tf.zeros_like(state)),
    **options,
  )
