"""Independently recurrent layers for Keras, over whole sequences."""

import inspect
from typing import Any

from tf_contrib_rnn.keras import cells
from tf_contrib_rnn.keras._family import IS_KERAS_3
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import RNN
from tf_contrib_rnn.keras._family import RUNS_TENSORFLOW

if RUNS_TENSORFLOW:
  from tf_contrib_rnn.keras import _whole

_register = keras.utils.register_keras_serializable("tf_contrib_rnn")


def _of_cell(name: str) -> property:
  return property(lambda layer: getattr(layer.cell, name))


class _IndependentRNN(RNN):
  """A layer that takes what its cell takes, and what Keras's RNN takes.

  Attributes:
    cell_class: the class of the cell.
    cell_name: what the cell is called in the names of weights.
  """

  def __init_subclass__(cls, **keywords):
    super().__init_subclass__(**keywords)
    names = [*inspect.signature(cls.cell_class).parameters]
    cls._names_of_cell = [name for name in names if name != "keywords"]
    for name in cls._names_of_cell:
      setattr(cls, name, _of_cell(name))

  def __init__(self, units: int, *arguments, **keywords):
    names = {*self._names_of_cell, "implementation"}
    of_cell = {name: keywords.pop(name) for name in names & {*keywords}}
    cell = self.cell_class(
      units,
      *arguments,
      **of_cell,
      name=self.cell_name,
      dtype=keywords.get("dtype"),
      trainable=keywords.get("trainable", True),
    )
    super().__init__(cell, **keywords)
    three = keras.layers.InputSpec(ndim=3)
    self.input_spec = three if IS_KERAS_3 else [three]

  def inner_loop(
    self, sequences: Any, initial_state: Any, mask: Any, training: Any = None
  ) -> tuple:
    """Runs the cell along time: (last output, outputs, final states).

    This is where Keras lets a layer replace the loop. All products with the
    kernel are made before it, whether one op or Keras runs the rest.
    """
    if isinstance(mask, (list, tuple)):  # of the sequences and of the state
      mask = mask[0]
    if RUNS_TENSORFLOW and _whole.can_run(self):
      return _whole.run(self, sequences, initial_state, mask, training)
    projected = self.cell.project(sequences, training)
    with self.cell.takes_projected_inputs():
      return super().inner_loop(projected, initial_state, mask, training)

  def get_config(self) -> dict:
    """The arguments with which a layer like this one is made."""
    config = super().get_config()
    del config["cell"]
    names = {*self._names_of_cell, "implementation"}
    of_cell = self.cell.get_config()
    return {**{name: of_cell[name] for name in names & {*of_cell}}, **config}

  @classmethod
  def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
    """A layer made with the arguments that `get_config` gave."""
    del custom_objects  # Keras has put them into its registry by now
    return cls(**config)


@_register
class IndRNN(_IndependentRNN):
  cell_class = cells.IndRNNCell
  cell_name = "ind_rnn_cell"


@_register
class IndyGRU(_IndependentRNN):
  cell_class = cells.IndyGRUCell
  cell_name = "indy_gru_cell"


@_register
class IndyLSTM(_IndependentRNN):
  cell_class = cells.IndyLSTMCell
  cell_name = "indy_lstm_cell"
