"""Wrappers that put a dense layer before or after a cell."""

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
  """A dense layer before a cell.

      output, new_state = cell(act(x W + b), state)

  with x [batch, D], W [D, num_proj] and b [num_proj].

  Variables, under `input_projection_wrapper/`: `kernel` [D, num_proj], `bias`
  [num_proj] of zeros, then those of the cell. A partitioner does not split the
  bias.

  One product over the whole sequence, before `dynamic_rnn`, is faster.

  Source: `tf.contrib.rnn.InputProjectionWrapper` of TensorFlow 1.15.

  Args:
    cell: an RNNCell.
    num_proj: int, the width that the inputs are projected to.
    activation: (optional) act, a function of a tensor. Default: none.
    input_size: not used. TensorFlow 1.15 had it; giving it logs a warning.
    reuse: (optional) bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope, those of the cell too. If not, and the
      scope already has them, an error is raised.

  Raises:
    TypeError: if `cell` is not an RNNCell.

  A call `wrapper(inputs, state, scope=None)` takes inputs [batch, D] and a
  state of the cell, and returns what the cell returns. It raises a ValueError
  for inputs of another rank or of an unknown depth, and for variables that
  exist without reuse or don't with it.

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
    """One step: see the class."""
    projected = _project(inputs, self._num_proj, self._activation)
    return self._cell(projected, state)


class OutputProjectionWrapper(base.Wrapper):
  """A dense layer after a cell.

      y, new_state = cell(x, state)
      output = act(y W + b)

  with y [batch, cell.output_size], W [cell.output_size, output_size] and b
  [output_size]. The layer does not change the state.

  Variables, under `output_projection_wrapper/`: first those of the cell, then
  `kernel` [cell.output_size, output_size] and `bias` [output_size] of zeros. A
  partitioner does not split the bias.

  One product over the whole sequence, after `dynamic_rnn`, is faster.

  Source: `tf.contrib.rnn.OutputProjectionWrapper` of TensorFlow 1.15.

  Args:
    cell: an RNNCell.
    output_size: int, the width of the output, 1 or more.
    activation: (optional) act, a function of a tensor. Default: none.
    reuse: as of `InputProjectionWrapper`.

  Raises:
    TypeError: if `cell` is not an RNNCell.
    ValueError: if `output_size` is below 1.

  A call `wrapper(inputs, state, scope=None)` takes what the cell takes, and
  returns the output [batch, output_size] and the new state of the cell. It
  raises a ValueError for variables that exist without reuse or don't with it.

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
    """The width of the output."""
    return self._output_size

  def call(self, inputs: Any, state: Any) -> tuple[tf.Tensor, Any]:
    """One step: see the class."""
    output, state = self._cell(inputs, state)
    return _project(output, self._output_size, self._activation), state
