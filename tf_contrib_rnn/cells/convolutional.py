"""The convolutional LSTM cells of tf.contrib.rnn 1.15."""

from collections.abc import Sequence
from typing import Any
from typing import Optional
from typing import Union

import tensorflow as tf

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1

# By the number of axes: channels last.
_DATA_FORMATS = {1: "NWC", 2: "NHWC", 3: "NDHWC"}


class ConvLSTMCell(plain.PlainCell):
  """LSTM cell with convolutions instead of matrix products.

      i, j, f, o = split(conv([x, h], kernel) + biases, 4)
      new_c = sigmoid(f + forget_bias) * c + sigmoid(i) * tanh(j)
      output = new_h = tanh(new_c) * sigmoid(o)

  x is [batch, ..., channels]. c and h are the state, each [batch, ..., C]. They
  are joined and split along the last axis. The convolution has stride 1 and
  "SAME" padding, so that the axes between keep their size.

  If `skip_connection` is true, the output is [new_h, x]. As in TensorFlow 1.15,
  this is also the new h, contrary to `state_size`. Such a cell can be called
  once: a second call or dynamic_rnn raises a ValueError.

  Variables, under `conv_lstm_cell/` or the `name`: `kernel`, of shape
  kernel_shape + [channels + C, 4C], and `biases` [4C].

  Source: `tf.contrib.rnn.ConvLSTMCell` of TensorFlow 1.15; Shi, Chen, Wang,
  Yeung, Wong and Woo, "Convolutional LSTM Network: A Machine Learning Approach
  for Precipitation Nowcasting" (https://arxiv.org/abs/1506.04214).

  Args:
    conv_ndims: Int, the number of axes of the convolution: 1, 2 or 3.
    input_shape: List, the shape of an input without the batch: the size of each
      axis, then the number of channels.
    output_channels: Int, the number of output channels C.
    kernel_shape: List or tuple, the size of the kernel along each axis.
    use_bias: Bool, whether there are biases.
    skip_connection: Bool, whether to join the inputs to the output.
    forget_bias: Float that is added in the forget gate, see above. A checkpoint
      does not contain it. Use the value that the model was trained with.
    initializers: Not used, as in TensorFlow 1.15. The initializer of the
      variable scope is used instead.
    name: Str, the name of the cell and of its scope.

  Raises:
    TypeError: If `input_shape` is a tuple.
    ValueError: If `conv_ndims` is not 1, 2 or 3, or if `input_shape` or
      `kernel_shape` does not have that many axes.

  Call arguments:
    - `inputs`: Tensor [batch, ..., channels].
    - `state`: An `LSTMStateTuple(c, h)`.
    - `scope`: Optional variable scope.

  A call returns the output and a new LSTMStateTuple. A call raises:

  - TypeError: If dtypes differ.
  - ValueError: If the inputs have other axes or an unknown number of channels,
    if variables exist without reuse, or if they do not exist with reuse.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.ConvLSTMCell(2, [4, 5, 1], 3, [3, 3])
  >>> state = cell.zero_state(2, tf.float32)
  >>> output, state = cell(tf.ones([2, 4, 5, 1]), state)
  >>> output.shape, state.c.shape, cell.output_size
  (TensorShape([2, 4, 5, 3]), TensorShape([2, 4, 5, 3]), TensorShape([4, 5, 3]))
  >>> [v.name for v in cell.variables]
  ['conv_lstm_cell/kernel:0', 'conv_lstm_cell/biases:0']
  """

  def __init__(
    self,
    conv_ndims: int,
    input_shape: Union[list[int], tf.TensorShape],
    output_channels: int,
    kernel_shape: Sequence[int],
    use_bias: bool = True,
    skip_connection: bool = False,
    forget_bias: float = 1.0,
    initializers: Any = None,
    name: Optional[str] = "conv_lstm_cell",
  ):
    super().__init__(name=name)
    if isinstance(input_shape, tuple):
      raise TypeError(
        f"input_shape is the tuple {input_shape}, expected a list"
      )
    if conv_ndims not in _DATA_FORMATS:
      raise ValueError(f"conv_ndims is {conv_ndims!r}, expected 1, 2 or 3")
    *axes, channels = tf.TensorShape(input_shape).as_list()
    self._axes = tf.TensorShape(axes)
    self._kernel_shape = [*kernel_shape]
    for what, sizes in (
      ("input_shape", axes),
      ("kernel_shape", self._kernel_shape),
    ):
      if len(sizes) != conv_ndims:
        raise ValueError(
          f"{what} has {len(sizes)} axes, not counting channels, expected "
          f"conv_ndims={conv_ndims}"
        )
    self._input_channels = channels
    self._output_channels = output_channels
    self._use_bias = use_bias
    self._skip_connection = skip_connection
    self._forget_bias = forget_bias

  @property
  def output_size(self) -> tf.TensorShape:
    """The sizes of the axes, then the number of channels of an output."""
    channels = self._output_channels
    if self._skip_connection:
      channels += self._input_channels
    return self._axes.concatenate(channels)

  @property
  def state_size(self) -> core.LSTMStateTuple:
    """LSTMStateTuple(c, h) of the sizes of the axes, then C."""
    size = self._axes.concatenate(self._output_channels)
    return core.LSTMStateTuple(size, size)

  def call(
    self,
    inputs: tf.Tensor,
    state: Union[
      core.LSTMStateTuple, list[tf.Tensor], tuple[tf.Tensor, tf.Tensor]
    ],
  ) -> tuple[tf.Tensor, core.LSTMStateTuple]:
    """Runs one step. See the class."""
    c, h = state
    i, j, f, o = tf.split(self._convolve(inputs, h), 4, -1)
    new_c = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
    output = tf.tanh(new_c) * tf.sigmoid(o)
    if self._skip_connection:
      output = tf.concat([output, inputs], -1)
    return output, core.LSTMStateTuple(new_c, output)

  def _convolve(self, inputs: tf.Tensor, h: tf.Tensor) -> tf.Tensor:
    """The sums of all gates, [batch, ..., 4C]."""
    dtype = inputs.dtype
    depth = self._channels_of(inputs, "inputs") + self._channels_of(
      h, "state h"
    )
    columns = 4 * self._output_channels
    shape = [*self._kernel_shape, depth, columns]
    # One tensor, though a partitioner may have split it.
    kernel = tf.convert_to_tensor(v1.get_variable("kernel", shape, dtype))
    sums = tf.nn.convolution(
      tf.concat([inputs, h], -1),
      kernel,
      padding="SAME",
      # By default it is None, which the gradient of Conv3D does not take in
      # eager mode.
      data_format=_DATA_FORMATS[len(self._kernel_shape)],
    )
    if not self._use_bias:
      return sums
    zeros = v1.zeros_initializer()
    return sums + v1.get_variable("biases", [columns], dtype, zeros)

  def _channels_of(self, tensor: tf.Tensor, name: str) -> int:
    """The last dimension of the inputs or of h."""
    shape = tensor.shape
    rank = len(self._kernel_shape) + 2
    channels = shape.as_list()[-1] if shape.rank == rank else None
    if channels is None:
      raise ValueError(
        f"{name} has shape {shape}, expected {rank} dimensions (batch, "
        f"{rank - 2} axes, channels) with a known number of channels"
      )
    return channels


