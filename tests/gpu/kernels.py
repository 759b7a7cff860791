"""The kernels without TensorFlow: those of build_kernels.py, from PyTorch.

Loading them needs no PyTorch.
"""

from __future__ import annotations

import ctypes
import dataclasses
import pathlib
import sys

from build_kernels import build
from build_kernels import BuildError
from build_kernels import NUMBERS
from build_kernels import ROOT

try:
  import torch
except ImportError:
  torch = None

CELLS = ("IndRNN", "IndyGRU", "IndyLSTM", "SRU")  # as CellKind has them
GATES = {"IndRNN": 1, "IndyGRU": 3, "IndyLSTM": 4, "SRU": 4}
STATES = {"IndRNN": 1, "IndyGRU": 1, "IndyLSTM": 2, "SRU": 2}
GATE_ORDERS = ("contrib", "keras")
ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity", "elu", "softsign")
WHERE = {"cpu": 0, "gpu": 1, "gpu_on_host": 2}

# The structures of recurrence.h.


class _Options(ctypes.Structure):
  _fields_ = [
    ("cell", ctypes.c_int),
    ("activation", ctypes.c_int),
    ("forget_bias", ctypes.c_double),
    ("gate_order", ctypes.c_int),
    ("has_recurrent_bias", ctypes.c_bool),
  ]


class _Sequences(ctypes.Structure):
  _fields_ = [
    ("time", ctypes.c_int64),
    ("batch", ctypes.c_int64),
    ("units", ctypes.c_int64),
    ("time_major", ctypes.c_bool),
    ("reverse", ctypes.c_bool),
    ("sequence_length", ctypes.c_void_p),
    ("shared_inputs", ctypes.c_bool),
    ("shared_initial_state", ctypes.c_bool * 2),
  ]


_Pair = ctypes.c_void_p * 2


class _ForwardTensors(ctypes.Structure):
  _fields_ = [
    ("inputs", ctypes.c_void_p),
    ("recurrent_kernel", ctypes.c_void_p),
    ("bias", ctypes.c_void_p),
    ("initial_state", _Pair),
    ("sequence", _Pair),
    ("final_state", _Pair),
  ]


class _GradientTensors(ctypes.Structure):
  _fields_ = [
    ("inputs", ctypes.c_void_p),
    ("recurrent_kernel", ctypes.c_void_p),
    ("bias", ctypes.c_void_p),
    ("initial_state", _Pair),
    ("sequence", _Pair),
    ("sequence_gradient", _Pair),
    ("final_state_gradient", _Pair),
    ("inputs_gradient", ctypes.c_void_p),
    ("recurrent_kernel_gradient", ctypes.c_void_p),
    ("bias_gradient", ctypes.c_void_p),
    ("initial_state_gradient", _Pair),
    ("scratch", ctypes.c_void_p),
  ]


def _pointer(tensor: torch.Tensor | None) -> int | None:
  return None if tensor is None else tensor.data_ptr()


def _pair(tensors) -> _Pair:
  return _Pair(*[_pointer(t) for t in tensors])


