"""The SRU cell for Keras, which has nothing like it. Arguments are Keras's."""

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

  Its gates see the inputs alone, not the state:

      s, f, r, t = x W, split in four
      f, r = sigmoid([f, r] + b)
      c' = f c + (1 - f) s
      output = r act(c') + (1 - r) t

  with x [batch, features] and a state c of [batch, units]. Unlike in the other
  cells, the output is not the state.

  Weights: `kernel` W, [features, 4 * units] in the order s, f, r, t, and `bias`
  b, [2 * units] in the order f, r. There are no recurrent weights.

  Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
  Parallelizable Recurrence" (https://arxiv.org/abs/1709.02755);
  `tf.contrib.rnn.SRUCell` of TensorFlow 1.15. Keras has no such cell; the
  arguments are those of its others.

  Args:
    units: int, the number of units.
    activation: act, a function of a tensor or its Keras name; None is linear.
    use_bias: whether there is a bias.
    kernel_initializer: for W.
    bias_initializer: for b.
    kernel_regularizer: (optional) for W.
    bias_regularizer: (optional) for b.
    kernel_constraint: (optional) for W.
    bias_constraint: (optional) for b.
    dropout: float in [0, 1], the fraction of inputs to drop while training.
      The same are dropped at every step.
    seed: (optional) int, for dropout.
    **keywords: what `keras.layers.Layer` takes: name, dtype, trainable.

  Raises:
    ValueError: as `IndRNNCell`.

  A call `cell(inputs, states, training=None)` takes inputs [batch, features]
  and the state c [batch, units], or a list of it, and returns the output
  [batch, units] and the new state, in a list if it came in one.

  `keras.layers.RNN` on JAX takes a cell's state for its output at a masked
  step: there, with masks, use the layer `SRU` or `zero_output_for_mask`.

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
