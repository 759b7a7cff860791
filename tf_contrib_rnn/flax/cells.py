"""Element-wise recurrent cells for flax.linen: flax's, with diagonal matrices.

Attributes, carries and calls are those of flax's cell of the same gates; here
are the parameters. The SRU, which flax has not, is made like them.
`_recurrence` has the mathematics.
"""

from typing import Any
from typing import Callable
from typing import Optional

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from flax.linen.linear import default_kernel_init

from tf_contrib_rnn.flax import _recurrence


class _Cell(nn.RNNCellBase):
  """What the cells have in common.

  Attributes:
    kind: what there is to know of the cell; belongs to the class.
  """

  @nn.compact
  def weights(self, depth: int) -> tuple:
    """The cell's parameters, made for inputs of `depth` features.

    Returns:
      The kernel [depth, gates * features], the recurrent kernel [1, gates *
      features] and the bias [gates * features]; the SRU's are fewer.
    """
    _recurrence.check_features("features", self.features)
    rows = {"kernel": (depth,), "recurrent_kernel": (1,), "bias": ()}
    draws = self._initializers()
    return tuple(
      self.param(
        name,
        _recurrence.by_gate(draws[name]),
        (*rows[name], len(draws[name]) * self.features),
        self.param_dtype,
      )
      for name in self.kind.cell.arrays
    )

  def _initializers(self):
    """Those of the gates' parts of each parameter."""
    gates = self.kind.gates
    return {
      "kernel": [self.kernel_init] * gates,
      "recurrent_kernel": [self.recurrent_kernel_init] * gates,
      "bias": [self.bias_init] * gates,
    }

  def promote(self, *arrays: Any) -> list:
    """The arrays in the dtype of the computation."""
    return promote_dtype(*arrays, dtype=self.dtype)

  def __call__(self, carry: Any, inputs: Any) -> tuple:
    """One step.

    Args:
      carry: the state, an array [..., features], or the pair c, h.
      inputs: [..., depth].

    Returns:
      The new carry, in the dtype of the old one, and the output [...,
      features].

    Raises:
      ValueError: naming the argument, for shapes that do not match.
    """
    weights = self.weights(jnp.shape(inputs)[-1])
    return _recurrence.run_step(self, weights, carry, inputs)

  @nn.nowrap
  def initialize_carry(self, rng: Any, input_shape: tuple) -> Any:
    """The state before the first step.

    Args:
      rng: a key for `carry_init`.
      input_shape: that of a step's inputs, [..., depth].

    Returns:
      An array [..., features] of `param_dtype`, or the pair c, h.
    """
    shape = (*input_shape[:-1], self.features)
    return self.carry_init(rng, shape, self.param_dtype)

  @property
  def num_feature_axes(self) -> int:
    """How many of the inputs' last dimensions are features."""
    return 1


