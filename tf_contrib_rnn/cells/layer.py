"""What the cells and layers that create their variables in `build` share."""

from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import plain

_Mixin: Any = object  # what it finds in a layer, a type checker can't


class OwnVariables(_Mixin):
  """A layer that shares variables only if it is asked to.

  In a graph, TensorFlow raises an error for a second layer of the same name
  without reuse. In tf.functions, it would give it the variables of the first.
  """

  def add_weight(self, name: Any, *arguments: Any, **keywords: Any) -> Any:
    """As TensorFlow's; a new variable unless reuse is asked for."""
    make = super().add_weight
    scope: Any = self._scope or tf.compat.v1.get_variable_scope()
    asks_for_reuse = self._reuse is True or scope.reuse is True
    if asks_for_reuse or not ops.executing_eagerly_outside_functions():
      return make(name, *arguments, **keywords)
    with plain.as_first_of_its_name(f"{scope.name}/{name}"):
      return make(name, *arguments, **keywords)


class LayerCell(OwnVariables, core.LayerRNNCell):
  """The base class of this package's LayerRNNCells."""
