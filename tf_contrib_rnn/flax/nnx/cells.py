"""Element-wise recurrent cells for flax.nnx.

Each cell is flax's cell with the same gates, but with diagonal recurrent
matrices. Arguments, carries and calls are those of flax's cells. flax has no
SRU. It is made like the other cells. The parameters have the names and shapes
of those for linen.
"""

import types
from collections.abc import Mapping
from typing import Any
from typing import Callable
from typing import Optional
from typing import TYPE_CHECKING

import jax.numpy as jnp
from flax import nnx
from flax.nnx.nn.dtypes import promote_dtype as default_promote_dtype

from tf_contrib_rnn import _signatures
from tf_contrib_rnn.flax import _recurrence

if TYPE_CHECKING:
  from typing_extensions import Unpack

  from tf_contrib_rnn.flax.nnx import _arguments

_NO_METADATA: Mapping[str, Any] = types.MappingProxyType({})


class _Cell(nnx.RNNCellBase):
  """The base class of the cells.

  Attributes:
    kind: The facts about the cell, an attribute of its class.
  """

  kind: _recurrence.Kind
  __signature__ = _signatures.OfInit()

  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    activation_fn: Callable = nnx.tanh,
    dtype: Optional[Any] = None,
    param_dtype: Any = jnp.float32,
    carry_init: Optional[Callable] = None,
    promote_dtype: Callable = default_promote_dtype,
  ):
    _recurrence.check_features("in_features", in_features)
    _recurrence.check_features("hidden_features", hidden_features)
    self.in_features = in_features
    self.hidden_features = hidden_features
    self.activation_fn = activation_fn
    self.dtype = dtype
    self.param_dtype = param_dtype
    self.carry_init = carry_init
    self.promote_dtype = promote_dtype

  def _draw(self, rngs, rows, initializers, metadata):
    """Draws a parameter, each part of its last dimension on its own.

    Args:
      rngs: The `rngs` of the cell.
      rows: The dimensions before the last one.
      initializers: One for each part.
      metadata: The metadata of the parameter.
    """
    initialize = _recurrence.by_gate(initializers)
    shape = (*rows, len(initializers) * self.hidden_features)
    return nnx.Param(
      initialize(rngs.params(), shape, self.param_dtype), **metadata
    )

  def weights(self) -> tuple:
    """Returns the arrays of the parameters.

    Returns:
      The kernel [in_features, gates * hidden_features], the recurrent kernel
      [1, gates * hidden_features] and the bias [gates * hidden_features]. The
      SRU has a smaller bias and no recurrent kernel.
    """
    return tuple(getattr(self, name)[...] for name in self.kind.cell.arrays)

  def promote(self, *arrays: Any) -> tuple:
    """The arrays in the dtype of the computation."""
    return self.promote_dtype(arrays, dtype=self.dtype)

  def __call__(self, carry: Any, inputs: Any) -> tuple:
    """Runs one step.

    Args:
      carry: The state: an array [..., hidden_features], or the pair (c, h).
      inputs: Array [..., in_features].

    Returns:
      A pair `(carry, output)`: the new carry, in the dtype of the old one, and
      the output [..., hidden_features].

    Raises:
      ValueError: If shapes do not match. The message names the argument.
    """
    return _recurrence.run_step(self, self.weights(), carry, inputs)

  def initialize_carry(
    self,
    input_shape: tuple,
    rngs: Optional[Any] = None,
    carry_init: Optional[Callable] = None,
  ) -> Any:
    """Returns the state before the first step.

    Args:
      input_shape: The shape of the inputs of one step, [..., in_features].
      rngs: An `nnx.Rngs` or one of its streams, for the initializer. Zeros do
        not need it.
      carry_init: Optional initializer, instead of that of the cell. The default
        of the cell is zeros.

    Returns:
      An array [..., hidden_features] of `param_dtype`, or a pair (c, h) of such
      arrays.

    Raises:
      ValueError: If there is an initializer and no `rngs`.
    """
    shape = (*input_shape[:-1], self.hidden_features)
    initialize = carry_init or self.carry_init
    if initialize is None:
      return jnp.zeros(shape, self.param_dtype)
    if rngs is None:
      raise ValueError("rngs is None, expected keys for carry_init")
    stream = rngs.carry if isinstance(rngs, nnx.Rngs) else rngs
    return initialize(stream(), shape, self.param_dtype)

  @property
  def num_feature_axes(self) -> int:
    """The number of feature dimensions at the end of the inputs' shape."""
    return 1


