"""The IndRNN paper's bound on recurrent weights as a constraint of Keras's."""

from typing import Any

from tf_contrib_rnn import bound
from tf_contrib_rnn.keras._family import IS_KERAS_3
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import register


@register
class RecurrentBound(bound.RecurrentBound, keras.constraints.Constraint):
  """Keeps recurrent weights where they can't explode along a sequence.

  Clips a variable u to

      |u| <= gamma^(1/time)

  so that |u|^time, by which an IndRNN with ReLU multiplies a state and its
  gradient from the first step to the last, is gamma at most. Used as the
  `recurrent_constraint` of a cell or layer. Keras applies it after each update.

  It is `tf_contrib_rnn.RecurrentBound`, which says what it does for the other
  cells, with a configuration and on any of Keras's backends. Files name it
  `tf_contrib_rnn>RecurrentBound`: import `tf_contrib_rnn.keras` before reading
  them.

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

  A call `bound(u)` takes a variable or tensor of any float dtype and returns a
  tensor of its shape and dtype. The limit is rounded to that dtype.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndRNN, RecurrentBound
  >>> bound = RecurrentBound(time=100)
  >>> bound.get_config()
  {'time': 100, 'gamma': 2.0}
  >>> u = bound(np.array([-3.0, 0.5, 3.0], "float32"))
  >>> [round(float(number), 4) for number in u]
  [-1.007, 0.5, 1.007]
  >>> layer = IndRNN(4, activation="relu", recurrent_constraint=bound)
  """

  def __call__(self, u: Any) -> Any:
    if not IS_KERAS_3:
      return super().__call__(u)
    return keras.ops.clip(u, -self.value, self.value)

  def get_config(self) -> dict:
    """The arguments with which one like this is made."""
    return {"time": self.time, "gamma": self.gamma}


def for_keras(constraint: Any) -> Any:
  """A constraint as a Keras cell is to have it.

  Args:
    constraint: what the cell was given.

  Returns:
    For a `tf_contrib_rnn.RecurrentBound`, which neither can be saved nor runs
    on other backends, the same of this module. Anything else as it is,
    subclasses included: their calls may differ.
  """
  if type(constraint) is bound.RecurrentBound:
    return RecurrentBound(constraint.time, constraint.gamma)
  if not IS_KERAS_3 and isinstance(constraint, dict):
    # Keras 2 looks for what is in a layer of an .h5 file without the package.
    name = keras.utils.get_registered_name(RecurrentBound)
    if constraint.get("registered_name") == name:
      return RecurrentBound.from_config(constraint["config"])
  return constraint
