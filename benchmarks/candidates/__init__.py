"""The candidates: what is measured, and where it is built.

A module is imported in a process of its own, so that no framework sees another.
Its `build(name, problem)` returns `Calls`.
"""

import dataclasses
import importlib
from typing import Any
from typing import Callable

from problems import CELLS
from problems import INDY_CELLS


@dataclasses.dataclass(frozen=True)
class Calls:
  """What is timed. Nothing is copied to Python, except by `results`.

  Attributes:
    forward: computes the outputs.
    train: computes the outputs and the gradients of the inputs and of all
      weights, given those of the outputs.
    results: returns outputs and the inputs' gradients, [batch, time, ...];
      None where the function is not the Indy cell's.
    close: frees what the calls hold.
  """

  forward: Callable[[], Any]
  train: Callable[[], Any]
  results: Any = None
  close: Callable[[], None] = lambda: None


@dataclasses.dataclass(frozen=True)
class Candidate:
  """A way to run a layer.

  Attributes:
    label: what tables and charts call it.
    module: where it is built.
    note: how it is run, for the document.
    cells: the cells that it has.
    is_same: whether it computes the Indy cell's function.
    is_own: whether it is this project's.
    is_floor: whether it is but the matrix products.
    is_layer: whether it is one layer, to be compared with the others.
  """

  label: str
  module: str
  note: str
  cells: tuple[str, ...] = CELLS
  is_same: bool = True
  is_own: bool = False
  is_floor: bool = False
  is_layer: bool = True


CANDIDATES = {
  "floor": Candidate(
    "floor: MatMul alone",
    "sessions",
    "forward x W; in training x W, dy Wᵀ and xᵀ dy",
    is_same=False,
    is_floor=True,
  ),
  "whole": Candidate(
    "this project, whole sequence",
    "sessions",
    "`tf_contrib_rnn.dynamic_rnn`",
    is_own=True,
  ),
  "stepwise": Candidate(
    "this project, stepwise",
    "sessions",
    "`tf.nn.dynamic_rnn`, the fused step op",
    is_own=True,
  ),
  "keras_indy": Candidate(
    "this project, Keras layer",
    "functions",
    "`tf_contrib_rnn.keras` layers in a `tf.function`",
    is_own=True,
  ),
  "keras_model": Candidate(
    "this project, Keras model",
    "models",
    "two `tf_contrib_rnn.keras` layers and a Dense, in a `tf.function`; "
    "training includes Adam's step",
    is_own=True,
    is_same=False,
    is_layer=False,
  ),
  "composition": Candidate(
    "composition",
    "sessions",
    "`tf.nn.dynamic_rnn`, the cell composed of TensorFlow's ops",
  ),
  "xla": Candidate(
    "composition, XLA",
    "functions",
    "the composition under `tf.function(jit_compile=True)`",
  ),
  "jax_floor": Candidate(
    "floor: jax's dots alone",
    "jax_layers",
    "as the floor above, in JAX and jitted",
    is_same=False,
    is_floor=True,
  ),
  "jax_ffi": Candidate(
    "this project, JAX",
    "jax_layers",
    "one product x W, then `tf_contrib_rnn.jax`, jitted; time-major",
    is_own=True,
  ),
  "lax_scan": Candidate(
    "jax, lax.scan",
    "jax_layers",
    "one product x W, then a jitted `lax.scan` of the same cell; time-major",
  ),
  "keras": Candidate(
    "tf.keras.layers",
    "functions",
    "SimpleRNN, GRU, LSTM in a `tf.function`; with recurrent matrices",
    cells=INDY_CELLS,
    is_same=False,
  ),
  "block_lstm": Candidate(
    "BlockLSTMV2",
    "sessions",
    "`tf.raw_ops.BlockLSTMV2`; with recurrent matrices; time-major",
    cells=("IndyLSTM",),
    is_same=False,
  ),
  "torch": Candidate(
    "torch.nn",
    "pytorch",
    "RNN, GRU, LSTM; with recurrent matrices",
    cells=INDY_CELLS,
    is_same=False,
  ),
}


def build(name, problem) -> Calls:
  module = importlib.import_module(f"candidates.{CANDIDATES[name].module}")
  return module.build(name, problem)
