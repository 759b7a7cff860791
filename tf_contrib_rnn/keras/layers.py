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
from tf_contrib_rnn.keras._family import ops
from tf_contrib_rnn.keras._family import register
from tf_contrib_rnn.keras._family import RNN
from tf_contrib_rnn.keras._family import RUNS_TENSORFLOW
from tf_contrib_rnn.keras._family import sizes

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
  """The arguments that each layer takes besides those of its cell."""


def _fit_states(states, sequences, cell):
  """Initial states for each sequence, if they fit a cell, in Keras's order."""
  kind = cell.kind
  names = (kind.states if kind.carries_output else kind.states[:-1])[::-1]
  if len(states) != len(names):
    raise ValueError(
      f"initial_state has length {len(states)}, expected {len(names)}: "
      f"{' and '.join(names)}, each [batch, {cell.units}]"
    )
  batch = sizes(sequences)[0]
  for state, name in zip(states, names):
    shape = sizes(state)
    fits = len(shape) == 2 and shape[1] in (None, cell.units)
    if not fits or (batch and shape[0] not in (None, 1, batch)):
      raise ValueError(
        f"initial_state has {name} of shape {shape}, expected "
        f"{(batch, cell.units)}, the batch of the sequences and the units"
      )
  if batch == 1:
    return states
  # One state for all sequences, as Keras's loop takes it in eager mode.
  shape = (ops.shape(sequences)[0], cell.units)
  return [
    ops.broadcast_to(state, shape) if sizes(state)[0] in (None, 1) else state
    for state in states
  ]


