"""Element-wise recurrent layers for flax.nnx, over whole sequences.

A layer has the calls, results and state of `nnx.RNN` with one of the cells.
It computes all products with the kernel at once, and the rest in one call of
`tf_contrib_rnn.jax`.
"""

from typing import Any
from typing import Optional
from typing import TYPE_CHECKING

from flax import nnx

from tf_contrib_rnn import _signatures
from tf_contrib_rnn.flax import _recurrence
from tf_contrib_rnn.flax.nnx import cells

if TYPE_CHECKING:
  from typing_extensions import Unpack

  from tf_contrib_rnn.flax.nnx import _arguments


class _Layer(nnx.Module):
  """The base class of the layers.

  Attributes:
    cell_class: The class of the cell, an attribute of the layer's class.
  """

  cell_class: Any
  __signature__ = _signatures.OfInit()

  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    time_major: bool = False,
    return_carry: bool = False,
    reverse: bool = False,
    keep_order: bool = False,
    chunk_steps: Optional[int] = None,
    rngs: nnx.Rngs,
    **of_cell,
  ):
    self.chunk_steps = _recurrence.check_chunk_steps(chunk_steps)
    self.cell = self.cell_class(
      in_features, hidden_features, rngs=rngs, **of_cell
    )
    self.time_major = time_major
    self.return_carry = return_carry
    self.reverse = reverse
    self.keep_order = keep_order

  def __call__(
    self,
    inputs: Any,
    *,
    initial_carry: Optional[Any] = None,
    seq_lengths: Optional[Any] = None,
    return_carry: Optional[bool] = None,
    time_major: Optional[bool] = None,
    reverse: Optional[bool] = None,
    keep_order: Optional[bool] = None,
    rngs: Optional[Any] = None,
  ) -> Any:
    """Runs the cell over sequences, like `flax.nnx.RNN`.

    Args:
      inputs: Array [*batch, time, in_features], or [time, *batch, in_features]
        if `time_major` is true. There may be any number of batch dimensions,
        also none.
      initial_carry: Optional carry to start with, arrays [*batch,
        hidden_features]. Default: what `initialize_carry` of the cell returns.
      seq_lengths: Optional integers [*batch]. The carry is that of the last
        step of each sequence. A length larger than time counts as time, and so
        does 0. Outputs past the end of a sequence are not cleared.
      return_carry: Optional bool that replaces the attribute.
      time_major: Optional bool that replaces the attribute.
      reverse: Optional bool that replaces the attribute.
      keep_order: Optional bool that replaces the attribute.
      rngs: Optional `nnx.Rngs` or one of its streams, for `initialize_carry`.
        Default: `nnx.Rngs(0)`.

    Returns:
      The outputs, shaped like the inputs with hidden_features instead of
      in_features. If `return_carry` is true, a pair `(carry, outputs)`.

    Raises:
      ValueError: If shapes do not match. The message names the argument.
      TypeError: If `seq_lengths` are not integers.
    """
    time_major = self.time_major if time_major is None else time_major
    if initial_carry is None:
      shape = _recurrence.shape_of_step(inputs, time_major)
      rngs = nnx.Rngs(0) if rngs is None else rngs
      initial_carry = self.cell.initialize_carry(shape, rngs)
    return _recurrence.run_sequences(
      self.cell,
      self.cell.weights(),
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

  See `IndRNNCell` for the shapes of the parameters. The layer has the attribute
  `cell`, like `flax.nnx.RNN(IndRNNCell(...))`. Calls and results are those of
  that module, and the state of one can be used with the other. The parameters
  are those of the layer for linen.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.ind_rnn`. `tf_contrib_rnn.jax.fused_available` says where
  that runs fused.

  Source: see `IndRNNCell`. The arguments are those of the cell, and those of
  `flax.nnx.RNN` that do not concern its loop, and `chunk_steps`.

  Args:
    in_features: Int, the number of features of the inputs.
    hidden_features: Int, the number of units.
    residual: Bool, whether to add the carry before the activation
      (https://arxiv.org/abs/1801.06105).
    activation_fn: act, a function of an array.
    kernel_init: Initializer of W.
    recurrent_kernel_init: Initializer of u. Default: uniform in [-1, 1), as in
      tf.contrib.rnn. flax's orthogonal initializer does not work for a vector.
    bias_init: Initializer of b.
    dtype: The dtype of the computation and the output. Default: the dtype that
      inputs, parameters and carry promote to. The carry keeps its own dtype.
    param_dtype: The dtype of the parameters and of `initialize_carry`.
    carry_init: Initializer of the carry. Default: zeros.
    promote_dtype: Function that converts a tuple of arrays to `dtype`.
    kernel_metadata: Optional metadata of the `nnx.Param` W.
    recurrent_kernel_metadata: Optional metadata of the `nnx.Param` u.
    bias_metadata: Optional metadata of the `nnx.Param` b.
    time_major: Whether sequences, inputs and outputs, are [time, *batch,
      in_features] instead of [*batch, time, in_features].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features or `chunk_steps` is not a whole number
      of 1 or more, or if shapes do not match in a call. The message names the
      argument.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndRNN
  >>> layer = IndRNN(3, 4, activation_fn=nnx.relu, rngs=nnx.Rngs(0))
  >>> layer(jnp.ones([2, 5, 3])).shape
  (2, 5, 4)
  >>> layer.cell.recurrent_kernel.shape
  (1, 4)
  """

  cell_class = cells.IndRNNCell

  @_signatures.with_arguments_of(cells.IndRNNCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndRNN]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)


class IndyGRU(_Layer):
  """IndyGRU layer: an `IndyGRUCell` over whole sequences.

  At each step, the layer computes:

      r = gate(x W_r + u_r h + b_r)
      z = gate(x W_z + u_z h + b_z)
      c = act(x W_c + u_c (r h) + b_c)
      output = h' = z h + (1 - z) c

  See `IndyGRUCell` for the shapes of the parameters. The layer has the
  attribute `cell`, like `flax.nnx.RNN(IndyGRUCell(...))`. Calls and results are
  those of that module, and the state of one can be used with the other. The
  parameters are those of the layer for linen.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.indy_gru`. `tf_contrib_rnn.jax.fused_available` says where
  that runs fused.

  If `gate_fn` is not sigmoid, the product is still computed at once, and the
  rest is a `jax.lax.scan`.

  Source: see `IndyGRUCell`. The arguments are those of the cell, and those of
  `flax.nnx.RNN` that do not concern its loop, and `chunk_steps`.

  Args:
    in_features: Int, the number of features of the inputs.
    hidden_features: Int, the number of units.
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
    promote_dtype: Function that converts a tuple of arrays to `dtype`.
    kernel_metadata: Optional metadata of the `nnx.Param` W.
    recurrent_kernel_metadata: Optional metadata of the `nnx.Param` u.
    bias_metadata: Optional metadata of the `nnx.Param` b.
    time_major: Whether sequences, inputs and outputs, are [time, *batch,
      in_features] instead of [*batch, time, in_features].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features or `chunk_steps` is not a whole number
      of 1 or more, or if shapes do not match in a call. The message names the
      argument.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndyGRU
  >>> layer = IndyGRU(3, 4, return_carry=True, rngs=nnx.Rngs(0))
  >>> x, lengths = jnp.ones([2, 5, 3]), jnp.array([5, 2])
  >>> carry, outputs = layer(x, seq_lengths=lengths)
  >>> bool((carry[1] == outputs[1, 1]).all())
  True
  """

  cell_class = cells.IndyGRUCell

  @_signatures.with_arguments_of(cells.IndyGRUCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndyGRU]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)


class IndyLSTM(_Layer):
  """IndyLSTM layer: an `IndyLSTMCell` over whole sequences.

  At each step, the layer computes:

      i = gate(x W_i + u_i h + b_i)
      j = act(x W_j + u_j h + b_j)
      f = gate(x W_f + u_f h + b_f)
      o = gate(x W_o + u_o h + b_o)
      c' = f c + i j
      output = h' = o act(c')

  See `IndyLSTMCell` for the shapes of the parameters. The layer has the
  attribute `cell`, like `flax.nnx.RNN(IndyLSTMCell(...))`. Calls and results
  are those of that module, and the state of one can be used with the other. The
  parameters are those of the layer for linen.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.indy_lstm`. `tf_contrib_rnn.jax.fused_available` says
  where that runs fused.

  If `gate_fn` is not sigmoid, the product is still computed at once, and the
  rest is a `jax.lax.scan`.

  With `seq_lengths`, c at the end of each sequence needs a second recurrence,
  because the outputs do not contain c. `jax.jit` removes it if the carry is not
  used.

  Source: see `IndyLSTMCell`. The arguments are those of the cell, and those of
  `flax.nnx.RNN` that do not concern its loop, and `chunk_steps`.

  Args:
    in_features: Int, the number of features of the inputs.
    hidden_features: Int, the number of units.
    gate_fn: The gate function `gate`, a function of an array.
    forget_bias_init: Initializer of b_f, instead of `bias_init`. Default: ones.
      With zeros, b starts as in flax's LSTM cells.
    activation_fn: act, for the candidate j and for c'.
    kernel_init: Initializer of W.
    recurrent_kernel_init: Initializer of u. Default: uniform in [-1, 1), as in
      tf.contrib.rnn. flax's orthogonal initializer does not work for a vector.
    bias_init: Initializer of b, except b_f.
    dtype: The dtype of the computation and the output. Default: the dtype that
      inputs, parameters and carry promote to. The carry keeps its own dtype.
    param_dtype: The dtype of the parameters and of `initialize_carry`.
    carry_init: Initializer of the carry. Default: zeros.
    promote_dtype: Function that converts a tuple of arrays to `dtype`.
    kernel_metadata: Optional metadata of the `nnx.Param` W.
    recurrent_kernel_metadata: Optional metadata of the `nnx.Param` u.
    bias_metadata: Optional metadata of the `nnx.Param` b.
    time_major: Whether sequences, inputs and outputs, are [time, *batch,
      in_features] instead of [*batch, time, in_features].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features or `chunk_steps` is not a whole number
      of 1 or more, or if shapes do not match in a call. The message names the
      argument.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndyLSTM
  >>> rngs = nnx.Rngs(0)
  >>> layer = nnx.Bidirectional(
  ...   IndyLSTM(3, 4, rngs=rngs), IndyLSTM(3, 4, rngs=rngs))
  >>> layer(jnp.ones([2, 5, 3])).shape
  (2, 5, 8)
  """

  cell_class = cells.IndyLSTMCell

  @_signatures.with_arguments_of(cells.IndyLSTMCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndyLSTM]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)


class SRU(_Layer):
  """SRU layer: an `SRUCell` over whole sequences.

  At each step, the layer computes:

      f = gate(x W_f + b_f)
      r = gate(x W_r + b_r)
      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  See `SRUCell` for the shapes of the parameters. The layer has the attribute
  `cell`, like `flax.nnx.RNN(SRUCell(...))`. Calls and results are those of that
  module, and the state of one can be used with the other. The parameters are
  those of the layer for linen.

  The layer computes one matrix product for all steps, and one call of
  `tf_contrib_rnn.jax.sru`. `tf_contrib_rnn.jax.fused_available` says where that
  runs fused.

  If `gate_fn` is not sigmoid, the product is still computed at once, and the
  rest is a `jax.lax.scan`.

  With `seq_lengths`, c at the end of each sequence needs a second recurrence,
  because the outputs do not contain c. `jax.jit` removes it if the carry is not
  used.

  Source: see `SRUCell`. The arguments are those of the cell, and those of
  `flax.nnx.RNN` that do not concern its loop, and `chunk_steps`.

  Args:
    in_features: Int, the number of features of the inputs.
    hidden_features: Int, the number of units.
    gate_fn: The gate function `gate`, a function of an array.
    activation_fn: act, for c' in the output.
    kernel_init: Initializer of W.
    bias_init: Initializer of b.
    dtype: The dtype of the computation and the output. Default: the dtype that
      inputs, parameters and carry promote to. The carry keeps its own dtype.
    param_dtype: The dtype of the parameters and of `initialize_carry`.
    carry_init: Initializer of the carry. Default: zeros.
    promote_dtype: Function that converts a tuple of arrays to `dtype`.
    kernel_metadata: Optional metadata of the `nnx.Param` W.
    bias_metadata: Optional metadata of the `nnx.Param` b.
    time_major: Whether sequences, inputs and outputs, are [time, *batch,
      in_features] instead of [*batch, time, in_features].
    return_carry: Whether to return the carry and the outputs, instead of the
      outputs only.
    reverse: Whether to run each sequence from its end to its start. Outputs are
      in the order of computation. Padding stays at the end.
    keep_order: Whether outputs are in the order of the inputs if `reverse` is
      true.
    chunk_steps: Optional int. With it, training needs less memory: the layer
      runs in chunks of so many steps, and its gradient computes each chunk
      again. See `tf_contrib_rnn.jax.in_chunks`. Results are the same.
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features or `chunk_steps` is not a whole number
      of 1 or more, or if shapes do not match in a call. The message names the
      argument.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import SRU
  >>> layer = SRU(3, 4, return_carry=True, rngs=nnx.Rngs(0))
  >>> c, outputs = layer(jnp.ones([2, 5, 3]), seq_lengths=jnp.array([5, 2]))
  >>> c.shape, outputs.shape
  ((2, 4), (2, 5, 4))
  """

  cell_class = cells.SRUCell

  @_signatures.with_arguments_of(cells.SRUCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfSRU]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)
