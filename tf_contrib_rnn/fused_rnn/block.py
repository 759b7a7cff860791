"""Layers that run an LSTM over whole sequences in one or a few operations."""

import abc
from typing import Any
from typing import Optional
from typing import TYPE_CHECKING
from typing import Union

import tensorflow as tf
from tensorflow.python.keras.engine import input_spec
from tensorflow.python.keras.legacy_tf_layers import base

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import block as block_cells
from tf_contrib_rnn.cells.layer import OwnVariables
from tf_contrib_rnn.ops import block
from tf_contrib_rnn.rnn import whole_sequences

Steps = Union[tf.Tensor, list[tf.Tensor]]


class LSTMBlockWrapper(OwnVariables, base.Layer, metaclass=abc.ABCMeta):
  """Base class of LSTM layers that compute all steps of a sequence at once.

  The class is abstract. Subclasses define `num_units` and `_call_cell`, and
  create their variables in `build`, with `add_weight`. `build` gets the shape
  of the inputs, [time, batch, depth]. If the inputs are a list, it gets a list
  of the shapes of all steps.

  The class takes care of the initial state, of sequence lengths, of lists of
  steps, and of the scope. Like any layer of `tf.layers`, it creates its
  variables once, in the scope of its name or of the call's `scope`. As in
  TensorFlow 1.15, it is not a `FusedRNNCell`.

  Source: `tf.contrib.rnn.LSTMBlockWrapper` of TensorFlow 1.15.

  Args:
    trainable: Bool, whether the variables are trained.
    name: Str, the name of the layer and of its scope. Default: the name of the
      class in snake case.
    dtype: The dtype of the variables. Default: the dtype of the first input.

  Raises:
    TypeError: If the class itself is instantiated, or a subclass that does not
      define both `num_units` and `_call_cell`.

  In the example, the cell state is the sum of all inputs up to a step.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> class RunningSum(tf_contrib_rnn.LSTMBlockWrapper):
  ...   num_units = 3
  ...   def _call_cell(self, inputs, initial_cell_state, initial_output, dtype,
  ...                  sequence_length):
  ...     sums = initial_cell_state + tf.cumsum(inputs)
  ...     return sums, tf.tanh(sums)
  >>> outputs, state = RunningSum()(
  ...     tf.ones([5, 2, 3]), dtype=tf.float32, sequence_length=[5, 2])
  >>> [float(c) for c in state.c[:, 0]]
  [5.0, 2.0]
  """

  @property
  @abc.abstractmethod
  def num_units(self) -> int:
    """The number of units H."""

  @abc.abstractmethod
  def _call_cell(
    self,
    inputs: tf.Tensor,
    initial_cell_state: tf.Tensor,
    initial_output: tf.Tensor,
    dtype: tf.DType,
    sequence_length: Optional[tf.Tensor],
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes all steps.

    Args:
      inputs: Tensor [time, batch, depth].
      initial_cell_state: The initial c, [batch, H].
      initial_output: The initial h, [batch, H].
      dtype: The dtype of the state.
      sequence_length: None, or an int32 tensor [batch], with values from 0 to
        time. What is computed past the end of a sequence does not matter.

    Returns:
      A pair of all c and all h, each [time, batch, H].
    """

  if TYPE_CHECKING:

    def __call__(
      self,
      inputs: Any,
      initial_state: Any = None,
      dtype: Any = None,
      sequence_length: Any = None,
      scope: Any = None,
    ) -> tuple[Any, core.LSTMStateTuple]: ...

  def call(
    self,
    inputs: Steps,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
  ) -> tuple[Steps, core.LSTMStateTuple]:
    """Runs the layer over whole sequences.

    Args:
      inputs: Tensor [time, batch, depth], or a list of tensors [batch, depth],
        one for each step.
      initial_state: Optional tuple of the initial c and h, each [batch, H].
        Default: zeros.
      dtype: The dtype of the initial state. Required if there is no
        `initial_state`.
      sequence_length: Optional int32 tensor [batch] with values from 0 to time,
        or a list of ints. Outputs past this length are zeros, and the state
        stays the same. The inputs past this length have to be finite. Otherwise
        gradients are not finite.

    Returns:
      A pair `(outputs, state)`. The outputs are [time, batch, H], or a list if
      `inputs` is a list. The final state is an LSTMStateTuple of c and h, each
      [batch, H].

    Raises:
      TypeError: If `sequence_length` is not int32, or if `initial_state` is a
        tensor.
      ValueError: If both `initial_state` and `dtype` are missing, if
        `initial_state` does not have two parts, or if shapes do not match.
      tf.errors.InvalidArgumentError: If a value of `sequence_length` is
        negative or larger than time.
    """
    steps = tf.stack(inputs) if isinstance(inputs, list) else inputs
    steps = tf.convert_to_tensor(steps)
    if steps.shape.rank != 3:
      raise ValueError(
        f"inputs has shape {steps.shape}, expected [time, batch, depth]"
      )
    c, h = self._start(steps, initial_state, dtype)
    dtype = c.dtype if dtype is None else tf.as_dtype(dtype)
    lengths = _check_lengths(sequence_length, steps)
    cell_states, outputs = self._call_cell(steps, c, h, dtype, lengths)
    state = core.LSTMStateTuple(
      _last(c, cell_states, lengths), _last(h, outputs, lengths)
    )
    if lengths is not None:
      outputs = _clear_past_end(outputs, lengths)
    if isinstance(inputs, list):
      return tf.unstack(outputs, len(inputs)), state
    return outputs, state

  def _start(self, steps, initial_state, dtype):
    """The initial state."""
    if initial_state is not None:
      block_cells.check_pair("initial_state", initial_state)
      return [tf.convert_to_tensor(part) for part in initial_state]
    if dtype is None:
      raise ValueError("Either initial_state or dtype needs to be specified")
    batch = steps.shape.as_list()[1]
    batch = tf.shape(steps)[1] if batch is None else batch
    return [tf.zeros([batch, self.num_units], dtype)] * 2


def _check_lengths(
  sequence_length: Any, steps: tf.Tensor
) -> Optional[tf.Tensor]:
  """The lengths as int32 [batch], from 0 to time."""
  if sequence_length is None:
    return None
  lengths = tf.convert_to_tensor(sequence_length)
  if lengths.dtype != tf.int32:
    raise TypeError(
      f"sequence_length is of {lengths.dtype.name}, expected int32"
    )
  batch = steps.shape.as_list()[1]
  if not lengths.shape.is_compatible_with([batch]):
    raise ValueError(
      f"sequence_length has shape {lengths.shape}, expected [{batch}]"
    )
  checked = whole_sequences.check_lengths(lengths, tf.shape(steps)[0])
  return tf.ensure_shape(tf.cast(checked, tf.int32), [batch])


def _last(initial, steps, lengths):
  """The state at the end of each sequence: `initial`, if its length is 0."""
  if lengths is None:
    return steps[-1]
  all_steps = tf.concat([initial[tf.newaxis], steps], 0)
  rows = tf.range(tf.shape(lengths)[0])
  return tf.gather_nd(all_steps, tf.stack([lengths, rows], 1))


def _clear_past_end(outputs, lengths):
  runs = tf.range(tf.shape(outputs)[0])[:, tf.newaxis] < lengths
  return tf.where(runs[..., tf.newaxis], outputs, tf.zeros_like(outputs))


class LSTMBlockFusedCell(LSTMBlockWrapper):
  """LSTM layer that runs whole sequences in one operation.

  The equations, the clipping and the gradient are those of `LSTMBlockCell`, and
  so are its variables, under `lstm_fused_cell/`: `kernel`, `bias`, and with
  peepholes `w_i_diag`, `w_f_diag` and `w_o_diag`. Second derivatives are not
  defined. TensorFlow has the operation for CPUs and GPUs, but not for XLA.

  As in TensorFlow 1.15, inputs cannot be a list of steps. There, a
  `sequence_length` larger than time aborts the process. Here it raises an
  error.

  Source: `tf.contrib.rnn.LSTMBlockFusedCell` of TensorFlow 1.15.

  Args:
    num_units: Int, the number of units H.
    forget_bias: Float that is added in the forget gate. See `LSTMBlockCell`.
    cell_clip: Optional float. If it is larger than 0, c is clipped to
      [-cell_clip, cell_clip].
    use_peephole: Bool, whether the gates see c.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. See `LSTMBlockCell`.
    dtype: The dtype of the variables, float16 or float32. Default: the dtype of
      the first input.
    name: Str, the name of the layer and of its scope.

  See `LSTMBlockWrapper.call` for the arguments of a call and what it returns. A
  call raises:

  - TypeError: If dtypes are not float16 or float32, if dtypes differ, if the
    depth is unknown, or if `LSTMBlockWrapper.call` raises it.
  - ValueError: If the inputs are a list or do not have rank 3, if variables
    exist and `reuse` is not set, if they do not exist and `reuse` is true, or
    if `LSTMBlockWrapper.call` raises it.
  - tf.errors.InvalidArgumentError: If shapes do not match when the operation
    runs, or if `LSTMBlockWrapper.call` raises it.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.LSTMBlockFusedCell(4)
  >>> outputs, state = cell(
  ...     tf.ones([5, 2, 3]), dtype=tf.float32, sequence_length=[5, 2])
  >>> outputs.shape, state.c.shape
  (TensorShape([5, 2, 4]), TensorShape([2, 4]))
  >>> float(tf.reduce_max(tf.abs(outputs[2:, 1])))
  0.0
  """

  def __init__(
    self,
    num_units: int,
    forget_bias: float = 1.0,
    cell_clip: Optional[float] = None,
    use_peephole: bool = False,
    reuse: Any = None,
    dtype: block_cells.DType = None,
    name: Optional[str] = "lstm_fused_cell",
  ):
    super().__init__(_reuse=reuse, name=name, dtype=dtype)
    self.input_spec = input_spec.InputSpec(ndim=3)
    self._num_units = num_units
    self._forget_bias = forget_bias
    self._cell_clip = cell_clip
    self._use_peephole = use_peephole

  @property
  def num_units(self) -> int:
    """The number of units H."""
    return self._num_units

  def build(self, inputs_shape) -> None:
    if isinstance(inputs_shape, list):  # of one step, which input_spec lets by
      raise ValueError("inputs is a list, expected [time, batch, depth]")
    depth = tf.compat.dimension_value(tf.TensorShape(inputs_shape)[-1])
    if depth is None:
      raise TypeError(
        f"inputs has shape {inputs_shape}, expected [time, batch, depth] with "
        "a known depth"
      )
    self._kernel, self._bias, self._peepholes = block_cells.add_lstm_weights(
      self, depth, self._num_units, self._use_peephole
    )
    self.built = True

  def _call_cell(
    self,
    inputs: tf.Tensor,
    initial_cell_state: tf.Tensor,
    initial_output: tf.Tensor,
    dtype: tf.DType,
    sequence_length: Optional[tf.Tensor],
  ) -> tuple[tf.Tensor, tf.Tensor]:
    longest = (
      None if sequence_length is None else tf.reduce_max(sequence_length)
    )
    return block.lstm_sequences(
      inputs,
      longest,
      (initial_cell_state, initial_output),
      self._num_units,
      self._kernel,
      self._bias,
      self._peepholes,
      self._forget_bias,
      self._cell_clip,
    )
