"""A wrapper that looks the inputs of a cell up in a table."""

import math
from typing import Any

import tensorflow as tf

from tf_contrib_rnn.wrappers import base

v1 = tf.compat.v1

# What a row starts with has a mean square of 1.
_LIMIT = math.sqrt(3)


class EmbeddingWrapper(base.Wrapper):
  """A table of embeddings before a cell: the inputs are the numbers of rows.

      output, new_state = cell(embedding[x], state)

  with x [batch] or [batch, 1] and embedding [embedding_classes,
  embedding_size]. All of it runs on the CPU, the cell too.

  Variables, under `embedding_wrapper/`: `embedding` [embedding_classes,
  embedding_size], then those of the cell. The dtype of `embedding` is that of
  the state, or of the state's first part.

  `tf.nn.embedding_lookup` over the whole sequence, before `dynamic_rnn`, is
  faster.

  Source: `tf.contrib.rnn.EmbeddingWrapper` of TensorFlow 1.15.

  Args:
    cell: an RNNCell.
    embedding_classes: int, the number of rows, 1 or more.
    embedding_size: int, the width of a row, 1 or more.
    initializer: (optional) an initializer of `embedding`. Default: that of the
      scope, else uniform between -sqrt(3) and sqrt(3).
    reuse: as of `InputProjectionWrapper`.

  Raises:
    TypeError: if `cell` is not an RNNCell.
    ValueError: if one of the sizes is below 1.

  A call `wrapper(inputs, state, scope=None)` takes int32 or int64 inputs and a
  state of the cell, and returns what the cell returns. It raises a TypeError
  for inputs of another dtype, and a ValueError for variables that exist without
  reuse or don't with it. Running it raises a
  `tf.errors.InvalidArgumentError` for a number without a row.

  Where a partitioner splits `embedding` into n parts, the row of number i is
  row i // n of part i % n, as in TensorFlow 1.15, and not row i of the whole.

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
    """One step: see the class."""
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
