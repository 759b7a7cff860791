"""The arguments of cells and layers, for type checkers.

A class that takes them by **keywords says so with one of these. At run time
`_signatures` shows the same.
"""

from typing import Any
from typing import Optional
from typing import TypedDict


class OfAnyLayer(TypedDict, total=False):
  """What every Keras layer takes."""

  name: Optional[str]
  dtype: Any
  trainable: bool


class OfSRUCell(OfAnyLayer, total=False):
  """Beside units, activation and use_bias."""

  kernel_initializer: Any
  bias_initializer: Any
  kernel_regularizer: Any
  bias_regularizer: Any
  kernel_constraint: Any
  bias_constraint: Any
  dropout: float
  seed: Optional[int]


class OfIndRNNCell(OfSRUCell, total=False):
  """Beside units, activation and use_bias: all with recurrent weights."""

  recurrent_initializer: Any
  recurrent_regularizer: Any
  recurrent_constraint: Any
  recurrent_dropout: float


class OfIndyGRUCell(OfIndRNNCell, total=False):
  """Beside units, activation, recurrent_activation and use_bias."""

  reset_after: bool
  implementation: int


class OfIndyLSTMCell(OfIndRNNCell, total=False):
  """Beside units, activation, recurrent_activation and use_bias."""

  unit_forget_bias: bool
  implementation: int


class OfSequences(TypedDict, total=False):
  """What a layer takes beside its cell's arguments."""

  return_sequences: bool
  return_state: bool
  go_backwards: bool
  stateful: bool
  unroll: bool
  zero_output_for_mask: bool
  activity_regularizer: Any


class OfSRU(OfSRUCell, OfSequences, total=False):
  pass


class OfIndRNN(OfIndRNNCell, OfSequences, total=False):
  pass


class OfIndyGRU(OfIndyGRUCell, OfSequences, total=False):
  pass


class OfIndyLSTM(OfIndyLSTMCell, OfSequences, total=False):
  pass