class _IndependentCell(_Cell):
  """The base class of the cells with a recurrent kernel."""

  @_signatures.with_arguments_of(_Cell)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    kernel_init: Callable = nnx.initializers.lecun_normal(),
    recurrent_kernel_init: Callable = _recurrence.uniform,
    bias_init: Callable = nnx.initializers.zeros_init(),
    kernel_metadata: Mapping[str, Any] = _NO_METADATA,
    recurrent_kernel_metadata: Mapping[str, Any] = _NO_METADATA,
    bias_metadata: Mapping[str, Any] = _NO_METADATA,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfAnyCell]",
  ):
    super().__init__(in_features, hidden_features, **keywords)
    gates = self.kind.gates
    self.kernel = self._draw(
      rngs, (in_features,), [kernel_init] * gates, kernel_metadata
    )
    self.recurrent_kernel = self._draw(
      rngs, (1,), [recurrent_kernel_init] * gates, recurrent_kernel_metadata
    )
    self.bias = self._draw(rngs, (), self._bias_inits(bias_init), bias_metadata)

  def _bias_inits(self, bias_init):
    return [bias_init] * self.kind.gates


class IndRNNCell(_IndependentCell):
  """Independently Recurrent Neural Network (IndRNN) cell.

  The cell is `flax.nnx.SimpleCell` with a diagonal recurrent matrix:

      output = h' = act(x W + u h + b)

  x is [..., in_features] and the carry h is [..., hidden_features]. If
  `residual` is true, h is added to the sum as well.

  Parameters, each an `nnx.Param`: `kernel` W [in_features, hidden_features],
  `recurrent_kernel` u [1, hidden_features] and `bias` b [hidden_features].

  Source: Li, Li, Cook, Zhu and Gao, "Independently Recurrent Neural Network
  (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831); `tf.contrib.rnn.IndRNNCell` of TensorFlow
  1.15. The arguments are those of `flax.nnx.SimpleCell`.

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
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features is not a whole number of 1 or more, or
      if shapes do not match in a call. The message names the argument.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndRNNCell
  >>> cell = IndRNNCell(3, 4, activation_fn=nnx.relu, rngs=nnx.Rngs(0))
  >>> x = jnp.ones([2, 3])
  >>> carry, output = cell(cell.initialize_carry(x.shape), x)
  >>> output.shape
  (2, 4)
  """

  kind = _recurrence.IND_RNN

  @_signatures.with_arguments_of(_IndependentCell)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    residual: bool = False,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndependentCell]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)
    self.residual = residual

  def weights(self) -> tuple:
    """Returns the parameters. If `residual` is true, 1 is added to u."""
    kernel, recurrent_kernel, bias = super().weights()
    return kernel, recurrent_kernel + self.residual, bias


class IndyGRUCell(_IndependentCell):
  """Independently Gated Recurrent Unit (IndyGRU) cell.

  The cell is `flax.nnx.GRUCell` with diagonal recurrent matrices:

      r = gate(x W_r + u_r h + b_r)
      z = gate(x W_z + u_z h + b_z)
      c = act(x W_c + u_c (r h) + b_c)
      output = h' = z h + (1 - z) c

  x is [..., in_features] and the carry h is [..., hidden_features].

  Parameters, each an `nnx.Param`, with the gates in the order r, z, c: `kernel`
  W [in_features, 3 * hidden_features], `recurrent_kernel` u [1, 3 *
  hidden_features] and `bias` b [3 * hidden_features]. The part of each gate is
  drawn on its own.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15; Li et al.
  (https://arxiv.org/abs/1803.04831), for the recurrent vectors; Cho et al.
  (https://arxiv.org/abs/1406.1078), for the gates. The arguments are those of
  `flax.nnx.GRUCell`.

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
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features is not a whole number of 1 or more, or
      if shapes do not match in a call. The message names the argument.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndyGRUCell
  >>> rngs = nnx.Rngs(0)
  >>> rnn = nnx.Bidirectional(
  ...   nnx.RNN(IndyGRUCell(3, 4, rngs=rngs)),
  ...   nnx.RNN(IndyGRUCell(3, 4, rngs=rngs)))
  >>> rnn(jnp.ones([2, 5, 3])).shape
  (2, 5, 8)
  """

  kind = _recurrence.INDY_GRU

  @_signatures.with_arguments_of(_IndependentCell)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    gate_fn: Callable = nnx.sigmoid,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndependentCell]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)
    self.gate_fn = gate_fn