class IndRNNCell(_Cell):
  """Independently Recurrent Neural Network (IndRNN) cell.

  flax's SimpleCell with a diagonal recurrent matrix:

      output = h' = act(x W + u h + b)

  with x [..., depth], W [depth, features], u [1, features], b [features] and a
  carry h [..., features]. If `residual`, h is added to the sum as well.

  Parameters: `kernel` W, `recurrent_kernel` u, `bias` b.

  Source: Li, Li, Cook, Zhu and Gao, "Independently Recurrent Neural Network
  (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831); `tf.contrib.rnn.IndRNNCell` of
  TensorFlow 1.15; the attributes are those of `flax.linen.SimpleCell`.

  Attributes:
    features: int, the number of units.
    activation_fn: act, a function of an array.
    kernel_init: initializer of W.
    recurrent_kernel_init: initializer of u. The default is uniform in [-1, 1),
      as in tf.contrib.rnn: flax's orthogonal means nothing for a vector.
    bias_init: initializer of b.
    dtype: of the computation and the output; by default that to which inputs,
      parameters and carry promote. The carry keeps its own.
    param_dtype: of the parameters and of `initialize_carry`.
    carry_init: initializer of the carry.
    residual: whether the carry is added before the activation
      (https://arxiv.org/abs/1801.06105).

  Raises:
    ValueError: naming the argument, if `features` is not a whole number of 1
      or more, or shapes do not match, when parameters are made or used.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import IndRNNCell
  >>> cell = IndRNNCell(4, activation_fn=jax.nn.relu)
  >>> x = jnp.ones([2, 3])
  >>> carry = cell.initialize_carry(jax.random.key(0), x.shape)
  >>> variables = cell.init(jax.random.key(1), carry, x)
  >>> carry, output = cell.apply(variables, carry, x)
  >>> output.shape
  (2, 4)
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

  kind = _recurrence.IND_RNN

  def weights(self, depth: int) -> tuple:
    """As the base class says; `residual` is one more in what multiplies h."""
    kernel, recurrent_kernel, bias = super().weights(depth)
    return kernel, recurrent_kernel + self.residual, bias


class IndyGRUCell(_Cell):
  """Independently Gated Recurrent Units (IndyGRU) cell.

  flax's GRUCell with diagonal recurrent matrices, and without the second bias
  of its candidate:

      r = gate(x W_r + u_r h + b_r)
      z = gate(x W_z + u_z h + b_z)
      c = act(x W_c + u_c (r h) + b_c)
      output = h' = z h + (1 - z) c

  with x [..., depth] and a carry h [..., features].

  Parameters, gates in the order r, z, c: `kernel` [depth, 3 * features],
  `recurrent_kernel` [1, 3 * features], `bias` [3 * features]. Each gate's part
  is drawn on its own.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15; the idea is that of
  Li et al. (https://arxiv.org/abs/1803.04831), the gates those of Cho et al.
  (https://arxiv.org/abs/1406.1078); the attributes are those of
  `flax.linen.GRUCell`.

  Attributes:
    features: as of `IndRNNCell`, like all that is not listed here.
    gate_fn: gate, a function of an array.
    activation_fn: act, for the candidate c.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import flax.linen as nn, jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import IndyGRUCell
  >>> rnn = nn.Bidirectional(nn.RNN(IndyGRUCell(4)), nn.RNN(IndyGRUCell(4)))
  >>> outputs, variables = rnn.init_with_output(
  ...   jax.random.key(0), jnp.ones([2, 5, 3]))
  >>> outputs.shape
  (2, 5, 8)
  >>> variables["params"]["forward_rnn"]["cell"]["kernel"].shape
  (3, 12)
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

  kind = _recurrence.INDY_GRU


class IndyLSTMCell(_Cell):
  """Independently Recurrent Long Short-Term Memory (IndyLSTM) cell.

  flax's OptimizedLSTMCell with diagonal recurrent matrices:

      i, f, o = gate(x W + u h + b), each with its own W, u and b
      j = act(x W_j + u_j h + b_j)
      c' = f c + i j
      output = h' = o act(c')

  with x [..., depth] and a carry of c and h, each [..., features].

  Parameters, gates in the order i, j, f, o: `kernel` [depth, 4 * features],
  `recurrent_kernel` [1, 4 * features], `bias` [4 * features]. Each gate's part
  is drawn on its own.

  Source: Gonnet and Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023); `tf.contrib.rnn.IndyLSTMCell` of
  TensorFlow 1.15, where a `forget_bias` of 1 is added at each step:
  `forget_bias_init` starts the bias there instead. The attributes are those of
  `flax.linen.OptimizedLSTMCell`.

  Attributes:
    features: as of `IndRNNCell`, like all that is not listed here.
    gate_fn: gate, a function of an array.
    activation_fn: act, for the candidate j and for c'.
    bias_init: initializer of b, but not of f's part.
    forget_bias_init: initializer of b_f, ones by default; a name of flax's
      MGUCell. With zeros, b starts as in flax's LSTM cells.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import IndyLSTMCell
  >>> cell = IndyLSTMCell(4)
  >>> x = jnp.ones([2, 3])
  >>> carry = cell.initialize_carry(jax.random.key(0), x.shape)
  >>> variables = cell.init(jax.random.key(1), carry, x)
  >>> (c, h), output = cell.apply(variables, carry, x)
  >>> c.shape, bool((h == output).all())
  ((2, 4), True)
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

  kind = _recurrence.INDY_LSTM

  def _initializers(self):
    i = j = o = self.bias_init
    return {**super()._initializers(), "bias": [i, j, self.forget_bias_init, o]}

  @nn.nowrap
  def initialize_carry(self, rng: Any, input_shape: tuple) -> tuple:
    """The pair c, h before the first step, each from a key of its own."""
    initialize = super().initialize_carry
    key_c, key_h = jax.random.split(rng)
    return initialize(key_c, input_shape), initialize(key_h, input_shape)


class SRUCell(_Cell):
  """Simple Recurrent Unit (SRU) cell.

  Its gates see the inputs alone, and the carry c is not the output:

      f = gate(x W_f + b_f)
      r = gate(x W_r + b_r)
      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  with x [..., depth] and a carry c [..., features].

  Parameters: `kernel` [depth, 4 * features], whose parts are in the order s, f,
  r, t, and `bias` [2 * features] of f and r. Each part is drawn on its own.
  There is no recurrent kernel.

  Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
  Parallelizable Recurrence" (https://arxiv.org/abs/1709.02755);
  `tf.contrib.rnn.SRUCell` of TensorFlow 1.15, where gate is sigmoid. flax has
  no such cell: the attributes are those of `flax.linen.GRUCell`.

  Attributes:
    features: as of `IndRNNCell`, like all that is not listed here.
    gate_fn: gate, a function of an array.
    activation_fn: act, for c' in the output.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import SRUCell
  >>> cell = SRUCell(4)
  >>> x = jnp.ones([2, 3])
  >>> c = cell.initialize_carry(jax.random.key(0), x.shape)
  >>> variables = cell.init(jax.random.key(1), c, x)
  >>> jax.tree.map(jnp.shape, variables["params"])
  {'bias': (8,), 'kernel': (3, 16)}
  >>> c, output = cell.apply(variables, c, x)
  >>> c.shape, output.shape
  ((2, 4), (2, 4))
  """

  features: int
  gate_fn: Callable = nn.sigmoid
  activation_fn: Callable = nn.tanh
  kernel_init: Callable = default_kernel_init
  bias_init: Callable = nn.initializers.zeros_init()
  dtype: Optional[Any] = None
  param_dtype: Any = jnp.float32
  carry_init: Callable = nn.initializers.zeros_init()

  kind = _recurrence.SRU

  def _initializers(self):
    s = f = r = t = self.kernel_init
    return {"kernel": [s, f, r, t], "bias": [self.bias_init] * 2}
