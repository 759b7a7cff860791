"""The Simple Recurrent Unit of tf.contrib.rnn 1.15."""

from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf
from tensorflow.python.keras.engine import input_spec

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn import recurrence
from tf_contrib_rnn.cells import rows
from tf_contrib_rnn.cells.layer import LayerCell


class SRUCell(LayerCell):
  """Simple Recurrent Unit (SRU) cell.

      s, f, r, t = split(x W)
      f, r = split(sigmoid([f, r] + b))
      new_state = f * state + (1 - f) * s
      output = r * act(new_state) + (1 - r) * t

  The gates depend on the input only. Therefore x W can be computed for all
  steps at once. x is [batch, D] and the state is [batch, H].

  Variables, under `sru_cell/`: `kernel` W [D, 4H] and `bias` b [2H], which
  starts as zeros.

  Source: `tf.contrib.rnn.SRUCell` of TensorFlow 1.15; Lei, Zhang, Wang, Dai and
  Artzi, "Simple Recurrent Units for Highly Parallelizable Recurrence"
  (https://arxiv.org/abs/1709.02755). The paper adds the input x to the output.
  The cell adds t instead, which has the size of the state for any x.

  Args:
    num_units: Int, the number of units H.
    activation: act, a function of a tensor. Default: `tanh`. A name is not
      accepted, as in tf.contrib.rnn.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.
    name: Str, the name of the layer and of its scope. Layers with the same name
      share variables only if `reuse` allows it.
    **kwargs: `dtype` and `trainable` of the layer. The default dtype is that of
      the first input.

  Raises:
    TypeError: If there are other keyword arguments.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: Tensor [batch, H].
    - `scope`: Optional variable scope.

  A call returns the pair (output, new state), each [batch, H]. A call raises:

  - ValueError: If the inputs have another rank or an unknown depth, if
    variables exist and `reuse` is not set, or if they do not exist and `reuse`
    is true.
  - TypeError: If `activation` is not a function.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.SRUCell(4)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  """

  has_recurrence_op = True

  def __init__(
    self,
    num_units: int,
    activation: Optional[Callable[[tf.Tensor], tf.Tensor]] = None,
    reuse: Any = None,
    name: Optional[str] = None,
    **kwargs: Any,
  ):
    super().__init__(_reuse=reuse, name=name, **kwargs)
    self.input_spec = input_spec.InputSpec(ndim=2)
    self._num_units = num_units
    self._activation = activation or tf.tanh

  @property
  def state_size(self) -> int:
    """The number of units H."""
    return self._num_units

  @property
  def output_size(self) -> int:
    """The number of units H."""
    return self._num_units

  def build(self, inputs_shape: Any) -> None:
    depth = tf.TensorShape(inputs_shape).as_list()[-1]
    if depth is None:
      raise ValueError(
        f"inputs has shape {inputs_shape}, expected a known depth"
      )
    (part,) = cell_kinds.SRU.parts
    width, biased = (
      len(part.gates_of(array)) * self._num_units
      for array in cell_kinds.SRU.arrays
    )
    self._kernel = self.add_weight(part.kernel, [depth, width])
    self._bias = self.add_weight(
      part.bias, [biased], initializer=tf.compat.v1.zeros_initializer()
    )
    self.built = True

  def call(
    self, inputs: tf.Tensor, state: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs one step. See the class."""
    return rows.run(
      self,
      recurrence.sru,
      inputs,
      [self._kernel],
      [self._bias],
      state,
      activation=self._activation,
    )
