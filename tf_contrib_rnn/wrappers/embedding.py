"""A wrapper that looks up the inputs of a cell in an embedding table."""

import math
from typing import Any

import tensorflow as tf

from tf_contrib_rnn.wrappers import base

v1 = tf.compat.v1

# What a row starts with has a mean square of 1.
_LIMIT = math.sqrt(3)


class EmbeddingWrapper(base.Wrapper):
  """Looks up the inputs of a cell in an embedding table.

      output, new_state = cell(embedding[x], state)

  x is [batch] or [batch, 1], the numbers of rows of `embedding`. Everything
  runs on the CPU, including the cell.

  It is faster to call `tf.nn.embedding_lookup` for whole sequences, before
  `dynamic_rnn`.

  Variables, under `embedding_wrapper/`: `embedding` [embedding_classes,
  embedding_size], then the variables of the cell. The dtype of `embedding` is
  the dtype of the state, or of the first part of the state.

  As in TensorFlow 1.15, a partitioner that splits `embedding` into n parts
  changes what is looked up: number i is row i // n of part i % n, and not row i
  of the whole.

  Source: `tf.contrib.rnn.EmbeddingWrapper` of TensorFlow 1.15.

  Args:
    cell: An RNNCell.
    embedding_classes: Int, 1 or more: the number of rows.
    embedding_size: Int, 1 or more: the size of a row.
    initializer: Optional initializer of `embedding`. Default: the one of the
      variable scope. If that has none: uniform between -sqrt(3) and sqrt(3).
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. See `InputProjectionWrapper`.

  Raises:
    TypeError: If `cell` is not an RNNCell.
    ValueError: If one of the sizes is less than 1.

  Call arguments:
    - `inputs`: Tensor [batch] or [batch, 1], int32 or int64.
    - `state`: A state of the cell.
    - `scope`: Optional variable scope.

  A call returns the output and the new state of the cell. A call raises:

  - TypeError: If the inputs have another dtype.
  - ValueError: If variables exist and `reuse` is not set, or if they do not
    exist and `reuse` is true.
  - tf.errors.InvalidArgumentError: If there is no row of that number. It is
    raised when the operation runs.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.EmbeddingWrapper(
  ...     tf_contrib_rnn.IndRNNCell(4), embedding_classes=10, embedding_size=3)
  >>> output, state = cell(tf.constant([7, 0]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  """

  def __init__(
    self,
    cell: Any,
    embedding_classes: int,
    embedding_size: int,
    initializer: Any = None,
    reuse: Any = None,
  ):
    super().__init__(cell, reuse)
    if embedding_classes < 1 or embedding_size < 1:
      raise ValueError(
        f"embedding_classes and embedding_size are {embedding_classes} and "
        f"{embedding_size}, expected 1 or more"
      )
    self._embedding_classes = embedding_classes
    self._embedding_size = embedding_size
    self._initializer = initializer

  def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
    """Runs one step. See the class."""
    if inputs.dtype not in (tf.int32, tf.int64):
      raise TypeError(
        f"inputs is of {inputs.dtype.name}, expected int32 or int64"
      )
    with tf.device("/cpu:0"):
      embedding = self._get_embedding(tf.nest.flatten(state)[0].dtype)
      numbers = tf.reshape(inputs, [-1])
      embedded = v1.nn.embedding_lookup(embedding, numbers)
      return self._cell(embedded, state)

  def _get_embedding(self, dtype):
    initializer = self._initializer or v1.get_variable_scope().initializer
    return v1.get_variable(
      "embedding",
      [self._embedding_classes, self._embedding_size],
      dtype,
      initializer or v1.random_uniform_initializer(-_LIMIT, _LIMIT),
    )
