"""What a fused cell is, and two that run other cells."""

import abc
from typing import Any

import tensorflow as tf

from tf_contrib_rnn.rnn import dynamic
from tf_contrib_rnn.rnn import static


class FusedRNNCell(metaclass=abc.ABCMeta):
  """A function from whole sequences to their outputs and the final state.

  An abstract class: subclasses define `__call__`. There are no variables in it,
  no name and no scope.

  Source: `tf.contrib.rnn.FusedRNNCell` of TensorFlow 1.15.

  Raises:
    TypeError: if it is made itself, or a subclass without `__call__`.

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
    """Runs over whole sequences.

    Args:
      inputs: [time, batch, depth], or a list of [batch, depth], a step each.
      initial_state: (optional) the state to begin with.
      dtype: the dtype of the initial state, where that is not given.
      sequence_length: (optional) [batch], where each sequence ends.
      scope: (optional) a variable scope or its name.

    Returns:
      The outputs, [time, batch, output size], or a list if `inputs` is one;
      and the final state.
    """


class FusedRNNCellAdaptor(FusedRNNCell):
  """Makes a fused cell of an RNNCell: it calls `dynamic_rnn` or `static_rnn`.

  Variables are the cell's, below the scope of these functions: `rnn/`, or what
  the call's `scope` says.

  Source: `tf.contrib.rnn.FusedRNNCellAdaptor` of TensorFlow 1.15.

  Args:
    cell: an RNNCell.
    use_dynamic_rnn: bool, whether `dynamic_rnn` runs it. If not, `static_rnn`
      does, and the number of steps has to be known.

  A call takes and returns what `FusedRNNCell.__call__` says. It raises

    TypeError: if `cell` is not an RNNCell, and as `dynamic_rnn`.
    ValueError: as `dynamic_rnn` or `static_rnn`. The latter takes no tensor
      whose number of steps is unknown or zero.

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
    """Runs the cell: see the class."""
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
  """Runs a fused cell from the end of the sequences to their beginning.

  It reverses the inputs in time, calls the cell, and reverses the outputs. The
  final state is that of the cell: it belongs to the first step.

  With a `sequence_length` each sequence of a tensor is reversed by itself, and
  what comes after its end stays where it is. A list is reversed as a whole,
  with or without a `sequence_length`, which the cell gets all the same:
  TensorFlow 1.15 does so too.

  Source: `tf.contrib.rnn.TimeReversedFusedRNN` of TensorFlow 1.15.

  Args:
    cell: a `FusedRNNCell`, or an `LSTMBlockWrapper`.

  A call takes and returns what `FusedRNNCell.__call__` says. It raises what the
  cell raises, and

    tf.errors.InvalidArgumentError: for a `sequence_length` that is negative or
      past the end of a tensor.

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
    """Runs the cell: see the class."""
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
