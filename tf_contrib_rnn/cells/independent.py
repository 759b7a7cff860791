"""The independently recurrent cells of tf.contrib.rnn 1.15.

Each is a LayerRNNCell of TensorFlow's: it works under TensorFlow's dynamic_rnn
and its relatives, inside the wrappers, with scopes, reuse and partitioners, and
makes the variables of tf.contrib.rnn under their names. What a cell adds is its
variables and x W; the rest of its mathematics is in `recurrence`.
"""

from typing import Any
from typing import Callable
from typing import Optional
from typing import Union

import tensorflow as tf
from tensorflow.python.keras.engine import input_spec

from tf_contrib_rnn import bound
from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn import core
from tf_contrib_rnn import recurrence
from tf_contrib_rnn.cells import rows
from tf_contrib_rnn.cells.layer import LayerCell
from tf_contrib_rnn.ops import fused

Initializer = Union[None, str, type, Callable[..., Any]]
Constraint = Optional[Callable[[Any], tf.Tensor]]
DType = Union[None, str, tf.DType]


def _check_num_units(num_units: Any) -> int:
  try:
    units = int(num_units)
  except (OverflowError, TypeError, ValueError):
    units = -1
  if units < 0 or units != num_units:
    raise ValueError(
      f"num_units is {num_units!r}, expected a whole number, 0 or more"
    )
  return units


def _check_forget_bias(forget_bias: Any) -> float:
  try:
    return float(forget_bias)
  except (NotImplementedError, TypeError, ValueError) as error:
    raise TypeError(
      f"forget_bias is {forget_bias!r}, expected a number"
    ) from error


def _check_activation(activation: Any) -> recurrence.Activation:
  if not activation:
    return tf.nn.tanh
  if isinstance(activation, str) and activation in fused.ACTIVATIONS:
    return fused.ACTIVATIONS[activation]
  if not callable(activation):
    raise ValueError(
      f"activation is {activation!r}, expected a function of a tensor or one "
      f"of {', '.join(map(repr, fused.ACTIVATIONS))}"
    )
  return activation


def _check_constraint(constraint: Any) -> Constraint:
  if constraint is not None and not callable(constraint):
    raise ValueError(
      f"recurrent_constraint is {constraint!r}, expected a function of a tensor"
    )
  return constraint


def _check_dtype(name: str, dtype: tf.DType) -> None:
  if not tf.as_dtype(dtype).is_floating:
    raise TypeError(
      f"{name} is {tf.as_dtype(dtype).name}, expected float16, "
      "bfloat16, float32 or float64"
    )


class _IndependentCell(LayerCell):
  """What the three cells have in common: units, activation, variables."""

  def __init__(
    self,
    num_units,
    activation,
    reuse,
    name,
    dtype,
    recurrent_initializer,
    recurrent_constraint,
  ):
    if dtype is not None:
      _check_dtype("dtype", dtype)
    super().__init__(_reuse=reuse, name=name, dtype=dtype)
    self.input_spec = input_spec.InputSpec(ndim=2)
    self._num_units = _check_num_units(num_units)
    self._activation = _check_activation(activation)
    self._recurrent_initializer = recurrent_initializer
    self._recurrent_constraint = _check_constraint(recurrent_constraint)

  @property
  def output_size(self) -> int:
    """The number of units H."""
    return self._num_units

  @property
  def state_size(self) -> Any:
    """The number of units H, or for the LSTM an LSTMStateTuple of it."""
    return self._num_units

  def _input_depth(self, inputs_shape) -> int:
    """The last dimension of the inputs' shape, which has to be known."""
    shape = tf.TensorShape(inputs_shape)
    depth = shape.as_list()[-1]
    if depth is None:
      raise ValueError(
        f"Expected inputs.shape[-1] to be known, saw shape: {shape}"
      )
    if self.dtype is not None:  # before a first call: float32
      _check_dtype("inputs' dtype", self.dtype)
    return depth

  def _add_variables(
    self,
    part: cell_kinds.Part,
    inputs_shape,
    kernel_initializer: Initializer = None,
    bias_initializer: Initializer = None,
    bias: float = 0.0,
  ) -> tuple[Any, Any, Any]:
    """Makes a kernel, a recurrent kernel and a bias, at first `bias`."""
    depth = self._input_depth(inputs_shape)
    width = len(part.gates) * self._num_units
    kernel = self.add_weight(
      part.kernel, shape=[depth, width], initializer=kernel_initializer
    )
    initializer = self._recurrent_initializer
    if initializer is None:
      initializer = tf.compat.v1.random_uniform_initializer(minval=-1, maxval=1)
    constraint = self._recurrent_constraint
    recurrent_kernel = self.add_weight(
      part.recurrent_kernel,
      shape=[1, width],
      initializer=initializer,
      constraint=constraint and (lambda u: constraint(bound.read(u))),
    )
    if bias_initializer is None:
      bias_initializer = tf.compat.v1.constant_initializer(bias)
    added = self.add_weight(
      part.bias, shape=[width], initializer=bias_initializer
    )
    return kernel, recurrent_kernel, added

  def _recur(self, recurrence_of_cell, projected, *arguments, **attributes):
    return rows.run(
      self,
      recurrence_of_cell,
      projected,
      *arguments,
      activation=self._activation,
      **attributes,
    )