@dataclasses.dataclass(frozen=True)
class Call:
  """A cell and what it is run on; states are in the order c, h.

  Attributes:
    cell: one of CELLS.
    inputs: [batch, time, gates * units], or [time, batch, ...] if time_major;
      one row of them, for a step (time 1), serves the batch of the states.
    recurrent_kernel: [gates * units].
    bias: [gates * units], or [2, gates * units].
    initial_state: for each state [batch, units]; [1, units] serves all.
    sequence_length: int32 [batch], or None.
  """

  cell: str
  inputs: torch.Tensor
  recurrent_kernel: torch.Tensor
  bias: torch.Tensor
  initial_state: tuple[torch.Tensor, ...]
  activation: str = "tanh"
  forget_bias: float = 1.0
  time_major: bool = False
  reverse: bool = False
  sequence_length: torch.Tensor | None = None
  gate_order: str = "contrib"

  def __post_init__(self):
    width = self.recurrent_kernel.shape[0]
    states = self.initial_state
    tensors = [self.inputs, self.recurrent_kernel, self.bias, *states]
    if len({(t.dtype, t.device) for t in tensors}) != 1:
      raise ValueError("tensors differ in dtype or device")
    if not all(t.is_contiguous() for t in tensors):
      raise ValueError("a tensor is not contiguous")
    rows = {1, self.batch}
    if (
      width % GATES[self.cell]
      or self.inputs.dim() != 3
      or self.inputs.shape[2] != width
      or self.bias.shape not in [(width,), (2, width)]
      or len(states) != STATES[self.cell]
      or any(s.shape[1:] != (self.units,) for s in states)
      or any(s.shape[0] not in rows for s in states)
    ):
      raise ValueError(f"shapes do not fit: {[t.shape for t in tensors]}")
    if self.sequence_length is not None and (
      self.sequence_length.shape != (self.batch,)
      or self.sequence_length.dtype != torch.int32
      or self.sequence_length.device != self.inputs.device
    ):
      raise ValueError("sequence_length: expected int32 [batch] beside inputs")

  @property
  def units(self) -> int:
    return self.recurrent_kernel.shape[0] // GATES[self.cell]

  @property
  def time(self) -> int:
    return self.inputs.shape[0 if self.time_major else 1]

  @property
  def input_rows(self) -> int:
    return self.inputs.shape[1 if self.time_major else 0]

  @property
  def batch(self) -> int:
    if self.input_rows == 1 and self.time == 1:
      return max(state.shape[0] for state in self.initial_state)
    return self.input_rows

  def check(self, name: str, tensor: torch.Tensor | None, shape) -> None:
    """Raises ValueError unless a tensor of this shape is there, or None."""
    like = self.inputs.dtype, self.inputs.device
    if tensor is not None and (
      tensor.shape != shape
      or (tensor.dtype, tensor.device) != like
      or not tensor.is_contiguous()
    ):
      raise ValueError(
        f"{name}: expected {shape} of {like}, contiguous; got {tensor.shape} "
        f"of {(tensor.dtype, tensor.device)}"
      )

  def shape(self, width: int) -> tuple[int, int, int]:
    """Of a tensor along time, with a row a member of the batch."""
    entries = (self.batch, self.time)
    return (*(reversed(entries) if self.time_major else entries), width)


@dataclasses.dataclass(frozen=True)
class Results:
  """What a forward call gives, states in the order c, h."""

  sequence: list[torch.Tensor]
  final_state: list[torch.Tensor]

  def tensors(self):
    return [*self.sequence, *self.final_state]


@dataclasses.dataclass(frozen=True)
class Gradients:
  """What a gradient call gives; a row for each member of the batch."""

  inputs: torch.Tensor
  recurrent_kernel: torch.Tensor
  bias: torch.Tensor
  initial_state: list[torch.Tensor]

  def tensors(self):
    return [
      self.inputs,
      self.recurrent_kernel,
      self.bias,
      *self.initial_state,
    ]


