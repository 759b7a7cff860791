"""The recurrences of the cells on projected inputs, for TensorFlow.

The recurrence of each cell is element-wise. Therefore the matrix product x W
can be computed for all steps at once, before the recurrence. The functions
here take this product ("projected inputs") and compute the rest.

They run fused, as one op of the op library, or composed, from TensorFlow's
own operations. Results, names and checkpoints do not depend on this.

Inputs of rank 2 are one step. Inputs of rank 3 are sequences.
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


def _size(tensor: tf.Tensor, axis: int) -> Any:
  """A dimension of a tensor, or None if it is not known.

  `tensor.shape[axis]` is a Dimension after `v1.disable_v2_behavior()`.
  """
  return tf.compat.dimension_value(tensor.shape[axis])


def _check_shape(name: str, tensor: tf.Tensor, expected: list) -> None:
  if not tensor.shape.is_compatible_with(expected):
    expected = ["?" if size is None else size for size in expected]
    raise ValueError(f"{name} has shape {tensor.shape}, expected {expected}")


def _check(kind: cell_kinds.CellKind, call: composed.Call) -> None:
  """Raises the same errors for both implementations.

  Raises:
    ValueError: If the order of gates is unknown, or if known shapes or numbers
      of parts do not match. The message names the argument.
    TypeError: If the activation is no function, as in TensorFlow 1.15.
  """
  if not callable(call.activation):
    raise TypeError(
      f"activation is {call.activation!r}, which is not callable, expected a "
      "function of a tensor"
    )
  if len(call.states) != len(kind.states):
    raise ValueError(
      f"initial_state has {len(call.states)} parts, expected "
      f"{len(kind.states)}: {' and '.join(kind.states)}"
    )
  if call.gate_order not in ("contrib", "keras"):
    raise ValueError(
      f'gate_order is {call.gate_order!r}, expected "contrib" or "keras"'
    )
  if call.inputs.shape.rank not in (2, 3):
    raise ValueError(
      f"inputs has shape {call.inputs.shape}, expected rank 2 (a step) or 3 (a "
      "sequence)"
    )
  width = _check_weights(call)
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
  batch = _size(call.inputs, 1 if call.time_major else 0)
  _check_shape("sequence_length", call.sequence_length, [batch])


def _check_weights(call: composed.Call) -> Any:
  """Checks u and b, and returns gates * units, or None if it is not known."""
  width = _size(call.inputs, -1)
  if len(call.recurrent_kernels) != len(call.biases):
    raise ValueError(
      f"recurrent_kernel has {len(call.recurrent_kernels)} parts, and bias has "
      f"{len(call.biases)}, expected as many"
    )
  if len(call.biases) == 1:
    (u,), (b,) = call.recurrent_kernels, call.biases
    _check_shape("recurrent_kernel", u, [1, width])
    _check_shape("bias", b, [2, width] if b.shape.rank == 2 else [width])
    return _size(b, -1)
  widths = [_size(b, -1) for b in call.biases]
  for u, b, part in zip(call.recurrent_kernels, call.biases, widths):
    _check_shape("A part of recurrent_kernel", u, [1, part])
    _check_shape("A part of bias", b, [part])
  if None not in (*widths, width) and sum(widths) != width:
    raise ValueError(
      f"The parts of bias have {sum(widths)} numbers, expected {width}"
    )
  return width


def _convert_parts(name: str, weight: Any, dtype: tf.DType) -> tuple:
  """A weight, or the parts of it in a tuple, as tensors."""
  parts = weight if isinstance(weight, tuple) else (weight,)
  return tuple(
    tf.convert_to_tensor(part, dtype_hint=dtype, name=name) for part in parts
  )


def _convert_lengths(sequence_length: Any) -> Any:
  """Lengths as int32, or None."""
  if sequence_length is None:
    return None
  lengths = tf.convert_to_tensor(sequence_length, dtype_hint=tf.int32)
  if not lengths.dtype.is_integer:
    raise TypeError(
      f"sequence_length has dtype {lengths.dtype.name}, expected integers"
    )
  return tf.saturate_cast(lengths, tf.int32)


def _run(
  kind,
  inputs,
  recurrent_kernel,
  bias,
  states,
  sequence_length=None,
  time_major=False,
  reverse=False,
  **options,
):
  """Converts and checks the arguments, and runs one of the implementations."""
  inputs = tf.convert_to_tensor(inputs, name="inputs")
  convert = functools.partial(tf.convert_to_tensor, dtype_hint=inputs.dtype)
  call = composed.Call(
    inputs,
    _convert_parts("recurrent_kernel", recurrent_kernel, inputs.dtype),
    _convert_parts("bias", bias, inputs.dtype),
    tuple(convert(state, name="initial_state") for state in states),
    sequence_length=_convert_lengths(sequence_length),
    time_major=bool(time_major),
    reverse=bool(reverse),
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
  """Runs the recurrence of an IndRNN.

      h' = act(x + u h + b)

  h is the state before a step, and h' is the state and output after it.

  Source: Li, Li, Cook, Zhu and Gao, "Independently Recurrent Neural Network
  (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831).

  Args:
    inputs: The projected inputs x W: [batch, units] for one step, or [batch,
      time, units] for sequences. The dtype is float16, bfloat16, float32 or
      float64. All other float arguments have the same dtype.
    recurrent_kernel: u, [1, units].
    bias: b, [units]. If it is [2, units], the two rows are added.
    initial_state: h, [batch, units].
    activation: act, a function that returns a tensor of the same shape.
    sequence_length: Optional int32 tensor [batch], for sequences only. A length
      larger than time counts as time, and a negative length as 0. Outputs past
      the length are zeros, and the state stays the same.
    time_major: Whether sequences, inputs and outputs, are [time, batch, units].
    reverse: Whether each sequence runs from its own end to its start.

  Returns:
    A pair `(outputs, state)`: the outputs, shaped like the inputs, and the
    final state [batch, units].

  Raises:
    ValueError: If known shapes do not match.
    TypeError: If dtypes do not match when a graph is built, if the activation
      is no function, or if the lengths are not integers.
    tf.errors.InvalidArgumentError: If shapes or dtypes do not match when the
      function runs.

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

  h is the state before a step, and h' is the state and output after it. d is a
  second, recurrent bias. tf.contrib.rnn has no d. Keras and cuDNN have it as
  `reset_after`.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15.

  Args:
    inputs: The projected inputs x W: [batch, 3 * units] for one step, or
      [batch, time, 3 * units] for sequences. Dtypes are as in `ind_rnn`.
    recurrent_kernel: u, [1, 3 * units]. Or a tuple of parts of it, such as
      those of the gates and of the candidate.
    bias: b, [3 * units], or b and d, [2, 3 * units]. Or a tuple of parts of b,
      as many as of u.
    initial_state: h, [batch, units].
    activation: act, a function that returns a tensor of the same shape.
    sequence_length: Optional int32 tensor [batch]. See `ind_rnn`.
    time_major: Whether sequences, inputs and outputs, are [time, batch, ...].
    reverse: Whether each sequence runs from its own end to its start.
    gate_order: The order of the gates in the last dimension of `inputs`,
      `recurrent_kernel` and `bias`: "contrib" is r, z, c, as in
      tf.contrib.rnn. "keras" is z, r, c.

  Returns:
    A pair `(outputs, state)`. The outputs are [batch, units] for one step, or
    [batch, time, units] for sequences. The final state is [batch, units].

  Raises:
    ValueError: If `gate_order` is unknown, or if `ind_rnn` raises it.
    TypeError: If `ind_rnn` raises it.
    tf.errors.InvalidArgumentError: If `ind_rnn` raises it.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import recurrence
  >>> outputs, state = recurrence.indy_gru(
  ...     np.zeros([2, 5, 12]), np.ones([1, 12]), np.zeros([12]),
  ...     np.ones([2, 4]), sequence_length=[5, 3])
  >>> outputs.shape, state.shape
  (TensorShape([2, 5, 4]), TensorShape([2, 4]))
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

      i = sigmoid(x_i + u_i h + b_i)
      j = act(x_j + u_j h + b_j)
      f = sigmoid(x_f + u_f h + b_f + forget_bias)
      o = sigmoid(x_o + u_o h + b_o)
      c' = f c + i j
      h' = act(c') o

  c and h are the state before a step. c' and h' are the state after it, and h'
  is the output.

  Source: Gonnet and Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023).

  Args:
    inputs: The projected inputs x W: [batch, 4 * units] for one step, or
      [batch, time, 4 * units] for sequences. Dtypes are as in `ind_rnn`.
    recurrent_kernel: u, [1, 4 * units].
    bias: b, [4 * units]. If it is [2, 4 * units], the two rows are added.
    initial_state: The pair (c, h), each [batch, units].
    forget_bias: Float that is added in the gate f.
    activation: act, a function that returns a tensor of the same shape.
    sequence_length: Optional int32 tensor [batch]. See `ind_rnn`.
    time_major: Whether sequences, inputs and outputs, are [time, batch, ...].
    reverse: Whether each sequence runs from its own end to its start.
    gate_order: The order of the gates in the last dimension of `inputs`,
      `recurrent_kernel` and `bias`: "contrib" is i, j, f, o, as in
      tf.contrib.rnn. "keras" is i, f, j, o.

  Returns:
    A pair `(outputs, state)`. The outputs are [batch, units] for one step, or
    [batch, time, units] for sequences. The final state is the pair (c, h), each
    [batch, units].

  Raises:
    ValueError: If `gate_order` is unknown, or if `ind_rnn` raises it.
    TypeError: If `ind_rnn` raises it.
    tf.errors.InvalidArgumentError: If `ind_rnn` raises it.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import recurrence
  >>> outputs, (c, h) = recurrence.indy_lstm(
  ...     np.ones([2, 5, 16]), np.ones([1, 16]), np.zeros([16]),
  ...     (np.zeros([2, 4]), np.zeros([2, 4])))
  >>> outputs.shape, bool((outputs[:, -1] == h).numpy().all())
  (TensorShape([2, 5, 4]), True)
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

      f = sigmoid(x_f + b_f)
      r = sigmoid(x_r + b_r)
      c' = f c + (1 - f) x_s
      y = r act(c') + (1 - r) x_t

  c is the state before a step, c' is the state after it, and y is the output.

  Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
  Parallelizable Recurrence" (https://arxiv.org/abs/1709.02755).

  Args:
    inputs: The projected inputs x W: [batch, 4 * units] for one step, or
      [batch, time, 4 * units] for sequences. x_s, x_f, x_r and x_t lie side by
      side. Dtypes are as in `ind_rnn`.
    bias: b_f and b_r side by side, [2 * units].
    initial_state: c, [batch, units].
    activation: act, a function that returns a tensor of the same shape.
    sequence_length: Optional int32 tensor [batch]. See `ind_rnn`.
    time_major: Whether sequences, inputs and outputs, are [time, batch, ...].
    reverse: Whether each sequence runs from its own end to its start.

  Returns:
    A pair `(outputs, state)`. The outputs y are [batch, units] for one step, or
    [batch, time, units] for sequences. The state is the final c, [batch,
    units].

  Raises:
    ValueError: If `ind_rnn` raises it.
    TypeError: If `ind_rnn` raises it.
    tf.errors.InvalidArgumentError: If `ind_rnn` raises it.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import recurrence
  >>> outputs, c = recurrence.sru(
  ...     np.ones([2, 5, 16]), np.zeros([8]), np.zeros([2, 4]))
  >>> outputs.shape, c.shape
  (TensorShape([2, 5, 4]), TensorShape([2, 4]))
  """
  inputs = tf.convert_to_tensor(inputs, name="inputs")
  state = tf.convert_to_tensor(initial_state, dtype_hint=inputs.dtype)
  outputs, (c, _) = sru_with_last_output(
    inputs,
    bias,
    (state, tf.zeros_like(state)),
    activation=activation,
    sequence_length=sequence_length,
    time_major=time_major,
    reverse=reverse,
  )
  return outputs, c


def sru_with_last_output(
  inputs: Any, bias: Any, initial_state: Sequence[Any], **options: Any
) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
  """Runs `sru`, and returns the last output of each sequence as well.

  Args:
    inputs: See `sru`.
    bias: See `sru`.
    initial_state: The pair of c and the y before, each [batch, units].
    **options: The other arguments of `sru`. The activation is required.

  Returns:
    The outputs, and a pair of the final c and the last y, each [batch, units].
    The last y of a sequence without steps is the y before.
  """
  inputs = tf.convert_to_tensor(inputs, name="inputs")
  convert = functools.partial(tf.convert_to_tensor, dtype_hint=inputs.dtype)
  bias = convert(bias, name="bias")
  width = _size(inputs, -1) if inputs.shape.rank else None
  _check_shape("bias", bias, [None if width is None else width // 2])
  # What the op has beside: recurrent weights of c, biases of all gates, and a
  # state that is the last output.
  zeros = tf.zeros_like(bias[: tf.size(bias) // 2])
  return _run(
    cell_kinds.SRU,
    inputs,
    tf.zeros([1, 2 * tf.size(bias)], bias.dtype),
    tf.concat([zeros, bias, zeros], 0),
    tuple(initial_state),
    **options,
  )
