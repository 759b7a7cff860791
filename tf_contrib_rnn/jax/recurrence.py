"""The recurrences of the cells on projected inputs, for JAX.

Each cell's recurrence is element-wise, so that all of its matrix work, x W for
every step, is done beforehand. The functions here take the result and run the
rest. They are `tf_contrib_rnn.recurrence`'s in all but the framework.

Inputs of rank 2 are a step, of rank 3 a sequence.
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
  """Refuses arrays that don't fit together, by the argument's name."""
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
      f"inputs has shape {list(inputs.shape)}, expected a last dimension that "
      f"is a multiple of {len(kind.gates)}"
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
  """Checks lengths, and cuts them to the sequences."""
  if sequence_length is None:
    return None
  # NumPy's may be too large for JAX, which would cut them to 32 bits.
  numpy = jnp if isinstance(sequence_length, jax.Array) else np
  lengths = numpy.asarray(sequence_length)
  if inputs.ndim == 2:
    raise ValueError(
      "sequence_length is given with inputs of rank 2 (a step), expected "
      "inputs of rank 3 (a sequence)"
    )
  batch_axis = _batch_axis(options, inputs)
  _check_shape("sequence_length", lengths, [inputs.shape[batch_axis]])
  if not jnp.issubdtype(lengths.dtype, jnp.integer):
    raise TypeError(
      f"sequence_length has dtype {lengths.dtype}, expected integers"
    )
  time = inputs.shape[1 - batch_axis]
  largest = min(time, int(jnp.iinfo(lengths.dtype).max))
  return jnp.asarray(numpy.clip(lengths, 0, largest), jnp.int32)


def _varying_axes(array) -> frozenset:
  """The axes of jax.shard_map along which an array differs."""
  aval = jax.typeof(array)
  kind = getattr(aval, "manual_axis_type", None)  # since jax 0.10
  return aval.vma if kind is None else kind.varying


def vary_alike(arrays: Any) -> Any:
  """Marks arrays that are the same everywhere as differing like the others.

  So the gradients of weights are summed over the parts of the batch.
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
  """Makes an array, of a dtype that is not "weak"."""
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
  """Runs the recurrence of an IndRNN: h' = act(x + u h + b).

  Args:
    inputs: the projected inputs x W, [batch, units] for a step, [batch, time,
      units] for a sequence; float16, bfloat16, float32 or float64, like all
      that follow.
    recurrent_kernel: u, [1, units].
    bias: b, [units].
    initial_state: h, [batch, units].
    activation: act, a function from an array to one of the same shape, or one
      of the names "tanh", "sigmoid", "relu", "identity", "elu", "softsign".
    sequence_length: for sequences, integers [batch]: a length past the end
      counts as the end, a negative one as 0. Outputs past it are zeros, and the
      state stops there.
    time_major: sequences are [time, batch, units] instead, outputs as well.
    reverse: each sequence runs from its own end to its start.

  Returns:
    The outputs, shaped like the inputs, and the final state [batch, units].

  Raises:
    ValueError: for shapes that do not match, and for an unknown name of an
      activation.
    TypeError: for dtypes that do not match.

  Source: Independently Recurrent Neural Network (IndRNN), Li et al., 2018,
  https://arxiv.org/abs/1803.04831.

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
    ValueError, TypeError: as `ind_rnn`.

  Source: Gonnet and Deselaers, IndyLSTMs, 2019,
  https://arxiv.org/abs/1903.08023, carried over to the GRU by tf.contrib.rnn.

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
    ValueError, TypeError: as `ind_rnn`.

  Source: IndyLSTMs: Independently Recurrent LSTMs, Gonnet and Deselaers, 2019,
  https://arxiv.org/abs/1903.08023.

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
    raise ValueError(
      f"initial_state has {len(initial_state)} parts, expected the pair c, h"
    )
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
  """What the kernels take of an SRU: as much as of the other cells.

  Beside its bias and c, that is recurrent weights of c and biases of s and t,
  all zeros, and a state that is the last output.

  Returns:
    The recurrent kernel, the bias and the states.
  """
  zeros = jnp.zeros(bias.shape[0] // 2, bias.dtype)
  return (
    jnp.zeros([1, 2 * bias.shape[0]], bias.dtype),
    jnp.concatenate([zeros, bias, zeros]),
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
    ValueError, TypeError: as `ind_rnn`.

  Source: Simple Recurrent Units for Highly Parallelizable Recurrence, Lei et
  al., 2018, https://arxiv.org/abs/1709.02755.

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