class Kernels:
  """The library.

  Attributes:
    device: where PyTorch has the tensors of calls.

  Args:
    path: of the file that `build` made.
    where: "cpu", "gpu", or "gpu_on_host": the GPU's threads one by one on CPU
      tensors.
    marks: whether results hold NaN where no kernel has written.
  """

  def __init__(self, path: pathlib.Path, where: str, marks: bool = False):
    self.where = where
    self.device = "cuda" if where == "gpu" else "cpu"
    self._marks = marks
    self._library = ctypes.CDLL(str(path))
    for name in ("forward", "gradient"):
      function = getattr(self._library, "contrib_rnn_" + name)
      function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
      function.argtypes += [ctypes.c_void_p] * 3
      function.restype = ctypes.c_char_p
    count = self._library.contrib_rnn_count_scratch
    count.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    count.restype = ctypes.c_int64

  def architectures(self) -> str:
    """What the GPU kernels are compiled for."""
    function = self._library.contrib_rnn_gpu_architectures
    function.restype = ctypes.c_char_p
    return function().decode()

  def _new(self, call: Call, shape, dtype=None) -> torch.Tensor:
    new = torch.empty(
      shape, dtype=dtype or call.inputs.dtype, device=call.inputs.device
    )
    return new.fill_(float("nan")) if self._marks else new

  def forward(self, call: Call) -> Results:
    """Runs a cell along time.

    Raises:
      RuntimeError: if the kernels could not be launched.
    """
    states = range(STATES[call.cell])
    results = Results(
      [self._new(call, call.shape(call.units)) for _ in states],
      [self._new(call, (call.batch, call.units)) for _ in states],
    )
    tensors = _ForwardTensors(
      _pointer(call.inputs),
      _pointer(call.recurrent_kernel),
      _pointer(call.bias),
      _pair(call.initial_state),
      _pair(results.sequence),
      _pair(results.final_state),
    )
    self._call("forward", call, tensors)
    return results

  def gradient(
    self,
    call: Call,
    sequence: list[torch.Tensor],
    sequence_gradient: list[torch.Tensor | None],
    final_state_gradient: list[torch.Tensor | None],
  ) -> Gradients:
    """The gradient of `forward`, from its sequences; None counts as zeros.

    Raises:
      RuntimeError: if the kernels could not be launched.
    """
    along, state = call.shape(call.units), (call.batch, call.units)
    for tensor in [*sequence, *sequence_gradient]:
      call.check("a sequence", tensor, along)
    for tensor in final_state_gradient:
      call.check("a state", tensor, state)
    gradients = Gradients(
      self._new(call, call.shape(call.recurrent_kernel.shape[0])),
      self._new(call, call.recurrent_kernel.shape),
      self._new(call, call.bias.shape),
      [self._new(call, state) for _ in call.initial_state],
    )
    is_double = call.inputs.dtype == torch.float64
    scratch = self._new(
      call,
      (self._count_scratch(call),),
      torch.float64 if is_double else torch.float32,
    )
    tensors = _GradientTensors(
      _pointer(call.inputs),
      _pointer(call.recurrent_kernel),
      _pointer(call.bias),
      _pair(call.initial_state),
      _pair(sequence),
      _pair(sequence_gradient),
      _pair(final_state_gradient),
      _pointer(gradients.inputs),
      _pointer(gradients.recurrent_kernel),
      _pointer(gradients.bias),
      _pair(gradients.initial_state),
      _pointer(scratch),
    )
    self._call("gradient", call, tensors)
    return gradients

  def _structures(self, call: Call) -> tuple[_Options, _Sequences]:
    options = _Options(
      CELLS.index(call.cell),
      ACTIVATIONS.index(call.activation),
      call.forget_bias,
      GATE_ORDERS.index(call.gate_order),
      call.bias.dim() == 2,
    )
    batch = call.batch
    shared = [s.shape[0] != batch for s in call.initial_state]
    sequences = _Sequences(
      call.time,
      batch,
      call.units,
      call.time_major,
      call.reverse,
      _pointer(call.sequence_length),
      call.input_rows != batch,
      (ctypes.c_bool * 2)(*shared),
    )
    return options, sequences

  def _count_scratch(self, call: Call) -> int:
    options, sequences = self._structures(call)
    return self._library.contrib_rnn_count_scratch(
      WHERE[self.where], ctypes.byref(options), ctypes.byref(sequences)
    )

  def _call(self, name: str, call: Call, tensors: ctypes.Structure) -> None:
    options, sequences = self._structures(call)
    is_gpu = self.where == "gpu"
    stream = None
    if is_gpu:
      stream = torch.cuda.current_stream(call.inputs.device).cuda_stream
    error = getattr(self._library, "contrib_rnn_" + name)(
      WHERE[self.where],
      stream,
      NUMBERS[str(call.inputs.dtype)[6:]][0],
      ctypes.byref(options),
      ctypes.byref(sequences),
      ctypes.byref(tensors),
    )
    if error:
      raise RuntimeError(error.decode())


def load_or_exit(where: str, program: str, marks: bool = False) -> Kernels:
  """Builds and loads; ends the program where there is no nvcc or no GPU."""
  try:
    path = build()
  except BuildError as error:
    sys.exit(f"{program}: {error}")
  if where == "gpu" and not torch.cuda.is_available():
    print(
      f"{program}: the kernels are built ({path.relative_to(ROOT)}), and "
      "running them needs a GPU: PyTorch sees none",
      file=sys.stderr,
    )
    sys.exit(2)
  return Kernels(path, where, marks)
