"""Element-wise recurrent layers for flax.linen, over whole sequences.

A layer has the calls, results and parameters of `nn.RNN` with one of the
cells. It computes all products with the kernel at once, and the rest in one
call of `tf_contrib_rnn.jax`.
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
  """The base class of the layers.

  Attributes:
    cell_class: The class of the cell, an attribute of the layer's class.
  """

  def __post_init__(self):
    _recurrence.check_chunk_steps(self.chunk_steps)
    super().__post_init__()

  def setup(self):
    self.cell = self.make_cell()

  @nn.nowrap
  def make_cell(self) -> Any:
    """Returns a cell with the attributes of the layer."""
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
    """Runs the cell over sequences, like `flax.linen.RNN`.

    Args:
      inputs: Array [*batch, time, depth], or [time, *batch, depth] if
        `time_major` is true. There may be any number of batch dimensions, also
        none.
      initial_carry: Optional carry to start with, arrays [*batch, features].
        Default: what `initialize_carry` of the cell returns.
      init_key: Optional key for `initialize_carry`. Default:
        `jax.random.key(0)`.
      seq_lengths: Optional integers [*batch]. The carry is that of the last
        step of each sequence. A length larger than time counts as time, and so
        does 0. Outputs past the end of a sequence are not cleared.
      return_carry: Optional bool that replaces the attribute.
      time_major: Optional bool that replaces the attribute.
      reverse: Optional bool that replaces the attribute.
      keep_order: Optional bool that replaces the attribute.

    Returns:
      The outputs, shaped like the inputs with features instead of depth. If
      `return_carry` is true, a pair `(carry, outputs)`.

    Raises:
      ValueError: If shapes do not match. The message names the argument.
      TypeError: If `seq_lengths` are not integers.
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
      self.chunk_steps,
    )


class IndRNN(_Layer):
  """IndRNN layer: an `IndRNNCell` over whole sequences.

  At each step, the layer computes:

      output = h' = act(x W + u h + b)

  See `IndRNNCell` for the shapes of the parameters. Calls, results and
  parameters are those of `flax.linen.RNN(IndRNNCell(...))`. The parameters are
  under "cell" there and here, so that the variables of one can be used with the
  other.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.ind_rnn`. `tf_contrib_rnn.jax.fused_available` says where
  that runs fused.

  Source: see `IndRNNCell`. The attributes are those of the cell, and those of
  `flax.linen.RNN` that do not concern its loop, and `chunk_steps`.

  Attributes:
    features: Int, the number of units.
    activation_fn: act, a function of an array.
    kernel_init: Initializer of W.
    recurrent_kernel_init: Initializer of u. Default: uniform in [-1, 1), as in
      tf.contrib.rnn. flax's orthogonal initializer does not work for a vector.
    bias_init: Initializer of b.
    dtype: The dtype of the computation and the output. Default: the dtype that
      inputs, parameters and carry promote to. The carry keeps its own dtype.
    param_dtype: The dtype of the parameters and of `initialize_carry`.
    carry_init: Initializer of the carry. Default: zeros.
    residual: Bool, whether to add the carry before the activation
      (https://arxiv.org/abs/1801.06105).
    time_major: Whether sequences, inputs and outputs, are [time, *batch, depth]
      instead of [*batch, time, depth].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.

  Raises:
    ValueError: If `features` or `chunk_steps` is not a whole number of 1 or
      more, or if shapes do not match. It names the argument. For `chunk_steps`
      it is raised at once, otherwise when parameters are made or used.

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
  chunk_steps: Optional[int] = None

  cell_class = cells.IndRNNCell


class IndyGRU(_Layer):
  """IndyGRU layer: an `IndyGRUCell` over whole sequences.

  At each step, the layer computes:

      r = gate(x W_r + u_r h + b_r)
      z = gate(x W_z + u_z h + b_z)
      c = act(x W_c + u_c (r h) + b_c)
      output = h' = z h + (1 - z) c

  See `IndyGRUCell` for the shapes of the parameters. Calls, results and
  parameters are those of `flax.linen.RNN(IndyGRUCell(...))`. The parameters are
  under "cell" there and here, so that the variables of one can be used with the
  other.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.indy_gru`. `tf_contrib_rnn.jax.fused_available` says where
  that runs fused.

  If `gate_fn` is not sigmoid, the product is still computed at once, and the
  rest is a `jax.lax.scan`.

  Source: see `IndyGRUCell`. The attributes are those of the cell, and those of
  `flax.linen.RNN` that do not concern its loop, and `chunk_steps`.

  Attributes:
    features: Int, the number of units.
    gate_fn: The gate function `gate`, a function of an array.
    activation_fn: act, for the candidate c.
    kernel_init: Initializer of W.
    recurrent_kernel_init: Initializer of u. Default: uniform in [-1, 1), as in
      tf.contrib.rnn. flax's orthogonal initializer does not work for a vector.
    bias_init: Initializer of b.
    dtype: The dtype of the computation and the output. Default: the dtype that
      inputs, parameters and carry promote to. The carry keeps its own dtype.
    param_dtype: The dtype of the parameters and of `initialize_carry`.
    carry_init: Initializer of the carry. Default: zeros.
    time_major: Whether sequences, inputs and outputs, are [time, *batch, depth]
      instead of [*batch, time, depth].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.

  Raises:
    ValueError: If `features` or `chunk_steps` is not a whole number of 1 or
      more, or if shapes do not match. It names the argument. For `chunk_steps`
      it is raised at once, otherwise when parameters are made or used.

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
  chunk_steps: Optional[int] = None

  cell_class = cells.IndyGRUCell


class IndyLSTM(_Layer):
  """IndyLSTM layer: an `IndyLSTMCell` over whole sequences.

  At each step, the layer computes:

      i = gate(x W_i + u_i h + b_i)
      j = act(x W_j + u_j h + b_j)
      f = gate(x W_f + u_f h + b_f)
      o = gate(x W_o + u_o h + b_o)
      c' = f c + i j
      output = h' = o act(c')

  See `IndyLSTMCell` for the shapes of the parameters. Calls, results and
  parameters are those of `flax.linen.RNN(IndyLSTMCell(...))`. The parameters
  are under "cell" there and here, so that the variables of one can be used with
  the other.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.indy_lstm`. `tf_contrib_rnn.jax.fused_available` says
  where that runs fused.

  If `gate_fn` is not sigmoid, the product is still computed at once, and the
  rest is a `jax.lax.scan`.

  With `seq_lengths`, c at the end of each sequence needs a second recurrence,
  because the outputs do not contain c. `jax.jit` removes it if the carry is not
  used.

  Source: see `IndyLSTMCell`. The attributes are those of the cell, and those of
  `flax.linen.RNN` that do not concern its loop, and `chunk_steps`.

  Attributes:
    features: Int, the number of units.
    gate_fn: The gate function `gate`, a function of an array.
    activation_fn: act, for the candidate j and for c'.
    kernel_init: Initializer of W.
    recurrent_kernel_init: Initializer of u. Default: uniform in [-1, 1), as in
      tf.contrib.rnn. flax's orthogonal initializer does not work for a vector.
    bias_init: Initializer of b, except b_f.
    dtype: The dtype of the computation and the output. Default: the dtype that
      inputs, parameters and carry promote to. The carry keeps its own dtype.
    param_dtype: The dtype of the parameters and of `initialize_carry`.
    carry_init: Initializer of the carry. Default: zeros.
    forget_bias_init: Initializer of b_f. Default: ones. The name is that of
      flax's MGUCell. With zeros, b starts as in flax's LSTM cells.
    time_major: Whether sequences, inputs and outputs, are [time, *batch, depth]
      instead of [*batch, time, depth].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.

  Raises:
    ValueError: If `features` or `chunk_steps` is not a whole number of 1 or
      more, or if shapes do not match. It names the argument. For `chunk_steps`
      it is raised at once, otherwise when parameters are made or used.

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
  chunk_steps: Optional[int] = None

  cell_class = cells.IndyLSTMCell


