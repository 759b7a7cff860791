"""The SRU cell for Keras. Keras has no such cell."""

from typing import Any
from typing import Optional
from typing import TYPE_CHECKING

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.keras import _cell
from tf_contrib_rnn.keras._family import Cell
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import ops
from tf_contrib_rnn.keras._family import register

if TYPE_CHECKING:
  from typing_extensions import Unpack

  from tf_contrib_rnn.keras import _arguments


@register
class SRUCell(_cell.CellBase, Cell):
  """Simple Recurrent Unit (SRU) cell.

      s, f, r, t = split(x W, 4)
      f, r = sigmoid(f + b_f), sigmoid(r + b_r)
      c' = f c + (1 - f) s
      output = r act(c') + (1 - r) t

  The gates depend on the inputs only. x is [batch, features] and the state c is
  [batch, units]. Unlike in the other cells, the output is not the state.

  `keras.layers.RNN` on JAX takes the state of a cell for the output of a masked
  step. With masks on JAX, use the layer `SRU`, or `zero_output_for_mask`.

  Weights: `kernel` W [features, 4 * units] in the order s, f, r, t, and `bias`
  b [2 * units] in the order f, r. There are no recurrent weights.

  Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
  Parallelizable Recurrence" (https://arxiv.org/abs/1709.02755);
  `tf.contrib.rnn.SRUCell` of TensorFlow 1.15. The arguments are those that
  Keras's cells have.

  Args:
    units: Int, the number of units.
    activation: act: a function of a tensor or its Keras name. None is linear.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    bias_initializer: Initializer of b.
    kernel_regularizer: Optional regularizer of W.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
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
  >>> from tf_contrib_rnn.keras import SRUCell
  >>> cell = SRUCell(4)
  >>> inputs = np.ones([2, 3], "float32")
  >>> output, c = cell(inputs, np.zeros([2, 4], "float32"))
  >>> tuple(output.shape), tuple(c.shape)
  ((2, 4), (2, 4))
  >>> [tuple(weight.shape) for weight in cell.weights]
  [(3, 16), (8,)]
  """

  keras_class = Cell
  kind = cell_kinds.SRU
  recurrent_dropout = 0.0  # which Keras asks its cells for

  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    use_bias: bool = True,
    kernel_initializer: Any = "glorot_uniform",
    bias_initializer: Any = "zeros",
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    kernel_constraint: Any = None,
    bias_constraint: Any = None,
    dropout: float = 0.0,
    seed: Optional[int] = None,
    **keywords: "Unpack[_arguments.OfAnyLayer]",
  ):
    super().__init__(seed=seed, **keywords)
    self.units = self.state_size = self.output_size = _cell.check_units(units)
    self.activation = keras.activations.get(activation)
    self.use_bias = use_bias
    self.kernel_initializer = keras.initializers.get(kernel_initializer)
    self.bias_initializer = keras.initializers.get(bias_initializer)
    self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
    self.bias_regularizer = keras.regularizers.get(bias_regularizer)
    self.kernel_constraint = keras.constraints.get(kernel_constraint)
    self.bias_constraint = keras.constraints.get(bias_constraint)
    self.dropout = min(1.0, max(0.0, dropout))
    self.seed = seed

  @property
  def input_bias(self) -> Optional[Any]:
    """What is added to x W, [4 * units], or None."""
    if self.bias is None:
      return None
    none = ops.zeros_like(self.bias[: self.units])
    return ops.concatenate([none, self.bias, none], axis=0)

  def with_output(self, states: list) -> list:
    """An output of zeros, and c."""
    return [ops.zeros_like(states[0]), *states]

  def step(self, projected: Any, states: list, training: Any = None) -> list:
    """One step on x W + b: the output and the new c."""
    c = states[-1]
    s, f, r, t = ops.split(projected, 4, axis=-1)
    f, r = map(keras.activations.sigmoid, (f, r))
    c = f * c + (1 - f) * s
    return [r * self.activation(c) + (1 - r) * t, c]

  def get_config(self):
    return {
      **super().get_config(),
      "units": self.units,
      "activation": keras.activations.serialize(self.activation),
      "use_bias": self.use_bias,
      "dropout": self.dropout,
      **self._config_of("kernel"),
      **self._config_of("bias"),
    }

  def _config_of(self, kind):
    """The initializer, regularizer and constraint of a weight."""
    return {
      f"{kind}_{name}": getattr(keras, f"{name}s").serialize(
        getattr(self, f"{kind}_{name}")
      )
      for name in ("initializer", "regularizer", "constraint")
    }
