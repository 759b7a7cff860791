"""A wrapper that mixes the output of a cell with its input."""

from typing import Any

import tensorflow as tf

from tf_contrib_rnn.cells import plain
from tf_contrib_rnn.wrappers import base

v1 = tf.compat.v1


class HighwayWrapper(base.Wrapper):
  """Mixes the output of a cell with its input by a gate.

      y, new_state = cell(x, state)
      c = sigmoid(x Wc + bc)
      t = 1 - c, or sigmoid(x Wt + bt) if not couple_carry_transform_gates
      output = x * c + y * t

  x and y are [batch, D].

  Variables, in this order:

  - the variables of the cell
  - `carry_w` Wc [D, D] and `carry_b` bc [D]. The bias starts with
    `carry_bias_init`.
  - without coupling of the gates, `transform_w` Wt [D, D] and `transform_b` bt
    [D]. The bias starts with minus `carry_bias_init`.

  The wrapper has no scope of its own. Its variables are in the scope of the
  call, such as `rnn/carry_w` beside `rnn/gru_cell/...`. They have the dtype of
  the variable scope, whatever the dtype of the inputs is. The default of a
  scope is float32.

  As in TensorFlow 1.15, each call in a graph gets the variables again. If the
  scope does not reuse variables, a second call raises a ValueError. This is no
  problem for `dynamic_rnn` and `static_rnn`. In eager mode and in a
  `tf.function` the wrapper keeps its variables. In TensorFlow 1.15 the wrapper
  has no attributes such as `name` and `weights`. Here it has those of any cell.

  Source: `tf.contrib.rnn.HighwayWrapper` of TensorFlow 1.15; Srivastava, Greff
  and Schmidhuber, "Highway Networks" (https://arxiv.org/abs/1505.00387).

  Args:
    cell: An RNNCell whose output has the shape of its input.
    couple_carry_transform_gates: Bool, whether t is 1 - c.
    carry_bias_init: Float, the initial value of bc.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: A state of the cell.
    - `scope`: Optional variable scope. It is passed to the cell only.

  A call returns the output [batch, D] and the new state of the cell. A call
  raises:

  - ValueError: If the input and the output of the cell differ in shape, or for
    the second call in a graph, see above.
  - TypeError: If input and output have another dtype than the variables.

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
    """Runs one step. See the class."""
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