class SRU(_Layer):
  """SRU layer: an `SRUCell` over whole sequences.

  At each step, the layer computes:

      f = gate(x W_f + b_f)
      r = gate(x W_r + b_r)
      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  See `SRUCell` for the shapes of the parameters. Calls, results and parameters
  are those of `flax.linen.RNN(SRUCell(...))`. The parameters are under "cell"
  there and here, so that the variables of one can be used with the other.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.sru`. `tf_contrib_rnn.jax.fused_available` says where that
  runs fused.

  If `gate_fn` is not sigmoid, the product is still computed at once, and the
  rest is a `jax.lax.scan`.

  With `seq_lengths`, c at the end of each sequence needs a second recurrence,
  because the outputs do not contain c. `jax.jit` removes it if the carry is not
  used.

  Source: see `SRUCell`. The attributes are those of the cell, and those of
  `flax.linen.RNN` that do not concern its loop, and `chunk_steps`.

  Attributes:
    features: Int, the number of units.
    gate_fn: The gate function `gate`, a function of an array.
    activation_fn: act, for c' in the output.
    kernel_init: Initializer of W.
    bias_init: Initializer of b.
    dtype: The dtype of the computation and the output. Default: the dtype that
      inputs, parameters and carry promote to. The carry keeps its own dtype.
    param_dtype: The dtype of the parameters and of `initialize_carry`.
    carry_init: Initializer of the carry. Default: zeros.
    time_major: Whether sequences, inputs and outputs, are [time, *batch, depth]
      instead of [*batch, time, depth].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.

  Raises:
    ValueError: If `features` or `chunk_steps` is not a whole number of 1 or
      more, or if shapes do not match. It names the argument. For `chunk_steps`
      it is raised at once, otherwise when parameters are made or used.

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
  chunk_steps: Optional[int] = None

  cell_class = cells.SRUCell
