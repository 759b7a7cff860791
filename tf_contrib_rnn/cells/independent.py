"""The independently recurrent cells of tf.contrib.rnn 1.15.

Each cell is a LayerRNNCell of TensorFlow. It works with TensorFlow's
dynamic_rnn and related functions, inside wrappers, and with scopes, reuse and
partitioners. It has the variables and variable names of tf.contrib.rnn. The
classes here create the variables and compute x W. `recurrence` computes the
rest.
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
  """The base class of the three cells: units, activation and variables."""

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
    """Creates a kernel, a recurrent kernel and a bias of value `bias`."""
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

  def _recur(
    self, recurrence_of_cell, inputs, kernels, weights, state, **attributes
  ):
    return rows.run(
      self,
      recurrence_of_cell,
      inputs,
      kernels,
      weights,
      state,
      activation=self._activation,
      **attributes,
    )


class IndRNNCell(_IndependentCell):
  """Independently Recurrent Neural Network (IndRNN) cell.

      output = new_state = act(x W + state * u + b)

  Each unit sees only its own past: the recurrent weights u are a vector. x is
  [batch, D] and the state is [batch, H].

  Variables, under `ind_rnn_cell/`: `kernel_w` W [D, H], `kernel_u` u [1, H] and
  `bias` b [H].

  Source: `tf.contrib.rnn.IndRNNCell` of TensorFlow 1.15; Li, Li, Cook, Zhu and
  Gao, "Independently Recurrent Neural Network (IndRNN): Building a longer and
  deeper RNN" (https://arxiv.org/abs/1803.04831).

  Args:
    num_units: Int, the number of units H.
    activation: act, a function of a tensor, or one of the names "tanh",
      "sigmoid", "relu", "identity", "elu" and "softsign". Default: `tanh`.
      These six activations run as fused ops. Any other function is composed of
      TensorFlow's operations.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.
    name: Str, the name of the layer and of its scope. Layers with the same name
      share variables only if `reuse` allows it.
    dtype: The dtype of the layer: float16, bfloat16, float32 or float64.
      Default: the dtype of the first input.
    recurrent_initializer: Optional initializer of u, its class or its name.
      Default: uniform in [-1, 1). tf.contrib.rnn does not have this argument.
    recurrent_constraint: Optional function of a tensor, such as a
      `RecurrentBound`, that optimizers apply to u after each update. Without
      it, states can overflow with `relu`. tf.contrib.rnn does not have this
      argument.

  Raises:
    ValueError: If `num_units` is not a whole number of 0 or more, if
      `activation` is neither a function nor a known name, or if
      `recurrent_constraint` is not a function.
    TypeError: If `dtype` is not a floating-point dtype.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: Tensor [batch, H], or [1, H] for the whole batch.
    - `scope`: Optional variable scope.

  A call returns the pair (output, new state), each [batch, H]. A call raises:

  - ValueError: If shapes do not match, if variables exist and `reuse` is not
    set, or if they do not exist and `reuse` is true.
  - TypeError: If dtypes differ when a graph is built. Eager calls raise
    `tf.errors.InvalidArgumentError` instead.

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
    """Runs one step. See the class."""
    return self._recur(
      recurrence.ind_rnn,
      inputs,
      [self._kernel_w],
      [self._kernel_u, self._bias],
      state,
    )


