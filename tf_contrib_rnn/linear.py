"""Private helpers of tf.contrib.rnn that other programs use in their cells.

They were `_linear` and `_Linear` in `core_rnn_cell`. The command
`tf-contrib-rnn upgrade` makes programs import them from here. New code should
use `tf.matmul`.
"""

from collections.abc import Sequence
from typing import Any
from typing import Optional
from typing import Union

import tensorflow as tf

from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1


def _as_list(args: Any) -> list:
  """Converts an argument to a list of tensors [batch, depth].

  Raises:
    ValueError: If there are no tensors, or if one has another rank or an
      unknown depth.
  """
  tensors = [*args] if isinstance(args, (list, tuple)) else [args]
  if not tensors or any(tensor is None for tensor in tensors):
    raise ValueError("`args` must be specified")
  tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
  for tensor in tensors:
    plain.depth_of(tensor, "args")
  return tensors


class _Linear:
  """Linear map of one or more tensors, with variables that it creates at once.

      y = [x, h, ...] W + b

  The tensors are concatenated along the last dimension.

  Variables, in the scope where the object is created: `kernel` W [sum of the
  depths, output_size] and `bias` b [output_size].

  Source: `tensorflow.contrib.rnn.python.ops.core_rnn_cell` of TensorFlow 1.15.

  Args:
    args: A tensor [batch, depth] or a list of such tensors. Only their depths
      and the first dtype are used.
    output_size: Int, the last dimension of the result.
    build_bias: Bool, whether there is a bias b.
    bias_initializer: Optional initializer of b. Default: zeros.
    kernel_initializer: Optional initializer of W. Default: the one of the
      variable scope.

  Raises:
    ValueError: If there are no tensors, or if one is not [batch, depth] or has
      an unknown depth.

  Example:

  >>> import tensorflow as tf
  >>> from tf_contrib_rnn.linear import _Linear
  >>> x = tf.ones([2, 3])
  >>> _Linear([x, x], 4, build_bias=True)([x, x]).shape
  TensorShape([2, 4])
  """

  def __init__(
    self,
    args: Union[tf.Tensor, Sequence[tf.Tensor]],
    output_size: int,
    build_bias: bool,
    bias_initializer: Optional[Any] = None,
    kernel_initializer: Optional[Any] = None,
  ):
    tensors = _as_list(args)
    depth = sum(plain.depth_of(tensor) for tensor in tensors)
    dtype = tensors[0].dtype
    self._weights = v1.get_variable(
      "kernel", [depth, output_size], dtype, kernel_initializer
    )
    self._biases = None
    if build_bias:
      self._biases = plain.get_bias(output_size, dtype, bias_initializer)

  def __call__(self, args: Union[tf.Tensor, Sequence[tf.Tensor]]) -> tf.Tensor:
    """Returns y [batch, output_size] for tensors of the same depths."""
    tensors = _as_list(args)
    joined = tensors[0] if len(tensors) == 1 else tf.concat(tensors, 1)
    product = plain.matmul(joined, self._weights)
    return product if self._biases is None else product + self._biases


def _linear(
  args: Union[tf.Tensor, Sequence[tf.Tensor]],
  output_size: int,
  bias: bool,
  bias_initializer: Optional[Any] = None,
  kernel_initializer: Optional[Any] = None,
) -> tf.Tensor:
  """Returns [x, h, ...] W + b, with variables `kernel` and `bias` of the scope.

  Source: `tensorflow.contrib.rnn.python.ops.core_rnn_cell` of TensorFlow 1.15.

  Args:
    args: A tensor [batch, depth] or a list of such tensors.
    output_size: Int, the last dimension of the result.
    bias: Bool, whether there is a bias b.
    bias_initializer: Optional initializer of b. Default: zeros.
    kernel_initializer: Optional initializer of W. Default: the one of the
      variable scope.

  Returns:
    A tensor [batch, output_size].

  Raises:
    ValueError: If there are no tensors, or if one is not [batch, depth] or has
      an unknown depth.

  Example:

  >>> import tensorflow as tf
  >>> from tf_contrib_rnn.linear import _linear
  >>> _linear([tf.ones([2, 3]), tf.ones([2, 5])], 4, bias=True).shape
  TensorShape([2, 4])
  """
  linear = _Linear(
    args, output_size, bias, bias_initializer, kernel_initializer
  )
  return linear(args)
