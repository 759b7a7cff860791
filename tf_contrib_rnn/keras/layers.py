"""Independently recurrent layers for Keras, over whole sequences."""

import inspect
from typing import Any
from typing import Optional
from typing import TYPE_CHECKING

from tf_contrib_rnn import _signatures
from tf_contrib_rnn.keras import cells
from tf_contrib_rnn.keras import sru
from tf_contrib_rnn.keras import weights
from tf_contrib_rnn.keras._family import IS_KERAS_3
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import register
from tf_contrib_rnn.keras._family import RNN
from tf_contrib_rnn.keras._family import RUNS_TENSORFLOW

if RUNS_TENSORFLOW:
  from tf_contrib_rnn.keras import _lite
  from tf_contrib_rnn.keras import _whole

if TYPE_CHECKING:
  from typing_extensions import Unpack

  from tf_contrib_rnn.keras import _arguments


def _of_cell(name: str) -> property:
  return property(lambda layer: getattr(layer.cell, name))


def _arguments_of_sequences(
  *,
  return_sequences: bool = False,
  return_state: bool = False,
  go_backwards: bool = False,
  stateful: bool = False,
  unroll: bool = False,
  zero_output_for_mask: bool = False,
  activity_regularizer: Any = None,
  name: Optional[str] = None,
  dtype: Any = None,
  trainable: bool = True,
) -> None:
  """What each layer takes beside its cell's arguments: for its signature."""


class _IndependentRNN(RNN):
  """A layer that takes what its cell takes, and what Keras's RNN takes.

  Attributes:
    cell_class: the class of the cell.
    cell_name: what the cell is called in the names of weights.
  """

  cell: Any
  units: int
  use_bias: bool
  activation: Any
  dropout: float
  seed: Optional[int]

  load_contrib_variables = weights.load_contrib_variables
  contrib_variables = weights.contrib_variables

  if TYPE_CHECKING:

    def __call__(
      self,
      sequences: Any,
      initial_state: Any = None,
      mask: Any = None,
      training: Optional[bool] = None,
      **keywords: Any,
    ) -> Any: ...

  def __init_subclass__(cls, **keywords):
    super().__init_subclass__(**keywords)
    names = [*inspect.signature(cls.cell_class).parameters]
    cls._names_of_cell = [name for name in names if name != "keywords"]
    for name in cls._names_of_cell:
      setattr(cls, name, _of_cell(name))

  def __init__(self, units: int, **keywords):
    names = {*self._names_of_cell, "implementation"}
    of_cell = {name: keywords.pop(name) for name in names & {*keywords}}
    cell = self.cell_class(
      units,
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
    if RUNS_TENSORFLOW and _lite.can_mark(
      self, sequences, initial_state, mask, training
    ):
      return _lite.run(self, sequences)
    if RUNS_TENSORFLOW and _whole.can_run(self, mask):
      return _whole.run(self, sequences, initial_state, mask, training)
    projected = self.cell.project(sequences, training)
    states = self.cell.with_output(initial_state)
    with self.cell.takes_projected_inputs():
      last, outputs, states = super().inner_loop(
        projected, states, mask, training
      )
    return last, outputs, list(states)[-len(initial_state) :]

  def get_config(self) -> dict:
    """The arguments with which a layer like this one is made."""
    of_cell = self.cell.get_config()
    names = {*self._names_of_cell, "implementation"} & {*of_cell}
    of_layer = super().get_config()
    del of_layer["cell"]
    return {
      **{name: of_cell[name] for name in names},
      "activity_regularizer": keras.regularizers.serialize(
        self.activity_regularizer
      ),
      **of_layer,
    }

  @classmethod
  def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
    """A layer made with the arguments that `get_config` gave."""
    del custom_objects  # Keras has put them into its registry by now
    return cls(**config)


@register
class IndRNN(_IndependentRNN):
  """Independently Recurrent Neural Network (IndRNN) over sequences.

  At each step: h' = act(x W + u h + b), as `IndRNNCell` says.

  On TensorFlow, the whole sequence is one matrix product and one op, if the
  activation is tanh, sigmoid, relu, linear, elu or softsign, there is no
  recurrent dropout, and nothing is unrolled or compiled by XLA. Anything else
  is composed of Keras's operations, with the same results: see
  `tf_contrib_rnn.implementation`. Masks make no difference to that.

  Source: as of `IndRNNCell`; the arguments are those of
  `keras.layers.SimpleRNN`.

  Args:
    units: int, the number of units.
    activation, use_bias, and what else `IndRNNCell` takes: as there.
    return_sequences: bool, whether to return the outputs of all steps, not the
      last alone.
    return_state: bool, whether to return the final states as well.
    go_backwards: bool, whether to run from the last step to the first. Outputs
      come in the order of computing.
    stateful: bool, whether each batch starts with the states in which the last
      one ended.
    unroll: bool, whether to build each step on its own instead of a loop.
    zero_output_for_mask: bool, whether outputs of masked steps are zeros, not
      those of the step before.
    activity_regularizer, name, dtype, trainable: as of `keras.layers.Layer`.

  Raises:
    ValueError: as `IndRNNCell`.
    TypeError: for an argument that neither Keras nor the cell knows.

  A call `layer(sequences, initial_state=None, mask=None, training=None)` takes
  sequences [batch, time, features], a list of states [batch, units] and a mask
  [batch, time], false for steps to be skipped. It returns [batch, units], or
  with `return_sequences` [batch, time, units]; with `return_state` a tuple or
  list of that and the final states.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndRNN
  >>> layer = IndRNN(4, activation="relu", return_sequences=True)
  >>> tuple(layer(np.ones([2, 5, 3], "float32")).shape)
  (2, 5, 4)
  """

  cell_class = cells.IndRNNCell
  cell_name = "ind_rnn_cell"

  @_signatures.with_arguments_of(cells.IndRNNCell, _arguments_of_sequences)
  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    use_bias: bool = True,
    **keywords: "Unpack[_arguments.OfIndRNN]",
  ):
    super().__init__(
      units,
      activation=activation,
      use_bias=use_bias,
      **keywords,
    )