class IndRNNCell(_IndependentCell):
  """Independently Recurrent Neural Network (IndRNN) cell.

  Each unit sees its own past alone: the recurrent weights are a vector.

      output = new_state = act(x W + state * u + b)

  with x [batch, D], W [D, H], u [1, H], b [H] and a state of [batch, H].

  Variables: `kernel_w` [D, H], `kernel_u` [1, H] and `bias` [H], under
  `ind_rnn_cell/`.

  Source: `tf.contrib.rnn.IndRNNCell` of TensorFlow 1.15; Li, Li, Cook, Zhu and
  Gao, "Independently Recurrent Neural Network (IndRNN): Building a longer and
  deeper RNN" (https://arxiv.org/abs/1803.04831).

  Args:
    num_units: int, the number of units H in the cell.
    activation: the nonlinearity act, a function of a tensor. Default: `tanh`.
      The names "tanh", "sigmoid", "relu", "identity", "elu" and "softsign" are
      taken as well. These six run as fused ops, any other is composed.
    reuse: (optional) bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If not, and the scope already has them,
      an error is raised.
    name: str, the name of the layer, and of its scope. Layers of one name
      share weights, but only where reuse says so.
    dtype: the dtype of the layer: float16, bfloat16, float32 or float64. The
      default, None, takes that of the first input.
    recurrent_initializer: (optional) an initializer, its class or its name, for
      u. Default: uniform in [-1, 1). tf.contrib.rnn has no such argument.
    recurrent_constraint: (optional) a function of a tensor that optimizers
      apply to u after each update, such as a `RecurrentBound`, without which
      `relu` can overflow. tf.contrib.rnn has no such argument.

  Raises:
    ValueError: if `num_units` is not a whole number of 0 or more, `activation`
      is neither a function nor a known name, or `recurrent_constraint` is not
      a function.
    TypeError: if `dtype` is not a floating one.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and a state
  of [batch, H], or of [1, H] for all of the batch, and returns the pair
  (output, new state), each [batch, H]. It raises a ValueError for shapes that
  do not match, for variables that exist without reuse or don't with it, and a
  TypeError for dtypes that differ, when the graph is built; eager calls raise
  `tf.errors.InvalidArgumentError` for the last.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IndRNNCell(4, activation=tf.nn.relu)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  >>> [v.name for v in cell.variables]
  ['ind_rnn_cell/kernel_w:0', 'ind_rnn_cell/kernel_u:0', 'ind_rnn_cell/bias:0']
  """

  has_recurrence_op = True

  def __init__(
    self,
    num_units: int,
    activation: Union[None, str, recurrence.Activation] = None,
    reuse: Any = None,
    name: Optional[str] = None,
    dtype: DType = None,
    *,
    recurrent_initializer: Initializer = None,
    recurrent_constraint: Constraint = None,
  ):
    super().__init__(
      num_units,
      activation,
      reuse,
      name,
      dtype,
      recurrent_initializer,
      recurrent_constraint,
    )

  def build(self, inputs_shape) -> None:
    (part,) = cell_kinds.IND_RNN.parts
    self._kernel_w, self._kernel_u, self._bias = self._add_variables(
      part, inputs_shape
    )
    self.built = True

  def call(
    self, inputs: tf.Tensor, state: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """One step: see the class."""
    return self._recur(
      recurrence.ind_rnn,
      tf.matmul(inputs, self._kernel_w),
      self._kernel_u,
      self._bias,
      state,
    )


class IndyGRUCell(_IndependentCell):
  """Independently Gated Recurrent Unit cell.

  The GRU of Cho et al. with the recurrent matrices replaced by vectors:

      r, z = split(sigmoid(x Wg + [state, state] * ug + bg))
      c = act(x Wc + (r * state) * uc + bc)
      output = new_state = z * state + (1 - z) * c

  with x [batch, D], Wg [D, 2H], ug [1, 2H], bg [2H], Wc [D, H], uc [1, H],
  bc [H] and a state of [batch, H].

  Variables, under `indy_gru_cell/`: `gates/kernel_w`, `gates/kernel_u`,
  `gates/bias` (ones at first, so as not to reset and to update slowly),
  `candidate/kernel`, `candidate/kernel_u`, `candidate/bias`.

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15; the idea is that of
  Li et al. (https://arxiv.org/abs/1803.04831), the gates those of Cho et al.
  (https://arxiv.org/abs/1406.1078).

  Args:
    num_units: int, the number of units H in the cell.
    activation: as of `IndRNNCell`.
    reuse: as of `IndRNNCell`.
    kernel_initializer: (optional) an initializer, its class or its name, for
      the matrices `gates/kernel_w` and `candidate/kernel`. Default: the
      scope's, else Glorot's uniform. It does not reach the vectors
      `kernel_u`.
    bias_initializer: (optional) an initializer for both biases. Default: ones
      for the gates, zeros for the candidate.
    name: as of `IndRNNCell`.
    dtype: as of `IndRNNCell`.
    recurrent_initializer: as of `IndRNNCell`, for both vectors `kernel_u`.
    recurrent_constraint: as of `IndRNNCell`, on both vectors `kernel_u`.

  Raises:
    ValueError, TypeError: as `IndRNNCell`, also from calls, which take and
      return the same.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IndyGRUCell(4, bias_initializer="zeros")
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  """

  has_recurrence_op = True

  def __init__(
    self,
    num_units: int,
    activation: Union[None, str, recurrence.Activation] = None,
    reuse: Any = None,
    kernel_initializer: Initializer = None,
    bias_initializer: Initializer = None,
    name: Optional[str] = None,
    dtype: DType = None,
    *,
    recurrent_initializer: Initializer = None,
    recurrent_constraint: Constraint = None,
  ):
    super().__init__(
      num_units,
      activation,
      reuse,
      name,
      dtype,
      recurrent_initializer,
      recurrent_constraint,
    )
    self._kernel_initializer = kernel_initializer
    self._bias_initializer = bias_initializer

  def build(self, inputs_shape) -> None:
    gates, candidate = cell_kinds.INDY_GRU.parts
    initializers = (self._kernel_initializer, self._bias_initializer)
    self._gate_kernel_w, self._gate_kernel_u, self._gate_bias = (
      self._add_variables(gates, inputs_shape, *initializers, bias=1.0)
    )
    (
      self._candidate_kernel_w,
      self._candidate_kernel_u,
      self._candidate_bias,
    ) = self._add_variables(candidate, inputs_shape, *initializers)
    self.built = True

  def call(
    self, inputs: tf.Tensor, state: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """One step: see the class."""
    return self._recur(
      recurrence.indy_gru,
      self._project(inputs),
      tf.concat([self._gate_kernel_u, self._candidate_kernel_u], 1),
      tf.concat([self._gate_bias, self._candidate_bias], 0),
      state,
    )

  def _project(self, inputs):
    """x [Wg, Wc]: what is smaller is concatenated."""
    kernels = [self._gate_kernel_w, self._candidate_kernel_w]
    if rows.rows_of(self) is not None:
      return tf.matmul(inputs, tf.concat(kernels, 1))
    # The matrices would be copied at every step of a loop.
    return tf.concat([tf.matmul(inputs, kernel) for kernel in kernels], 1)


class IndyLSTMCell(_IndependentCell):
  """Independently Recurrent Long Short-Term Memory cell.

  An LSTM with the recurrent matrices replaced by vectors:

      i, j, f, o = split(x W + [h, h, h, h] * u + b)
      new_c = c * sigmoid(f + forget_bias) + sigmoid(i) * act(j)
      output = new_h = act(new_c) * sigmoid(o)

  with x [batch, D], W [D, 4H], u [1, 4H], b [4H] and a state of c and h, each
  [batch, H].

  Variables, under `indy_lstm_cell/`: `kernel_w`, `kernel_u`, `bias`.

  Source: `tf.contrib.rnn.IndyLSTMCell` of TensorFlow 1.15; Gonnet and
  Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023).

  Args:
    num_units: int, the number of units H in the cell.
    forget_bias: float, added to the forget gate's sum (see above). A checkpoint
      does not hold it: use the one that the model was trained with.
    activation: as of `IndRNNCell`.
    reuse: as of `IndRNNCell`.
    kernel_initializer: as of `IndyGRUCell`, for the matrix `kernel_w`.
    bias_initializer: (optional) an initializer for the bias. Default: zeros.
    name: as of `IndRNNCell`.
    dtype: as of `IndRNNCell`.
    recurrent_initializer: as of `IndRNNCell`.
    recurrent_constraint: as of `IndRNNCell`.

  Raises:
    TypeError: if `forget_bias` is not a number.
    ValueError, TypeError: as `IndRNNCell`, also from calls. These take an
      `LSTMStateTuple(c, h)`, a tuple or a list, and return the output and a new
      LSTMStateTuple.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IndyLSTMCell(4)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.c.shape, state.h is output
  (TensorShape([2, 4]), TensorShape([2, 4]), True)
  """

  has_recurrence_op = True

  def __init__(
    self,
    num_units: int,
    forget_bias: float = 1.0,
    activation: Union[None, str, recurrence.Activation] = None,
    reuse: Any = None,
    kernel_initializer: Initializer = None,
    bias_initializer: Initializer = None,
    name: Optional[str] = None,
    dtype: DType = None,
    *,
    recurrent_initializer: Initializer = None,
    recurrent_constraint: Constraint = None,
  ):
    super().__init__(
      num_units,
      activation,
      reuse,
      name,
      dtype,
      recurrent_initializer,
      recurrent_constraint,
    )
    self._forget_bias = _check_forget_bias(forget_bias)
    self._kernel_initializer = kernel_initializer
    self._bias_initializer = bias_initializer

  @property
  def state_size(self) -> core.LSTMStateTuple:
    """LSTMStateTuple(c=H, h=H)."""
    return core.LSTMStateTuple(self._num_units, self._num_units)

  def build(self, inputs_shape) -> None:
    (part,) = cell_kinds.INDY_LSTM.parts
    self._kernel_w, self._kernel_u, self._bias = self._add_variables(
      part, inputs_shape, self._kernel_initializer, self._bias_initializer
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
    output, (new_c, new_h) = self._recur(
      recurrence.indy_lstm,
      tf.matmul(inputs, self._kernel_w),
      self._kernel_u,
      self._bias,
      state,
      forget_bias=self._forget_bias,
    )
    return output, core.LSTMStateTuple(new_c, new_h)


# Some programs know the cell by this name.
IndyBasicLSTMCell = IndyLSTMCell