class IndyLSTMCell(_IndependentCell):
  """Independently Recurrent Long Short-Term Memory (IndyLSTM) cell.

  The cell is `flax.nnx.OptimizedLSTMCell` with diagonal recurrent matrices:

      i = gate(x W_i + u_i h + b_i)
      j = act(x W_j + u_j h + b_j)
      f = gate(x W_f + u_f h + b_f)
      o = gate(x W_o + u_o h + b_o)
      c' = f c + i j
      output = h' = o act(c')

  x is [..., in_features] and the carry is a pair (c, h), each [...,
  hidden_features].

  Parameters, each an `nnx.Param`, with the gates in the order i, j, f, o:
  `kernel` W [in_features, 4 * hidden_features], `recurrent_kernel` u [1, 4 *
  hidden_features] and `bias` b [4 * hidden_features]. The part of each gate is
  drawn on its own.

  Source: Gonnet and Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023); `tf.contrib.rnn.IndyLSTMCell` of
  TensorFlow 1.15, which adds a `forget_bias` of 1 at each step. Here,
  `forget_bias_init` initializes the bias with it instead. The arguments are
  those of `flax.nnx.OptimizedLSTMCell`.

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
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features is not a whole number of 1 or more, or
      if shapes do not match in a call. The message names the argument.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndyLSTMCell
  >>> cell = IndyLSTMCell(3, 4, rngs=nnx.Rngs(0))
  >>> x = jnp.ones([2, 3])
  >>> (c, h), output = cell(cell.initialize_carry(x.shape), x)
  >>> c.shape, bool((h == output).all())
  ((2, 4), True)
  """

  kind = _recurrence.INDY_LSTM

  @_signatures.with_arguments_of(_IndependentCell)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    gate_fn: Callable = nnx.sigmoid,
    forget_bias_init: Callable = nnx.initializers.ones_init(),
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndependentCell]",
  ):
    self._forget_bias_init = forget_bias_init
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)
    self.gate_fn = gate_fn

  def _bias_inits(self, bias_init):
    return [bias_init, bias_init, self._forget_bias_init, bias_init]

  def initialize_carry(
    self,
    input_shape: tuple,
    rngs: Optional[Any] = None,
    carry_init: Optional[Callable] = None,
  ) -> tuple:
    """Returns the pair (c, h) before the first step. c is drawn first.

    Args:
      input_shape: The shape of the inputs of one step, [..., in_features].
      rngs: An `nnx.Rngs` or one of its streams, for the initializer. Zeros do
        not need it.
      carry_init: Optional initializer, instead of that of the cell.

    Returns:
      A pair of arrays [..., hidden_features] of `param_dtype`.

    Raises:
      ValueError: If there is an initializer and no `rngs`.
    """
    initialize = super().initialize_carry
    c = initialize(input_shape, rngs, carry_init)
    return c, initialize(input_shape, rngs, carry_init)


class SRUCell(_Cell):
  """Simple Recurrent Unit (SRU) cell.

  The gates depend on the inputs only, and the carry c is not the output.

      f = gate(x W_f + b_f)
      r = gate(x W_r + b_r)
      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  x is [..., in_features] and the carry c is [..., hidden_features].

  Parameters, each an `nnx.Param`: `kernel` W [in_features, 4 * hidden_features]
  in the order s, f, r, t, and `bias` b [2 * hidden_features] in the order f, r.
  Each part is drawn on its own. There is no recurrent kernel.

  Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
  Parallelizable Recurrence" (https://arxiv.org/abs/1709.02755);
  `tf.contrib.rnn.SRUCell` of TensorFlow 1.15, whose gate function is sigmoid.
  flax has no such cell. The arguments are those of `flax.nnx.GRUCell`.

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
    rngs: An `nnx.Rngs`. The parameters are drawn from its stream "params".

  Raises:
    ValueError: If a number of features is not a whole number of 1 or more, or
      if shapes do not match in a call. The message names the argument.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import SRUCell
  >>> cell = SRUCell(3, 4, rngs=nnx.Rngs(0))
  >>> cell.kernel.shape, cell.bias.shape
  ((3, 16), (8,))
  >>> x = jnp.ones([2, 3])
  >>> c, output = cell(cell.initialize_carry(x.shape), x)
  >>> c.shape, output.shape
  ((2, 4), (2, 4))
  """

  kind = _recurrence.SRU

  @_signatures.with_arguments_of(_Cell)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    gate_fn: Callable = nnx.sigmoid,
    kernel_init: Callable = nnx.initializers.lecun_normal(),
    bias_init: Callable = nnx.initializers.zeros_init(),
    kernel_metadata: Mapping[str, Any] = _NO_METADATA,
    bias_metadata: Mapping[str, Any] = _NO_METADATA,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfAnyCell]",
  ):
    super().__init__(in_features, hidden_features, **keywords)
    self.gate_fn = gate_fn
    s = f = r = t = kernel_init
    self.kernel = self._draw(
      rngs, (in_features,), [s, f, r, t], kernel_metadata
    )
    self.bias = self._draw(rngs, (), [bias_init] * 2, bias_metadata)
