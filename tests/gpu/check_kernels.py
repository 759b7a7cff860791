"""Proves the GPU kernels: against the CPU's, and autograd through a loop.

  python tests/gpu/check_kernels.py             on a GPU, as make gpu-test does
  python tests/gpu/check_kernels.py --sanitize  a part, under compute-sanitizer
  python tests/gpu/check_kernels.py --on-host   the GPU's threads, one by one on
                                                the host: needs no GPU

Needs nvcc and PyTorch, not TensorFlow. Prints a table last.
"""

import argparse
import dataclasses
import itertools
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

import kernels as library
import torch
from build_kernels import BuildError
from build_kernels import find_nvcc

PROGRAM = "check_kernels.py"


@dataclasses.dataclass(frozen=True)
class Case:
  """One call; what is not said is as in most calls."""

  cell: str
  dtype: torch.dtype
  time: int
  batch: int
  units: int
  activation: str = "tanh"
  forget_bias: float = 0.6
  time_major: bool = False
  reverse: bool = False
  has_lengths: bool = False
  absent: int = 0  # bits of the incoming gradients that are not given
  has_shared_inputs: bool = False
  has_shared_state: bool = False
  is_misaligned: bool = False
  gate_order: str = "contrib"
  has_recurrent_bias: bool = False
  scale: float = 1.5  # of the inputs

  def __str__(self):
    changed = [
      f"{field.name}={getattr(self, field.name)}"
      for field in dataclasses.fields(self)
      if getattr(self, field.name) != field.default
    ]
    return ", ".join(changed)


# Time, batch and units about the edges of warps, blocks and vectors.
SIZES = [
  (1, 1, 1),
  (0, 5, 129),
  (7, 0, 5),
  (7, 3, 0),
  (1, 33, 151),
  (9, 5, 2),
  (17, 33, 31),
  (5, 4, 33),
  (33, 5, 129),
  (3, 5, 1134),
  (1000, 1, 1),
  (1000, 5, 2),
  (1000, 2, 151),
]
SIZES_OF_SANITIZER = [(1, 1, 1), (0, 5, 129), (7, 3, 0), (9, 5, 33)]
# Enough for threads that take 16 bytes, whatever the type of number; and more
# steps than they ask for ahead, twice over: 8 in IndRNN's forward, else 2.
WIDE = {
  "IndRNN": (19, 257, 1024),
  "IndyGRU": (5, 257, 1024),
  "IndyLSTM": (5, 257, 1024),
  "SRU": (5, 257, 1024),
}
# Of compute-sanitizer's tools: wild reads and writes, races in shared memory,
# threads that do not meet.
SANITIZERS = ("memcheck", "racecheck", "synccheck")


def list_cases(cell: str, dtype: torch.dtype, is_small: bool) -> Iterator[Case]:
  """The calls to be compared; every attribute meets every cell and dtype."""
  flags = itertools.cycle(itertools.product([False, True], repeat=3))
  for time, batch, units in SIZES_OF_SANITIZER if is_small else SIZES:
    time_major, reverse, has_lengths = next(flags)
    yield Case(
      cell,
      dtype,
      time,
      batch,
      units,
      time_major=time_major,
      reverse=reverse,
      has_lengths=has_lengths,
    )
  for time_major, reverse, has_lengths in itertools.product(
    [False, True], repeat=3
  ):
    small = Case(cell, dtype, 7, 5, 17, "tanh", 1.0)
    yield dataclasses.replace(
      small, time_major=time_major, reverse=reverse, has_lengths=has_lengths
    )
  for activation in library.ACTIVATIONS:
    yield Case(cell, dtype, 4, 3, 5, activation)
  for absent in (1, 2, 4, 8, 15):
    yield Case(cell, dtype, 6, 3, 5, absent=absent)
  for gate_order, has_recurrent_bias in itertools.product(
    library.GATE_ORDERS, [False, True]
  ):
    layout = dict(gate_order=gate_order, has_recurrent_bias=has_recurrent_bias)
    yield Case(cell, dtype, 6, 35, 33, **layout)
  # Saturates. The SRU's state is as large as its inputs, and is not recomputed
  # from a rounded one of 200.
  scale = 10.0 if cell == "SRU" else 200.0
  yield Case(cell, dtype, 7, 5, 17, scale=scale)
  yield Case(cell, dtype, 1, 5, 33, has_shared_inputs=True)
  yield Case(cell, dtype, 1, 5, 33, has_shared_state=True)
  wide = WIDE[cell]
  yield Case(cell, dtype, *wide, has_lengths=True, time_major=True)
  yield Case(cell, dtype, *wide, "softsign", reverse=True)
  yield Case(cell, dtype, *wide, gate_order="keras", has_recurrent_bias=True)
  if not is_small:
    yield Case(cell, dtype, *wide, is_misaligned=True)


