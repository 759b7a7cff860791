"""The block cells of tf.contrib.rnn: an LSTM and a GRU with one op for a step.

The ops are TensorFlow's own. See `ops.block`.
"""

from typing import Any
from typing import Optional
from typing import Union

import tensorflow as tf
from tensorflow.python.keras.engine import input_spec

from tf_contrib_rnn import core
from tf_contrib_rnn.cells.layer import LayerCell
from tf_contrib_rnn.ops import block

v1 = tf.compat.v1

DType = Union[None, str, tf.DType]


def add_lstm_weights(
  layer: Any, depth: int, units: int, use_peephole: bool
) -> tuple[Any, Any, list[Any]]:
  """Adds an LSTM block's kernel, bias and peepholes to a layer."""
  dtype = layer.dtype or tf.float32
  block.check_dtype("dtype", dtype, block.LSTM_DTYPES)
  kernel = layer.add_weight("kernel", [depth + units, 4 * units])
  bias = layer.add_weight(
    "bias", [4 * units], initializer=v1.zeros_initializer()
  )
  names = ("w_i_diag", "w_f_diag", "w_o_diag") if use_peephole else ()
  return kernel, bias, [layer.add_weight(name, [units]) for name in names]


def check_pair(name: str, pair: Any) -> None:
  """Raises an error if this is not a pair of tensors c and h."""
  if not isinstance(pair, (list, tuple)):
    raise TypeError(f"{name} is {pair!r}, expected a tuple (c, h)")
  if len(pair) != 2:
    raise ValueError(
      f"Expecting {name} to be a tuple with length 2, (c, h), not {len(pair)}"
    )


class _BlockCell(LayerCell):
  """The base class of the block cells."""

  def __init__(self, num_units, reuse, name, dtype=None):
    super().__init__(_reuse=reuse, name=name, dtype=dtype)
    self.input_spec = input_spec.InputSpec(ndim=2)
    self._num_units = num_units

  @property
  def output_size(self) -> int:
    """The number of units H."""
    return self._num_units

  @property
  def state_size(self) -> Any:
    """The number of units H, or for the LSTM an LSTMStateTuple of it."""
    return self._num_units

  def _depth_of(self, inputs_shape) -> int:
    """The last dimension of the inputs' shape, which has to be known."""
    depth = tf.compat.dimension_value(tf.TensorShape(inputs_shape)[-1])
    if depth is None:
      raise ValueError(
        f"inputs has shape {inputs_shape}, expected [batch, depth] with a "
        "known depth"
      )
    return depth


