"""Element-wise recurrent cells for flax.nnx: flax's, with diagonal matrices.

Arguments, carries and calls are those of flax's cell of the same gates; here
are the parameters, which have the names and shapes of linen's. The SRU, which
flax has not, is made like them.
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
  """What the cells have in common.

  Attributes:
    kind: what there is to know of the cell; belongs to the class.
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
    """A parameter, the parts of whose last dimension have an initializer each.

    Args:
      rngs: as of the cell.
      rows: the dimensions before the last one.
      initializers, metadata: of the parameter.
    """
    initialize = _recurrence.by_gate(initializers)
    shape = (*rows, len(initializers) * self.hidden_features)
    return nnx.Param(
      initialize(rngs.params(), shape, self.param_dtype), **metadata
    )

  def weights(self) -> tuple:
    """The kernel [in_features, gates * hidden_features], the recurrent kernel
    [1, gates * hidden_features] and the bias [gates * hidden_features]; the
    SRU's are fewer."""
    return tuple(getattr(self, name)[...] for name in self.kind.cell.arrays)

  def promote(self, *arrays: Any) -> tuple:
    """The arrays in the dtype of the computation."""
    return self.promote_dtype(arrays, dtype=self.dtype)

  def __call__(self, carry: Any, inputs: Any) -> tuple:
    """One step.

    Args:
      carry: the state, an array [..., hidden_features], or the pair c, h.
      inputs: [..., in_features].

    Returns:
      The new carry, in the dtype of the old one, and the output [...,
      hidden_features].

    Raises:
      ValueError: naming the argument, for shapes that do not match.
    """
    return _recurrence.run_step(self, self.weights(), carry, inputs)

  def initialize_carry(
    self,
    input_shape: tuple,
    rngs: Optional[Any] = None,
    carry_init: Optional[Callable] = None,
  ) -> Any:
    """The state before the first step.

    Args:
      input_shape: that of a step's inputs, [..., in_features].
      rngs: an `nnx.Rngs` or a stream of it, for the initializer; zeros need
        none.
      carry_init: (optional) initializer instead of the cell's, whose default is
        zeros.

    Returns:
      An array [..., hidden_features] of `param_dtype`, or the pair c, h.

    Raises:
      ValueError: if there is an initializer and no `rngs`.
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
    """How many of the inputs' last dimensions are features."""
    return 1


class _IndependentCell(_Cell):
  """What the cells with a recurrent kernel have in common."""

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

  flax's SimpleCell with a diagonal recurrent matrix:

      output = h' = act(x W + u h + b)

  with x [..., in_features], W [in_features, hidden_features], u [1,
  hidden_features], b [hidden_features] and a carry h [..., hidden_features]. If
  `residual`, h is added to the sum as well.

  Parameters, each an `nnx.Param`: `kernel` W, `recurrent_kernel` u, `bias` b.

  Source: as of `tf_contrib_rnn.flax.IndRNNCell`; the arguments are those of
  `flax.nnx.SimpleCell`.

  Args:
    in_features: int, the number of the inputs' features.
    hidden_features: int, the number of units.
    residual: whether the carry is added before the activation
      (https://arxiv.org/abs/1801.06105).
    activation_fn: act, a function of an array.
    kernel_init: initializer of W.
    recurrent_kernel_init: initializer of u. The default is uniform in [-1, 1),
      as in tf.contrib.rnn: flax's orthogonal means nothing for a vector.
    bias_init: initializer of b.
    dtype: of the computation and the output; by default that to which inputs,
      parameters and carry promote. The carry keeps its own.
    param_dtype: of the parameters and of `initialize_carry`.
    carry_init: (optional) initializer of the carry, zeros by default.
    promote_dtype: function that brings a tuple of arrays to `dtype`.
    kernel_metadata: (optional) metadata of the `nnx.Param` that is W.
    recurrent_kernel_metadata: (optional) of u.
    bias_metadata: (optional) of b.
    rngs: an `nnx.Rngs`, from whose stream "params" the parameters are drawn.

  Raises:
    ValueError: naming the argument, if a number of features is not a whole
      number of 1 or more, or shapes do not match when it is called.

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
    """As the base class says; `residual` is one more in what multiplies h."""
    kernel, recurrent_kernel, bias = super().weights()
    return kernel, recurrent_kernel + self.residual, bias


class IndyGRUCell(_IndependentCell):
  """Independently Gated Recurrent Units (IndyGRU) cell.

  flax's GRUCell with diagonal recurrent matrices:

      r = gate(x W_r + u_r h + b_r)
      z = gate(x W_z + u_z h + b_z)
      c = act(x W_c + u_c (r h) + b_c)
      output = h' = z h + (1 - z) c

  with x [..., in_features] and a carry h [..., hidden_features].

  Parameters, gates in the order r, z, c: `kernel` [in_features, 3 *
  hidden_features], `recurrent_kernel` [1, 3 * hidden_features], `bias` [3 *
  hidden_features]. Each gate's part is drawn on its own.

  Source: as of `tf_contrib_rnn.flax.IndyGRUCell`; the arguments are those of
  `flax.nnx.GRUCell`.

  Args:
    in_features: as of `IndRNNCell`, like all that is not listed here.
    gate_fn: gate, a function of an array.
    activation_fn: act, for the candidate c.

  Raises:
    ValueError: as `IndRNNCell`.

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

  flax's OptimizedLSTMCell with diagonal recurrent matrices:

      i, f, o = gate(x W + u h + b), each with its own W, u and b
      j = act(x W_j + u_j h + b_j)
      c' = f c + i j
      output = h' = o act(c')

  with x [..., in_features] and a carry of c and h, each [...,
  hidden_features].

  Parameters, gates in the order i, j, f, o: `kernel` [in_features, 4 *
  hidden_features], `recurrent_kernel` [1, 4 * hidden_features], `bias` [4 *
  hidden_features]. Each gate's part is drawn on its own.

  Source: as of `tf_contrib_rnn.flax.IndyLSTMCell`; the arguments are those of
  `flax.nnx.OptimizedLSTMCell`.

  Args:
    in_features: as of `IndRNNCell`, like all that is not listed here.
    gate_fn: gate, a function of an array.
    forget_bias_init: initializer of b_f, ones by default, in place of
      `bias_init`. With zeros, b starts as in flax's LSTM cells.
    activation_fn: act, for the candidate j and for c'.

  Raises:
    ValueError: as `IndRNNCell`.

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
    """The pair c, h before the first step, drawn one after the other."""
    initialize = super().initialize_carry
    c = initialize(input_shape, rngs, carry_init)
    return c, initialize(input_shape, rngs, carry_init)


class SRUCell(_Cell):
  """Simple Recurrent Unit (SRU) cell.

  Its gates see the inputs alone, and the carry c is not the output:

      f = gate(x W_f + b_f)
      r = gate(x W_r + b_r)
      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  with x [..., in_features] and a carry c [..., hidden_features].

  Parameters, each an `nnx.Param`: `kernel` [in_features, 4 * hidden_features],
  whose parts are in the order s, f, r, t, and `bias` [2 * hidden_features] of f
  and r. Each part is drawn on its own. There is no recurrent kernel.

  Source: as of `tf_contrib_rnn.flax.SRUCell`. flax has no such cell: the
  arguments are those of `flax.nnx.GRUCell`.

  Args:
    in_features: as of `IndRNNCell`, like all that is not listed here.
    gate_fn: gate, a function of an array.
    activation_fn: act, for c' in the output.

  Raises:
    ValueError: as `IndRNNCell`.

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