class Numbers:
  """A case's tensors, drawn on the CPU: in `dtype`, exactly."""

  def __init__(self, case: Case):
    self.case = case
    self._generator = torch.Generator().manual_seed(1)
    gates = library.GATES[case.cell]
    states = range(library.STATES[case.cell])
    rows = 1 if case.has_shared_inputs else case.batch
    width = gates * case.units
    self.inputs = self._draw(self._along(width, rows), case.scale)
    self.recurrent_kernel = self._draw([width], 0.95)
    biases = [2, width] if case.has_recurrent_bias else [width]
    self.bias = self._draw(biases, 0.5)
    state_rows = 1 if case.has_shared_state else case.batch
    self.initial_state = [self._draw([state_rows, case.units]) for _ in states]
    self.incoming = [self._draw(self._along(case.units)) for _ in states]
    self.incoming += [self._draw([case.batch, case.units]) for _ in states]
    for i in range(len(self.incoming)):
      if case.absent >> i & 1:
        self.incoming[i] = None
    some = torch.tensor([3, 0, case.time, -2, case.time + 5, 1, -(2**31)])
    repeated = some.repeat(case.batch // 7 + 1)[: case.batch]
    self.lengths = repeated.int() if case.has_lengths else None

  def _along(self, width, rows=None):
    rows = self.case.batch if rows is None else rows
    entries = [rows, self.case.time]
    return [*(entries[::-1] if self.case.time_major else entries), width]

  def _draw(self, shape, scale=1.0):
    uniform = torch.rand(shape, generator=self._generator, dtype=torch.float64)
    return ((2 * uniform - 1) * scale).to(self.case.dtype)

  def call(self, device: str) -> library.Call:
    """The call, with its tensors on a device."""

    def put(tensor):
      return tensor.to(device)

    inputs = put(self.inputs)
    if self.case.is_misaligned:
      memory = inputs.new_empty(inputs.numel() + 1)[1:]
      inputs = memory.copy_(inputs.flatten()).view(inputs.shape)
    lengths = None if self.lengths is None else put(self.lengths)
    return library.Call(
      self.case.cell,
      inputs,
      put(self.recurrent_kernel),
      put(self.bias),
      tuple(map(put, self.initial_state)),
      self.case.activation,
      self.case.forget_bias,
      self.case.time_major,
      self.case.reverse,
      lengths,
      self.case.gate_order,
    )


def run(kernels: library.Kernels, numbers: Numbers) -> list[torch.Tensor]:
  """Forward and gradient: all results, on the CPU."""
  call = numbers.call(kernels.device)
  results = kernels.forward(call)
  incoming = [
    None if t is None else t.to(kernels.device) for t in numbers.incoming
  ]
  states = len(call.initial_state)
  gradients = kernels.gradient(
    call, results.sequence, incoming[:states], incoming[states:]
  )
  return [t.cpu() for t in [*results.tensors(), *gradients.tensors()]]


# The reference: the cells' equations, step by step, in float64.

_FUNCTIONS = {
  "tanh": torch.tanh,
  "sigmoid": torch.sigmoid,
  "relu": torch.relu,
  "identity": lambda x: x,
  "elu": torch.nn.functional.elu,
  "softsign": torch.nn.functional.softsign,
}


# Where Keras's order has the gates of tf.contrib.rnn's.
_IN_KERAS = {
  "IndRNN": [0],
  "IndyGRU": [1, 0, 2],
  "IndyLSTM": [0, 2, 1, 3],
  "SRU": [0, 1, 2, 3],
}


def step(case: Case, x, u, b, states):
  """The states after a step; x [batch, gates * units], u and b as given."""
  act = _FUNCTIONS[case.activation]
  gates = library.GATES[case.cell]
  b, d = b if case.has_recurrent_bias else (b, torch.zeros_like(b))
  parts = [t.unflatten(-1, (gates, case.units)) for t in (x, u, b, d)]
  if case.gate_order == "keras":
    parts = [t[..., _IN_KERAS[case.cell], :] for t in parts]
  x, u, b, d = parts

  def total(gate, h, reset=1.0):
    return x[:, gate] + b[gate] + reset * (u[gate] * h + d[gate])

  if case.cell == "IndRNN":
    return [act(total(0, states[0]))]
  if case.cell == "IndyGRU":
    h = states[0]
    r, z = torch.sigmoid(total(0, h)), torch.sigmoid(total(1, h))
    return [z * h + (1 - z) * act(total(2, h, r))]
  c, h = states
  if case.cell == "SRU":
    f, r = torch.sigmoid(total(1, c)), torch.sigmoid(total(2, c))
    new = f * c + (1 - f) * total(0, c)
    return [new, r * act(new) + (1 - r) * total(3, c)]
  i, o = torch.sigmoid(total(0, h)), torch.sigmoid(total(3, h))
  f = torch.sigmoid(total(2, h) + case.forget_bias)
  c = f * c + i * act(total(1, h))
  return [c, act(c) * o]


def loop(case: Case, inputs, u, b, states, lengths):
  """Sequences [batch, time, units] and final states, each sequence alone."""
  states = [s.expand(case.batch, -1) for s in states]
  outputs = []
  rows = torch.arange(case.batch, device=inputs.device)
  for number in range(case.time):
    runs = number < lengths
    at = lengths - 1 - number if case.reverse else torch.full_like(rows, number)
    x = inputs[rows, at.clamp(min=0)]
    new = step(case, x, u, b, states)
    runs = runs[:, None]
    states = [torch.where(runs, n, s) for n, s in zip(new, states)]
    outputs.append([torch.where(runs, n, 0.0) for n in new])
  sequences = []
  for i in range(len(states)):
    along = [o[i] for o in outputs] or [states[i].new_zeros(case.batch, 0)]
    stacked = torch.stack(along, 1).reshape(case.batch, case.time, case.units)
    if case.reverse:  # step number n is at time length - 1 - n
      steps = torch.arange(case.time, device=inputs.device)
      index = (lengths[:, None] - 1 - steps) % max(case.time, 1)
      index = torch.where(steps < lengths[:, None], index, steps)
      stacked = stacked.gather(1, index[..., None].expand_as(stacked))
    sequences.append(stacked)
  return sequences, states


def reference(numbers: Numbers, device: str) -> list[torch.Tensor]:
  """What `run` gives, by autograd in float64, computed on a device."""
  case = numbers.case
  given = [numbers.inputs, numbers.recurrent_kernel, numbers.bias]
  given = [t.to(device).double() for t in [*given, *numbers.initial_state]]
  inputs, u, b, *states = given
  if case.time_major:
    inputs = inputs.transpose(0, 1)
  # A row of its own for each member of the batch: so are their gradients.
  inputs = inputs.expand(case.batch, -1, -1).clone()
  states = [s.expand(case.batch, -1).clone() for s in states]
  sources = [inputs, u, b, *states]
  for source in sources:
    source.requires_grad_()
  lengths = torch.full([case.batch], case.time)
  if numbers.lengths is not None:
    lengths = numbers.lengths.long().clamp(0, case.time)
  lengths = lengths.to(device)
  sequences, finals = loop(case, inputs, u, b, states, lengths)
  loss = sum(s.sum() * 0 for s in sources)
  for result, incoming in zip([*sequences, *finals], numbers.incoming):
    if incoming is None:
      continue
    if case.time_major and incoming.dim() == 3:
      incoming = incoming.transpose(0, 1)
    loss = loss + (result * incoming.to(device).double()).sum()
  inputs_gradient, *gradients = torch.autograd.grad(loss, sources)
  if case.time_major:
    sequences = [s.transpose(0, 1) for s in sequences]
    inputs_gradient = inputs_gradient.transpose(0, 1)
  results = [*sequences, *finals, inputs_gradient, *gradients]
  return [t.detach().cpu() for t in results]


# Half a unit in the last place of what is stored; a gradient also starts from
# stored states. Beyond that only the computation errs, in float32 or float64.
_HALF_ULP = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}
_FORWARD = {torch.float64: 1e-12}
_GRADIENT = {torch.float64: 1e-11}


