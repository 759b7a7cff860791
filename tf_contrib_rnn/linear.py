"""The private helpers of tf.contrib.rnn that cells of other programs use.

They were `_linear` and `_Linear` of `core_rnn_cell`. `tf-contrib-rnn upgrade`
makes programs import them from here. New code has `tf.matmul`.
"""

from collections.abc import Sequence
from typing import Any
from typing import Optional
from typing import Union

import tensorflow as tf

from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1


def _as_list(args: Any) -> list:
  """The tensors [batch, depth] of an argument.

  Raises:
    ValueError: if there are none, or if one has another rank or an unknown
      depth.
  """
  tensors = [*args] if isinstance(args, (list, tuple)) else [args]
  if not tensors or any(tensor is None for tensor in tensors):
    raise ValueError("`args` must be specified")
  tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
  for tensor in tensors:
    plain.depth_of(tensor, "args")
  return tensors


class _Linear:
  """[x, h, ...] W + b, with variables that are made at once.

  Variables: `kernel` [the depths' sum, output_size], `bias` [output_size], in
  the scope where the object is made.

  Source: `tensorflow.contrib.rnn.python.ops.core_rnn_cell` of TensorFlow 1.15.

  Args:
    args: a tensor [batch, depth] or a list of them, for their depths.
    output_size: int, the width of the result.
    build_bias: bool, whether there is a b.
    bias_initializer: (optional) for b; zeros by default.
    kernel_initializer: (optional) for W; the scope's by default.

  Raises:
    ValueError: if there are no args, one is not [batch, depth], or its depth is
      not known.

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
    """The result [batch, output_size] for tensors of the same depths."""
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
  """[x, h, ...] W + b, with variables `kernel` and `bias` of the scope.

  Arguments, errors and source as of `_Linear`; `bias` is its `build_bias`.

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