class Conv1DLSTMCell(ConvLSTMCell):
  """`ConvLSTMCell` with convolutions along one axis.

  Variables, under `conv_1d_lstm_cell/` or the `name`: `kernel` and `biases`.

  Source: `tf.contrib.rnn.Conv1DLSTMCell` of TensorFlow 1.15. See
  `ConvLSTMCell`.

  Args:
    name: Str, the name of the cell and of its scope. As in TensorFlow 1.15, all
      other arguments are keyword arguments.
    **kwargs: The arguments of `ConvLSTMCell` without `conv_ndims`.

  Raises:
    TypeError: See `ConvLSTMCell`.
    ValueError: See `ConvLSTMCell`.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.Conv1DLSTMCell(
  ...     input_shape=[6, 2], output_channels=3, kernel_shape=[3])
  >>> output, _ = cell(tf.ones([4, 6, 2]), cell.zero_state(4, tf.float32))
  >>> output.shape, cell.variables[0].name
  (TensorShape([4, 6, 3]), 'conv_1d_lstm_cell/kernel:0')
  """

  def __init__(self, name: Optional[str] = "conv_1d_lstm_cell", **kwargs: Any):
    super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
  """`ConvLSTMCell` with convolutions along two axes.

  Variables, under `conv_2d_lstm_cell/` or the `name`: `kernel` and `biases`.

  Source: `tf.contrib.rnn.Conv2DLSTMCell` of TensorFlow 1.15. See
  `ConvLSTMCell`.

  Args:
    name: Str, the name of the cell and of its scope. As in TensorFlow 1.15, all
      other arguments are keyword arguments.
    **kwargs: The arguments of `ConvLSTMCell` without `conv_ndims`.

  Raises:
    TypeError: See `ConvLSTMCell`.
    ValueError: See `ConvLSTMCell`.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.Conv2DLSTMCell(
  ...     input_shape=[6, 5, 2], output_channels=3, kernel_shape=[3, 2])
  >>> output, _ = cell(tf.ones([4, 6, 5, 2]), cell.zero_state(4, tf.float32))
  >>> output.shape, cell.variables[0].name
  (TensorShape([4, 6, 5, 3]), 'conv_2d_lstm_cell/kernel:0')
  """

  def __init__(self, name: Optional[str] = "conv_2d_lstm_cell", **kwargs: Any):
    super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
  """`ConvLSTMCell` with convolutions along three axes.

  bidirectional_dynamic_rnn takes this cell only without sequence lengths,
  because TensorFlow reverses sequences of at most 5 dimensions.

  Variables, under `conv_3d_lstm_cell/` or the `name`: `kernel` and `biases`.

  Source: `tf.contrib.rnn.Conv3DLSTMCell` of TensorFlow 1.15. See
  `ConvLSTMCell`.

  Args:
    name: Str, the name of the cell and of its scope. As in TensorFlow 1.15, all
      other arguments are keyword arguments.
    **kwargs: The arguments of `ConvLSTMCell` without `conv_ndims`.

  Raises:
    TypeError: See `ConvLSTMCell`.
    ValueError: See `ConvLSTMCell`.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.Conv3DLSTMCell(
  ...     input_shape=[4, 3, 2, 1], output_channels=3, kernel_shape=[3, 2, 1])
  >>> output, _ = cell(tf.ones([5, 4, 3, 2, 1]), cell.zero_state(5, tf.float32))
  >>> output.shape, cell.variables[0].name
  (TensorShape([5, 4, 3, 2, 3]), 'conv_3d_lstm_cell/kernel:0')
  """

  def __init__(self, name: Optional[str] = "conv_3d_lstm_cell", **kwargs: Any):
    super().__init__(conv_ndims=3, name=name, **kwargs)