def errors(
  case: Case, got: list[torch.Tensor], want: list[torch.Tensor]
) -> tuple[float, float]:
  """The largest error of forward and gradient, as parts of the tolerance.

  States are compared each relatively, gradients (and the SRU's states) with the
  largest of their tensor.
  """
  half_ulp = _HALF_ULP.get(case.dtype, 0.0)
  results = 2 * library.STATES[case.cell]
  worst = [0.0, 0.0]
  for number, (g, w) in enumerate(zip(got, want)):
    if g.shape != w.shape:
      return float("inf"), float("inf")
    if not g.numel():
      continue
    g, w = g.double(), w.double()
    if number < results:
      # No activation bounds the SRU's state.
      size = w.abs().max().clamp(min=1) if case.cell == "SRU" else 1
      tolerance = half_ulp * w.abs() + _FORWARD.get(case.dtype, 5e-6) * size
    else:
      relative = _GRADIENT.get(case.dtype, 2e-5 + 8 * half_ulp)
      tolerance = relative * w.abs().max().clamp(min=1)
    error = ((g - w).abs() / tolerance).max().item()
    is_gradient = number >= results
    # A NaN is not larger than anything.
    worst[is_gradient] = max(
      worst[is_gradient], error if error == error else 1e9
    )
  return worst[0], worst[1]