class _IndependentRNN(RNN):
  """A layer that takes the arguments of its cell and those of Keras's RNN.

  Attributes:
    cell_class: The class of the cell.
    cell_name: The name of the cell in the names of weights.
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

  else:

    def __call__(self, *arguments, **keywords):
      if "sequence_length" in keywords:
        raise TypeError(
          "sequence_length is not an argument of a Keras layer, expected mask, "
          "such as tf.sequence_mask(sequence_length, time)"
        )
      return super().__call__(*arguments, **keywords)

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
    initial_state = _fit_states(initial_state, sequences, self.cell)
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
  """IndRNN layer: an `IndRNNCell` over whole sequences.

  At each step, the layer computes:

      output = h' = act(x W + u h + b)

  See `IndRNNCell` for the shapes and the weights.

  On TensorFlow, all steps run as one matrix product and one op if all of these
  hold:

  - The activation is tanh, sigmoid, relu, linear, elu or softsign.
  - There is no recurrent dropout.
  - The layer is not unrolled and not compiled by XLA.
  - There is no mask for each unit, [batch, time, units]. Other masks make no
    difference.

  Otherwise the layer is composed of Keras's operations, with the same results.
  `tf_contrib_rnn.implementation` chooses between the two.

  Source: see `IndRNNCell`. The arguments are those of `keras.layers.SimpleRNN`.

  Args:
    units: Int, the number of units.
    activation: act: a function of a tensor or its Keras name. None is linear.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    recurrent_initializer: Initializer of u. The default, None, is uniform in
      [-1, 1), as in tf.contrib.rnn. Keras's "orthogonal" does not work for a
      vector.
    bias_initializer: Initializer of b.
    kernel_regularizer: Optional regularizer of W.
    recurrent_regularizer: Optional regularizer of u.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    recurrent_constraint: Optional constraint of u, such as a `RecurrentBound`.
      With "relu", states can overflow without it. See docs/adding_problem.md.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
    recurrent_dropout: Float in [0, 1], the fraction of the state to drop in
      training. The same units are dropped at every step.
    seed: Optional int, the seed of the dropout.
    return_sequences: Bool, whether to return the outputs of all steps instead
      of the last output.
    return_state: Bool, whether to return the final states as well.
    go_backwards: Bool, whether to run from the last step to the first. Outputs
      are in the order of computation.
    stateful: Bool, whether each batch starts with the final states of the
      previous batch.
    unroll: Bool, whether to build each step on its own instead of a loop.
    zero_output_for_mask: Bool, whether outputs of masked steps are zeros. If it
      is false, they repeat the previous output.
    activity_regularizer: Optional regularizer of the output.
    name: Optional str, the name of the layer.
    dtype: Optional dtype or dtype policy of the layer.
    trainable: Bool, whether the weights are trained.

  Raises:
    ValueError: If `units` is not a whole number of 1 or more, if Keras does not
      know an activation, initializer, regularizer or constraint, or if the
      number of features is unknown when the layer is built.
    TypeError: If neither Keras nor the cell knows an argument.

  Call arguments:
    - `sequences`: Tensor [batch, time, features].
    - `initial_state`: Optional list of states: h [batch, units].
    - `mask`: Optional bool tensor [batch, time]. Steps that are false are
      skipped.
    - `training`: Optional bool, whether to apply dropout.

  A call returns the last output [batch, units], or all outputs [batch, time,
  units] if `return_sequences` is true. If `return_state` is true, it returns a
  tuple or list of that and the final states.

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
  """IndyGRU layer: an `IndyGRUCell` over whole sequences.

  At each step, the layer computes:

      z = rec(x W_z + u_z h + b_z)
      r = rec(x W_r + u_r h + b_r)
      c = act(x W_h + u_h (r h) + b_h)
      output = h' = z h + (1 - z) c

  See `IndyGRUCell` for the shapes and the weights.

  On TensorFlow, all steps run as one matrix product and one op if all of these
  hold:

  - The activation is tanh, sigmoid, relu, linear, elu or softsign.
  - `recurrent_activation` is sigmoid.
  - There is no recurrent dropout.
  - The layer is not unrolled and not compiled by XLA.
  - There is no mask for each unit, [batch, time, units]. Other masks make no
    difference.

  Otherwise the layer is composed of Keras's operations, with the same results.
  `tf_contrib_rnn.implementation` chooses between the two.

  Source: see `IndyGRUCell`. The arguments are those of `keras.layers.GRU`.

  Args:
    units: Int, the number of units.
    activation: act, for the candidate: a function of a tensor or its Keras
      name. None is linear.
    recurrent_activation: rec, for the gates: a function or its Keras name.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    recurrent_initializer: Initializer of u. The default, None, is uniform in
      [-1, 1), as in tf.contrib.rnn. Keras's "orthogonal" does not work for a
      vector.
    bias_initializer: Initializer of b.
    kernel_regularizer: Optional regularizer of W.
    recurrent_regularizer: Optional regularizer of u.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    recurrent_constraint: Optional constraint of u, such as a `RecurrentBound`.
      With "relu", states can overflow without it. See docs/adding_problem.md.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
    recurrent_dropout: Float in [0, 1], the fraction of the state to drop in
      training. The same units are dropped at every step.
    reset_after: Bool, see `IndyGRUCell`. Default: False, unlike in Keras's
      GRUCell, because the weights of tf.contrib.rnn mean this.
    seed: Optional int, the seed of the dropout.
    return_sequences: Bool, whether to return the outputs of all steps instead
      of the last output.
    return_state: Bool, whether to return the final states as well.
    go_backwards: Bool, whether to run from the last step to the first. Outputs
      are in the order of computation.
    stateful: Bool, whether each batch starts with the final states of the
      previous batch.
    unroll: Bool, whether to build each step on its own instead of a loop.
    zero_output_for_mask: Bool, whether outputs of masked steps are zeros. If it
      is false, they repeat the previous output.
    activity_regularizer: Optional regularizer of the output.
    name: Optional str, the name of the layer.
    dtype: Optional dtype or dtype policy of the layer.
    trainable: Bool, whether the weights are trained.

  Raises:
    ValueError: If `units` is not a whole number of 1 or more, if Keras does not
      know an activation, initializer, regularizer or constraint, or if the
      number of features is unknown when the layer is built.
    TypeError: If neither Keras nor the cell knows an argument.

  Call arguments:
    - `sequences`: Tensor [batch, time, features].
    - `initial_state`: Optional list of states: h [batch, units].
    - `mask`: Optional bool tensor [batch, time]. Steps that are false are
      skipped.
    - `training`: Optional bool, whether to apply dropout.

  A call returns the last output [batch, units], or all outputs [batch, time,
  units] if `return_sequences` is true. If `return_state` is true, it returns a
  tuple or list of that and the final states.

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
  """IndyLSTM layer: an `IndyLSTMCell` over whole sequences.

  At each step, the layer computes:

      i = rec(x W_i + u_i h + b_i)
      f = rec(x W_f + u_f h + b_f)
      j = act(x W_c + u_c h + b_c)
      o = rec(x W_o + u_o h + b_o)
      c' = f c + i j
      output = h' = o act(c')

  See `IndyLSTMCell` for the shapes and the weights.

  On TensorFlow, all steps run as one matrix product and one op if all of these
  hold:

  - The activation is tanh, sigmoid, relu, linear, elu or softsign.
  - `recurrent_activation` is sigmoid.
  - There is no recurrent dropout.
  - The layer is not unrolled and not compiled by XLA.
  - There is no mask for each unit, [batch, time, units]. Other masks make no
    difference.

  Otherwise the layer is composed of Keras's operations, with the same results.
  `tf_contrib_rnn.implementation` chooses between the two.

  Source: see `IndyLSTMCell`. The arguments are those of `keras.layers.LSTM`.

  Args:
    units: Int, the number of units.
    activation: act, for the candidate j and for c': a function of a tensor or
      its Keras name. None is linear.
    recurrent_activation: rec, for the gates: a function or its Keras name.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    recurrent_initializer: Initializer of u. The default, None, is uniform in
      [-1, 1), as in tf.contrib.rnn. Keras's "orthogonal" does not work for a
      vector.
    bias_initializer: Initializer of b.
    unit_forget_bias: Bool, whether b_f starts as ones, whatever the
      initializer.
    kernel_regularizer: Optional regularizer of W.
    recurrent_regularizer: Optional regularizer of u.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    recurrent_constraint: Optional constraint of u, such as a `RecurrentBound`.
      With "relu", states can overflow without it. See docs/adding_problem.md.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
    recurrent_dropout: Float in [0, 1], the fraction of the state to drop in
      training. The same units are dropped at every step.
    seed: Optional int, the seed of the dropout.
    return_sequences: Bool, whether to return the outputs of all steps instead
      of the last output.
    return_state: Bool, whether to return the final states as well.
    go_backwards: Bool, whether to run from the last step to the first. Outputs
      are in the order of computation.
    stateful: Bool, whether each batch starts with the final states of the
      previous batch.
    unroll: Bool, whether to build each step on its own instead of a loop.
    zero_output_for_mask: Bool, whether outputs of masked steps are zeros. If it
      is false, they repeat the previous output.
    activity_regularizer: Optional regularizer of the output.
    name: Optional str, the name of the layer.
    dtype: Optional dtype or dtype policy of the layer.
    trainable: Bool, whether the weights are trained.

  Raises:
    ValueError: If `units` is not a whole number of 1 or more, if Keras does not
      know an activation, initializer, regularizer or constraint, or if the
      number of features is unknown when the layer is built.
    TypeError: If neither Keras nor the cell knows an argument.

  Call arguments:
    - `sequences`: Tensor [batch, time, features].
    - `initial_state`: Optional list of states: h and c, each
      [batch, units].
    - `mask`: Optional bool tensor [batch, time]. Steps that are false are
      skipped.
    - `training`: Optional bool, whether to apply dropout.

  A call returns the last output [batch, units], or all outputs [batch, time,
  units] if `return_sequences` is true. If `return_state` is true, it returns a
  tuple or list of that and the final states.

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
  """SRU layer: an `SRUCell` over whole sequences.

  At each step, the layer computes:

      s, f, r, t = split(x W, 4)
      f, r = sigmoid(f + b_f), sigmoid(r + b_r)
      c' = f c + (1 - f) s
      output = r act(c') + (1 - r) t

  See `SRUCell` for the shapes and the weights. The state is c, which is not
  the output.

  On TensorFlow, all steps run as one matrix product and one op if all of these
  hold:

  - The activation is tanh, sigmoid, relu, linear, elu or softsign.
  - The layer is not unrolled and not compiled by XLA.
  - There is no mask for each unit, [batch, time, units]. Other masks make no
    difference.

  Otherwise the layer is composed of Keras's operations, with the same results.
  `tf_contrib_rnn.implementation` chooses between the two.

  Source: see `SRUCell`. Keras has no such layer.

  Args:
    units: Int, the number of units.
    activation: act: a function of a tensor or its Keras name. None is linear.
    use_bias: Bool, whether there is a bias.
    kernel_initializer: Initializer of W.
    bias_initializer: Initializer of b.
    kernel_regularizer: Optional regularizer of W.
    bias_regularizer: Optional regularizer of b.
    kernel_constraint: Optional constraint of W.
    bias_constraint: Optional constraint of b.
    dropout: Float in [0, 1], the fraction of the inputs to drop in training.
      The same inputs are dropped at every step.
    seed: Optional int, the seed of the dropout.
    return_sequences: Bool, whether to return the outputs of all steps instead
      of the last output.
    return_state: Bool, whether to return the final states as well.
    go_backwards: Bool, whether to run from the last step to the first. Outputs
      are in the order of computation.
    stateful: Bool, whether each batch starts with the final states of the
      previous batch.
    unroll: Bool, whether to build each step on its own instead of a loop.
    zero_output_for_mask: Bool, whether outputs of masked steps are zeros. If it
      is false, they repeat the previous output.
    activity_regularizer: Optional regularizer of the output.
    name: Optional str, the name of the layer.
    dtype: Optional dtype or dtype policy of the layer.
    trainable: Bool, whether the weights are trained.

  Raises:
    ValueError: If `units` is not a whole number of 1 or more, if Keras does not
      know an activation, initializer, regularizer or constraint, or if the
      number of features is unknown when the layer is built.
    TypeError: If neither Keras nor the cell knows an argument.

  Call arguments:
    - `sequences`: Tensor [batch, time, features].
    - `initial_state`: Optional list of states: c [batch, units].
    - `mask`: Optional bool tensor [batch, time]. Steps that are false are
      skipped.
    - `training`: Optional bool, whether to apply dropout.

  A call returns the last output [batch, units], or all outputs [batch, time,
  units] if `return_sequences` is true. If `return_state` is true, it returns a
  tuple or list of that and the final states.

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
