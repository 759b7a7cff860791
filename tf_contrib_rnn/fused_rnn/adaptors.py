"""The base class of fused cells, and two fused cells that run other cells."""

import abc
from typing import Any

import tensorflow as tf

from tf_contrib_rnn.rnn import dynamic
from tf_contrib_rnn.rnn import static


class FusedRNNCell(metaclass=abc.ABCMeta):
  """Base class of objects that run whole sequences in one call.

  The class is abstract: subclasses define `__call__`. It has no variables, no
  name and no scope.

  Source: `tf.contrib.rnn.FusedRNNCell` of TensorFlow 1.15.

  Raises:
    TypeError: If the class itself is instantiated, or a subclass without
      `__call__`.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> class RunningSum(tf_contrib_rnn.FusedRNNCell):
  ...   def __call__(self, inputs, initial_state=None, dtype=None,
  ...                sequence_length=None, scope=None):
  ...     sums = tf.cumsum(inputs)
  ...     return sums, sums[-1]
  >>> outputs, state = RunningSum()(tf.ones([5, 2, 3]))
  >>> float(state[0, 0])
  5.0
  """

  @abc.abstractmethod
  def __call__(
    self,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
  ) -> tuple[Any, Any]:
    """Runs whole sequences.

    Args:
      inputs: Tensor [time, batch, depth], or a list of tensors [batch, depth],
        one for each step.
      initial_state: Optional state to start with.
      dtype: The dtype of the initial state, if `initial_state` is missing.
      sequence_length: Optional tensor [batch]: the length of each sequence.
      scope: Optional variable scope or its name.

    Returns:
      A pair `(outputs, state)`. The outputs are [time, batch, output size], or
      a list if `inputs` is a list. The state is the final state.
    """


class FusedRNNCellAdaptor(FusedRNNCell):
  """Makes a fused cell of an RNNCell, with `dynamic_rnn` or `static_rnn`.

  The variables are those of the cell, in the scope of these functions: `rnn/`,
  or the `scope` of the call.

  Source: `tf.contrib.rnn.FusedRNNCellAdaptor` of TensorFlow 1.15.

  Args:
    cell: An RNNCell.
    use_dynamic_rnn: Bool, whether to use `dynamic_rnn`. If it is false,
      `static_rnn` is used, and the number of steps has to be known.

  See `FusedRNNCell.__call__` for the arguments of a call and what it returns. A
  call raises:

  - TypeError: If `cell` is not an RNNCell, or if `dynamic_rnn` raises it.
  - ValueError: If `dynamic_rnn` or `static_rnn` raises it. With `static_rnn`,
    also for a tensor whose number of steps is unknown or zero.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> fused = tf_contrib_rnn.FusedRNNCellAdaptor(
  ...     tf_contrib_rnn.IndyGRUCell(4), use_dynamic_rnn=True)
  >>> outputs, state = fused(tf.ones([5, 2, 3]), dtype=tf.float32)
  >>> outputs.shape, state.shape
  (TensorShape([5, 2, 4]), TensorShape([2, 4]))
  """

  def __init__(self, cell: Any, use_dynamic_rnn: bool = False):
    self._cell = cell
    self._use_dynamic_rnn = use_dynamic_rnn

  def __call__(
    self,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
  ) -> tuple[Any, Any]:
    """Runs the cell over whole sequences. See `FusedRNNCell.__call__`."""
    run = self._run_dynamic if self._use_dynamic_rnn else self._run_static
    return run(
      inputs,
      initial_state=initial_state,
      dtype=dtype,
      sequence_length=sequence_length,
      scope=scope,
    )

  def _run_dynamic(self, inputs, **arguments):
    is_list = isinstance(inputs, list)
    outputs, state = dynamic.dynamic_rnn(
      self._cell,
      tf.stack(inputs) if is_list else inputs,
      time_major=True,
      **arguments,
    )
    return tf.unstack(outputs) if is_list else outputs, state

  def _run_static(self, inputs, **arguments):
    is_list = isinstance(inputs, list)
    outputs, state = static.static_rnn(
      self._cell, inputs if is_list else tf.unstack(inputs), **arguments
    )
    return outputs if is_list else tf.stack(outputs), state


class TimeReversedFusedRNN(FusedRNNCell):
  """Runs a fused cell from the end of the sequences to the start.

  The inputs are reversed in time, the cell is called, and the outputs are
  reversed back. The final state is that of the cell, which belongs to the first
  step.

  With a `sequence_length` and inputs that are a tensor, each sequence is
  reversed by itself, and the padding stays where it is. A list is always
  reversed as a whole, as in TensorFlow 1.15. The cell gets the
  `sequence_length` in both cases.

  Source: `tf.contrib.rnn.TimeReversedFusedRNN` of TensorFlow 1.15.

  Args:
    cell: A `FusedRNNCell`, or an `LSTMBlockWrapper`.

  See `FusedRNNCell.__call__` for the arguments of a call and what it returns. A
  call raises what the cell raises, and:

  - tf.errors.InvalidArgumentError: If inputs are a tensor, and a value of
    `sequence_length` is negative or larger than time.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> fused = tf_contrib_rnn.TimeReversedFusedRNN(
  ...     tf_contrib_rnn.LSTMBlockFusedCell(4))
  >>> outputs, state = fused(tf.ones([5, 2, 3]), dtype=tf.float32)
  >>> bool(tf.reduce_all(outputs[0] == state.h))
  True
  """

  def __init__(self, cell: Any):
    self._cell = cell

  def __call__(
    self,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
  ) -> tuple[Any, Any]:
    """Runs the cell over reversed sequences. See `FusedRNNCell.__call__`."""
    outputs, state = self._cell(
      _reverse(inputs, sequence_length),
      initial_state=initial_state,
      dtype=dtype,
      sequence_length=sequence_length,
      scope=scope,
    )
    return _reverse(outputs, sequence_length), state


def _reverse(steps: Any, sequence_length: Any) -> Any:
  if isinstance(steps, list):
    return steps[::-1]
  if sequence_length is None:
    return tf.reverse(steps, [0])
  return tf.reverse_sequence(steps, sequence_length, seq_axis=0, batch_axis=1)
