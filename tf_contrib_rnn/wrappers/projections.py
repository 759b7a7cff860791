"""Wrappers that add a dense layer before or after a cell."""

from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.cells import plain
from tf_contrib_rnn.wrappers import base

v1 = tf.compat.v1

Activation = Optional[Callable[[tf.Tensor], tf.Tensor]]


def _project(inputs: tf.Tensor, size: int, activation: Activation) -> tf.Tensor:
  projected = plain.linear([inputs], size)
  return activation(projected) if activation else projected


class InputProjectionWrapper(base.Wrapper):
  """Adds a dense layer before a cell.

      output, new_state = cell(act(x W + b), state)

  x is [batch, D].

  It is faster to compute one product for whole sequences, before
  `dynamic_rnn`.

  Variables, under `input_projection_wrapper/`: `kernel` W [D, num_proj], `bias`
  b [num_proj], which starts as zeros, then the variables of the cell. A
  partitioner does not split the bias.

  Source: `tf.contrib.rnn.InputProjectionWrapper` of TensorFlow 1.15.

  Args:
    cell: An RNNCell.
    num_proj: Int, the size of the projected inputs.
    activation: Optional act, a function of a tensor. Default: none.
    input_size: Not used. It is an argument of TensorFlow 1.15. Passing it logs
      a warning.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope, including those of the cell. If it is not
      set and the scope already has the variables, a call raises an error.

  Raises:
    TypeError: If `cell` is not an RNNCell.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: A state of the cell.
    - `scope`: Optional variable scope.

  A call returns the output and the new state of the cell. A call raises:

  - ValueError: If the inputs have another rank or an unknown depth, if
    variables exist and `reuse` is not set, or if they do not exist and `reuse`
    is true.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.InputProjectionWrapper(
  ...     tf_contrib_rnn.IndRNNCell(4), 3, activation=tf.nn.relu)
  >>> output, state = cell(tf.ones([2, 5]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  >>> [v.shape.as_list() for v in cell.variables]
  [[5, 3], [3], [3, 4], [1, 4], [4]]
  """

  def __init__(
    self,
    cell: Any,
    num_proj: int,
    activation: Activation = None,
    input_size: Any = None,
    reuse: Any = None,
  ):
    super().__init__(cell, reuse)
    if input_size is not None:
      v1.logging.warning("%s: The input_size parameter is deprecated.", self)
    self._num_proj = num_proj
    self._activation = activation

  def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
    """Runs one step. See the class."""
    projected = _project(inputs, self._num_proj, self._activation)
    return self._cell(projected, state)


class OutputProjectionWrapper(base.Wrapper):
  """Adds a dense layer after a cell.

      y, new_state = cell(x, state)
      output = act(y W + b)

  y is [batch, cell.output_size]. The layer does not change the state.

  It is faster to compute one product for whole sequences, after `dynamic_rnn`.

  Variables, under `output_projection_wrapper/`: first the variables of the
  cell, then `kernel` W [cell.output_size, output_size] and `bias` b
  [output_size], which starts as zeros. A partitioner does not split the bias.

  Source: `tf.contrib.rnn.OutputProjectionWrapper` of TensorFlow 1.15.

  Args:
    cell: An RNNCell.
    output_size: Int, 1 or more: the size of the output.
    activation: Optional act, a function of a tensor. Default: none.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. See `InputProjectionWrapper`.

  Raises:
    TypeError: If `cell` is not an RNNCell.
    ValueError: If `output_size` is less than 1.

  Call arguments:
    - `inputs`: The inputs of the cell.
    - `state`: A state of the cell.
    - `scope`: Optional variable scope.

  A call returns the output [batch, output_size] and the new state of the cell.
  A call raises:

  - ValueError: If variables exist and `reuse` is not set, or if they do not
    exist and `reuse` is true.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.OutputProjectionWrapper(
  ...     tf_contrib_rnn.IndRNNCell(4), 3)
  >>> output, state = cell(tf.ones([2, 5]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 3]), TensorShape([2, 4]))
  """

  def __init__(
    self,
    cell: Any,
    output_size: int,
    activation: Activation = None,
    reuse: Any = None,
  ):
    super().__init__(cell, reuse)
    if output_size < 1:
      raise ValueError(f"output_size is {output_size}, expected 1 or more")
    self._output_size = output_size
    self._activation = activation

  @property
  def output_size(self) -> int:
    """The size of the output."""
    return self._output_size

  def call(self, inputs: Any, state: Any) -> tuple[tf.Tensor, Any]:
    """Runs one step. See the class."""
    output, state = self._cell(inputs, state)
    return _project(output, self._output_size, self._activation), state