class LSTMBlockCell(_BlockCell):
  """LSTM cell with one op for a step.

      i, j, f, o = split([x, h] W + b)
      new_c = clip(sigmoid(i + w_i * c) * tanh(j)
                   + sigmoid(f + forget_bias + w_f * c) * c)
      output = new_h = sigmoid(o + w_o * new_c) * tanh(new_c)

  The equations are those of `LSTMCell`. x is [batch, D]. c and h are the state,
  each [batch, H]. The peepholes w_i, w_f and w_o exist if `use_peephole` is
  true. The clip to [-cell_clip, cell_clip] exists if `cell_clip` is larger than
  0.

  These points are as in TensorFlow 1.15:

  - The gradient ignores the clip: it is computed from the clipped values, as if
    they had not been clipped.
  - Second derivatives are not defined.
  - TensorFlow has the op for CPUs and GPUs, but not for XLA.

  Variables, under `lstm_cell/`: `kernel` W [D + H, 4H], `bias` b [4H], and with
  peepholes `w_i_diag`, `w_f_diag` and `w_o_diag`, each [H]. The biases start as
  zeros. The others use the initializer of the variable scope. If that has none:
  Glorot uniform. Names and shapes are those of `LSTMCell`, which can read the
  checkpoints of this cell.

  Source: `tf.contrib.rnn.LSTMBlockCell` of TensorFlow 1.15; Zaremba, Sutskever
  and Vinyals, "Recurrent Neural Network Regularization"
  (https://arxiv.org/abs/1409.2329).

  Args:
    num_units: Int, the number of units H.
    forget_bias: Float that is added in the forget gate, see above. A checkpoint
      does not contain it. Use the value that the model was trained with.
    cell_clip: Optional float, the bound of c. None, 0 and negative numbers mean
      no clip. Default: None.
    use_peephole: Bool, whether the gates see c.
    dtype: The dtype of the variables, float16 or float32. Default: the dtype of
      the first input.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.
    name: Str, the name of the layer and of its scope. Default: the name that an
      `LSTMCell` has.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: An `LSTMStateTuple(c, h)`, a tuple or a list.
    - `scope`: Optional variable scope.

  A call returns the output [batch, H] and a new LSTMStateTuple. A call raises:

  - TypeError: If dtypes are not float16 or float32, if dtypes differ, or if the
    state is a tensor.
  - ValueError: If shapes do not match, if D is unknown, if the state does not
    have two parts, if variables exist and `reuse` is not set, or if they do not
    exist and `reuse` is true.
  - tf.errors.InvalidArgumentError: If shapes do not match when the op runs, or
    if the batch is empty when a graph runs. The latter is new in TensorFlow's
    op since 1.15. A batch that is known to be empty raises no error.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.LSTMBlockCell(4, use_peephole=True)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.c.shape, state.h is output
  (TensorShape([2, 4]), TensorShape([2, 4]), True)
  """

  def __init__(
    self,
    num_units: int,
    forget_bias: float = 1.0,
    cell_clip: Optional[float] = None,
    use_peephole: bool = False,
    dtype: DType = None,
    reuse: Any = None,
    name: Optional[str] = "lstm_cell",
  ):
    super().__init__(num_units, reuse, name, dtype)
    self._forget_bias = forget_bias
    self._cell_clip = cell_clip
    self._use_peephole = use_peephole

  @property
  def state_size(self) -> core.LSTMStateTuple:
    """LSTMStateTuple(c=H, h=H)."""
    return core.LSTMStateTuple(self._num_units, self._num_units)

  def build(self, inputs_shape) -> None:
    self._kernel, self._bias, self._peepholes = add_lstm_weights(
      self, self._depth_of(inputs_shape), self._num_units, self._use_peephole
    )
    self.built = True

  def call(
    self,
    inputs: tf.Tensor,
    state: Union[
      core.LSTMStateTuple, list[tf.Tensor], tuple[tf.Tensor, tf.Tensor]
    ],
  ) -> tuple[tf.Tensor, core.LSTMStateTuple]:
    """Runs one step. See the class."""
    check_pair("state", state)
    new_c, new_h = block.lstm_step(
      inputs,
      state,
      self._num_units,
      self._kernel,
      self._bias,
      self._peepholes,
      self._forget_bias,
      self._cell_clip,
    )
    return new_h, core.LSTMStateTuple(new_c, new_h)


