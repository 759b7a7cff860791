"""Independently recurrent cells for Keras.

Each cell is Keras's cell with the same gates, but its recurrent matrices are
diagonal and stored as vectors. Arguments, dropout, states and configuration
are Keras's. This module has the weights and the equations of one step.
"""

from typing import Any
from typing import Optional
from typing import TYPE_CHECKING

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.keras import _cell
from tf_contrib_rnn.keras import constraints
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import ops
from tf_contrib_rnn.keras._family import register

if TYPE_CHECKING:
  from typing_extensions import Unpack

  from tf_contrib_rnn.keras import _arguments


class _IndependentCell(_cell.CellBase):
  """The base class of the cells with recurrent vectors."""

  def __init__(
    self, units, recurrent_initializer, recurrent_constraint, seed, **keywords
  ):
    if recurrent_initializer is None:  # a new one: it may be seeded
      recurrent_initializer = keras.initializers.RandomUniform(-1.0, 1.0)
    super().__init__(
      _cell.check_units(units),
      recurrent_initializer=recurrent_initializer,
      recurrent_constraint=constraints.for_keras(recurrent_constraint),
      seed=seed,
      **keywords,
    )
    self.seed = seed

  def _add_recurrent_weights(self):
    self.recurrent_kernel = self._add(
      "recurrent_kernel", (1, self.gates * self.units), "recurrent"
    )

  def _recurrent_inputs(self, state, training):
    """The state as each gate sees it, after dropout."""
    masks = self.recurrent_masks(state, training) or [None]
    dropped = [state if mask is None else state * mask for mask in masks]
    return dropped * (self.gates if len(dropped) == 1 else 1)


@register
class IndRNNCell(_IndependentCell, keras.layers.SimpleRNNCell):
  """Independently Recurrent Neural Network (IndRNN) cell.

      output = h' = act(x W + u h + b)

  The cell is Keras's SimpleRNNCell with a diagonal recurrent matrix. x is
  [batch, features] and the state h is [batch, units].

  Weights: `kernel` W [features, units], `recurrent_kernel` u [1, units] and
  `bias` b [units].

  Source: Li, Li, Cook, Zhu and Gao, "Independently Recurrent Neural Network
  (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831); `tf.contrib.rnn.IndRNNCell` of
  TensorFlow 1.15. The arguments are those of `keras.layers.SimpleRNNCell`.

  Args:
    units: Int, the number of units.
    activation: act: a function of a tensor or its Keras name. None is linear.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    recurrent_initializer: Initializer of u. The default, None, is uniform in
      [-1, 1), as in tf.contrib.rnn. Keras's "orthogonal" does not work for a
      vector.
    bias_initializer: Initializer of b.
    kernel_regularizer: Optional regularizer of W.
    recurrent_regularizer: Optional regularizer of u.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    recurrent_constraint: Optional constraint of u, such as a `RecurrentBound`.
      With "relu", states can overflow without it. See docs/adding_problem.md.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
    recurrent_dropout: Float in [0, 1], the fraction of the state to drop in
      training. The same units are dropped at every step.
    seed: Optional int, the seed of the dropout.
    **keywords: Arguments of `keras.layers.Layer`: name, dtype, trainable.

  Raises:
    ValueError: If `units` is not a whole number of 1 or more, if Keras does not
      know an activation, initializer, regularizer or constraint, or if the
      number of features is unknown when the cell is built.

  Call arguments:
    - `inputs`: Tensor [batch, features].
    - `states`: The state [batch, units], or a list of it.
    - `training`: Optional bool, whether to apply dropout.

  A call returns the output [batch, units] and the new state. The state is in a
  list if it was passed in a list.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndRNNCell
  >>> cell = IndRNNCell(4, activation="relu")
  >>> inputs = np.ones([2, 3], "float32")
  >>> output, state = cell(inputs, np.zeros([2, 4], "float32"))
  >>> tuple(output.shape), tuple(state.shape)
  ((2, 4), (2, 4))
  >>> [tuple(weight.shape) for weight in cell.weights]
  [(3, 4), (1, 4), (4,)]
  """

  keras_class = keras.layers.SimpleRNNCell
  kind = cell_kinds.IND_RNN

  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    use_bias: bool = True,
    kernel_initializer: Any = "glorot_uniform",
    recurrent_initializer: Any = None,
    bias_initializer: Any = "zeros",
    kernel_regularizer: Any = None,
    recurrent_regularizer: Any = None,
    bias_regularizer: Any = None,
    kernel_constraint: Any = None,
    recurrent_constraint: Any = None,
    bias_constraint: Any = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: Optional[int] = None,
    **keywords: "Unpack[_arguments.OfAnyLayer]",
  ):
    super().__init__(
      units,
      activation=activation,
      use_bias=use_bias,
      kernel_initializer=kernel_initializer,
      recurrent_initializer=recurrent_initializer,
      bias_initializer=bias_initializer,
      kernel_regularizer=kernel_regularizer,
      recurrent_regularizer=recurrent_regularizer,
      bias_regularizer=bias_regularizer,
      kernel_constraint=kernel_constraint,
      recurrent_constraint=recurrent_constraint,
      bias_constraint=bias_constraint,
      dropout=dropout,
      recurrent_dropout=recurrent_dropout,
      seed=seed,
      **keywords,
    )

  def step(self, projected: Any, states: list, training: Any = None) -> list:
    """One step on x W + b: the new states, h first."""
    (h,) = self._recurrent_inputs(states[0], training)
    return [self.activation(projected + h * self.recurrent_kernel)]