@register
class IndyGRU(_IndependentRNN):
  """Independently Gated Recurrent Units over sequences.

  At each step, with gates z and r, as `IndyGRUCell` says:

      c = act(x W_h + u_h (r h) + b_h)
      h' = z h + (1 - z) c

  What runs as one op is as of `IndRNN`; besides, `recurrent_activation` has to
  be sigmoid.

  Source: as of `IndyGRUCell`; the arguments are those of `keras.layers.GRU`.

  Args:
    units: as of `IndRNN`, like all others but those that only `IndyGRUCell`
      takes.

  Raises:
    ValueError, TypeError: as `IndRNN`, whose calls take and return the same.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndyGRU
  >>> layer = IndyGRU(4, return_state=True)
  >>> mask = np.array([[True, True, False], [True, False, False]])
  >>> output, state = layer(np.ones([2, 3, 8], "float32"), mask=mask)
  >>> bool(np.all(np.array(output) == np.array(state)))
  True
  """

  cell_class = cells.IndyGRUCell
  cell_name = "indy_gru_cell"

  @_signatures.with_arguments_of(cells.IndyGRUCell, _arguments_of_sequences)
  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    use_bias: bool = True,
    **keywords: "Unpack[_arguments.OfIndyGRU]",
  ):
    super().__init__(
      units,
      activation=activation,
      recurrent_activation=recurrent_activation,
      use_bias=use_bias,
      **keywords,
    )


@register
class IndyLSTM(_IndependentRNN):
  """Independently Recurrent Long Short-Term Memory over sequences.

  At each step, with gates i, f and o, as `IndyLSTMCell` says:

      c' = f c + i act(x W_c + u_c h + b_c)
      h' = o act(c')

  What runs as one op is as of `IndRNN`; besides, `recurrent_activation` has to
  be sigmoid.

  Source: as of `IndyLSTMCell`; the arguments are those of `keras.layers.LSTM`.

  Args:
    units: as of `IndRNN`, like all others but those that only `IndyLSTMCell`
      takes.

  Raises:
    ValueError, TypeError: as `IndRNN`, whose calls take and return the same,
      with the states h and c.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import IndyLSTM
  >>> layer = IndyLSTM(4, return_sequences=True, return_state=True)
  >>> outputs, h, c = layer(np.ones([2, 5, 3], "float32"))
  >>> tuple(outputs.shape), tuple(h.shape), tuple(c.shape)
  ((2, 5, 4), (2, 4), (2, 4))
  """

  cell_class = cells.IndyLSTMCell
  cell_name = "indy_lstm_cell"

  @_signatures.with_arguments_of(cells.IndyLSTMCell, _arguments_of_sequences)
  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    use_bias: bool = True,
    **keywords: "Unpack[_arguments.OfIndyLSTM]",
  ):
    super().__init__(
      units,
      activation=activation,
      recurrent_activation=recurrent_activation,
      use_bias=use_bias,
      **keywords,
    )


@register
class SRU(_IndependentRNN):
  """Simple Recurrent Units over sequences.

  At each step, with s, f, r, t from the inputs alone, as `SRUCell` says:

      c' = f c + (1 - f) s
      output = r act(c') + (1 - r) t

  What runs as one op is as of `IndRNN`.

  Source: as of `SRUCell`.

  Args:
    units: as of `SRUCell`, like all that it takes; what else there is, is as of
      `IndRNN`.

  Raises:
    ValueError, TypeError: as `IndRNN`, whose calls take and return the same:
      the state is c, which the output is not.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn.keras import SRU
  >>> layer = SRU(4, return_state=True)
  >>> mask = np.array([[True, True, False], [True, False, False]])
  >>> output, c = layer(np.ones([2, 3, 8], "float32"), mask=mask)
  >>> tuple(output.shape), tuple(c.shape)
  ((2, 4), (2, 4))
  """

  cell_class = sru.SRUCell
  cell_name = "sru_cell"

  @_signatures.with_arguments_of(sru.SRUCell, _arguments_of_sequences)
  def __init__(
    self,
    units: int,
    activation: Any = "tanh",
    use_bias: bool = True,
    **keywords: "Unpack[_arguments.OfSRU]",
  ):
    super().__init__(
      units,
      activation=activation,
      use_bias=use_bias,
      **keywords,
    )
