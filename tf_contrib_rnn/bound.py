"""The IndRNN paper's bound on recurrent weights.

The formula and its arguments, for every framework: TensorFlow is imported by
the call alone. `tf_contrib_rnn.keras` and `tf_contrib_rnn.flax` have what
applies it there.
"""

import math
from typing import Any


def _check_time(time: Any) -> int:
  try:
    steps = int(time)
  except (OverflowError, TypeError, ValueError):
    steps = 0
  if steps < 1 or steps != time:
    raise ValueError(f"time is {time!r}, expected a whole number, 1 or more")
  return steps


def _check_gamma(gamma: Any) -> float:
  try:
    value = float(gamma)
  except (NotImplementedError, OverflowError, TypeError, ValueError):
    value = math.nan
  if not (math.isfinite(value) and value > 0):
    raise ValueError(f"gamma is {gamma!r}, expected a finite number over 0")
  return value


def read(u: Any) -> Any:
  """The value of a variable now; anything else as it is.

  In a graph, dynamic_rnn makes variables that are read through a cache, where a
  constraint would find the value before the update, and undo that.

  Args:
    u: a variable, or what can be made a tensor.

  Returns:
    A tensor, or what was given.
  """
  return u.read_value() if hasattr(u, "read_value") else u


class RecurrentBound:
  """Keeps recurrent weights where they can't explode along a sequence.

  Clips a variable u to

      |u| <= gamma^(1/time)

  so that |u|^time, by which an IndRNN with ReLU multiplies a state and its
  gradient from the first step to the last, is gamma at most. Used as the
  `recurrent_constraint` of a cell. What the cells start with, uniform in
  [-1, 1), is inside for any gamma of 1 or more.

  It bounds the candidate of an IndyGRU in the same way. An IndyLSTM's c grows
  along the forget gate as well, so there it is not enough for ReLU: see
  docs/adding_problem.md.

  `tf_contrib_rnn.keras.RecurrentBound` is the same for Keras, on any backend,
  and can be saved with a model. The Keras cells and layers of this package
  take this one as that one. For flax there is
  `tf_contrib_rnn.flax.bound_recurrent_kernels`.

  Source: section 3.1 of Li, Li, Cook, Zhu and Gao, "Independently Recurrent
  Neural Network (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831).

  Args:
    time: int, the number of steps of the longest sequence.
    gamma: float, the most that a state may grow by along it. Default: 2, which
      the paper uses with ReLU.

  Raises:
    ValueError: if `time` is not a whole number of 1 or more, or `gamma` not a
      finite number over 0.

  A call `bound(u)` returns u clipped, a tensor of its shape and dtype. The
  limit is rounded to that dtype.
  Optimizers of tf.compat.v1, Keras 3 and tf_keras apply a variable's constraint
  after each update. A loop that assigns by itself has to do the same:
  `u.assign(u.constraint(u))`.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> bound = tf_contrib_rnn.RecurrentBound(time=100)
  >>> bound
  RecurrentBound(time=100, gamma=2.0)
  >>> round(bound.value, 4), round(bound.value**bound.time, 4)
  (1.007, 2.0)
  >>> [round(float(u), 4) for u in bound(tf.constant([-3.0, 0.5, 3.0]))]
  [-1.007, 0.5, 1.007]
  >>> cell = tf_contrib_rnn.IndRNNCell(
  ...     4, activation=tf.nn.relu, recurrent_constraint=bound)
  """

  def __init__(self, time: int, gamma: float = 2.0):
    self._time = _check_time(time)
    self._gamma = _check_gamma(gamma)

  @property
  def time(self) -> int:
    """The number of steps of the longest sequence."""
    return self._time

  @property
  def gamma(self) -> float:
    """The most that a state may grow by along that sequence."""
    return self._gamma

  @property
  def value(self) -> float:
    """The largest |u|, gamma^(1/time)."""
    return self._gamma ** (1 / self._time)

  def __repr__(self) -> str:
    return f"{type(self).__name__}(time={self._time}, gamma={self._gamma})"

  def __call__(self, u: Any) -> Any:
    import tensorflow as tf  # here, because others do without it

    return tf.clip_by_value(read(u), -self.value, self.value)
