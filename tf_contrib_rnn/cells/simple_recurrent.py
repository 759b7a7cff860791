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

  The gates see the input alone: x W of all steps can be done beforehand.

      s, f, r, t = split(x W)
      f, r = split(sigmoid([f, r] + b))
      new_state = f * state + (1 - f) * s
      output = r * act(new_state) + (1 - r) * t

  with x [batch, D], W [D, 4H], b [2H] and a state of [batch, H].

  Variables, under `sru_cell/`: `kernel` [D, 4H] and `bias` [2H] of zeros.

  Source: `tf.contrib.rnn.SRUCell` of TensorFlow 1.15; Lei, Zhang, Wang, Dai and
  Artzi, "Simple Recurrent Units for Highly Parallelizable Recurrence"
  (https://arxiv.org/abs/1709.02755). The paper adds the input x to the output
  where the cell has t, which is as wide as the state whatever x is.

  Args:
    num_units: int, the number of units H in the cell.
    activation: act, a function of a tensor. Default: `tanh`.
    reuse: (optional) bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If not, and the scope already has them,
      an error is raised.
    name: str, the name of the layer, and of its scope. Layers of one name
      share weights, but only where reuse says so.
    **kwargs: what any layer takes: `dtype` and `trainable`. By default the
      dtype is that of the first input.

  Raises:
    TypeError: for other **kwargs.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and a state
  of [batch, H], and returns the pair (output, new state), each [batch, H]. It
  raises a ValueError for inputs of another rank or of an unknown depth, and for
  variables that exist without reuse or don't with it, and a TypeError if
  `activation` is no function.

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
    """One step: see the class."""
    return rows.run(
      self,
      recurrence.sru,
      tf.matmul(inputs, self._kernel),
      self._bias,
      state,
      activation=self._activation,
    )
