"""The cells of tf.contrib.rnn 1.15 whose LSTMs run along the frequencies.

The inputs of a step are a spectrum. Each cell cuts it into windows of columns
and runs from window to window, like other cells from step to step.
"""

import dataclasses
import operator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1

# The loops are Python's: AutoGraph would find nothing, and takes a while.
as_it_is = tf.autograph.experimental.do_not_convert


@dataclasses.dataclass(frozen=True, eq=False)
class LSTM:
  """The variables of one LSTM, and its gates.

  The kernel [depth, gates * H] and the bias [gates * H] are those of the gates
  i, j, f and o, or without f if `coupled`. The peepholes of a gate, "I", "F" or
  "O", are one vector [H] for each of the cells that it sees.
  """

  kernel: tf.Tensor
  bias: tf.Tensor
  peepholes: Mapping[str, Sequence[tf.Tensor]]
  forget_bias: float
  coupled: bool

  def peep(self, gate: str, sums: tf.Tensor, cells: Sequence[tf.Tensor]):
    """A gate's sums with those of its peepholes, if there are any."""
    for weights, cell in zip(self.peepholes.get(gate, ()), cells):
      sums += cell * weights
    return sums

  def gates(self, joined: tf.Tensor, cells: Sequence[tf.Tensor]):
    """The input gate, candidate and forget gate; the sums of the output gate.

    That one may see the new cells, so it has to wait.
    """
    sums = plain.matmul(joined, self.kernel) + self.bias
    if self.coupled:
      i, j, o = tf.split(sums, 3, 1)
      i = tf.sigmoid(self.peep("I", i, cells))
      return i, tf.tanh(j), 1 - i, o
    i, j, f, o = tf.split(sums, 4, 1)
    i = tf.sigmoid(self.peep("I", i, cells))
    f = tf.sigmoid(self.peep("F", f + self.forget_bias, cells))
    return i, tf.tanh(j), f, o


