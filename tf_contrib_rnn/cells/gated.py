"""Gated cells of tf.contrib.rnn 1.15: UGRNN, intersection RNN and NAS cell.

Each cell computes one product [x, h] W in a step, and element-wise gates.
"""

from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf
from tensorflow.python.keras.engine import input_spec

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import plain
from tf_contrib_rnn.cells.layer import LayerCell

v1 = tf.compat.v1


class _GatedCell(plain.PlainCell):
  """A plain cell whose state and output have the size of its units."""

  def __init__(self, num_units, initializer, forget_bias, reuse):
    super().__init__(_reuse=reuse)
    self._num_units = num_units
    self._initializer = initializer
    self._forget_bias = forget_bias

  @property
  def state_size(self) -> int:
    """The number of units H."""
    return self._num_units

  @property
  def output_size(self) -> int:
    """The number of units H."""
    return self._num_units

  def _gates(self, inputs, state, count):
    """`count` tensors [batch, H], the pieces of [inputs, state] W + b."""
    size = count * self._num_units
    joined = plain.linear(
      [inputs, state], size, kernel_initializer=self._initializer
    )
    return tf.split(joined, count, 1)


class UGRNNCell(_GatedCell):
  """Update Gate Recurrent Neural Network (UGRNN) cell.

      g, c = split([x, state] W + b)
      g = sigmoid(g + forget_bias)
      output = new_state = g * state + (1 - g) * act(c)

  One gate decides how much of the state is kept. The cell is between a GRU and
  a plain RNN. x is [batch, D] and the state is [batch, H].

  Variables, under `ugrnn_cell/`: `kernel` W [D + H, 2H] and `bias` b [2H],
  which starts as zeros.

  Source: `tf.contrib.rnn.UGRNNCell` of TensorFlow 1.15; Collins, Sohl-Dickstein
  and Sussillo, "Capacity and Trainability in Recurrent Neural Networks"
  (https://arxiv.org/abs/1611.09913).

  Args:
    num_units: Int, the number of units H.
    initializer: Optional initializer of W. Default: the one of the variable
      scope. If that has none: Glorot uniform.
    forget_bias: Float that is added in the gate, see above. A checkpoint
      does not contain it. Use the value that the model was trained with.
    activation: act, a function of a tensor.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: Tensor [batch, H].
    - `scope`: Optional variable scope.

  A call returns the pair (output, new state), which are the same tensor [batch,
  H]. A call raises:

  - ValueError: If the depth D is unknown, if shapes do not match, if
    variables exist and `reuse` is not set, or if they do not exist and `reuse`
    is true.
  - TypeError: If dtypes differ, or if `activation` is not a function.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.UGRNNCell(4)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state is output
  (TensorShape([2, 4]), True)
  >>> [v.name for v in cell.variables]
  ['ugrnn_cell/kernel:0', 'ugrnn_cell/bias:0']
  """

  def __init__(
    self,
    num_units: int,
    initializer: Any = None,
    forget_bias: float = 1.0,
    activation: Callable[..., tf.Tensor] = tf.tanh,
    reuse: Any = None,
  ):
    super().__init__(num_units, initializer, forget_bias, reuse)
    self._activation = activation

  def call(
    self, inputs: tf.Tensor, state: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs one step. See the class."""
    gate, candidate = self._gates(inputs, state, 2)
    gate = tf.sigmoid(gate + self._forget_bias)
    new_state = plain.mix(gate, state, self._activation(candidate))
    return new_state, new_state


class IntersectionRNNCell(_GatedCell):
  """Intersection Recurrent Neural Network (+RNN) cell.

      gh, h1, gy, y1 = split([x, state] W + b)
      gh, gy = sigmoid(gh + forget_bias), sigmoid(gy + forget_bias)
      new_state = gh * state + (1 - gh) * tanh(h1)
      output = gy * x + (1 - gy) * y_act(y1)

  The cell has one gate for time and one for depth. An input can go on to the
  next step, to the next layer, or to both. x is [batch, H] and the state is
  [batch, H]. If the inputs have another depth D and `num_in_proj` is given, x
  stands for x Wp + bp.

  Variables, under `intersection_rnn_cell/`: if inputs are projected,
  `in_projection/kernel` Wp [D, H] and `in_projection/bias` bp [H]; then
  `kernel` W [2H, 4H] and `bias` b [4H]. The biases start as zeros.

  Source: `tf.contrib.rnn.IntersectionRNNCell` of TensorFlow 1.15; Collins,
  Sohl-Dickstein and Sussillo, "Capacity and Trainability in Recurrent Neural
  Networks" (https://arxiv.org/abs/1611.09913).

  Args:
    num_units: Int, the number of units H.
    num_in_proj: Optional int, whether to project inputs of another depth than H
      to H. As in TensorFlow 1.15, the value does not matter: None and 0 mean
      no, and any other number means yes. Inputs of depth H are never projected.
    initializer: Optional initializer of the kernels. Default: the one of the
      variable scope. If that has none: Glorot uniform.
    forget_bias: Float that is added in the two gates, see above. A checkpoint
      does not contain it. Use the value that the model was trained with.
    y_activation: y_act, a function of a tensor. The activation of the state is
      always `tanh`.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: Tensor [batch, H].
    - `scope`: Optional variable scope.

  A call returns the pair (output, new state), each [batch, H]. A call raises:

  - ValueError: If the depth D is unknown, if shapes do not match, if D is not H
    and `num_in_proj` is not given, if variables exist and `reuse` is not set,
    or if they do not exist and `reuse` is true.
  - TypeError: If dtypes differ, or if `y_activation` is not a function.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IntersectionRNNCell(4, num_in_proj=4)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  """

  def __init__(
    self,
    num_units: int,
    num_in_proj: Optional[int] = None,
    initializer: Any = None,
    forget_bias: float = 1.0,
    y_activation: Callable[..., tf.Tensor] = tf.nn.relu,
    reuse: Any = None,
  ):
    super().__init__(num_units, initializer, forget_bias, reuse)
    self._num_in_proj = num_in_proj
    self._y_activation = y_activation

  def call(
    self, inputs: tf.Tensor, state: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs one step. See the class."""
    inputs = self._project(inputs)
    gate_h, new_h, gate_y, new_y = self._gates(inputs, state, 4)
    gate_h = tf.sigmoid(gate_h + self._forget_bias)
    gate_y = tf.sigmoid(gate_y + self._forget_bias)
    new_state = plain.mix(gate_h, state, tf.tanh(new_h))
    output = plain.mix(gate_y, inputs, self._y_activation(new_y))
    return output, new_state

  def _project(self, inputs):
    """The inputs, as wide as the output."""
    depth = plain.depth_of(inputs)
    if depth == self._num_units:
      return inputs
    if not self._num_in_proj:
      raise ValueError(
        f"Must have input size == output size for an IntersectionRNNCell "
        f"without num_in_proj, saw {depth} and {self._num_units}"
      )
    with v1.variable_scope("in_projection"):
      return plain.linear(
        [inputs], self._num_units, kernel_initializer=self._initializer
      )


class NASCell(LayerCell):
  """Neural Architecture Search (NAS) cell.

      u = split(x K, 8)
      r = split(h R + b, 8)
      l0, l2, l5, l7 = sigmoid(u + r), each of the same number
      l1 = relu(u1 + r1)
      l3 = relu(u3 * r3)
      l4, l6 = tanh(u + r), each of the same number
      new_c = tanh(tanh(l0 * l1) + c) * tanh(l2 + l3)
      new_h = tanh(new_c * tanh(tanh(l4 * l5) + sigmoid(l6 + l7)))
      output = new_h = new_h Wp, if `num_proj` is given

  A search by reinforcement learning found this cell on the Penn Treebank. x is
  [batch, D]. The state is c [batch, H] and h [batch, M], where M is `num_proj`,
  or H without projection. b belongs to the side of the state only. This matters
  for l3, which is a product.

  Variables, under `nas_cell/`: `recurrent_kernel` R [M, 8H], `kernel` K [D,
  8H], with `use_bias` `bias` b [8H], and with `num_proj` `projection_weights`
  Wp [H, M]. The bias starts as zeros.

  Source: `tf.contrib.rnn.NASCell` of TensorFlow 1.15; Zoph and Le, "Neural
  Architecture Search with Reinforcement Learning"
  (https://arxiv.org/abs/1611.01578).

  Args:
    num_units: Int, the number of units H.
    num_proj: Optional int, the size M of the projected output. Default: no
      projection.
    use_bias: Bool, whether there is a bias.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.
    **kwargs: `name`, `dtype` and `trainable` of the layer. The default dtype is
      that of the first input.

  Raises:
    TypeError: If there are unknown keyword arguments.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: An `LSTMStateTuple(c, h)`, a tuple or a list.
    - `scope`: Optional variable scope.

  A call returns the output [batch, M] and a new LSTMStateTuple. A call raises:

  - ValueError: If the depth D is unknown, if shapes do not match, if
    variables exist and `reuse` is not set, or if they do not exist and `reuse`
    is true.
  - TypeError: If dtypes differ.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.NASCell(4, num_proj=5)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.c.shape, state.h.shape
  (TensorShape([2, 5]), TensorShape([2, 4]), TensorShape([2, 5]))
  >>> [v.name for v in cell.variables][:2]
  ['nas_cell/recurrent_kernel:0', 'nas_cell/kernel:0']
  """

  def __init__(
    self,
    num_units: int,
    num_proj: Optional[int] = None,
    use_bias: bool = False,
    reuse: Any = None,
    **kwargs: Any,
  ):
    super().__init__(_reuse=reuse, **kwargs)
    self.input_spec = input_spec.InputSpec(ndim=2)
    self._num_units = num_units
    self._num_proj = num_proj
    self._use_bias = use_bias

  @property
  def state_size(self) -> core.LSTMStateTuple:
    """LSTMStateTuple(c=H, h=M)."""
    return core.LSTMStateTuple(self._num_units, self.output_size)

  @property
  def output_size(self) -> int:
    """The width M: num_proj, or else the number of units H."""
    return self._num_units if self._num_proj is None else self._num_proj

  def build(self, inputs_shape) -> None:
    depth = tf.compat.dimension_value(tf.TensorShape(inputs_shape)[-1])
    if depth is None:
      raise ValueError(
        f"Expected inputs.shape[-1] to be known, saw shape: {inputs_shape}"
      )
    size = 8 * self._num_units
    self._recurrent_kernel = self.add_weight(
      "recurrent_kernel", [self.output_size, size]
    )
    self._kernel = self.add_weight("kernel", [depth, size])
    if self._use_bias:
      zeros = v1.zeros_initializer()
      self._bias = self.add_weight("bias", [size], initializer=zeros)
    if self._num_proj is not None:
      self._projection = self.add_weight(
        "projection_weights", [self._num_units, self._num_proj]
      )
    self.built = True

  def call(
    self, inputs: tf.Tensor, state: Any
  ) -> tuple[tf.Tensor, core.LSTMStateTuple]:
    """Runs one step. See the class."""
    c, h = state
    of_inputs, of_state = self._pre_activations(inputs, h)
    new_c, new_h = self._step(of_inputs, of_state, c)
    if self._num_proj is not None:
      new_h = plain.matmul(new_h, self._projection)
    return new_h, core.LSTMStateTuple(new_c, new_h)

  def _pre_activations(self, inputs, h):
    """Of the inputs and of the state, in eight pieces [batch, H] each."""
    of_state = plain.matmul(h, self._recurrent_kernel)
    if self._use_bias:
      of_state += self._bias
    of_inputs = plain.matmul(inputs, self._kernel)
    return tf.split(of_inputs, 8, 1), tf.split(of_state, 8, 1)

  @staticmethod
  def _step(of_inputs, of_state, c):
    """The tree that the search found: see the class."""
    sums = [u + r for u, r in zip(of_inputs, of_state)]
    of_c = tf.sigmoid(sums[0]) * tf.nn.relu(sums[1])
    factor = tf.sigmoid(sums[2]) + tf.nn.relu(of_inputs[3] * of_state[3])
    of_h = tf.tanh(sums[4]) * tf.sigmoid(sums[5])
    gate = tf.sigmoid(tf.tanh(sums[6]) + tf.sigmoid(sums[7]))
    new_c = tf.tanh(tf.tanh(of_c) + c) * tf.tanh(factor)
    return new_c, tf.tanh(new_c * tf.tanh(tf.tanh(of_h) + gate))