@register
class IndyGRUCell(_IndependentCell, keras.layers.GRUCell):
  """Independently Gated Recurrent Unit (IndyGRU) cell.

      z = rec(x W_z + u_z h + b_z)
      r = rec(x W_r + u_r h + b_r)
      c = act(x W_h + u_h (r h) + b_h)
      output = h' = z h + (1 - z) c

  The cell is Keras's GRUCell with diagonal recurrent matrices. x is [batch,
  features] and the state h is [batch, units].

  If `reset_after` is true, there is a second bias d in the recurrent terms, as
  in cuDNN, and r multiplies that of the candidate:

      z = rec(x W_z + b_z + u_z h + d_z)
      r = rec(x W_r + b_r + u_r h + d_r)
      c = act(x W_h + b_h + r (u_h h + d_h))

  Because u is diagonal, only the place of d_h makes a difference. Without a
  bias there is none.

  Weights, with the gates in Keras's order z, r, h: `kernel` W [features, 3 *
  units], `recurrent_kernel` u [1, 3 * units] and `bias` b [3 * units]. If
  `reset_after` is true, `bias` is [2, 3 * units], b and d.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15; Li et al.
  (https://arxiv.org/abs/1803.04831), for the recurrent vectors; Cho et al.
  (https://arxiv.org/abs/1406.1078), for the gates. The arguments are those of
  `keras.layers.GRUCell`.

  Args:
    units: Int, the number of units.
    activation: act, for the candidate: a function of a tensor or its Keras
      name. None is linear.
    recurrent_activation: rec, for the gates: a function or its Keras name.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    recurrent_initializer: Initializer of u. The default, None, is uniform in
      [-1, 1), as in tf.contrib.rnn. Keras's "orthogonal" does not work for a
      vector.
    bias_initializer: Initializer of b.
    kernel_regularizer: Optional regularizer of W.
    recurrent_regularizer: Optional regularizer of u.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    recurrent_constraint: Optional constraint of u, such as a `RecurrentBound`.
      With "relu", states can overflow without it. See docs/adding_problem.md.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
    recurrent_dropout: Float in [0, 1], the fraction of the state to drop in
      training. The same units are dropped at every step.
    reset_after: Bool, see above. Default: False, unlike in Keras's GRUCell,
      because the weights of tf.contrib.rnn mean this.
    seed: Optional int, the seed of the dropout.
    **keywords: Arguments of `keras.layers.Layer`: name, dtype, trainable.

  Raises:
    ValueError: If `units` is not a whole number of 1 or more, if Keras does not
      know an activation, initializer, regularizer or constraint, or if the
      number of features is unknown when the cell is built.

  Call arguments:
    - `inputs`: Tensor [batch, features].
    - `states`: The state [batch, units], or a list of it.
    - `training`: Optional bool, whether to apply dropout.

  A call returns the output [batch, units] and the new state. The state is in a
  list if it was passed in a list.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndyGRUCell
  >>> cell = IndyGRUCell(4, reset_after=True)
  >>> inputs = np.ones([2, 3], "float32")
  >>> output, state = cell(inputs, np.zeros([2, 4], "float32"))
  >>> [tuple(weight.shape) for weight in cell.weights]
  [(3, 12), (1, 12), (2, 12)]
  """

  keras_class = keras.layers.GRUCell
  kind = cell_kinds.INDY_GRU

  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Any = "glorot_uniform",
    recurrent_initializer: Any = None,
    bias_initializer: Any = "zeros",
    kernel_regularizer: Any = None,
    recurrent_regularizer: Any = None,
    bias_regularizer: Any = None,
    kernel_constraint: Any = None,
    recurrent_constraint: Any = None,
    bias_constraint: Any = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    reset_after: bool = False,
    seed: Optional[int] = None,
    **keywords: "Unpack[_arguments.OfAnyLayer]",
  ):
    super().__init__(
      units,
      activation=activation,
      recurrent_activation=recurrent_activation,
      use_bias=use_bias,
      kernel_initializer=kernel_initializer,
      recurrent_initializer=recurrent_initializer,
      bias_initializer=bias_initializer,
      kernel_regularizer=kernel_regularizer,
      recurrent_regularizer=recurrent_regularizer,
      bias_regularizer=bias_regularizer,
      kernel_constraint=kernel_constraint,
      recurrent_constraint=recurrent_constraint,
      bias_constraint=bias_constraint,
      dropout=dropout,
      recurrent_dropout=recurrent_dropout,
      reset_after=reset_after,
      seed=seed,
      **keywords,
    )

  @property
  def has_recurrent_bias(self) -> bool:
    """Whether a second bias belongs to the recurrent terms."""
    return self.use_bias and self.reset_after

  def _bias_shape(self):
    shape = super()._bias_shape()
    return (2, *shape) if self.has_recurrent_bias else shape

  @property
  def input_bias(self) -> Optional[Any]:
    """What is added to x W, [3 * units], or None."""
    return self.bias[0] if self.has_recurrent_bias else self.bias

  def step(self, projected: Any, states: list, training: Any = None) -> list:
    """One step on x W + b: the new states, h first."""
    h = states[0]
    h_z, h_r, h_c = self._recurrent_inputs(h, training)
    x_z, x_r, x_c = ops.split(projected, 3, axis=-1)
    u_z, u_r, u_c = ops.split(self.recurrent_kernel, 3, axis=-1)
    b_z = b_r = b_c = 0.0
    if self.has_recurrent_bias:
      b_z, b_r, b_c = ops.split(self.bias[1], 3, axis=-1)
    z = self.recurrent_activation(x_z + h_z * u_z + b_z)
    r = self.recurrent_activation(x_r + h_r * u_r + b_r)
    # A vector commutes with r, unlike a matrix; what counts is the bias.
    c = self.activation(x_c + r * (h_c * u_c + b_c))
    return [z * h + (1 - z) * c]