class GRUBlockCell(_BlockCell):
  """GRU cell with one op for a step.

      r, u = split(sigmoid([x, h] W_ru + b_ru))
      c = tanh([x, r * h] W_c + b_c)
      output = new_h = u * h + (1 - u) * c

  The equations are those of `GRUCell`. x is [batch, D] and the state h is
  [batch, H].

  As in TensorFlow 1.15, second derivatives are not defined, and TensorFlow has
  the op for CPUs and GPUs, but not for XLA.

  Variables, under `gru_cell/`: `w_ru` [D + H, 2H], `b_ru` [2H], `w_c` [D + H,
  H] and `b_c` [H]. b_ru starts as ones, and b_c as zeros. The matrices use the
  initializer of the variable scope. If that has none: Glorot uniform.
  `GRUBlockCellV2` has the variable names of `GRUCell`.

  Source: `tf.contrib.rnn.GRUBlockCell` of TensorFlow 1.15; Cho et al.,
  "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
  Machine Translation" (https://arxiv.org/abs/1406.1078).

  Args:
    num_units: Int, the number of units H.
    cell_size: The old name of `num_units`. It is deprecated.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.
    name: Str, the name of the layer and of its scope. Default: the name that a
      `GRUCell` has.

  Raises:
    ValueError: If both or neither of `num_units` and `cell_size` are given.

  Call arguments:
    - `inputs`: Tensor [batch, D], float32.
    - `state`: Tensor [batch, H], float32.
    - `scope`: Optional variable scope.

  A call returns the pair (output, new state), which are the same tensor. A call
  raises:

  - TypeError: If dtypes are not float32.
  - ValueError: If shapes do not match, if D is unknown, if variables exist and
    `reuse` is not set, or if they do not exist and `reuse` is true.
  - tf.errors.InvalidArgumentError: If shapes do not match when the op runs.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.GRUBlockCell(4)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state is output
  (TensorShape([2, 4]), True)
  """

  # Those of the gates, then those of the candidate.
  _variable_names = ("w_ru", "b_ru", "w_c", "b_c")

  def __init__(
    self,
    num_units: Optional[int] = None,
    cell_size: Optional[int] = None,
    reuse: Any = None,
    name: Optional[str] = "gru_cell",
  ):
    if (num_units is None) == (cell_size is None):
      raise ValueError(
        "Exactly one of num_units or cell_size must be provided."
      )
    if cell_size is not None:
      v1.logging.warning("cell_size is deprecated, use num_units instead")
    super().__init__(cell_size if num_units is None else num_units, reuse, name)

  def build(self, inputs_shape) -> None:
    rows = self._depth_of(inputs_shape) + self._num_units
    block.check_dtype("dtype", self.dtype or tf.float32, block.GRU_DTYPES)
    ones, zeros = v1.ones_initializer(), v1.zeros_initializer()
    w_ru, b_ru, w_c, b_c = self._variable_names
    units = self._num_units
    self._gate_kernel = self.add_weight(w_ru, [rows, 2 * units])
    self._gate_bias = self.add_weight(b_ru, [2 * units], initializer=ones)
    self._candidate_kernel = self.add_weight(w_c, [rows, units])
    self._candidate_bias = self.add_weight(b_c, [units], initializer=zeros)
    self.built = True

  def call(
    self, inputs: tf.Tensor, state: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs one step. See the class."""
    new_h = block.gru_step(
      inputs,
      state,
      self._num_units,
      self._gate_kernel,
      self._gate_bias,
      self._candidate_kernel,
      self._candidate_bias,
    )
    return new_h, new_h


class GRUBlockCellV2(GRUBlockCell):
  """`GRUBlockCell` with the variable names of `GRUCell`.

  This cell and `GRUCell` can therefore read each other's checkpoints. The
  equations and calls are those of `GRUBlockCell`.

  Variables, under `gru_cell/`: `gates/kernel` [D + H, 2H], `gates/bias` [2H],
  which starts as ones, `candidate/kernel` [D + H, H] and `candidate/bias` [H],
  which starts as zeros.

  Source: `tf.contrib.rnn.GRUBlockCellV2` of TensorFlow 1.15.

  Args:
    num_units: Int, the number of units H.
    cell_size: The old name of `num_units`. It is deprecated.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.
    name: Str, the name of the layer and of its scope. Default: the name that a
      `GRUCell` has.

  Raises:
    ValueError: If both or neither of `num_units` and `cell_size` are given.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.GRUBlockCellV2(4, name="gru")
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> [v.name for v in cell.variables][:2]
  ['gru/gates/kernel:0', 'gru/gates/bias:0']
  """

  _variable_names = (
    "gates/kernel",
    "gates/bias",
    "candidate/kernel",
    "candidate/bias",
  )
