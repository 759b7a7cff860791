"""The bound of the IndRNN paper on recurrent weights, as a Keras constraint."""

from typing import Any

from tf_contrib_rnn import bound
from tf_contrib_rnn.keras._family import IS_KERAS_3
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import register


@register
class RecurrentBound(bound.RecurrentBound, keras.constraints.Constraint):
  """Constraint that keeps recurrent weights from exploding along a sequence.

  It clips a variable u to

      |u| <= gamma^(1/time)

  An IndRNN with ReLU multiplies a state and its gradient by up to |u|^time
  between the first and the last step. With the bound, this factor is at most
  gamma. Pass the constraint to a cell or layer as `recurrent_constraint`. Keras
  applies it after each update.

  This class is `tf_contrib_rnn.RecurrentBound` with a configuration, for any of
  Keras's backends. See there for what it does for the other cells. Files name
  it `tf_contrib_rnn>RecurrentBound`. Import `tf_contrib_rnn.keras` before you
  load them.

  A call `bound(u)` takes a variable or tensor of any float dtype and returns a
  tensor of the same shape and dtype. The limit is rounded to that dtype.

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
    """Returns the arguments of the constructor."""
    return {"time": self.time, "gamma": self.gamma}


def for_keras(constraint: Any) -> Any:
  """Returns a constraint that a Keras cell can use.

  Args:
    constraint: The constraint that was passed to the cell.

  Returns:
    For a `tf_contrib_rnn.RecurrentBound`, which cannot be saved and does not
    run on other backends, the class of this module with the same values.
    Anything else unchanged, also subclasses, because their calls may differ.
  """
  if type(constraint) is bound.RecurrentBound:
    return RecurrentBound(constraint.time, constraint.gamma)
  if not IS_KERAS_3 and isinstance(constraint, dict):
    # Keras 2 looks for what is in a layer of an .h5 file without the package.
    name = keras.utils.get_registered_name(RecurrentBound)
    if constraint.get("registered_name") == name:
      return RecurrentBound.from_config(constraint["config"])
  return constraint