class IndyGRUCell(_IndependentCell):
  """Independently Gated Recurrent Unit (IndyGRU) cell.

      r, z = split(sigmoid(x Wg + [state, state] * ug + bg))
      c = act(x Wc + (r * state) * uc + bc)
      output = new_state = z * state + (1 - z) * c

  This is a GRU whose recurrent weights are vectors instead of matrices. x is
  [batch, D] and the state is [batch, H].

  Variables, under `indy_gru_cell/`:

  - `gates/kernel_w` Wg [D, 2H], `gates/kernel_u` ug [1, 2H] and `gates/bias` bg
    [2H]. The bias starts as ones, so that the cell does not reset and updates
    slowly.
  - `candidate/kernel` Wc [D, H], `candidate/kernel_u` uc [1, H] and
    `candidate/bias` bc [H].

  Source: `tf.contrib.rnn.IndyGRUCell` of TensorFlow 1.15; Li et al.
  (https://arxiv.org/abs/1803.04831), for the recurrent vectors; Cho et al.
  (https://arxiv.org/abs/1406.1078), for the gates.

  Args:
    num_units: Int, the number of units H.
    activation: act, a function of a tensor or a name. Default: `tanh`. See
      `IndRNNCell`.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. See `IndRNNCell`.
    kernel_initializer: Optional initializer, its class or its name, for the
      matrices Wg and Wc. Default: the one of the variable scope. If that has
      none: Glorot uniform. It is not used for the vectors ug and uc.
    bias_initializer: Optional initializer of both biases. Default: ones for the
      gates, zeros for the candidate.
    name: Str, the name of the layer and of its scope. See `IndRNNCell`.
    dtype: The dtype of the layer. Default: the dtype of the first input. See
      `IndRNNCell`.
    recurrent_initializer: Optional initializer of ug and uc. Default: uniform
      in [-1, 1). tf.contrib.rnn does not have this argument.
    recurrent_constraint: Optional function of a tensor that optimizers apply to
      ug and uc after each update. See `IndRNNCell`.

  Raises:
    ValueError: See `IndRNNCell`.
    TypeError: See `IndRNNCell`.

  See `IndRNNCell` for the arguments of a call, what it returns and what it
  raises.

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
    """Runs one step. See the class."""
    return self._recur(
      recurrence.indy_gru,
      inputs,
      [self._gate_kernel_w, self._candidate_kernel_w],
      [
        (self._gate_kernel_u, self._candidate_kernel_u),
        (self._gate_bias, self._candidate_bias),
      ],
      state,
    )


class IndyLSTMCell(_IndependentCell):
  """Independently Recurrent Long Short-Term Memory (IndyLSTM) cell.

      i, j, f, o = split(x W + [h, h, h, h] * u + b)
      new_c = c * sigmoid(f + forget_bias) + sigmoid(i) * act(j)
      output = new_h = act(new_c) * sigmoid(o)

  This is an LSTM whose recurrent weights are vectors instead of matrices. x is
  [batch, D]. c and h are the state, each [batch, H].

  Variables, under `indy_lstm_cell/`: `kernel_w` W [D, 4H], `kernel_u` u [1, 4H]
  and `bias` b [4H].

  Source: `tf.contrib.rnn.IndyLSTMCell` of TensorFlow 1.15; Gonnet and
  Deselaers, "IndyLSTMs: Independently Recurrent LSTMs"
  (https://arxiv.org/abs/1903.08023).

  Args:
    num_units: Int, the number of units H.
    forget_bias: Float that is added in the forget gate. A checkpoint does not
      contain it. Use the value that the model was trained with.
    activation: act, a function of a tensor or a name. Default: `tanh`. See
      `IndRNNCell`.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. See `IndRNNCell`.
    kernel_initializer: Optional initializer, its class or its name, for the
      matrix W. Default: the one of the variable scope. If that has none: Glorot
      uniform.
    bias_initializer: Optional initializer of b. Default: zeros.
    name: Str, the name of the layer and of its scope. See `IndRNNCell`.
    dtype: The dtype of the layer. Default: the dtype of the first input. See
      `IndRNNCell`.
    recurrent_initializer: Optional initializer of u. Default: uniform in [-1,
      1). tf.contrib.rnn does not have this argument.
    recurrent_constraint: Optional function of a tensor that optimizers apply to
      u after each update. See `IndRNNCell`.

  Raises:
    ValueError: See `IndRNNCell`.
    TypeError: If `forget_bias` is not a number. See also `IndRNNCell`.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: An `LSTMStateTuple(c, h)`, a tuple or a list.
    - `scope`: Optional variable scope.

  A call returns the output [batch, H] and a new LSTMStateTuple. It raises the
  same errors as a call of an `IndRNNCell`.

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
    """Runs one step. See the class."""
    output, (new_c, new_h) = self._recur(
      recurrence.indy_lstm,
      inputs,
      [self._kernel_w],
      [self._kernel_u, self._bias],
      state,
      forget_bias=self._forget_bias,
    )
    return output, core.LSTMStateTuple(new_c, new_h)


# Some programs know the cell by this name.
IndyBasicLSTMCell = IndyLSTMCell
