"""A wrapper that attends to the last outputs of a cell."""

from typing import Any
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.cells import plain
from tf_contrib_rnn.wrappers import base

v1 = tf.compat.v1


class AttentionCellWrapper(base.Wrapper):
  """Attention over the last outputs, before and after a cell.

      x' = [x, a] W1 + b1
      y, new_s = cell(x', s)
      u = q W3 + b3, with q all of new_s side by side: [c, h] for an LSTM
      e_l = sum_v(v * tanh(history_l k + u)) for each of the L entries
      new_a = sum_l softmax(e)_l history_l
      output = [y, new_a] W2 + b2

  with x [batch, D], x' [batch, input_size], a and the output [batch, A] where
  A is attn_size, and u [batch, V] where V is attn_vec_size. The history has
  room for L = attn_length outputs [batch, A], the oldest first: a step drops
  the oldest and appends its own.

  The state is the tuple (s, a, history), the history [batch, A * L].

  Variables, under `attention_cell_wrapper/`: `kernel` W1 [D + A, input_size]
  and `bias` b1; those of the cell; `attention/attn_w` k [1, 1, A, V],
  `attention/attn_v` v [V]; `attention/kernel` W3 [width of q, V] and
  `attention/bias` b3; `attn_output_projection/kernel` W2 [cell.output_size + A,
  A] and `attn_output_projection/bias` b2. Biases are zeros at first, and a
  partitioner does not split them. `attn_w` and `attn_v` are of the scope's
  dtype, which is float32 unless it says otherwise, whatever the inputs are.

  Source: `tf.contrib.rnn.AttentionCellWrapper` of TensorFlow 1.15; Bahdanau,
  Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and
  Translate" (https://arxiv.org/abs/1409.0473).

  Args:
    cell: an RNNCell.
    attn_length: int, the number of outputs L to attend to, 1 or more.
    attn_size: (optional) int, the width A of the output. Default: that of the
      cell.
    attn_vec_size: (optional) int, the width V of what is compared. Default: A.
    input_size: (optional) int, the width of what the cell gets. Default: that
      of the inputs.
    state_is_tuple: bool. If not, the state is one tensor: s, a and the history
      side by side. That is slower, and construction logs a warning.
    reuse: as of `InputProjectionWrapper`.

  Raises:
    TypeError: if `cell` is not an RNNCell.
    ValueError: if `attn_length` is below 1, or the state of the cell is a tuple
      and `state_is_tuple` is false.

  A call `wrapper(inputs, state, scope=None)` takes inputs [batch, D] and a
  state, and returns the output [batch, A] and the new state. It raises a
  ValueError for inputs of another rank or of an unknown depth, and for
  variables that exist without reuse or don't with it, and a TypeError if the
  inputs are of another dtype than `attn_w` and `attn_v`.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.AttentionCellWrapper(
  ...     tf_contrib_rnn.IndRNNCell(4), attn_length=3)
  >>> cell.state_size
  (4, 4, 12)
  >>> output, state = cell(tf.ones([2, 5]), cell.zero_state(2, tf.float32))
  >>> output.shape
  TensorShape([2, 4])
  """

  def __init__(
    self,
    cell: Any,
    attn_length: int,
    attn_size: Optional[int] = None,
    attn_vec_size: Optional[int] = None,
    input_size: Optional[int] = None,
    state_is_tuple: bool = True,
    reuse: Any = None,
  ):
    super().__init__(cell, reuse)
    if attn_length <= 0:
      raise ValueError(f"attn_length is {attn_length}, expected 1 or more")
    if not state_is_tuple:
      _check_is_no_tuple(cell.state_size)
      v1.logging.warning(
        "%s: Using a concatenated state is slower than a tuple: use "
        "state_is_tuple=True.",
        self,
      )
    self._attn_length = attn_length
    self._attn_size = cell.output_size if attn_size is None else attn_size
    if attn_vec_size is None:
      attn_vec_size = self._attn_size
    self._attn_vec_size = attn_vec_size
    self._input_size = input_size
    self._state_is_tuple = state_is_tuple

  @property
  def state_size(self) -> Any:
    """The sizes of s, a and the history, or their sum."""
    size = self._attn_size
    sizes = (self._cell.state_size, size, size * self._attn_length)
    return sizes if self._state_is_tuple else sum(sizes)

  @property
  def output_size(self) -> int:
    """The width of the output A."""
    return self._attn_size

  def zero_state(self, batch_size: Any, dtype: Any) -> Any:
    """A state of zeros: nothing has been seen."""
    return plain.PlainCell.zero_state(self, batch_size, dtype)

  def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
    """One step: see the class."""
    cell_state, attended, history = self._split(state)
    size = self._attn_size
    history = tf.reshape(history, [-1, self._attn_length, size])
    depth = self._input_size
    if depth is None:
      depth = plain.depth_of(inputs)
    projected = plain.linear([inputs, attended], depth)
    cell_output, cell_state = self._cell(projected, cell_state)
    query = tf.concat(tf.nest.flatten(cell_state), 1)
    with v1.variable_scope("attention"):
      attended = self._attend(query, history)
    with v1.variable_scope("attn_output_projection"):
      output = plain.linear([cell_output, attended], size)
    history = tf.concat([history[:, 1:], output[:, tf.newaxis]], 1)
    history = tf.reshape(history, [-1, self._attn_length * size])
    return output, self._join(cell_state, attended, history)

  def _attend(self, query, history):
    """What the query attends to in a history [batch, L, A]."""
    size, vec_size = self._attn_size, self._attn_vec_size
    kernel = v1.get_variable("attn_w", [1, 1, size, vec_size])
    vector = v1.get_variable("attn_v", [vec_size])
    kernel = tf.reshape(kernel, [size, vec_size])
    query = plain.linear([query], vec_size)
    keys = plain.matmul(tf.reshape(history, [-1, size]), kernel)
    keys = tf.reshape(keys, tf.concat([tf.shape(history)[:2], [vec_size]], 0))
    scores = tf.reduce_sum(vector * tf.tanh(keys + query[:, tf.newaxis]), 2)
    weights = tf.nn.softmax(scores)[..., tf.newaxis]
    return tf.reduce_sum(weights * history, 1)

  def _split(self, state):
    if self._state_is_tuple:
      return state
    size = self._attn_size
    sizes = [self._cell.state_size, size, size * self._attn_length]
    return tf.split(state, sizes, 1)

  def _join(self, *parts):
    return parts if self._state_is_tuple else tf.concat(parts, 1)


def _check_is_no_tuple(state_size):
  if tf.nest.is_nested(state_size):
    raise ValueError(
      f"The state of the cell is a tuple: {state_size}, expected one tensor "
      "where state_is_tuple is false"
    )
