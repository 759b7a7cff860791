"""Element-wise recurrent cells for flax.linen.

Each cell is flax's cell with the same gates, but with diagonal recurrent
matrices. Attributes, carries and calls are those of flax's cells. flax has no
SRU. It is made like the other cells. `_recurrence` has the mathematics.
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
  """The base class of the cells.

  Attributes:
    kind: The facts about the cell, an attribute of its class.
  """

  @nn.compact
  def weights(self, depth: int) -> tuple:
    """Returns the parameters of the cell, for inputs of `depth` features.

    Returns:
      The kernel [depth, gates * features], the recurrent kernel [1, gates *
      features] and the bias [gates * features]. The SRU has a smaller bias and
      no recurrent kernel.
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
    """The initializers of each parameter, one for the part of each gate."""
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
    """Runs one step.

    Args:
      carry: The state: an array [..., features], or the pair (c, h).
      inputs: Array [..., depth].

    Returns:
      A pair `(carry, output)`: the new carry, in the dtype of the old one, and
      the output [..., features].

    Raises:
      ValueError: If shapes do not match. The message names the argument.
    """
    weights = self.weights(jnp.shape(inputs)[-1])
    return _recurrence.run_step(self, weights, carry, inputs)

  @nn.nowrap
  def initialize_carry(self, rng: Any, input_shape: tuple) -> Any:
    """Returns the state before the first step.

    Args:
      rng: A key for `carry_init`.
      input_shape: The shape of the inputs of one step, [..., depth].

    Returns:
      An array [..., features] of `param_dtype`, or a pair (c, h) of such
      arrays.
    """
    shape = (*input_shape[:-1], self.features)
    return self.carry_init(rng, shape, self.param_dtype)

  @property
  def num_feature_axes(self) -> int:
    """The number of feature dimensions at the end of the inputs' shape."""
    return 1


class IndRNNCell(_Cell):
  """Independently Recurrent Neural Network (IndRNN) cell.

  The cell is `flax.linen.SimpleCell` with a diagonal recurrent matrix:

      output = h' = act(x W + u h + b)

  x is [..., depth] and the carry h is [..., features]. If `residual` is true, h
  is added to the sum as well.

  Parameters: `kernel` W [depth, features], `recurrent_kernel` u [1, features]
  and `bias` b [features].

  Source: Li, Li, Cook, Zhu and Gao, "Independently Recurrent Neural Network
  (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831); `tf.contrib.rnn.IndRNNCell` of TensorFlow
  1.15. The attributes are those of `flax.linen.SimpleCell`.

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

  Raises:
    ValueError: If `features` is not a whole number of 1 or more, or if shapes
      do not match. It is raised when parameters are made or used, and names the
      argument.

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
    """Returns the parameters. If `residual` is true, 1 is added to u."""
    kernel, recurrent_kernel, bias = super().weights(depth)
    return kernel, recurrent_kernel + self.residual, bias


class IndyGRUCell(_Cell):
  """Independently Gated Recurrent Unit (IndyGRU) cell.

  The cell is `flax.linen.GRUCell` with diagonal recurrent matrices, and without
  the second bias of its candidate:

      r = gate(x W_r + u_r h + b_r)
      z = gate(x W_z + u_z h + b_z)
      c = act(x W_c + u_c (r h) + b_c)
      output = h' = z h + (1 - z) c

  x is [..., depth] and the carry h is [..., features].

  Parameters, with the gates in the order r, z, c: `kernel` W [depth, 3 *
  features], `recurrent_kernel` u [1, 3 * features] and `bias` b [3 * features].
  The part of each gate is drawn on its own.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15; Li et al.
  (https://arxiv.org/abs/1803.04831), for the recurrent vectors; Cho et al.
  (https://arxiv.org/abs/1406.1078), for the gates. The attributes are those of
  `flax.linen.GRUCell`.

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

  Raises:
    ValueError: If `features` is not a whole number of 1 or more, or if shapes
      do not match. It is raised when parameters are made or used, and names the
      argument.

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

  The cell is `flax.linen.OptimizedLSTMCell` with diagonal recurrent matrices:

      i = gate(x W_i + u_i h + b_i)
      j = act(x W_j + u_j h + b_j)
      f = gate(x W_f + u_f h + b_f)
      o = gate(x W_o + u_o h + b_o)
      c' = f c + i j
      output = h' = o act(c')

  x is [..., depth] and the carry is a pair (c, h), each [..., features].

  Parameters, with the gates in the order i, j, f, o: `kernel` W [depth, 4 *
  features], `recurrent_kernel` u [1, 4 * features] and `bias` b [4 * features].
  The part of each gate is drawn on its own.

  Source: Gonnet and Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023); `tf.contrib.rnn.IndyLSTMCell` of
  TensorFlow 1.15, which adds a `forget_bias` of 1 at each step. Here,
  `forget_bias_init` initializes the bias with it instead. The attributes are
  those of `flax.linen.OptimizedLSTMCell`.

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

  Raises:
    ValueError: If `features` is not a whole number of 1 or more, or if shapes
      do not match. It is raised when parameters are made or used, and names the
      argument.

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
    """Returns the pair (c, h) before the first step.

    Args:
      rng: A key for `carry_init`. It is split in one for c and one for h.
      input_shape: The shape of the inputs of one step, [..., depth].

    Returns:
      A pair of arrays [..., features] of `param_dtype`.
    """
    initialize = super().initialize_carry
    key_c, key_h = jax.random.split(rng)
    return initialize(key_c, input_shape), initialize(key_h, input_shape)


class SRUCell(_Cell):
  """Simple Recurrent Unit (SRU) cell.

  The gates depend on the inputs only, and the carry c is not the output.

      f = gate(x W_f + b_f)
      r = gate(x W_r + b_r)
      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  x is [..., depth] and the carry c is [..., features].

  Parameters: `kernel` W [depth, 4 * features] in the order s, f, r, t, and
  `bias` b [2 * features] in the order f, r. Each part is drawn on its own.
  There is no recurrent kernel.

  Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
  Parallelizable Recurrence" (https://arxiv.org/abs/1709.02755);
  `tf.contrib.rnn.SRUCell` of TensorFlow 1.15, whose gate function is sigmoid.
  flax has no such cell. The attributes are those of `flax.linen.GRUCell`.

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

  Raises:
    ValueError: If `features` is not a whole number of 1 or more, or if shapes
      do not match. It is raised when parameters are made or used, and names the
      argument.

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
