"""A wrapper that mixes the output of a cell with its input."""

from typing import Any

import tensorflow as tf

from tf_contrib_rnn.cells import plain
from tf_contrib_rnn.wrappers import base

v1 = tf.compat.v1


class HighwayWrapper(base.Wrapper):
  """A highway past a cell: a gate mixes the output with the input.

      y, new_state = cell(x, state)
      c = sigmoid(x Wc + bc)
      t = 1 - c, or sigmoid(x Wt + bt) if not couple_carry_transform_gates
      output = x * c + y * t

  with x and y [batch, D], Wc and Wt [D, D], bc and bt [D].

  Variables: first those of the cell, then `carry_w` [D, D] and `carry_b` [D],
  which starts with `carry_bias_init`, and without coupling `transform_w` [D, D]
  and `transform_b` [D], which starts with minus `carry_bias_init`. There is no
  `highway_wrapper/`: they are in the scope of the call, such as `rnn/carry_w`
  beside `rnn/gru_cell/...`. They are of the scope's dtype, which is float32
  unless it says otherwise, whatever the inputs are.

  Source: `tf.contrib.rnn.HighwayWrapper` of TensorFlow 1.15; Srivastava, Greff
  and Schmidhuber, "Highway Networks" (https://arxiv.org/abs/1505.00387).

  Args:
    cell: an RNNCell whose output is as wide as its input.
    couple_carry_transform_gates: bool, whether t is 1 - c.
    carry_bias_init: float, what bc starts with.

  A call `wrapper(inputs, state, scope=None)` takes what the cell takes, and
  returns the output [batch, D] and the new state of the cell. `scope` goes to
  the cell alone. In a graph each call gets the variables anew: a second one is
  a ValueError where the scope does not reuse, as in TensorFlow 1.15.
  `dynamic_rnn` and `static_rnn` are no such case. In eager mode and in a
  `tf.function` the wrapper keeps its variables. A call raises a ValueError if
  the input and the output of the cell differ in shape, and a TypeError if they
  are of another dtype than the variables. `name`, `weights` and the like, which
  the wrapper of TensorFlow 1.15 lacked, are those of any cell.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.HighwayWrapper(tf_contrib_rnn.IndRNNCell(4))
  >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  >>> [v.name for v in cell.variables][-2:]
  ['carry_w:0', 'carry_b:0']
  """

  def __init__(
    self,
    cell: Any,
    couple_carry_transform_gates: bool = True,
    carry_bias_init: float = 1.0,
  ):
    super().__init__(cell, check=False)
    self._is_coupled = couple_carry_transform_gates
    self._carry_bias_init = carry_bias_init

  def __call__(
    self, inputs: Any, state: Any, scope: Any = None
  ) -> tuple[tf.Tensor, Any]:
    """One step: see the class."""
    output, state = self._cell(inputs, state, scope=scope)
    with v1.variable_scope(
      v1.get_variable_scope(),
      custom_getter=self._rnn_get_variable,
      auxiliary_name_scope=False,
    ):
      return self._mix(tf.convert_to_tensor(inputs), output), state

  def _mix(self, inputs, output):
    if not inputs.shape.is_compatible_with(output.shape):
      raise ValueError(
        f"The output of the cell has shape {output.shape}, expected that of "
        f"the inputs: {inputs.shape}"
      )
    carry = self._gate("carry", inputs, self._carry_bias_init)
    if self._is_coupled:
      return plain.mix(carry, inputs, output)
    transform = self._gate("transform", inputs, -self._carry_bias_init)
    return inputs * carry + output * transform

  def _gate(self, name, inputs, bias):
    depth = plain.depth_of(inputs)
    weights = v1.get_variable(f"{name}_w", [depth, depth])
    biases = v1.get_variable(
      f"{name}_b", [depth], initializer=v1.constant_initializer(bias)
    )
    return tf.sigmoid(plain.matmul(inputs, weights) + biases)
