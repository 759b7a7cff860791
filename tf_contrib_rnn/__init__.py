"""tf.contrib.rnn for TensorFlow 2, with fused ops for element-wise recurrences.

Replace `tf.contrib.rnn` in a TensorFlow 1 program with `tf_contrib_rnn`.
Variables, names, scopes, reuse and checkpoints do not change.

TensorFlow is imported with the first name that needs it. The modules for
other frameworks, such as `tf_contrib_rnn.jax`, do not need TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING

from tf_contrib_rnn.ops.registration import register_ops as _register_ops
from tf_contrib_rnn.version import __version__ as __version__

if TYPE_CHECKING:
  from tf_contrib_rnn import flax as flax
  from tf_contrib_rnn import jax as jax
  from tf_contrib_rnn import keras as keras
  from tf_contrib_rnn import linear as linear
  from tf_contrib_rnn import migrate as migrate
  from tf_contrib_rnn import recurrence as recurrence
  from tf_contrib_rnn.bound import RecurrentBound as RecurrentBound
  from tf_contrib_rnn.cells.block import GRUBlockCell as GRUBlockCell
  from tf_contrib_rnn.cells.block import GRUBlockCellV2 as GRUBlockCellV2
  from tf_contrib_rnn.cells.block import LSTMBlockCell as LSTMBlockCell
  from tf_contrib_rnn.cells.convolutional import (
    Conv1DLSTMCell as Conv1DLSTMCell,
  )
  from tf_contrib_rnn.cells.convolutional import (
    Conv2DLSTMCell as Conv2DLSTMCell,
  )
  from tf_contrib_rnn.cells.convolutional import (
    Conv3DLSTMCell as Conv3DLSTMCell,
  )
  from tf_contrib_rnn.cells.convolutional import ConvLSTMCell as ConvLSTMCell
  from tf_contrib_rnn.cells.frequency import (
    TimeFreqLSTMCell as TimeFreqLSTMCell,
  )
  from tf_contrib_rnn.cells.gated import (
    IntersectionRNNCell as IntersectionRNNCell,
  )
  from tf_contrib_rnn.cells.gated import NASCell as NASCell
  from tf_contrib_rnn.cells.gated import UGRNNCell as UGRNNCell
  from tf_contrib_rnn.cells.grid import (
    BidirectionalGridLSTMCell as BidirectionalGridLSTMCell,
  )
  from tf_contrib_rnn.cells.grid import GridLSTMCell as GridLSTMCell
  from tf_contrib_rnn.cells.independent import IndRNNCell as IndRNNCell
  from tf_contrib_rnn.cells.independent import (
    IndyBasicLSTMCell as IndyBasicLSTMCell,
  )
  from tf_contrib_rnn.cells.independent import IndyGRUCell as IndyGRUCell
  from tf_contrib_rnn.cells.independent import IndyLSTMCell as IndyLSTMCell
  from tf_contrib_rnn.cells.lstm import (
    CoupledInputForgetGateLSTMCell as CoupledInputForgetGateLSTMCell,
  )
  from tf_contrib_rnn.cells.lstm import GLSTMCell as GLSTMCell
  from tf_contrib_rnn.cells.lstm import (
    LayerNormBasicLSTMCell as LayerNormBasicLSTMCell,
  )
  from tf_contrib_rnn.cells.phased import PhasedLSTMCell as PhasedLSTMCell
  from tf_contrib_rnn.cells.simple_recurrent import SRUCell as SRUCell
  from tf_contrib_rnn.core import BasicLSTMCell as BasicLSTMCell
  from tf_contrib_rnn.core import BasicRNNCell as BasicRNNCell
  from tf_contrib_rnn.core import (
    best_effort_input_batch_size as best_effort_input_batch_size,
  )
  from tf_contrib_rnn.core import DeviceWrapper as DeviceWrapper
  from tf_contrib_rnn.core import DropoutWrapper as DropoutWrapper
  from tf_contrib_rnn.core import GRUCell as GRUCell
  from tf_contrib_rnn.core import LayerRNNCell as LayerRNNCell
  from tf_contrib_rnn.core import LSTMCell as LSTMCell
  from tf_contrib_rnn.core import LSTMStateTuple as LSTMStateTuple
  from tf_contrib_rnn.core import MultiRNNCell as MultiRNNCell
  from tf_contrib_rnn.core import ResidualWrapper as ResidualWrapper
  from tf_contrib_rnn.core import RNNCell as RNNCell
  from tf_contrib_rnn.core import (
    static_state_saving_rnn as static_state_saving_rnn,
  )
  from tf_contrib_rnn.core import transpose_batch_time as transpose_batch_time
  from tf_contrib_rnn.fused_rnn.adaptors import FusedRNNCell as FusedRNNCell
  from tf_contrib_rnn.fused_rnn.adaptors import (
    FusedRNNCellAdaptor as FusedRNNCellAdaptor,
  )
  from tf_contrib_rnn.fused_rnn.adaptors import (
    TimeReversedFusedRNN as TimeReversedFusedRNN,
  )
  from tf_contrib_rnn.fused_rnn.block import (
    LSTMBlockFusedCell as LSTMBlockFusedCell,
  )
  from tf_contrib_rnn.fused_rnn.block import (
    LSTMBlockWrapper as LSTMBlockWrapper,
  )
  from tf_contrib_rnn.ops.choice import (
    fused_ops_available as fused_ops_available,
  )
  from tf_contrib_rnn.ops.choice import gradient_in_chunks as gradient_in_chunks
  from tf_contrib_rnn.ops.choice import implementation as implementation
  from tf_contrib_rnn.rnn.dynamic import (
    bidirectional_dynamic_rnn as bidirectional_dynamic_rnn,
  )
  from tf_contrib_rnn.rnn.dynamic import dynamic_rnn as dynamic_rnn
  from tf_contrib_rnn.rnn.stack import (
    stack_bidirectional_dynamic_rnn as stack_bidirectional_dynamic_rnn,
  )
  from tf_contrib_rnn.rnn.stack import (
    stack_bidirectional_rnn as stack_bidirectional_rnn,
  )
  from tf_contrib_rnn.rnn.static import (
    static_bidirectional_rnn as static_bidirectional_rnn,
  )
  from tf_contrib_rnn.rnn.static import static_rnn as static_rnn
  from tf_contrib_rnn.wrappers.attention import (
    AttentionCellWrapper as AttentionCellWrapper,
  )
  from tf_contrib_rnn.wrappers.compiled import (
    CompiledWrapper as CompiledWrapper,
  )
  from tf_contrib_rnn.wrappers.embedding import (
    EmbeddingWrapper as EmbeddingWrapper,
  )
  from tf_contrib_rnn.wrappers.highway import HighwayWrapper as HighwayWrapper
  from tf_contrib_rnn.wrappers.projections import (
    InputProjectionWrapper as InputProjectionWrapper,
  )
  from tf_contrib_rnn.wrappers.projections import (
    OutputProjectionWrapper as OutputProjectionWrapper,
  )

# Where the names are, by module.
_NAMES = {
  "ops.choice": (
    "fused_ops_available",
    "gradient_in_chunks",
    "implementation",
  ),
  "bound": ("RecurrentBound",),
  "cells.block": (
    "GRUBlockCell",
    "GRUBlockCellV2",
    "LSTMBlockCell",
  ),
  "cells.convolutional": (
    "Conv1DLSTMCell",
    "Conv2DLSTMCell",
    "Conv3DLSTMCell",
    "ConvLSTMCell",
  ),
  "cells.frequency": ("TimeFreqLSTMCell",),
  "cells.grid": (
    "BidirectionalGridLSTMCell",
    "GridLSTMCell",
  ),
  "cells.independent": (
    "IndRNNCell",
    "IndyBasicLSTMCell",
    "IndyGRUCell",
    "IndyLSTMCell",
  ),
  "cells.gated": (
    "IntersectionRNNCell",
    "NASCell",
    "UGRNNCell",
  ),
  "cells.lstm": (
    "CoupledInputForgetGateLSTMCell",
    "GLSTMCell",
    "LayerNormBasicLSTMCell",
  ),
  "cells.phased": ("PhasedLSTMCell",),
  "cells.simple_recurrent": ("SRUCell",),
  "core": (
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "LayerRNNCell",
    "MultiRNNCell",
    "RNNCell",
    "ResidualWrapper",
    "best_effort_input_batch_size",
    "static_state_saving_rnn",
    "transpose_batch_time",
  ),
  "fused_rnn.adaptors": (
    "FusedRNNCell",
    "FusedRNNCellAdaptor",
    "TimeReversedFusedRNN",
  ),
  "fused_rnn.block": ("LSTMBlockFusedCell", "LSTMBlockWrapper"),
  "rnn.dynamic": ("bidirectional_dynamic_rnn", "dynamic_rnn"),
  "rnn.stack": ("stack_bidirectional_dynamic_rnn", "stack_bidirectional_rnn"),
  "rnn.static": ("static_bidirectional_rnn", "static_rnn"),
  "wrappers.attention": ("AttentionCellWrapper",),
  "wrappers.compiled": ("CompiledWrapper",),
  "wrappers.embedding": ("EmbeddingWrapper",),
  "wrappers.highway": ("HighwayWrapper",),
  "wrappers.projections": ("InputProjectionWrapper", "OutputProjectionWrapper"),
}
_MODULE_OF = {
  name: f"tf_contrib_rnn.{module}"
  for module, names in _NAMES.items()
  for name in names
}
# The public ones, which come with their first use.
_SUBMODULES = (
  "flax",
  "jax",
  "keras",
  "linear",
  "migrate",
  "recurrence",
)

__all__ = ["__version__", *sorted(_MODULE_OF)]


def _find(name):
  """A name or a submodule, which is imported now."""
  if name in _MODULE_OF:
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value
  if name in _SUBMODULES:
    try:
      return importlib.import_module(f"tf_contrib_rnn.{name}")
    except ModuleNotFoundError as error:
      raise AttributeError(
        f"tf_contrib_rnn.{name} can't be imported: {error}"
      ) from error
  raise AttributeError(f"module 'tf_contrib_rnn' has no attribute '{name}'")


if not TYPE_CHECKING:  # a type checker would take every name for known
  __getattr__ = _find


def __dir__():
  return sorted({*__all__, *_SUBMODULES})


_register_ops()
