"""The block cells of tf.contrib.rnn: an LSTM and a GRU, a step in one op.

The ops are TensorFlow's own: see `ops.block`.
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
  """Adds an LSTM block's variables to a layer: kernel, bias and peepholes."""
  dtype = layer.dtype or tf.float32
  block.check_dtype("dtype", dtype, block.LSTM_DTYPES)
  kernel = layer.add_weight("kernel", [depth + units, 4 * units])
  bias = layer.add_weight(
    "bias", [4 * units], initializer=v1.zeros_initializer()
  )
  names = ("w_i_diag", "w_f_diag", "w_o_diag") if use_peephole else ()
  return kernel, bias, [layer.add_weight(name, [units]) for name in names]


def check_pair(name: str, pair: Any) -> None:
  """Raises a TypeError or ValueError for what is not two tensors, c and h."""
  if not isinstance(pair, (list, tuple)):
    raise TypeError(f"{name} is {pair!r}, expected a tuple (c, h)")
  if len(pair) != 2:
    raise ValueError(
      f"Expecting {name} to be a tuple with length 2, (c, h), not {len(pair)}"
    )


class _BlockCell(LayerCell):
  """What the cells have in common: a number of units, inputs of two ranks."""

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
  """LSTM cell whose step is one op.

  The mathematics of `LSTMCell`:

      i, j, f, o = split([x, h] W + b)
      new_c = clip(sigmoid(i + w_i * c) * tanh(j)
                   + sigmoid(f + forget_bias + w_f * c) * c)
      output = new_h = sigmoid(o + w_o * new_c) * tanh(new_c)

  with x [batch, D], W [D + H, 4H], b [4H] and a state of c and h, each
  [batch, H]. The peepholes w_i, w_f and w_o, each [H], are there with
  `use_peephole`. The clip, to [-cell_clip, cell_clip], is there with a
  `cell_clip` above zero.

  The gradient takes no notice of the clip: it is computed as if none had been,
  from the clipped values. Second derivatives are not defined. TensorFlow has
  the op for CPUs and GPUs, and not for XLA. In all of this TensorFlow 1.15 is
  the same.

  Variables, under `lstm_cell/`: `kernel` [D + H, 4H], `bias` [4H], and with
  peepholes `w_i_diag`, `w_f_diag` and `w_o_diag` [H]. The biases start as
  zeros, the others as the scope's initializer says, else Glorot's uniform.
  Names and shapes are those of `LSTMCell`, which can read its checkpoints.

  Source: `tf.contrib.rnn.LSTMBlockCell` of TensorFlow 1.15; Zaremba, Sutskever
  and Vinyals, "Recurrent Neural Network Regularization"
  (https://arxiv.org/abs/1409.2329).

  Args:
    num_units: int, the number of units H in the cell.
    forget_bias: float, added to the forget gate's sum. A checkpoint does not
      hold it: use the one that the model was trained with.
    cell_clip: (optional) float, the size that c is clipped to. The default,
      None, and numbers of zero and below mean no clip.
    use_peephole: bool, whether the gates see c.
    dtype: the dtype of the variables: float16 or float32. The default, None,
      takes that of the first input.
    reuse: (optional) bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If not, and the scope already has them,
      an error is raised.
    name: str, the name of the layer and of its scope. By default it is the
      name of `LSTMCell`'s.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and an
  `LSTMStateTuple(c, h)`, a tuple or a list. It returns the output and a new
  LSTMStateTuple. It raises

    TypeError: for other dtypes than float16 and float32, for dtypes that
      differ, and for a state that is a tensor.
    ValueError: for shapes that do not match, an unknown D, a state of another
      length than 2, and variables that exist without reuse or don't with it.
    tf.errors.InvalidArgumentError: for shapes that turn out not to match, and
      for a batch that turns out to be empty when a graph runs. That one is new
      in TensorFlow's op since 1.15; a batch that is known to be empty is fine.

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
    """One step: see the class."""
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
  """GRU cell whose step is one op.

  The mathematics of `GRUCell`:

      r, u = split(sigmoid([x, h] W_ru + b_ru))
      c = tanh([x, r * h] W_c + b_c)
      output = new_h = u * h + (1 - u) * c

  with x [batch, D], W_ru [D + H, 2H], b_ru [2H], W_c [D + H, H], b_c [H] and a
  state h of [batch, H].

  Second derivatives are not defined. TensorFlow has the op for CPUs and GPUs,
  and not for XLA. In both TensorFlow 1.15 is the same.

  Variables, under `gru_cell/`: `w_ru` [D + H, 2H], `b_ru` [2H], `w_c`
  [D + H, H] and `b_c` [H]. b_ru starts as ones, b_c as zeros, and the matrices
  as the scope's initializer says, else Glorot's uniform. `GRUBlockCellV2` has
  the names of `GRUCell`.

  Source: `tf.contrib.rnn.GRUBlockCell` of TensorFlow 1.15; Cho et al.,
  "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
  Machine Translation" (https://arxiv.org/abs/1406.1078).

  Args:
    num_units: int, the number of units H in the cell.
    cell_size: the old name of `num_units`. It is deprecated.
    reuse: as of `LSTMBlockCell`.
    name: as of `LSTMBlockCell`, with the name of `GRUCell`'s by default.

  Raises:
    ValueError: if both `num_units` and `cell_size` are given, or neither.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and a state
  [batch, H], both float32. It returns the pair (output, new state), which are
  the same tensor. It raises

    TypeError: for other dtypes than float32.
    ValueError: for shapes that do not match, an unknown D, and variables that
      exist without reuse or don't with it.
    tf.errors.InvalidArgumentError: for shapes that turn out not to match.

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
    """One step: see the class."""
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
  """`GRUBlockCell` with the variables' names of `GRUCell`.

  The cells can read each other's checkpoints therefore.

  Variables, under `gru_cell/`: `gates/kernel` [D + H, 2H], `gates/bias` [2H],
  which starts as ones, `candidate/kernel` [D + H, H] and `candidate/bias` [H],
  which starts as zeros.

  Source: `tf.contrib.rnn.GRUBlockCellV2` of TensorFlow 1.15.

  Args:
    num_units: as of `GRUBlockCell`.
    cell_size: as of `GRUBlockCell`.
    reuse: as of `GRUBlockCell`.
    name: as of `GRUBlockCell`.

  Raises:
    ValueError: as `GRUBlockCell`, whose calls it has as well.

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
