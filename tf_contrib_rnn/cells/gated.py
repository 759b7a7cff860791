"""Gated cells of tf.contrib.rnn 1.15 that came out of searches and trials.

The update gate, the intersection and the NAS cell: one product [x, h] W a
step, and element-wise gates.
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
  """A plain cell whose state and output are as wide as its units."""

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

  One gate decides how much of the state is kept:

      g, c = split([x, state] W + b)
      g = sigmoid(g + forget_bias)
      output = new_state = g * state + (1 - g) * act(c)

  with x [batch, D], W [D + H, 2H], b [2H] and a state of [batch, H]. It lies
  between the GRU and the plain RNN.

  Variables: `kernel` [D + H, 2H] and `bias` [2H], under `ugrnn_cell/`. The bias
  starts with zeros.

  Source: `tf.contrib.rnn.UGRNNCell` of TensorFlow 1.15; Collins, Sohl-Dickstein
  and Sussillo, "Capacity and Trainability in Recurrent Neural Networks"
  (https://arxiv.org/abs/1611.09913).

  Args:
    num_units: int, the number of units H in the cell.
    initializer: (optional) an initializer for the kernel. Default: the
      scope's, else Glorot's uniform.
    forget_bias: float, added to the gate's sum (see above). A checkpoint does
      not hold it: use the one that the model was trained with.
    activation: the nonlinearity act, a function of a tensor.
    reuse: (optional) bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If not, and the scope already has them,
      an error is raised.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and a state
  of [batch, H]. It returns the pair (output, new state), one tensor [batch, H].

  Raises:
    ValueError: from a call, if the depth D is not known, shapes do not match,
      variables exist without reuse or don't with it.
    TypeError: from a call, if dtypes differ or `activation` is not a function.

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
    """One step: see the class."""
    gate, candidate = self._gates(inputs, state, 2)
    gate = tf.sigmoid(gate + self._forget_bias)
    new_state = plain.mix(gate, state, self._activation(candidate))
    return new_state, new_state


class IntersectionRNNCell(_GatedCell):
  """Intersection Recurrent Neural Network (+RNN) cell.

  One gate along time and one along depth: what comes in can go on to the next
  step, to the next layer, or both.

      gh, h1, gy, y1 = split([x, state] W + b)
      gh, gy = sigmoid(gh + forget_bias), sigmoid(gy + forget_bias)
      new_state = gh * state + (1 - gh) * tanh(h1)
      output = gy * x + (1 - gy) * y_act(y1)

  with x [batch, H], W [2H, 4H], b [4H] and a state of [batch, H]. Inputs of
  another depth D take x Wp + bp for x, with Wp [D, H] and bp [H], if
  `num_in_proj` is given.

  Variables, under `intersection_rnn_cell/`: where inputs are projected,
  `in_projection/kernel` [D, H] and `in_projection/bias` [H]; then `kernel`
  [2H, 4H] and `bias` [4H]. Biases start with zeros.

  Source: `tf.contrib.rnn.IntersectionRNNCell` of TensorFlow 1.15; Collins,
  Sohl-Dickstein and Sussillo, "Capacity and Trainability in Recurrent Neural
  Networks" (https://arxiv.org/abs/1611.09913).

  Args:
    num_units: int, the number of units H in the cell.
    num_in_proj: (optional) whether inputs of a depth other than H are
      projected to H. Its value does not matter, as in TensorFlow 1.15: 0 and
      None mean no, any other number means yes. Inputs of depth H are never
      projected.
    initializer: (optional) an initializer for the kernels. Default: the
      scope's, else Glorot's uniform.
    forget_bias: float, added to the sums of both gates (see above). A
      checkpoint does not hold it: use the one that the model was trained with.
    y_activation: the nonlinearity y_act, a function of a tensor. That of the
      state is always `tanh`.
    reuse: as of `UGRNNCell`.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and a state
  of [batch, H]. It returns the pair (output, new state), each [batch, H].

  Raises:
    ValueError: from a call, if D differs from H without `num_in_proj`, and as
      `UGRNNCell`.
    TypeError: from a call, if dtypes differ or `y_activation` is not a
      function.

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
    """One step: see the class."""
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

  A cell that a search by reinforcement learning found on the Penn Treebank:

      u = split(x K, 8)
      r = split(h R + b, 8)
      l0, l2, l5, l7 = sigmoid(u + r) of the same number
      l1 = relu(u1 + r1)
      l3 = relu(u3 * r3)
      l4, l6 = tanh(u + r) of the same number
      new_c = tanh(tanh(l0 * l1) + c) * tanh(l2 + l3)
      new_h = tanh(new_c * tanh(tanh(l4 * l5) + sigmoid(l6 + l7)))
      output = new_h = new_h Wp        if `num_proj` is given

  with x [batch, D], K [D, 8H], R [M, 8H], b [8H], Wp [H, M] and a state of c
  [batch, H] and h [batch, M]. M is `num_proj`, else H. b is there with
  `use_bias`, on the state's side alone: that matters to l3, a product.

  Variables, under `nas_cell/`: `recurrent_kernel` [M, 8H], `kernel` [D, 8H],
  `bias` [8H] with `use_bias`, `projection_weights` [H, M] with `num_proj`. The
  bias starts with zeros.

  Source: `tf.contrib.rnn.NASCell` of TensorFlow 1.15; Zoph and Le, "Neural
  Architecture Search with Reinforcement Learning"
  (https://arxiv.org/abs/1611.01578).

  Args:
    num_units: int, the number of units H in the cell.
    num_proj: (optional) int, the width M of the projected output. Default: no
      projection.
    use_bias: bool, whether there is a bias.
    reuse: as of `UGRNNCell`.
    **kwargs: `name`, `dtype` and `trainable` of the layer. The dtype is by
      default that of the first input.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and an
  `LSTMStateTuple(c, h)`, a tuple or a list. It returns the pair of the output
  [batch, M] and a new LSTMStateTuple.

  Raises:
    TypeError: for unknown keywords; from a call, if dtypes differ.
    ValueError: from a call, if the depth D is not known, shapes do not match,
      variables exist without reuse or don't with it.

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
    depth = tf.TensorShape(inputs_shape)[-1]
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
    """One step: see the class."""
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
