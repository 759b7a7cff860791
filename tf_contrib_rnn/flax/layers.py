"""Element-wise recurrent layers for flax.linen, over whole sequences.

A layer is nn.RNN with one of the cells, at once: same calls, same results, same
parameters. All products with the kernel are one, and the rest is one call of
`tf_contrib_rnn.jax`.
"""

import dataclasses
from typing import Any
from typing import Callable
from typing import Optional

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.linear import default_kernel_init

from tf_contrib_rnn.flax import _recurrence
from tf_contrib_rnn.flax import cells


class _Layer(nn.Module):
  """What the layers have in common.

  Attributes:
    cell_class: the class of the cell; belongs to the layer's class.
  """

  def setup(self):
    self.cell = self.make_cell()

  @nn.nowrap
  def make_cell(self) -> Any:
    """A cell with the layer's attributes."""
    names = {field.name for field in dataclasses.fields(self.cell_class)}
    return self.cell_class(
      **{name: getattr(self, name) for name in names - {"parent", "name"}}
    )

  def __call__(
    self,
    inputs: Any,
    *,
    initial_carry: Optional[Any] = None,
    init_key: Optional[Any] = None,
    seq_lengths: Optional[Any] = None,
    return_carry: Optional[bool] = None,
    time_major: Optional[bool] = None,
    reverse: Optional[bool] = None,
    keep_order: Optional[bool] = None,
  ) -> Any:
    """Runs the cell over sequences, as `flax.linen.RNN` does.

    Args:
      inputs: [*batch, time, depth], or with time_major [time, *batch, depth];
        there may be no batch, or several dimensions of it.
      initial_carry: (optional) where to start, arrays [*batch, features]; by
        default what the cell's `initialize_carry` gives.
      init_key: (optional) a key for that; `jax.random.key(0)` by default.
      seq_lengths: (optional) integers [*batch]. The carry is that of each
        sequence's last step; a length past the end counts as the end, and so
        does 0. Outputs past a sequence's end are not cleared.
      return_carry, time_major, reverse, keep_order: (optional) instead of the
        attributes.

    Returns:
      The outputs, with features in place of depth, or with return_carry a tuple
      of the carry and the outputs.

    Raises:
      ValueError: naming the argument, for shapes that do not match.
      TypeError: for lengths that are no integers.
    """
    time_major = self.time_major if time_major is None else time_major
    shape = _recurrence.shape_of_step(inputs, time_major)
    weights = self.cell.weights(shape[-1])
    if initial_carry is None:
      key = jax.random.key(0) if init_key is None else init_key
      initial_carry = self.cell.initialize_carry(key, shape)
    return _recurrence.run_sequences(
      self.cell,
      weights,
      initial_carry,
      inputs,
      seq_lengths,
      self.return_carry if return_carry is None else return_carry,
      time_major,
      self.reverse if reverse is None else reverse,
      self.keep_order if keep_order is None else keep_order,
    )


class IndRNN(_Layer):
  """Independently Recurrent Neural Network (IndRNN) over sequences.

  At each step: h' = act(x W + u h + b), as `IndRNNCell` says.

  It is `flax.linen.RNN(IndRNNCell(...))` in one: the parameters lie under
  "cell" as there, so that variables of the one can be used with the other. The
  sequences are one matrix product and one call of `tf_contrib_rnn.jax.ind_rnn`,
  which says when that runs fused.

  Source: as of `IndRNNCell`; the attributes are its own and those of
  `flax.linen.RNN` which are not about its loop.

  Attributes:
    features: as of `IndRNNCell`, like all that is not listed here.
    time_major: whether sequences are [time, *batch, depth], outputs too, and
      not [*batch, time, depth].
    return_carry: whether to return the carry and the outputs, not these alone.
    reverse: whether to run each sequence from its end to its start. Outputs
      come in the order of computing; what is past a sequence's end stays there.
    keep_order: whether outputs come in the order of the inputs even so.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import IndRNN
  >>> layer = IndRNN(4, activation_fn=jax.nn.relu)
  >>> x = jnp.ones([2, 5, 3])
  >>> variables = layer.init(jax.random.key(0), x)
  >>> jax.tree.map(jnp.shape, variables["params"]["cell"])
  {'bias': (4,), 'kernel': (3, 4), 'recurrent_kernel': (1, 4)}
  >>> layer.apply(variables, x).shape
  (2, 5, 4)
  """

  features: int
  activation_fn: Callable = nn.tanh
  kernel_init: Callable = default_kernel_init
  recurrent_kernel_init: Callable = _recurrence.uniform
  bias_init: Callable = nn.initializers.zeros_init()
  dtype: Optional[Any] = None
  param_dtype: Any = jnp.float32
  carry_init: Callable = nn.initializers.zeros_init()
  residual: bool = False
  time_major: bool = False
  return_carry: bool = False
  reverse: bool = False
  keep_order: bool = False

  cell_class = cells.IndRNNCell


