"""The bound of the IndRNN paper on recurrent weights.

The formula and its arguments are the same for every framework. TensorFlow is
imported only when the bound is called. `tf_contrib_rnn.keras` and
`tf_contrib_rnn.flax` apply the bound in Keras and flax.
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
  """Reads the current value of a variable, and returns anything else unchanged.

  In a graph, dynamic_rnn creates variables that are read through a cache. A
  constraint would see the value before the update there, and would undo the
  update.

  Args:
    u: A variable, or something that can be converted to a tensor.

  Returns:
    A tensor, or `u`.
  """
  return u.read_value() if hasattr(u, "read_value") else u


class RecurrentBound:
  """Constraint that keeps recurrent weights from exploding along a sequence.

  It clips a variable u to

      |u| <= gamma^(1/time)

  An IndRNN with ReLU multiplies a state and its gradient by up to |u|^time
  between the first and the last step. With the bound, this factor is at most
  gamma. Pass the constraint to a cell as `recurrent_constraint`. The cells
  initialize u uniformly in [-1, 1), which is inside the bound for any gamma of
  1 or more.

  The candidate of an IndyGRU is bounded in the same way. The c of an IndyLSTM
  grows along the forget gate as well. For an IndyLSTM with ReLU the bound is
  therefore not enough: see docs/adding_problem.md.

  For Keras, on any backend, use `tf_contrib_rnn.keras.RecurrentBound`, which
  can be saved with a model. A Keras cell or layer that gets this class uses
  that one instead. For flax, use `tf_contrib_rnn.flax.bound_recurrent_kernels`.

  A call `bound(u)` returns u clipped, a tensor of the same shape and dtype. The
  limit is rounded to that dtype. The optimizers of tf.compat.v1, Keras 3 and
  tf_keras apply the constraint of a variable after each update. A training loop
  that assigns variables itself has to call `u.assign(u.constraint(u))`.

  Source: section 3.1 of Li, Li, Cook, Zhu and Gao, "Independently Recurrent
  Neural Network (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831).

  Args:
    time: Int, the number of steps of the longest sequence.
    gamma: Float, the largest factor by which a state may grow along that
      sequence. Default: 2, which the paper uses with ReLU.

  Raises:
    ValueError: If `time` is not a whole number of 1 or more, or if `gamma` is
      not a finite number larger than 0.

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
    """The largest factor by which a state may grow along that sequence."""
    return self._gamma

  @property
  def value(self) -> float:
    """The largest |u|: gamma^(1/time)."""
    return self._gamma ** (1 / self._time)

  def __repr__(self) -> str:
    return f"{type(self).__name__}(time={self._time}, gamma={self._gamma})"

  def __call__(self, u: Any) -> Any:
    import tensorflow as tf  # here, because others do without it

    return tf.clip_by_value(read(u), -self.value, self.value)
