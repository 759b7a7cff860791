"""The cells of tf.contrib.rnn 1.15 with LSTMs along time and frequency."""

import collections
from collections.abc import Sequence
from typing import Any
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.cells import frequency
from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1


class GridLSTMCell(frequency.FrequencyCell):
  """Grid LSTM cell: one LSTM along time and one along the frequencies.

      z = [x_k, m_time, m_freq]
      i, j, f, o = split(z W_freq + B_freq, 4)
      c'_freq = sigmoid(f + forget_bias) * c_freq + sigmoid(i) * tanh(j)
      m'_freq = sigmoid(o) * tanh(c'_freq)

  The equations of the time LSTM are the same, with its own W and B. The inputs
  are cut into windows x_k of F columns, in one or more blocks. Each window
  starts `frequency_skip` columns after the last. For each window, both LSTMs
  see the window, the output of the time LSTM for it one step ago, and the
  output of the frequency LSTM for the previous window. The latter is zero for
  the first window of a block.

  Both cells c' are clipped if `cell_clip` is given. Peepholes add w_f * c_freq
  + w_t * c_time to each gate of each LSTM, with vectors of its own. The gate o
  sees the new cells. If `couple_input_forget_gates` is true, there are the
  gates i, j and o, and 1 - sigmoid(i) replaces sigmoid(f + forget_bias).

  The output is [m'_time, m'_freq] of window 0, of window 1, and so on: 2 * H
  columns for each window. The state is c and m of the time LSTM for each
  window. It is a namedtuple GridLSTMStateTuple with the fields
  `state_f00_b00_c`, `state_f00_b00_m`, `state_f01_b00_c`, ..., for windows 00,
  01, ... of blocks 00, 01, .... Each instance has a type of its own,
  `state_tuple_type`. A plain tuple is not accepted.

  If `state_is_tuple` is false, the state is one tensor in the same order. As in
  TensorFlow 1.15, each block then reads the columns of the first block.

  Variables, under `grid_lstm_cell/`, for block 0, then block 1, and so on:

  - `W_f_0_0`, `W_f_0_1`, ...: the rows of W_freq [F + 2H, 4H], in
    `num_unit_shards` pieces
  - `B_f_0`: B_freq [4H]
  - `W_t_0_0`, ... and `B_t_0`: the same for the time LSTM. If the weights are
    shared, the time LSTM has no variables.
  - with peepholes: `W_F_diag_*_0` (not if the gates are coupled),
    `W_I_diag_*_0` and `W_O_diag_*_0`, each [H]. `*` is `freqf` and `freqt`,
    then `timef` and `timet`.

  Source: `tf.contrib.rnn.GridLSTMCell` of TensorFlow 1.15; Kalchbrenner,
  Danihelka and Graves, "Grid Long Short-Term Memory"
  (https://arxiv.org/abs/1507.01526); Sainath and Li, "Modeling Time-Frequency
  Patterns with LSTM vs. Convolutional Architectures for LVCSR Tasks"
  (https://doi.org/10.21437/Interspeech.2016-84).

  Args:
    num_units: Int, the number of units H of one LSTM.
    use_peepholes: Bool, whether the gates see the cells c.
    share_time_frequency_weights: Bool, whether both LSTMs have the same
      variables.
    cell_clip: Optional float, the bound of the cells c. With 0, they are always
      zero.
    initializer: Not used, as in TensorFlow 1.15. The initializer of the
      variable scope is used instead.
    num_unit_shards: Int, the number of pieces of a matrix W.
    forget_bias: Float that is added in the forget gates. A checkpoint does not
      contain it. Use the value that the model was trained with.
    feature_size: Int, the number of columns F of a window. Required.
    frequency_skip: Int, the number of columns from one window to the next.
      Required.
    num_frequency_blocks: List, the number of windows of each block. Required.
      It has to be (size - F) // frequency_skip + 1 for a block of that size.
    start_freqindex_list: Optional list, the first column of each block. Without
      it, there is one block of all columns.
    end_freqindex_list: List, the column at which each block ends. Required with
      `start_freqindex_list`.
    couple_input_forget_gates: Bool, whether the forget gate is one minus the
      input gate.
    state_is_tuple: Bool, whether the state is a namedtuple. If it is false, the
      state is one tensor.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Raises:
    ValueError: If `num_frequency_blocks` is missing.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: The state, see above.
    - `scope`: Optional variable scope.

  A call returns the pair (output, new state). A call raises:

  - ValueError: If the windows do not fit into the inputs, if their number is
    not that of `num_frequency_blocks`, if the lists differ in length, if a
    depth is unknown, if there are more shards than rows, if variables exist and
    `reuse` is not set, or if they do not exist and `reuse` is true.
  - TypeError: If `feature_size` or `frequency_skip` is not an int, or if dtypes
    differ.
  - AttributeError: If the state is not such a namedtuple.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.GridLSTMCell(
  ...     4, feature_size=2, frequency_skip=2, num_frequency_blocks=[3])
  >>> output, state = cell(tf.ones([5, 6]), cell.zero_state(5, tf.float32))
  >>> output.shape, len(state), state.state_f00_b00_c.shape
  (TensorShape([5, 24]), 6, TensorShape([5, 4]))
  """

  _STATE_NAME = "GridLSTMStateTuple"
  # What the names of the state's parts begin with.
  _DIRECTIONS: tuple[str, ...] = ("state",)

  def __init__(
    self,
    num_units: int,
    use_peepholes: bool = False,
    share_time_frequency_weights: bool = False,
    cell_clip: Optional[float] = None,
    initializer: Any = None,
    num_unit_shards: int = 1,
    forget_bias: float = 1.0,
    feature_size: Optional[int] = None,
    frequency_skip: Optional[int] = None,
    num_frequency_blocks: Optional[Sequence[int]] = None,
    start_freqindex_list: Optional[Sequence[int]] = None,
    end_freqindex_list: Optional[Sequence[int]] = None,
    couple_input_forget_gates: bool = False,
    state_is_tuple: bool = True,
    reuse: Any = None,
  ):
    super().__init__(
      num_units,
      use_peepholes,
      cell_clip,
      num_unit_shards,
      forget_bias,
      feature_size,
      frequency_skip,
      couple_input_forget_gates,
      reuse,
    )
    if num_frequency_blocks is None:
      raise ValueError(
        "num_frequency_blocks is None, expected the number of windows of each "
        "block"
      )
    self._share_weights = share_time_frequency_weights
    self._num_frequency_blocks = [*num_frequency_blocks]
    self._start_freqindex_list = start_freqindex_list
    self._end_freqindex_list = end_freqindex_list
    self._state_tuple_type = self._make_type() if state_is_tuple else None

  def _make_type(self):
    names = [
      name
      for direction in self._DIRECTIONS
      for block in self._state_names(direction)
      for pair in block
      for name in pair
    ]
    return collections.namedtuple(self._STATE_NAME, names)

  def _state_names(self, direction: str) -> list[list[tuple[str, str]]]:
    """By block and window, the names of c and m."""
    return [
      [
        (
          f"{direction}_f{window:02d}_b{block:02d}_c",
          f"{direction}_f{window:02d}_b{block:02d}_m",
        )
        for window in range(windows)
      ]
      for block, windows in enumerate(self._num_frequency_blocks)
    ]

  @property
  def output_size(self) -> int:
    """2H for each window."""
    windows = sum(self._num_frequency_blocks)
    return 2 * self._num_units * windows * len(self._DIRECTIONS)

  @property
  def state_size(self) -> Any:
    """H for each part of the namedtuple, or their sum."""
    if self._state_tuple_type is None:
      return self.output_size
    parts = len(self._state_tuple_type._fields)
    return self._state_tuple_type(*[self._num_units] * parts)

  @property
  def state_tuple_type(self) -> Any:
    """The namedtuple that the state is. None if `state_is_tuple` is false."""
    return self._state_tuple_type

  def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
    """Runs one step. See the class."""
    (direction,) = self._DIRECTIONS
    blocks = self._blocks(inputs)
    outputs, new_state = self._run(blocks, self._read(state, direction))
    if self._state_tuple_type is None:
      return tf.concat(outputs, 1), tf.concat(new_state, 1)
    return tf.concat(outputs, 1), self._state_tuple_type(*new_state)

  def _bounds(self, depth: int) -> list[tuple[int, int]]:
    """The first column of each block, and that at which it ends."""
    starts, ends = self._start_freqindex_list, self._end_freqindex_list
    if not starts:
      starts, ends = [0], [depth]
    elif ends is None:
      raise TypeError("end_freqindex_list is None, expected a list")
    sizes = len(self._num_frequency_blocks), len(starts), len(ends)
    if len({*sizes}) != 1:
      raise ValueError(
        f"There are {sizes[0]} num_frequency_blocks, {sizes[1]} blocks that "
        f"start and {sizes[2]} that end, expected as many of each; without "
        "start_freqindex_list there is one block"
      )
    return [*zip(starts, ends)]

  def _blocks(
    self, inputs: tf.Tensor, offset: int = 0, padding: int = 0
  ) -> list[list[tf.Tensor]]:
    """The windows of each block, moved by the offset.

    Of the inputs' columns, the last `padding` ones count for no block.
    """
    blocks = []
    bounds = self._bounds(plain.depth_of(inputs) - padding)
    for count, (first, last) in zip(self._num_frequency_blocks, bounds):
      windows = self._windows(inputs, first, last, offset)
      if len(windows) != count:
        raise ValueError(
          f"num_frequency_blocks says {count} windows, but the columns from "
          f"{first} to {last} have {len(windows)}"
        )
      blocks.append(windows)
    return blocks

  def _read(self, state: Any, direction: str) -> list[list[Any]]:
    """By block and window, the pairs (c, m)."""
    if self._state_tuple_type is None:
      # TensorFlow 1.15 reads each block's columns from the first one on.
      return [
        frequency.columns_as_pairs(state, windows, self._num_units)
        for windows in self._num_frequency_blocks
      ]
    return [
      [[getattr(state, name) for name in pair] for pair in block]
      for block in self._state_names(direction)
    ]

  @frequency.as_it_is
  def _run(
    self, blocks: list[list[tf.Tensor]], states: list[list[Any]]
  ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """One step over all windows.

    Args:
      blocks: the windows of each block.
      states: the pairs (c, m) of each.

    Returns:
      The outputs [m_time, m_freq, ...] and states [c, m, ...] of all of them.
    """
    outputs, new_states = [], []
    for block, (windows, pairs) in enumerate(zip(blocks, states)):
      lstms = self._get_lstms(block, windows[0].dtype)
      c_freq = m_freq = tf.zeros_like(pairs[0][0])
      for window, (c, m) in zip(windows, pairs):
        joined = tf.concat([window, m, m_freq], 1)
        (c_freq, c_time), (m_freq, m_time) = frequency.step(
          lstms, joined, [c_freq, c], self._cell_clip
        )
        outputs += [m_time, m_freq]
        new_states += [c_time, m_time]
    return outputs, new_states

  def _get_lstms(self, block: int, dtype: tf.DType) -> list[frequency.LSTM]:
    """The frequency LSTM and the time LSTM of a block."""
    kinds = ["freq"] if self._share_weights else ["freq", "time"]
    weights = [
      self._get_weights(dtype, f"_{kind[0]}_{block}") for kind in kinds
    ]
    lstms = [
      self._get_lstm(one, dtype, f"_{kind}f_{block}", f"_{kind}t_{block}")
      for kind, one in zip(kinds, weights)
    ]
    return lstms * 2 if self._share_weights else lstms


class BidirectionalGridLSTMCell(GridLSTMCell):
  """Grid LSTM cell that runs along the frequencies in both directions.

  Two `GridLSTMCell`s with weights of their own see the same inputs. The
  backward one runs over the windows of each block in reverse order: its window
  0 is the last one of the block. With a positive `backward_slice_offset` n, its
  windows start n columns later, and n columns of zeros are appended to the
  inputs. With -n, n columns of zeros are put before the inputs, which moves
  what its windows see.

  The output is that of the forward direction, then that of the backward
  direction in the order of its own windows: 4 * H columns for each window. The
  state is a namedtuple BidirectionalGridLSTMStateTuple with the fields
  `fwd_state_f00_b00_c`, `fwd_state_f00_b00_m`, ..., then
  `bwd_state_f00_b00_c`, ....

  Variables, under `bidirectional_grid_lstm_cell/`: those of a `GridLSTMCell`
  under `fwd/`, then those under `bwd/`.

  Source: `tf.contrib.rnn.BidirectionalGridLSTMCell` of TensorFlow 1.15. See
  `GridLSTMCell` for the papers.

  Args:
    num_units: Int, the number of units H of one LSTM.
    use_peepholes: Bool, whether the gates see the cells c.
    share_time_frequency_weights: Bool, whether both LSTMs have the same
      variables.
    cell_clip: Optional float, the bound of the cells c. With 0, they are always
      zero.
    initializer: Not used, as in TensorFlow 1.15. The initializer of the
      variable scope is used instead.
    num_unit_shards: Int, the number of pieces of a matrix W.
    forget_bias: Float that is added in the forget gates. A checkpoint does not
      contain it. Use the value that the model was trained with.
    feature_size: Int, the number of columns F of a window. Required.
    frequency_skip: Int, the number of columns from one window to the next.
      Required.
    num_frequency_blocks: List, the number of windows of each block. Required.
      It has to be (size - F) // frequency_skip + 1 for a block of that size.
    start_freqindex_list: Optional list, the first column of each block. Without
      it, there is one block of all columns.
    end_freqindex_list: List, the column at which each block ends. Required with
      `start_freqindex_list`.
    couple_input_forget_gates: Bool, whether the forget gate is one minus the
      input gate.
    backward_slice_offset: Int, the number of columns by which the backward
      windows are moved.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Raises:
    ValueError: If `num_frequency_blocks` is missing.

  See `GridLSTMCell` for the arguments of a call, what it returns and what it
  raises.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.BidirectionalGridLSTMCell(
  ...     4, feature_size=2, frequency_skip=2, num_frequency_blocks=[3])
  >>> output, state = cell(tf.ones([5, 6]), cell.zero_state(5, tf.float32))
  >>> output.shape, len(state), state.bwd_state_f00_b00_c.shape
  (TensorShape([5, 48]), 12, TensorShape([5, 4]))
  """

  _STATE_NAME = "BidirectionalGridLSTMStateTuple"
  _DIRECTIONS = ("fwd_state", "bwd_state")

  def __init__(
    self,
    num_units: int,
    use_peepholes: bool = False,
    share_time_frequency_weights: bool = False,
    cell_clip: Optional[float] = None,
    initializer: Any = None,
    num_unit_shards: int = 1,
    forget_bias: float = 1.0,
    feature_size: Optional[int] = None,
    frequency_skip: Optional[int] = None,
    num_frequency_blocks: Optional[Sequence[int]] = None,
    start_freqindex_list: Optional[Sequence[int]] = None,
    end_freqindex_list: Optional[Sequence[int]] = None,
    couple_input_forget_gates: bool = False,
    backward_slice_offset: int = 0,
    reuse: Any = None,
  ):
    super().__init__(
      num_units,
      use_peepholes,
      share_time_frequency_weights,
      cell_clip,
      initializer,
      num_unit_shards,
      forget_bias,
      feature_size,
      frequency_skip,
      num_frequency_blocks,
      start_freqindex_list,
      end_freqindex_list,
      couple_input_forget_gates,
      state_is_tuple=True,
      reuse=reuse,
    )
    self._backward_slice_offset = backward_slice_offset

  def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
    """Runs one step. See the class."""
    with v1.variable_scope("fwd"):
      blocks = self._blocks(inputs)
      outputs, new_state = self._run(blocks, self._read(state, "fwd_state"))
    with v1.variable_scope("bwd"):
      blocks = [windows[::-1] for windows in self._backward_blocks(inputs)]
      results = self._run(blocks, self._read(state, "bwd_state"))
    return (
      tf.concat(outputs + results[0], 1),
      self.state_tuple_type(*new_state, *results[1]),
    )

  def _backward_blocks(self, inputs: tf.Tensor) -> list[list[tf.Tensor]]:
    offset = self._backward_slice_offset
    padding = [max(-offset, 0), max(offset, 0)]
    padded = tf.pad(inputs, [[0, 0], padding])
    return self._blocks(padded, max(offset, 0), abs(offset))
