"""Independently recurrent cells for Keras: Keras's own, with diagonal matrices.

A cell is Keras's cell of the same gates, whose recurrent matrices are diagonal
and stored as vectors. Arguments, dropout, states and configuration are Keras's;
here are the weights and one step's mathematics.
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
  """What the cells with recurrent vectors have in common."""

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

  Keras's SimpleRNNCell with a diagonal recurrent matrix:

      output = h' = act(x W + u h + b)

  with x [batch, features], W [features, units], u [1, units], b [units] and a
  state h of [batch, units].

  Weights: `kernel` W, `recurrent_kernel` u, `bias` b.

  Source: Li, Li, Cook, Zhu and Gao, "Independently Recurrent Neural Network
  (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831); `tf.contrib.rnn.IndRNNCell` of
  TensorFlow 1.15; the arguments are those of `keras.layers.SimpleRNNCell`.

  Args:
    units: int, the number of units.
    activation: act, a function of a tensor or its Keras name; None is linear.
    use_bias: whether there is a bias.
    kernel_initializer: for W.
    recurrent_initializer: for u. The default, None, is uniform in [-1, 1), as
      in tf.contrib.rnn: Keras's "orthogonal" means nothing for a vector.
    bias_initializer: for b.
    kernel_regularizer: (optional) for W.
    recurrent_regularizer: (optional) for u.
    bias_regularizer: (optional) for b.
    kernel_constraint: (optional) for W.
    recurrent_constraint: (optional) for u, such as a `RecurrentBound`. With
      "relu", states can overflow without one: see docs/adding_problem.md.
    bias_constraint: (optional) for b.
    dropout: float in [0, 1], the fraction of inputs to drop while training.
      The same are dropped at every step.
    recurrent_dropout: float in [0, 1], likewise of the state.
    seed: (optional) int, for dropout.
    **keywords: what `keras.layers.Layer` takes: name, dtype, trainable.

  Raises:
    ValueError: if `units` is not a whole number of 1 or more, or an activation,
      initializer, regularizer or constraint is unknown to Keras; on building,
      if the number of features is not known.

  A call `cell(inputs, states, training=None)` takes inputs [batch, features]
  and the state [batch, units], or a list of it, and returns the output [batch,
  units] and the new state, in a list if it came in one.

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
  """Independently Gated Recurrent Unit cell.

  Keras's GRUCell with diagonal recurrent matrices:

      z = rec(x W_z + u_z h + b_z)
      r = rec(x W_r + u_r h + b_r)
      c = act(x W_h + u_h (r h) + b_h)
      output = h' = z h + (1 - z) c

  with x [batch, features] and a state h of [batch, units].

  Weights, gates in Keras's order z, r, h: `kernel` [features, 3 * units],
  `recurrent_kernel` [1, 3 * units], `bias` [3 * units].

  With `reset_after`, as in cuDNN, there is a second bias d in the recurrent
  terms, and r multiplies the candidate's:

      z = rec(x W_z + b_z + u_z h + d_z),  r likewise
      c = act(x W_h + b_h + r (u_h h + d_h))

  and `bias` is [2, 3 * units], b and d. Since u is diagonal, this differs in
  the place of d_h alone; without a bias it is the same.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15; the idea is that of
  Li et al. (https://arxiv.org/abs/1803.04831), the gates those of Cho et al.
  (https://arxiv.org/abs/1406.1078); the arguments are those of
  `keras.layers.GRUCell`.

  Args:
    units: as of `IndRNNCell`, like all that is not listed here.
    activation: act, for the candidate.
    recurrent_activation: rec, for the gates.
    reset_after: bool, see above. Default: False, unlike Keras's GRUCell,
      because this is what tf.contrib.rnn's weights mean.

  Raises:
    ValueError: as `IndRNNCell`, whose calls take and return the same.

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
  """Independently Recurrent Long Short-Term Memory cell.

  Keras's LSTMCell with diagonal recurrent matrices:

      i, f, o = rec(x W + u h + b), each with its own W, u and b
      j = act(x W_c + u_c h + b_c)
      c' = f c + i j
      output = h' = o act(c')

  with x [batch, features] and a state of h and c, each [batch, units].

  Weights, gates in Keras's order i, f, c, o: `kernel` [features, 4 * units],
  `recurrent_kernel` [1, 4 * units], `bias` [4 * units].

  Source: Gonnet and Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023); `tf.contrib.rnn.IndyLSTMCell` of
  TensorFlow 1.15, where a `forget_bias` of 1 is added at each step:
  `unit_forget_bias` starts the bias there instead. The arguments are those of
  `keras.layers.LSTMCell`.

  Args:
    units: as of `IndRNNCell`, like all that is not listed here.
    activation: act, for the candidate j and for c'.
    recurrent_activation: rec, for the gates.
    unit_forget_bias: whether b_f is ones at first, whatever the initializer.

  Raises:
    ValueError: as `IndRNNCell`.

  A call `cell(inputs, states, training=None)` takes a list of h and c, and
  returns h and a new list of h and c.

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
