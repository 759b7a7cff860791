"""The arguments of cells and layers, for type checkers.

A class that takes them by **keywords says so with one of these. At run time
`_signatures` shows the same.
"""

from collections.abc import Mapping
from typing import Any
from typing import Callable
from typing import Optional
from typing import TypedDict


class OfAnyCell(TypedDict, total=False):
  """Beside in_features, hidden_features, rngs and what draws parameters."""

  activation_fn: Callable
  dtype: Optional[Any]
  param_dtype: Any
  carry_init: Optional[Callable]
  promote_dtype: Callable


class OfIndependentCell(OfAnyCell, total=False):
  """Of a cell with a recurrent kernel."""

  kernel_init: Callable
  recurrent_kernel_init: Callable
  bias_init: Callable
  kernel_metadata: Mapping[str, Any]
  recurrent_kernel_metadata: Mapping[str, Any]
  bias_metadata: Mapping[str, Any]


class OfSequences(TypedDict, total=False):
  """What a layer takes beside its cell's arguments."""

  time_major: bool
  return_carry: bool
  reverse: bool
  keep_order: bool
  chunk_steps: Optional[int]


class OfIndRNN(OfIndependentCell, OfSequences, total=False):
  residual: bool


class OfIndyGRU(OfIndependentCell, OfSequences, total=False):
  gate_fn: Callable


class OfIndyLSTM(OfIndependentCell, OfSequences, total=False):
  gate_fn: Callable
  forget_bias_init: Callable


class OfSRU(OfAnyCell, OfSequences, total=False):
  gate_fn: Callable
  kernel_init: Callable
  bias_init: Callable
  kernel_metadata: Mapping[str, Any]
  bias_metadata: Mapping[str, Any]
