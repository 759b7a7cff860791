"""Layers that run an LSTM over whole sequences in one op or a few."""

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
  """A layer of an LSTM over whole sequences, for ops that compute all steps.

  An abstract class: subclasses define `num_units` and `_call_cell`, and make
  their variables in `build`, with `add_weight`. `build` gets the shape of the
  inputs, [time, batch, depth], or a list of the shapes of all steps, if the
  inputs are a list.

  In this class are the initial state, the ends of the sequences, lists of
  steps, and the layer's scope: like any layer of `tf.layers` it makes variables
  once, below its name or the call's `scope`.

  Source: `tf.contrib.rnn.LSTMBlockWrapper` of TensorFlow 1.15. There it is no
  `FusedRNNCell` either.

  Args:
    trainable: bool, whether the variables are trained.
    name: str, the name of the layer and of its scope. Default: the name of the
      class in snake case.
    dtype: the dtype of the variables. The default, None, takes that of the
      first input.

  Raises:
    TypeError: if it is made itself, or a subclass that leaves one of the two
      undefined.

  Example: the cell state of a step is the sum of all inputs up to it.

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
      inputs: [time, batch, depth].
      initial_cell_state: c to begin with, [batch, H].
      initial_output: h to begin with, [batch, H].
      dtype: the dtype of the state.
      sequence_length: None, or int32 [batch], from 0 to time. Results after a
        sequence's end do not matter.

    Returns:
      Every c and every h, each [time, batch, H].
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
    """Runs over whole sequences.

    Args:
      inputs: [time, batch, depth], or a list of [batch, depth], a step each.
      initial_state: (optional) c and h to begin with, a tuple of two tensors
        [batch, H]. Default: zeros.
      dtype: the dtype of the initial state; required without one.
      sequence_length: (optional) int32 [batch], from 0 to time, or a list of
        ints. Outputs past a sequence's end are zeros, and its state stops
        there. Inputs there have to be finite, or gradients are not.

    Returns:
      The outputs, [time, batch, H], or a list if `inputs` is one; and the final
      state, an LSTMStateTuple of c and h, each [batch, H].

    Raises:
      TypeError: for a `sequence_length` that is not int32, and for an
        `initial_state` that is a tensor.
      ValueError: without both `initial_state` and `dtype`, for an
        `initial_state` of another length than 2, and for shapes that do not
        match.
      tf.errors.InvalidArgumentError: for a `sequence_length` that is negative
        or past the end of the inputs.
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
    """The state to begin with."""
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
  """What each sequence ends with: `initial`, where its length is 0."""
  if lengths is None:
    return steps[-1]
  all_steps = tf.concat([initial[tf.newaxis], steps], 0)
  rows = tf.range(tf.shape(lengths)[0])
  return tf.gather_nd(all_steps, tf.stack([lengths, rows], 1))


def _clear_past_end(outputs, lengths):
  runs = tf.range(tf.shape(outputs)[0])[:, tf.newaxis] < lengths
  return tf.where(runs[..., tf.newaxis], outputs, tf.zeros_like(outputs))


class LSTMBlockFusedCell(LSTMBlockWrapper):
  """LSTM over whole sequences in one op.

  The mathematics, the clip and the gradient are those of `LSTMBlockCell`, and
  so are the variables, under `lstm_fused_cell/`: `kernel`, `bias`, and with
  peepholes `w_i_diag`, `w_f_diag` and `w_o_diag`. Second derivatives are not
  defined. TensorFlow has the op for CPUs and GPUs, and not for XLA.

  Source: `tf.contrib.rnn.LSTMBlockFusedCell` of TensorFlow 1.15.

  Args:
    num_units: int, the number of units H.
    forget_bias: as of `LSTMBlockCell`.
    cell_clip: as of `LSTMBlockCell`.
    use_peephole: as of `LSTMBlockCell`.
    reuse: as of `LSTMBlockCell`.
    dtype: as of `LSTMBlockCell`.
    name: str, the name of the layer and of its scope.

  A call takes and returns what `LSTMBlockWrapper.call` says, but no list of
  steps, as in TensorFlow 1.15. A `sequence_length` past the end, which aborts
  the process there, raises an error. A call raises

    TypeError: for other dtypes than float16 and float32, for dtypes that
      differ, an unknown depth, and as `LSTMBlockWrapper.call`.
    ValueError: for inputs that are a list or have another rank than 3, for
      variables that exist without reuse or don't with it, and as
      `LSTMBlockWrapper.call`.
    tf.errors.InvalidArgumentError: as `LSTMBlockWrapper.call`, and for shapes
      that turn out not to match.

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
