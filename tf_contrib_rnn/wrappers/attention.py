"""A wrapper that attends to the last outputs of a cell."""

from typing import Any
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.cells import plain
from tf_contrib_rnn.wrappers import base

v1 = tf.compat.v1


class AttentionCellWrapper(base.Wrapper):
  """Adds attention over the last outputs to a cell.

      x' = [x, a] W1 + b1
      y, new_s = cell(x', s)
      u = q W3 + b3
      e_l = sum_v(v * tanh(history_l k + u)), for each of the L entries
      new_a = sum_l softmax(e)_l history_l
      output = [y, new_a] W2 + b2

  The query q is all parts of new_s side by side: [c, h] for an LSTM. x is
  [batch, D] and x' is [batch, input_size]. a and the output are [batch, A],
  where A is `attn_size`. u is [batch, V], where V is `attn_vec_size`. The
  history has L = `attn_length` outputs [batch, A], the oldest first. Each step
  drops the oldest output and appends its own.

  The state is the tuple (s, a, history). The history is stored as [batch,
  A * L].

  Variables, under `attention_cell_wrapper/`:

  - `kernel` W1 [D + A, input_size] and `bias` b1 [input_size]
  - the variables of the cell
  - `attention/attn_w` k [1, 1, A, V] and `attention/attn_v` v [V]
  - `attention/kernel` W3 [width of q, V] and `attention/bias` b3 [V]
  - `attn_output_projection/kernel` W2 [cell.output_size + A, A] and
    `attn_output_projection/bias` b2 [A]

  The biases start as zeros, and a partitioner does not split them. `attn_w` and
  `attn_v` have the dtype of the variable scope, whatever the dtype of the
  inputs is. The default of a scope is float32.

  Source: `tf.contrib.rnn.AttentionCellWrapper` of TensorFlow 1.15; Bahdanau,
  Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and
  Translate" (https://arxiv.org/abs/1409.0473).

  Args:
    cell: An RNNCell.
    attn_length: Int, 1 or more: the number of outputs L to attend to.
    attn_size: Optional int, the size A of the output. Default: the output size
      of the cell.
    attn_vec_size: Optional int, the size V of the vectors that are compared.
      Default: A.
    input_size: Optional int, the depth of the inputs that the cell gets.
      Default: the depth D of the inputs.
    state_is_tuple: Bool. If it is false, the state is one tensor with s, a and
      the history side by side. This is slower, and the constructor logs a
      warning.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. See `InputProjectionWrapper`.

  Raises:
    TypeError: If `cell` is not an RNNCell.
    ValueError: If `attn_length` is less than 1, or if the state of the cell is
      a tuple and `state_is_tuple` is false.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: The state, see above.
    - `scope`: Optional variable scope.

  A call returns the output [batch, A] and the new state. A call raises:

  - ValueError: If the inputs have another rank or an unknown depth, if
    variables exist and `reuse` is not set, or if they do not exist and `reuse`
    is true.
  - TypeError: If the dtype of the inputs is not the dtype of `attn_w` and
    `attn_v`.

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
    """The sizes of s, a and the history, or the sum of these sizes."""
    size = self._attn_size
    sizes = (self._cell.state_size, size, size * self._attn_length)
    return sizes if self._state_is_tuple else sum(sizes)

  @property
  def output_size(self) -> int:
    """The size A of the output."""
    return self._attn_size

  def zero_state(self, batch_size: Any, dtype: Any) -> Any:
    """Returns a state of zeros, with an empty history."""
    return plain.PlainCell.zero_state(self, batch_size, dtype)

  def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
    """Runs one step. See the class."""
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
    """Returns the attention of a query over a history [batch, L, A]."""
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
