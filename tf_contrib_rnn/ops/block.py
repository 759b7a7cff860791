"""TensorFlow's own kernels for LSTM steps and sequences and for GRU steps.

They are what tf.contrib.rnn's block cells ran on. TensorFlow 2 has all of them,
but no gradients of the two that are a step: tf.contrib had registered these,
and this module does, unless the TensorFlow that runs knows them.

The kernels abort the process for some states and lengths, so these are checked
here.
"""

import contextlib
from collections.abc import Sequence
from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf

LSTM_DTYPES = (tf.float16, tf.float32)
GRU_DTYPES = (tf.float32,)


def check_dtype(name: str, dtype: Any, allowed: Sequence[tf.DType]) -> None:
  """Raises a TypeError for a dtype that the kernels do not have."""
  if tf.as_dtype(dtype).base_dtype not in allowed:
    names = " or ".join(each.name for each in allowed)
    raise TypeError(f"{name} is {tf.as_dtype(dtype).name}, expected {names}")


def as_state(
  name: str, state: Any, inputs: tf.Tensor, batch: Optional[int], units: int
) -> tf.Tensor:
  """A state as a tensor [batch, units] of the inputs' dtype.

  Raises:
    TypeError: for another dtype.
    ValueError: for another shape, where it is known.
    tf.errors.InvalidArgumentError: for a shape that turns out not to match.
  """
  state = tf.convert_to_tensor(state)
  if state.dtype != inputs.dtype:
    raise TypeError(
      f"{name} is of {state.dtype.name}, the inputs of {inputs.dtype.name}"
    )
  if not state.shape.is_compatible_with([batch, units]):
    raise ValueError(
      f"Shape of {name} is {state.shape}, expected [batch, {units}] with the "
      f"inputs' batch, {batch}"
    )
  if state.shape.rank is None or state.shape.as_list()[1] is None:
    return tf.ensure_shape(state, [None, units])
  return state


def _check_weights(inputs: tf.Tensor, weights: Sequence[Any]) -> None:
  for weight in weights:
    if weight.dtype.base_dtype != inputs.dtype:
      raise TypeError(
        f"The variables are of {weight.dtype.base_dtype.name}, the inputs of "
        f"{inputs.dtype.name}"
      )


def _lstm_arguments(kernel, bias, peepholes, units, forget_bias, cell_clip):
  """What both LSTM kernels take alike."""
  dtype = kernel.dtype.base_dtype
  wci, wcf, wco = peepholes or [tf.zeros([units], dtype)] * 3
  return {
    "w": kernel,
    "wci": wci,
    "wcf": wcf,
    "wco": wco,
    "b": bias,
    "forget_bias": forget_bias,
    "cell_clip": -1 if cell_clip is None else cell_clip,
    "use_peephole": bool(peepholes),
  }


def lstm_step(
  inputs: tf.Tensor,
  state: Sequence[Any],
  units: int,
  kernel: Any,
  bias: Any,
  peepholes: Sequence[Any],
  forget_bias: float,
  cell_clip: Optional[float],
) -> tuple[tf.Tensor, tf.Tensor]:
  """One step of `cells.block.LSTMBlockCell`: the new c and h.

  Args:
    inputs: [batch, depth], float16 or float32.
    state: c and h, each [batch, units].
    units: the number of units.
    kernel: [depth + units, 4 units].
    bias: [4 units].
    peepholes: those of the gates i, f and o, each [units]; or none.
    forget_bias: is added to the forget gate's sum.
    cell_clip: (optional) c is clipped to its size, if that is above zero.

  Returns:
    Two tensors [batch, units].

  Raises:
    TypeError, ValueError, tf.errors.InvalidArgumentError: as `as_state`. The
      last also for an unknown batch that turns out to be 0.
  """
  check_dtype("inputs' dtype", inputs.dtype, LSTM_DTYPES)
  _check_weights(inputs, [kernel, bias, *peepholes])
  batch = inputs.shape.as_list()[0]
  c, h = (
    as_state(name, part, inputs, batch, units)
    for name, part in zip("ch", state)
  )
  arguments = _lstm_arguments(
    kernel, bias, peepholes, units, forget_bias, cell_clip
  )
  if batch != 0 and units != 0:
    step = tf.raw_ops.LSTMBlockCell(x=inputs, cs_prev=c, h_prev=h, **arguments)
    return step.cs, step.h
  # That kernel refuses empty states. The one for sequences does not, but its
  # gradient takes half as long again: it runs where they are known to be empty.
  steps = tf.raw_ops.BlockLSTM(
    seq_len_max=tf.constant(1, tf.int64),
    x=inputs[tf.newaxis],
    cs_prev=c,
    h_prev=h,
    **arguments,
  )
  return tf.squeeze(steps.cs, 0), tf.squeeze(steps.h, 0)