class DeviceError(Exception):
  """A call failed; a GPU does not recover from it."""


@dataclasses.dataclass
class Row:
  """What was found of one cell and dtype."""

  cases: int = 0
  same_bits: bool = True
  from_cpu: tuple = (0.0, 0.0)
  from_loop: tuple = (0.0, 0.0)
  failures: list = dataclasses.field(default_factory=list)

  def add(self, case: Case, from_cpu, from_loop, same_bits: bool) -> None:
    self.cases += 1
    self.same_bits &= same_bits
    self.from_cpu = tuple(map(max, self.from_cpu, from_cpu))
    self.from_loop = tuple(map(max, self.from_loop, from_loop))
    # Two rounded results may differ by what either may err.
    if max(from_loop) > 1 or max(from_cpu) > 2 or not same_bits:
      self.failures.append((case, from_cpu, from_loop, same_bits))


def have_same_bits(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
  def bits(tensor):
    return tensor.contiguous().flatten().view(torch.uint8)

  return all(torch.equal(bits(x), bits(y)) for x, y in zip(a, b))


def check(cell: str, dtype: torch.dtype, device, cpu, is_small: bool) -> Row:
  """Compares every case of a cell and dtype."""
  row = Row()
  for case in list_cases(cell, dtype, is_small):
    numbers = Numbers(case)
    try:
      got = run(device, numbers)
      again = run(device, numbers)
    except RuntimeError as error:
      raise DeviceError(f"{case}: {error}") from error
    row.add(
      case,
      errors(case, got, run(cpu, numbers)),
      errors(case, got, reference(numbers, device.device)),
      have_same_bits(got, again),
    )
  return row


def print_table(rows: dict) -> None:
  print("\nlargest errors, forward and gradient, as parts of the tolerance")
  print("(a result may be 2 from the CPU's, since either may err)\n")
  print("| cell | dtype | cases | from CPU | from float64 loop | same bits |")
  print("|---|---|---|---|---|---|")
  for (cell, dtype), row in rows.items():
    from_cpu, from_loop = (
      f"{forward:.2f}, {gradient:.2f}"
      for forward, gradient in (row.from_cpu, row.from_loop)
    )
    same_bits = "yes" if row.same_bits else "NO"
    print(
      f"| {cell} | {str(dtype)[6:]} | {row.cases} | {from_cpu} | {from_loop} | "
      f"{same_bits} |"
    )


def main_check(where: str, is_small: bool) -> int:
  """Checks everything; the exit status."""
  device = library.load_or_exit(where, PROGRAM, marks=True)
  cpu = library.load_or_exit("cpu", PROGRAM, marks=True)
  print(f"kernels for {device.architectures()}; running on {where}", flush=True)
  rows = {}
  dtypes = [getattr(torch, name) for name in library.NUMBERS]
  for cell, dtype in itertools.product(library.CELLS, dtypes):
    print(f"{cell}, {str(dtype)[6:]} ...", flush=True)
    try:
      rows[cell, dtype] = check(cell, dtype, device, cpu, is_small)
    except DeviceError as error:
      print_table(rows)
      print(f"FAILED: {error}")
      return 1
  print_table(rows)
  failures = [f for row in rows.values() for f in row.failures]
  for case, from_cpu, from_loop, same_bits in failures[:20]:
    print(
      f"FAILED: {case}: from CPU {from_cpu}, from loop {from_loop}, "
      f"same bits {same_bits}"
    )
  count = sum(row.cases for row in rows.values())
  print(f"{count - len(failures)} of {count} cases passed on {where}")
  return 1 if failures or not count else 0


def main_run_only() -> int:
  """Runs the small selection, and compares nothing: compute-sanitizer does."""
  kernels = library.load_or_exit("gpu", PROGRAM)
  count = 0
  for cell, name in itertools.product(library.CELLS, library.NUMBERS):
    for case in list_cases(cell, getattr(torch, name), is_small=True):
      run(kernels, Numbers(case))
      count += 1
  print(f"{count} cases ran")
  return 0


def _find_sanitizer() -> str | None:
  """compute-sanitizer's path: it may lie beside nvcc alone."""
  found = shutil.which("compute-sanitizer")
  if found is None:
    try:
      beside = pathlib.Path(find_nvcc()).resolve().parent
    except BuildError:
      return None
    found = shutil.which("compute-sanitizer", path=str(beside))
  return found


def main_sanitize() -> int:
  """Runs a small selection under compute-sanitizer; the exit status."""
  library.load_or_exit("gpu", PROGRAM)
  sanitizer = _find_sanitizer()
  if sanitizer is None:
    print("compute-sanitizer: left out, it is not installed")
    return 0
  # Without PyTorch's cache each tensor is an allocation of its own.
  environment = {**os.environ, "PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
  print("| compute-sanitizer | verdict |\n|---|---|", flush=True)
  verdicts = []
  for tool in SANITIZERS:
    command = [sanitizer, "--tool", tool, "--error-exitcode", "3"]
    # PyTorch asks CUDA for things that may fail, and goes on.
    command += ["--report-api-errors", "no"]
    command += [sys.executable, os.path.abspath(__file__), "--run-only"]
    status = subprocess.run(command, env=environment).returncode
    verdicts.append(status)
    verdict = "clean" if status == 0 else f"FAILED ({status})"
    print(f"| {tool} | {verdict} |", flush=True)
  return int(any(verdicts))


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--on-host", action="store_true")
  parser.add_argument("--small", action="store_true", help="fewer cases")
  parser.add_argument("--sanitize", action="store_true")
  parser.add_argument(
    "--run-only",
    action="store_true",
    help="what --sanitize runs: fewer cases, nothing compared",
  )
  arguments = parser.parse_args()
  if arguments.run_only:
    return main_run_only()
  if arguments.sanitize:
    return main_sanitize()
  where = "gpu_on_host" if arguments.on_host else "gpu"
  return main_check(where, arguments.small)


if __name__ == "__main__":
  sys.exit(main())