class IndyGRU(_Layer):
  """Independently Gated Recurrent Units over sequences.

  At each step, with gates r and z, as `IndyGRUCell` says:

      c = act(x W_c + u_c (r h) + b_c)
      h' = z h + (1 - z) c

  It is `flax.linen.RNN(IndyGRUCell(...))` in one, as `IndRNN` is of its cell.
  With a `gate_fn` other than sigmoid, the product is still one, and the rest a
  `jax.lax.scan`.

  Source: as of `IndyGRUCell`; the attributes are as of `IndRNN`.

  Attributes:
    features: as of `IndRNN`, like all others but those of `IndyGRUCell`.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import IndyGRU
  >>> layer = IndyGRU(4, return_carry=True)
  >>> (carry, outputs), variables = layer.init_with_output(
  ...   jax.random.key(0), jnp.ones([2, 5, 3]), seq_lengths=jnp.array([5, 2]))
  >>> bool((carry[1] == outputs[1, 1]).all())
  True
  """

  features: int
  gate_fn: Callable = nn.sigmoid
  activation_fn: Callable = nn.tanh
  kernel_init: Callable = default_kernel_init
  recurrent_kernel_init: Callable = _recurrence.uniform
  bias_init: Callable = nn.initializers.zeros_init()
  dtype: Optional[Any] = None
  param_dtype: Any = jnp.float32
  carry_init: Callable = nn.initializers.zeros_init()
  time_major: bool = False
  return_carry: bool = False
  reverse: bool = False
  keep_order: bool = False

  cell_class = cells.IndyGRUCell


class IndyLSTM(_Layer):
  """Independently Recurrent Long Short-Term Memory over sequences.

  At each step, with gates i, f and o, as `IndyLSTMCell` says:

      c' = f c + i act(x W_j + u_j h + b_j)
      h' = o act(c')

  It is `flax.linen.RNN(IndyLSTMCell(...))` in one, as `IndyGRU` is of its cell.
  With `seq_lengths`, the carry takes a second recurrence, which nothing but c
  at the sequences' ends comes from; under `jax.jit` it is left out where the
  carry is not used.

  Source: as of `IndyLSTMCell`; the attributes are as of `IndRNN`.

  Attributes:
    features: as of `IndRNN`, like all others but those of `IndyLSTMCell`.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import flax.linen as nn, jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import IndyLSTM
  >>> layer = nn.Bidirectional(IndyLSTM(4), IndyLSTM(4), return_carry=True)
  >>> ((c, h), backward), outputs = layer.init_with_output(
  ...   jax.random.key(0), jnp.ones([2, 5, 3]))[0]
  >>> c.shape, outputs.shape
  ((2, 4), (2, 5, 8))
  """

  features: int
  gate_fn: Callable = nn.sigmoid
  activation_fn: Callable = nn.tanh
  kernel_init: Callable = default_kernel_init
  recurrent_kernel_init: Callable = _recurrence.uniform
  bias_init: Callable = nn.initializers.zeros_init()
  dtype: Optional[Any] = None
  param_dtype: Any = jnp.float32
  carry_init: Callable = nn.initializers.zeros_init()
  forget_bias_init: Callable = nn.initializers.ones_init()
  time_major: bool = False
  return_carry: bool = False
  reverse: bool = False
  keep_order: bool = False

  cell_class = cells.IndyLSTMCell


class SRU(_Layer):
  """Simple Recurrent Units (SRU) over sequences.

  At each step, with gates f and r, as `SRUCell` says:

      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  It is `flax.linen.RNN(SRUCell(...))` in one, as `IndyGRU` is of its cell. With
  `seq_lengths`, the carry takes a second recurrence, as of `IndyLSTM`: outputs
  do not tell c.

  Source: as of `SRUCell`; the attributes are as of `IndRNN`.

  Attributes:
    features: as of `IndRNN`, like all others but those of `SRUCell`.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import SRU
  >>> layer = SRU(4, return_carry=True)
  >>> (c, outputs), variables = layer.init_with_output(
  ...   jax.random.key(0), jnp.ones([2, 5, 3]), seq_lengths=jnp.array([5, 2]))
  >>> c.shape, outputs.shape
  ((2, 4), (2, 5, 4))
  >>> jax.tree.map(jnp.shape, variables["params"]["cell"])
  {'bias': (8,), 'kernel': (3, 16)}
  """

  features: int
  gate_fn: Callable = nn.sigmoid
  activation_fn: Callable = nn.tanh
  kernel_init: Callable = default_kernel_init
  bias_init: Callable = nn.initializers.zeros_init()
  dtype: Optional[Any] = None
  param_dtype: Any = jnp.float32
  carry_init: Callable = nn.initializers.zeros_init()
  time_major: bool = False
  return_carry: bool = False
  reverse: bool = False
  keep_order: bool = False

  cell_class = cells.SRUCell