def lstm_sequences(
  inputs: tf.Tensor,
  steps: Optional[tf.Tensor],
  state: Sequence[Any],
  units: int,
  kernel: Any,
  bias: Any,
  peepholes: Sequence[Any],
  forget_bias: float,
  cell_clip: Optional[float],
) -> tuple[tf.Tensor, tf.Tensor]:
  """`lstm_step` from the first step on: every c and every h.

  Args:
    inputs: [time, batch, depth], float16 or float32.
    steps: (optional) how many of the steps to run. The results are zeros after
      them. Less than 0 counts as 0, more than time as time, for the kernel
      would abort the process.
    state: as of `lstm_step`, as are the other arguments.
    units: see `lstm_step`.
    kernel: see `lstm_step`.
    bias: see `lstm_step`.
    peepholes: see `lstm_step`.
    forget_bias: see `lstm_step`.
    cell_clip: see `lstm_step`.

  Returns:
    Two tensors [time, batch, units].

  Raises:
    TypeError, ValueError, tf.errors.InvalidArgumentError: as `lstm_step`.
  """
  check_dtype("inputs' dtype", inputs.dtype, LSTM_DTYPES)
  _check_weights(inputs, [kernel, bias, *peepholes])
  batch = inputs.shape.as_list()[1]
  c, h = (
    as_state(name, part, inputs, batch, units)
    for name, part in zip("ch", state)
  )
  time = tf.shape(inputs, out_type=tf.int64)[0]
  if steps is not None:
    steps = tf.clip_by_value(tf.cast(steps, tf.int64), 0, time)
  results = tf.raw_ops.BlockLSTM(
    seq_len_max=time if steps is None else steps,
    x=inputs,
    cs_prev=c,
    h_prev=h,
    **_lstm_arguments(kernel, bias, peepholes, units, forget_bias, cell_clip),
  )
  return results.cs, results.h


def gru_step(
  inputs: tf.Tensor,
  state: Any,
  units: int,
  gate_kernel: Any,
  gate_bias: Any,
  candidate_kernel: Any,
  candidate_bias: Any,
) -> tf.Tensor:
  """One step of `cells.block.GRUBlockCell`: the new h.

  Args:
    inputs: [batch, depth], float32.
    state: h, [batch, units].
    units: the number of units.
    gate_kernel: [depth + units, 2 units], of the reset and the update gate.
    gate_bias: [2 units].
    candidate_kernel: [depth + units, units].
    candidate_bias: [units].

  Returns:
    A tensor [batch, units].

  Raises:
    TypeError, ValueError, tf.errors.InvalidArgumentError: as `as_state`.
  """
  check_dtype("inputs' dtype", inputs.dtype, GRU_DTYPES)
  weights = [gate_kernel, gate_bias, candidate_kernel, candidate_bias]
  _check_weights(inputs, weights)
  return tf.raw_ops.GRUBlockCell(
    x=inputs,
    h_prev=as_state("h", state, inputs, inputs.shape.as_list()[0], units),
    w_ru=gate_kernel,
    w_c=candidate_kernel,
    b_ru=gate_bias,
    b_c=candidate_bias,
  ).h


def _weights_gradients(inputs, product_gradient):
  """Those of W and b, from that of [x, h] W + b."""
  joined = tf.concat(inputs, 1)
  return (
    tf.matmul(joined, product_gradient, transpose_a=True),
    tf.reduce_sum(product_gradient, 0),
  )


def _lstm_step_gradients(op, *gradients):
  """What an op LSTMBlockCell's inputs get. As in tf.contrib, no clip shows."""
  x, _, h, kernel, *_ = op.inputs
  use_peephole = op.get_attr("use_peephole")
  names = ("x", "cs_prev", "h_prev", "w", "wci", "wcf", "wco", "b")
  c_gradient, gates_gradient, *peephole_gradients = (
    tf.raw_ops.LSTMBlockCellGrad(
      **dict(zip(names, op.inputs)),
      **dict(zip(("i", "cs", "f", "o", "ci", "co"), op.outputs)),
      cs_grad=gradients[1],
      h_grad=gradients[6],
      use_peephole=use_peephole,
    )
  )
  kernel_gradient, bias_gradient = _weights_gradients([x, h], gates_gradient)
  depth = tf.compat.dimension_value(x.shape[1])
  x_gradient, h_gradient = tf.split(
    tf.matmul(gates_gradient, kernel, transpose_b=True),
    [tf.shape(x)[1] if depth is None else depth, -1],
    axis=1,
  )
  return (
    x_gradient,
    c_gradient,
    h_gradient,
    kernel_gradient,
    *(peephole_gradients if use_peephole else [None] * 3),
    bias_gradient,
  )


def _gru_step_gradients(op, *gradients):
  """What an op GRUBlockCell's inputs get."""
  x, h = op.inputs[:2]
  r, u, c, _ = op.outputs
  names = ("x", "h_prev", "w_ru", "w_c", "b_ru", "b_c")
  x_gradient, h_gradient, candidate_gradient, gates_gradient = (
    tf.raw_ops.GRUBlockCellGrad(
      **dict(zip(names, op.inputs)), r=r, u=u, c=c, d_h=gradients[3]
    )
  )
  w_ru_gradient, b_ru_gradient = _weights_gradients([x, h], gates_gradient)
  w_c_gradient, b_c_gradient = _weights_gradients(
    [x, r * h], candidate_gradient
  )
  return (
    x_gradient,
    h_gradient,
    w_ru_gradient,
    w_c_gradient,
    b_ru_gradient,
    b_c_gradient,
  )


def _register_gradient(op_type: str, gradient: Callable[..., Any]) -> None:
  # A KeyError says that there is one.
  with contextlib.suppress(KeyError):
    tf.RegisterGradient(op_type)(gradient)


_register_gradient("LSTMBlockCell", _lstm_step_gradients)
_register_gradient("GRUBlockCell", _gru_step_gradients)