@register
class IndyLSTMCell(_IndependentCell, keras.layers.LSTMCell):
  """Independently Recurrent Long Short-Term Memory (IndyLSTM) cell.

      i = rec(x W_i + u_i h + b_i)
      f = rec(x W_f + u_f h + b_f)
      j = act(x W_c + u_c h + b_c)
      o = rec(x W_o + u_o h + b_o)
      c' = f c + i j
      output = h' = o act(c')

  The cell is Keras's LSTMCell with diagonal recurrent matrices. x is [batch,
  features]. The state is h and c, each [batch, units].

  Weights, with the gates in Keras's order i, f, c, o: `kernel` W [features, 4 *
  units], `recurrent_kernel` u [1, 4 * units] and `bias` b [4 * units].

  Source: Gonnet and Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023); `tf.contrib.rnn.IndyLSTMCell` of
  TensorFlow 1.15, which adds a `forget_bias` of 1 at each step. Here,
  `unit_forget_bias` initializes the bias with it instead. The arguments are
  those of `keras.layers.LSTMCell`.

  Args:
    units: Int, the number of units.
    activation: act, for the candidate j and for c': a function of a tensor or
      its Keras name. None is linear.
    recurrent_activation: rec, for the gates: a function or its Keras name.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    recurrent_initializer: Initializer of u. The default, None, is uniform in
      [-1, 1), as in tf.contrib.rnn. Keras's "orthogonal" does not work for a
      vector.
    bias_initializer: Initializer of b.
    unit_forget_bias: Bool, whether b_f starts as ones, whatever the
      initializer.
    kernel_regularizer: Optional regularizer of W.
    recurrent_regularizer: Optional regularizer of u.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    recurrent_constraint: Optional constraint of u, such as a `RecurrentBound`.
      With "relu", states can overflow without it. See docs/adding_problem.md.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
    recurrent_dropout: Float in [0, 1], the fraction of the state to drop in
      training. The same units are dropped at every step.
    seed: Optional int, the seed of the dropout.
    **keywords: Arguments of `keras.layers.Layer`: name, dtype, trainable.

  Raises:
    ValueError: If `units` is not a whole number of 1 or more, if Keras does not
      know an activation, initializer, regularizer or constraint, or if the
      number of features is unknown when the cell is built.

  Call arguments:
    - `inputs`: Tensor [batch, features].
    - `states`: A list of h and c, each [batch, units].
    - `training`: Optional bool, whether to apply dropout.

  A call returns h and a new list of h and c.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndyLSTMCell
  >>> cell = IndyLSTMCell(2)
  >>> zeros = np.zeros([5, 2], "float32")
  >>> output, (h, c) = cell(np.ones([5, 3], "float32"), [zeros, zeros])
  >>> output is h, tuple(c.shape)
  (True, (5, 2))
  >>> [float(b) for b in cell.get_weights()[2]]  # gates i, f, c, o
  [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
  """

  keras_class = keras.layers.LSTMCell
  kind = cell_kinds.INDY_LSTM

  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Any = "glorot_uniform",
    recurrent_initializer: Any = None,
    bias_initializer: Any = "zeros",
    unit_forget_bias: bool = True,
    kernel_regularizer: Any = None,
    recurrent_regularizer: Any = None,
    bias_regularizer: Any = None,
    kernel_constraint: Any = None,
    recurrent_constraint: Any = None,
    bias_constraint: Any = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: Optional[int] = None,
    **keywords: "Unpack[_arguments.OfAnyLayer]",
  ):
    super().__init__(
      units,
      activation=activation,
      recurrent_activation=recurrent_activation,
      use_bias=use_bias,
      kernel_initializer=kernel_initializer,
      recurrent_initializer=recurrent_initializer,
      bias_initializer=bias_initializer,
      unit_forget_bias=unit_forget_bias,
      kernel_regularizer=kernel_regularizer,
      recurrent_regularizer=recurrent_regularizer,
      bias_regularizer=bias_regularizer,
      kernel_constraint=kernel_constraint,
      recurrent_constraint=recurrent_constraint,
      bias_constraint=bias_constraint,
      dropout=dropout,
      recurrent_dropout=recurrent_dropout,
      seed=seed,
      **keywords,
    )

  def _initializer(self, kind):
    initializer = super()._initializer(kind)
    if kind != "bias" or not self.unit_forget_bias:
      return initializer
    ones = keras.initializers.Ones()

    def with_forget_bias(_, *arguments, **keywords):
      sizes = (self.units, self.units, 2 * self.units)
      initializers = (initializer, ones, initializer)
      return ops.concatenate(
        [
          initialize((size,), *arguments, **keywords)
          for initialize, size in zip(initializers, sizes)
        ],
        axis=0,
      )

    return with_forget_bias

  def step(self, projected: Any, states: list, training: Any = None) -> list:
    """One step on x W + b: the new states, h first."""
    h, c = states
    x = ops.split(projected, 4, axis=-1)
    u = ops.split(self.recurrent_kernel, 4, axis=-1)
    h = self._recurrent_inputs(h, training)
    i, f, j, o = (x[g] + h[g] * u[g] for g in range(4))
    c = self.recurrent_activation(f) * c + (
      self.recurrent_activation(i) * self.activation(j)
    )
    return [self.recurrent_activation(o) * self.activation(c), c]