@as_it_is
def step(
  lstms: Sequence[LSTM],
  joined: tf.Tensor,
  cells: Sequence[tf.Tensor],
  cell_clip: Optional[float],
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
  """Runs one step of LSTMs with the same inputs, which see each other's cells.

  Args:
    lstms: One LSTM for each of the cells. One that is listed twice shares its
      weights.
    joined: The inputs and outputs that the gates see, [batch, depth].
    cells: The old c, each [batch, H].
    cell_clip: Optional bound. The new c is in [-cell_clip, cell_clip].

  Returns:
    A list of the new cells c, and a list of the outputs m.
  """
  gates = {lstm: lstm.gates(joined, cells) for lstm in dict.fromkeys(lstms)}
  new_cells = []
  for lstm, cell in zip(lstms, cells):
    i, j, f, _ = gates[lstm]
    new = f * cell + i * j
    if cell_clip is not None:
      new = tf.clip_by_value(new, -cell_clip, cell_clip)
    new_cells.append(new)
  outputs = []
  for lstm, new in zip(lstms, new_cells):
    o = lstm.peep("O", gates[lstm][-1], new_cells)
    outputs.append(tf.sigmoid(o) * tf.tanh(new))
  return new_cells, outputs


def whole_number(name: str, value: Any) -> int:
  try:
    number = operator.index(value)
  except TypeError as error:
    raise TypeError(f"{name} is {value!r}, expected an int") from error
  if number < 1:
    raise ValueError(f"{name} is {value!r}, expected 1 or more")
  return number


def columns_as_pairs(
  state: tf.Tensor, windows: int, units: int
) -> list[tuple[tf.Tensor, tf.Tensor]]:
  """Splits a state [c_0, m_0, c_1, ...] into pairs (c, m).

  Raises:
    ValueError: If the state has too few columns.
  """
  width = tf.compat.dimension_value(state.shape[-1])
  if width is not None and width < 2 * windows * units:
    raise ValueError(
      f"The state has {width} columns, expected {2 * windows * units}: c and m "
      f"of {units} units for each of {windows} windows"
    )
  parts = [
    tf.slice(state, [0, k * units], [-1, units]) for k in range(2 * windows)
  ]
  return [*zip(parts[::2], parts[1::2])]


class FrequencyCell(plain.PlainCell):
  """The base class of these cells: windows of the inputs, and LSTMs."""

  def __init__(
    self,
    num_units,
    use_peepholes,
    cell_clip,
    num_unit_shards,
    forget_bias,
    feature_size,
    frequency_skip,
    coupled,
    reuse,
  ):
    super().__init__(_reuse=reuse)
    self._num_units = num_units
    self._use_peepholes = use_peepholes
    self._cell_clip = cell_clip
    self._num_unit_shards = num_unit_shards
    self._forget_bias = forget_bias
    self._feature_size = feature_size
    self._frequency_skip = frequency_skip
    self._coupled = coupled

  def _windows(
    self, inputs: tf.Tensor, first: int, last: int, offset: int = 0
  ) -> list[tf.Tensor]:
    """Windows of the columns from first to last, all moved by the offset.

    Raises:
      TypeError: without a feature_size or frequency_skip.
      ValueError: if there are not enough columns.
    """
    size = whole_number("feature_size", self._feature_size)
    skip = whole_number("frequency_skip", self._frequency_skip)
    depth = plain.depth_of(inputs)
    first, last = first + offset, last + offset
    starts = range(first, last - size + 1, skip)
    if not starts or first < 0 or starts[-1] + size > depth:
      raise ValueError(
        f"Windows of {size} columns (feature_size) from column {first} to "
        f"{last} do not fit into inputs of {depth} columns"
      )
    return [inputs[:, k : k + size] for k in starts]

  def _get_weights(self, dtype, suffix="") -> tuple[Any, Any]:
    """The kernel and bias of an LSTM."""
    columns = (3 if self._coupled else 4) * self._num_units
    rows = self._feature_size + 2 * self._num_units
    kernel = plain.get_sharded(
      f"W{suffix}", [rows, columns], dtype, self._num_unit_shards
    )
    zeros = v1.zeros_initializer()
    return kernel, v1.get_variable(f"B{suffix}", [columns], dtype, zeros)

  def _get_lstm(self, weights, dtype, *suffixes) -> LSTM:
    """An LSTM of these weights, with its peepholes: one for each suffix.

    What is a variable till here is read now, once for all windows.
    """
    gates = "IO" if self._coupled else "FIO"
    peepholes = {
      gate: [
        v1.get_variable(f"W_{gate}_diag{suffix}", [self._num_units], dtype)
        for suffix in suffixes
      ]
      for gate in (gates if self._use_peepholes else "")
    }
    kernel, bias, peepholes = tf.nest.map_structure(
      tf.convert_to_tensor, (*weights, peepholes)
    )
    return LSTM(kernel, bias, peepholes, self._forget_bias, self._coupled)


class TimeFreqLSTMCell(FrequencyCell):
  """LSTM cell that runs along the frequencies as well as along time.

      i, j, f, o = split([x_k, m_k, m'_(k-1)] W + B, 4)
      c'_k = sigmoid(f + forget_bias) * c_k + sigmoid(i) * tanh(j)
      m'_k = sigmoid(o) * tanh(c'_k)

  The inputs [batch, D] are cut into K windows x_k of F columns. Each window
  starts `frequency_skip` columns after the last, so that K = (D - F) //
  frequency_skip + 1. One LSTM runs over the windows. It sees m_k, its output
  for the same window one step ago, and m'_(k-1), its output for the previous
  window in this step. For the first window, m'_(k-1) is zero.

  c'_k is clipped if `cell_clip` is given. Peepholes add w_f * c_k to f, w_i *
  c_k to i and w_o * c'_k to o. The output is [m'_0, m'_1, ...], with K * H
  columns. The state is [c_0, m_0, c_1, m_1, ...], with 2 * K * H columns.

  As in TensorFlow 1.15, `state_size` is 2H and `output_size` is H for any K.
  This is right for one window. A cell with more windows has to be called
  directly, with a state of 2 * K * H columns: `zero_state` returns too few
  columns, and dynamic_rnn raises a ValueError. Unlike in TensorFlow 1.15, the
  batch size may be unknown.

  Variables, under `time_freq_lstm_cell/`: `W_0`, `W_1`, ..., the rows of W [F +
  2H, 4H] in `num_unit_shards` pieces; `B` [4H]; and with peepholes `W_F_diag`
  w_f, `W_I_diag` w_i and `W_O_diag` w_o, each [H].

  Source: `tf.contrib.rnn.TimeFreqLSTMCell` of TensorFlow 1.15; Li, Mohamed,
  Zweig and Gong, "LSTM Time and Frequency Recurrence for Automatic Speech
  Recognition" (https://doi.org/10.1109/ASRU.2015.7404793).

  Args:
    num_units: Int, the number of units H.
    use_peepholes: Bool, whether the gates see c.
    cell_clip: Optional float, the bound of c. With 0, c is always zero.
    initializer: Not used, as in TensorFlow 1.15. The initializer of the
      variable scope is used instead.
    num_unit_shards: Int, the number of pieces of W.
    forget_bias: Float that is added in the forget gate. A checkpoint does not
      contain it. Use the value that the model was trained with.
    feature_size: Int, the number of columns F of a window. Required.
    frequency_skip: Int, the number of columns from one window to the next.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: Tensor [batch, 2 * K * H].
    - `scope`: Optional variable scope.

  A call returns the pair (output, new state). A call raises:

  - TypeError: If `feature_size` is missing, if it or `frequency_skip` is not an
    int, or if dtypes differ.
  - ValueError: If the windows do not fit into the inputs, if the state has too
    few columns, if a depth is unknown, if there are more shards than rows, if
    variables exist and `reuse` is not set, or if they do not exist and `reuse`
    is true.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.TimeFreqLSTMCell(
  ...     4, feature_size=2, frequency_skip=2)
  >>> output, state = cell(tf.ones([3, 6]), tf.zeros([3, 2 * 3 * 4]))
  >>> output.shape, state.shape
  (TensorShape([3, 12]), TensorShape([3, 24]))
  >>> [v.name for v in cell.variables]
  ['time_freq_lstm_cell/W_0:0', 'time_freq_lstm_cell/B:0']
  """

  def __init__(
    self,
    num_units: int,
    use_peepholes: bool = False,
    cell_clip: Optional[float] = None,
    initializer: Any = None,
    num_unit_shards: int = 1,
    forget_bias: float = 1.0,
    feature_size: Optional[int] = None,
    frequency_skip: int = 1,
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
      coupled=False,
      reuse=reuse,
    )

  @property
  def output_size(self) -> int:
    """The number of units H."""
    return self._num_units

  @property
  def state_size(self) -> int:
    """2H."""
    return 2 * self._num_units

  def call(
    self, inputs: tf.Tensor, state: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs one step. See the class."""
    windows = self._windows(inputs, 0, plain.depth_of(inputs))
    states = columns_as_pairs(state, len(windows), self._num_units)
    weights = self._get_weights(inputs.dtype)
    lstm = self._get_lstm(weights, inputs.dtype, "")
    outputs, new_state = [], []
    before = tf.zeros_like(states[0][1])
    for window, (c, m) in zip(windows, states):
      joined = tf.concat([window, m, before], 1)
      (c,), (before,) = step([lstm], joined, [c], self._cell_clip)
      outputs.append(before)
      new_state += [c, before]
    return tf.concat(outputs, 1), tf.concat(new_state, 1)
