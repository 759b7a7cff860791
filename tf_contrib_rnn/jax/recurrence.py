"""The recurrences of the cells on projected inputs, for JAX.

The recurrence of each cell is element-wise. Therefore the matrix product x W
can be computed for all steps at once, before the recurrence. The functions
here take this product ("projected inputs") and compute the rest. They are the
functions of `tf_contrib_rnn.recurrence`, for JAX.

Inputs of rank 2 are one step. Inputs of rank 3 are sequences.
"""

from collections.abc import Sequence
from typing import Any
from typing import Union

import jax
import jax.numpy as jnp
import numpy as np

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.jax import _activations
from tf_contrib_rnn.jax import _composed
from tf_contrib_rnn.jax import _fused

Activation = Union[str, _activations.Activation]

_DTYPES = ("float16", "bfloat16", "float32", "float64")


def _check_shape(name: str, array: jax.Array, expected: Sequence[int]) -> None:
  if array.shape != tuple(expected):
    raise ValueError(
      f"{name} has shape {list(array.shape)}, expected {list(expected)}"
    )


def _check(kind, options, inputs, recurrent_kernel, bias, states) -> None:
  """Raises errors for arrays that do not match, naming the argument."""
  if inputs.ndim not in (2, 3):
    raise ValueError(
      f"inputs has shape {list(inputs.shape)}, expected rank 2 (a step) or 3 "
      "(a sequence)"
    )
  if inputs.dtype.name not in _DTYPES:
    raise TypeError(
      f"inputs has dtype {inputs.dtype}, expected one of {', '.join(_DTYPES)}"
    )
  width = inputs.shape[-1]
  if width % len(kind.gates):
    raise ValueError(
      f"inputs has shape {list(inputs.shape)}, expected the products x W, "
      f"whose last dimension is {len(kind.gates)} * units"
    )
  _check_shape("recurrent_kernel", recurrent_kernel, [1, width])
  _check_shape("bias", bias, [width])
  batch = inputs.shape[_batch_axis(options, inputs)]
  for state in states:
    _check_shape("initial_state", state, [batch, width // len(kind.gates)])
  names = ["recurrent_kernel", "bias"] + ["initial_state"] * len(states)
  for name, array in zip(names, (recurrent_kernel, bias, *states)):
    if array.dtype != inputs.dtype:
      raise TypeError(
        f"{name} has dtype {array.dtype}, expected {inputs.dtype} as of inputs"
      )


def _batch_axis(options, inputs) -> int:
  return 1 if inputs.ndim == 3 and options.time_major else 0


def _convert_lengths(options, inputs, sequence_length):
  if sequence_length is None:
    return None
  if inputs.ndim == 2:
    raise ValueError(
      "sequence_length is given with inputs of rank 2 (a step), expected "
      "inputs of rank 3 (a sequence)"
    )
  batch_axis = _batch_axis(options, inputs)
  batch, time = inputs.shape[batch_axis], inputs.shape[1 - batch_axis]
  return limit_lengths(sequence_length, batch, time)


def limit_lengths(sequence_length: Any, batch: int, time: int) -> jax.Array:
  """Checks lengths, and limits them to that of the sequences, as int32.

  Raises:
    ValueError: If the shape is not [batch].
    TypeError: If they are not integers.
  """
  # NumPy's may be too large for JAX, which would cut them to 32 bits.
  numpy = jnp if isinstance(sequence_length, jax.Array) else np
  lengths = numpy.asarray(sequence_length)
  _check_shape("sequence_length", lengths, [batch])
  if not jnp.issubdtype(lengths.dtype, jnp.integer):
    raise TypeError(
      f"sequence_length has dtype {lengths.dtype}, expected integers"
    )
  largest = min(time, int(jnp.iinfo(lengths.dtype).max))
  return jnp.asarray(numpy.clip(lengths, 0, largest), jnp.int32)


def _varying_axes(array) -> frozenset:
  """The axes of jax.shard_map along which an array differs."""
  aval = jax.typeof(array)
  kind = getattr(aval, "manual_axis_type", None)  # since jax 0.10
  return aval.vma if kind is None else kind.varying


def vary_alike(arrays: Any) -> Any:
  """Marks arrays as differing along the same axes of jax.shard_map.

  With this, the gradients of weights are summed over the parts of the batch.
  """
  leaves, structure = jax.tree.flatten(arrays)
  axes = frozenset().union(*map(_varying_axes, leaves))
  missing = [tuple(axes - _varying_axes(leaf)) for leaf in leaves]
  return jax.tree.unflatten(
    structure,
    [
      jax.lax.pcast(leaf, names, to="varying") if names else leaf
      for leaf, names in zip(leaves, missing)
    ],
  )


def _convert(array) -> jax.Array:
  """Converts to an array whose dtype is not "weak"."""
  array = jnp.asarray(array)
  return jnp.asarray(array, array.dtype)


def _run(
  kind,
  inputs,
  recurrent_kernel,
  bias,
  states,
  activation,
  sequence_length,
  time_major,
  reverse,
  **attributes,
):
  """Converts and checks the arguments, and runs one of the implementations."""
  function, _ = _activations.find(activation)
  options = _composed.Options(
    function, bool(time_major), bool(reverse), tuple(attributes.items())
  )
  inputs, recurrent_kernel, bias, *states = map(
    _convert, (inputs, recurrent_kernel, bias, *states)
  )
  _check(kind, options, inputs, recurrent_kernel, bias, states)
  lengths = _convert_lengths(options, inputs, sequence_length)
  arrays = vary_alike((lengths, inputs, recurrent_kernel, bias, *states))
  if _fused.can_fuse(options, inputs):
    return _fused.fuse(kind, options, *arrays)
  return _composed.compose(kind, options, *arrays)


def ind_rnn(
  inputs: Any,
  recurrent_kernel: Any,
  bias: Any,
  initial_state: Any,
  activation: Activation = jnp.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[jax.Array, jax.Array]:
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
    bias: b, [units].
    initial_state: h, [batch, units].
    activation: act, a function that returns an array of the same shape, or one
      of the names "tanh", "sigmoid", "relu", "identity", "elu", "softsign".
    sequence_length: Optional integers [batch], for sequences only. A length
      larger than time counts as time, and a negative length as 0. Outputs past
      the length are zeros, and the state stays the same.
    time_major: Whether sequences, inputs and outputs, are [time, batch, units].
    reverse: Whether each sequence runs from its own end to its start.

  Returns:
    A pair `(outputs, state)`: the outputs, shaped like the inputs, and the
    final state [batch, units].

  Raises:
    ValueError: If shapes do not match, or if the name of the activation is
      unknown.
    TypeError: If dtypes do not match, or if the activation is neither a
      function nor a name.

  Example:

  >>> import numpy as np
  >>> import tf_contrib_rnn.jax
  >>> outputs, state = tf_contrib_rnn.jax.ind_rnn(
  ...     np.ones([1, 3, 1], "float32"), np.ones([1, 1], "float32"),
  ...     np.zeros([1], "float32"), np.zeros([1, 1], "float32"),
  ...     activation="identity")
  >>> outputs.ravel().tolist()
  [1.0, 2.0, 3.0]
  """
  outputs, (state,) = _run(
    cell_kinds.IND_RNN,
    inputs,
    recurrent_kernel,
    bias,
    (initial_state,),
    activation,
    sequence_length,
    time_major,
    reverse,
  )
  return outputs, state


def indy_gru(
  inputs: Any,
  recurrent_kernel: Any,
  bias: Any,
  initial_state: Any,
  activation: Activation = jnp.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[jax.Array, jax.Array]:
  """Runs the recurrence of an IndyGRU. The order of the gates is r, z, c.

      r = sigmoid(x_r + u_r h + b_r)
      z = sigmoid(x_z + u_z h + b_z)
      c = act(x_c + u_c (r h) + b_c)
      h' = z h + (1 - z) c

  h is the state before a step, and h' is the state and output after it.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15.

  Args:
    inputs: The projected inputs x W: [batch, 3 * units] for one step, or
      [batch, time, 3 * units] for sequences. Dtypes are as in `ind_rnn`.
    recurrent_kernel: u, [1, 3 * units].
    bias: b, [3 * units].
    initial_state: h, [batch, units].
    activation: act, a function or a name. See `ind_rnn`.
    sequence_length: Optional integers [batch]. See `ind_rnn`.
    time_major: Whether sequences, inputs and outputs, are [time, batch, ...].
    reverse: Whether each sequence runs from its own end to its start.

  Returns:
    A pair `(outputs, state)`. The outputs are [batch, units] for one step, or
    [batch, time, units] for sequences. The final state is [batch, units].

  Raises:
    ValueError: If `ind_rnn` raises it.
    TypeError: If `ind_rnn` raises it.

  Example:

  >>> import numpy as np
  >>> import tf_contrib_rnn.jax
  >>> outputs, state = tf_contrib_rnn.jax.indy_gru(
  ...     np.zeros([2, 5, 12], "float32"), np.ones([1, 12], "float32"),
  ...     np.zeros([12], "float32"), np.ones([2, 4], "float32"),
  ...     sequence_length=[5, 3])
  >>> outputs.shape, state.shape
  ((2, 5, 4), (2, 4))
  """
  outputs, (state,) = _run(
    cell_kinds.INDY_GRU,
    inputs,
    recurrent_kernel,
    bias,
    (initial_state,),
    activation,
    sequence_length,
    time_major,
    reverse,
  )
  return outputs, state


def indy_lstm(
  inputs: Any,
  recurrent_kernel: Any,
  bias: Any,
  initial_state: Sequence[Any],
  forget_bias: float = 1.0,
  activation: Activation = jnp.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
  """Runs the recurrence of an IndyLSTM. The order of the gates is i, j, f, o.

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
    bias: b, [4 * units].
    initial_state: The pair (c, h), each [batch, units].
    forget_bias: Float that is added in the gate f.
    activation: act, a function or a name. See `ind_rnn`.
    sequence_length: Optional integers [batch]. See `ind_rnn`.
    time_major: Whether sequences, inputs and outputs, are [time, batch, ...].
    reverse: Whether each sequence runs from its own end to its start.

  Returns:
    A pair `(outputs, state)`. The outputs are [batch, units] for one step, or
    [batch, time, units] for sequences. The final state is the pair (c, h), each
    [batch, units].

  Raises:
    ValueError: If `initial_state` does not have two parts, or if `ind_rnn`
      raises it.
    TypeError: If `ind_rnn` raises it.

  Example:

  >>> import numpy as np
  >>> import tf_contrib_rnn.jax
  >>> zeros = np.zeros([2, 4], "float32")
  >>> outputs, (c, h) = tf_contrib_rnn.jax.indy_lstm(
  ...     np.ones([2, 5, 16], "float32"), np.ones([1, 16], "float32"),
  ...     np.zeros([16], "float32"), (zeros, zeros))
  >>> outputs.shape, bool((outputs[:, -1] == h).all())
  ((2, 5, 4), True)
  """
  if len(initial_state) != 2:
    shape = getattr(initial_state, "shape", None)
    what = (
      f"has {len(initial_state)} parts"
      if shape is None
      else f"is one array of shape {list(shape)}"
    )
    raise ValueError(f"initial_state {what}, expected the pair c, h")
  outputs, (c, h) = _run(
    cell_kinds.INDY_LSTM,
    inputs,
    recurrent_kernel,
    bias,
    initial_state,
    activation,
    sequence_length,
    time_major,
    reverse,
    forget_bias=float(forget_bias),
  )
  return outputs, (c, h)


def complete_sru(bias: jax.Array, state: jax.Array) -> tuple:
  """Returns the arrays that the kernels take for an SRU.

  The kernels take the same arrays for each cell. For the SRU, zeros stand for
  the recurrent weights, for the biases of s and t, and for a second state, the
  last output.

  Returns:
    The recurrent kernel, the bias and the states.
  """
  return (
    jnp.zeros([1, 2 * bias.shape[0]], bias.dtype),
    jnp.pad(bias, bias.shape[0] // 2),
    (state, jnp.zeros_like(state)),
  )


def sru(
  inputs: Any,
  bias: Any,
  initial_state: Any,
  activation: Activation = jnp.tanh,
  sequence_length: Any = None,
  time_major: bool = False,
  reverse: bool = False,
) -> tuple[jax.Array, jax.Array]:
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
    activation: act, a function or a name. See `ind_rnn`.
    sequence_length: Optional integers [batch]. See `ind_rnn`.
    time_major: Whether sequences, inputs and outputs, are [time, batch, ...].
    reverse: Whether each sequence runs from its own end to its start.

  Returns:
    A pair `(outputs, state)`. The outputs y are [batch, units] for one step, or
    [batch, time, units] for sequences. The state is the final c, [batch,
    units].

  Raises:
    ValueError: If `ind_rnn` raises it.
    TypeError: If `ind_rnn` raises it.

  Example:

  >>> import numpy as np
  >>> import tf_contrib_rnn.jax
  >>> outputs, c = tf_contrib_rnn.jax.sru(
  ...     np.ones([2, 5, 16], "float32"), np.zeros([8], "float32"),
  ...     np.zeros([2, 4], "float32"))
  >>> outputs.shape, c.shape
  ((2, 5, 4), (2, 4))
  """
  inputs, bias, state = map(_convert, (inputs, bias, initial_state))
  _check_shape("bias", bias, [inputs.shape[-1] // 2 if inputs.ndim else 0])
  recurrent_kernel, bias, states = complete_sru(bias, state)
  outputs, (c, _) = _run(
    cell_kinds.SRU,
    inputs,
    recurrent_kernel,
    bias,
    states,
    activation,
    sequence_length,
    time_major,
    reverse,
  )
  return outputs, c
