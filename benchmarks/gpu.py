"""Measures the GPU kernels, from PyTorch: what make gpu-bench runs.

  python benchmarks/gpu.py             on a GPU
  python benchmarks/gpu.py --on-host   tiny sizes on the CPU: shows that the
                                       program runs; its times mean nothing

Needs nvcc and PyTorch, not TensorFlow. Float32 is float32: TF32 is off, for
cuDNN too. Times are medians, by the device's own events; before each
repetition the L2 cache is overwritten. Prints tables, and leaves all figures in
build/gpu/benchmark.json or --output, row by row.

Layers are compared with cuDNN's and with a loop of PyTorch's own operations; at
one size with a loop whose step torch.compile has compiled, too.

Copies and kernels are replayed from a CUDA graph, several in a row: what a host
needs to launch them does not count. Layers are timed as a program calls them,
the device idle before, so that it does count, and Python too; "replayed" is
without, from CUDA graphs. Waiting before a call would not do instead: cuDNN
launches more than a device keeps in its queue.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any
from typing import Callable

import torch
import torch._dynamo

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "gpu"))
import kernels as library  # noqa: E402
from build_kernels import ask_gpu  # noqa: E402
from build_kernels import BUILD  # noqa: E402
from gpu_layers import ACTIVATION  # noqa: E402
from gpu_layers import CompiledLoopLayer  # noqa: E402
from gpu_layers import Layer  # noqa: E402
from gpu_layers import LoopLayer  # noqa: E402
from gpu_layers import train_step  # noqa: E402

PROGRAM = "gpu.py"
REPETITIONS = 30
IN_A_ROW = 10
_CYCLES_OF_A_LAUNCH = 40_000_000  # some 20 ms
# The layer of cuDNN's that each is compared with.
RIVALS = {
  "IndRNN": "LSTM",
  "IndyGRU": "GRU",
  "IndyLSTM": "LSTM",
  "SRU": "LSTM",
}
# Batch, units, time, and how many times as fast as its rival each is wanted.
LAYERS = [
  (128, 128, 256, {"IndRNN": 10, "IndyGRU": 8, "IndyLSTM": 8}),
  (128, 128, 512, {"IndRNN": 20, "IndyGRU": 15, "IndyLSTM": 15}),
  (128, 128, 1024, {"IndRNN": 30, "IndyGRU": 25, "IndyLSTM": 25}),
  (32, 1024, 512, {}),
  (1, 64, 256, {}),  # launches are all
]
# Batch, time and units of the recurrences alone: they fill a GPU.
RECURRENCE = (256, 1000, 1024)
BANDWIDTH_WANTED = 0.8


class Device:
  """Where things run, and how they are timed."""

  def __init__(self, on_host: bool):
    self.on_host = on_host
    self.name = "cpu" if on_host else "cuda"
    self.where = "gpu_on_host" if on_host else "gpu"
    size = 1 if on_host else 2**28  # more than any L2 cache has
    self._cache = torch.empty(size, dtype=torch.uint8, device=self.name)

  def median(self, function: Callable[[], Any], repetitions: int = 0) -> float:
    """Seconds that a function takes, after a warm-up."""
    repetitions = 2 if self.on_host else repetitions or REPETITIONS
    measure = self._time_on_host if self.on_host else self._time
    for _ in range(3):
      function()
    return statistics.median(measure(function) for _ in range(repetitions))

  def replayed(self, function: Callable[[], Any], in_a_row: int = 1) -> float:
    """The same without what a host needs: all has been launched before."""
    if self.on_host:
      return self.median(function)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
      for _ in range(3):
        function()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    current = torch.cuda.current_stream()
    try:
      with torch.cuda.graph(graph):
        for _ in range(in_a_row):
          function()
    finally:  # a capture that fails would leave its own
      torch.cuda.set_stream(current)
    graph.replay()
    times = (self._time(graph.replay, False) for _ in range(REPETITIONS))
    return statistics.median(times) / in_a_row

  def _time(self, function, is_idle=True):
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    self._cache.zero_()
    if is_idle:
      torch.cuda.synchronize()
    else:  # the host launches the graph meanwhile
      torch.cuda._sleep(_CYCLES_OF_A_LAUNCH)
    start.record()
    function()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3

  def _time_on_host(self, function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _make_layers(cell, kernels, depth, units, device, kinds=(Layer, LoopLayer)):
  return [make(cell, kernels, depth, units, device.name) for make in kinds]


def check_layer(kernels: library.Kernels, device: Device) -> None:
  """Compares our layer with the loop: a fast wrong one is worth nothing."""
  for cell in library.CELLS:
    ours, loop = _make_layers(cell, kernels, 5, 7, device)
    x = torch.randn(6, 3, 5, device=device.name, requires_grad=True)
    incoming = torch.randn(6, 3, 7, device=device.name)
    gradients = (
      train_step(layer, layer.weights, x, incoming) for layer in (ours, loop)
    )
    for got, expected in zip(*gradients):
      torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def _time_copy(device: Device, count: int) -> float:
  source = torch.rand(count, device=device.name)
  target = torch.empty_like(source)
  return device.replayed(lambda: target.copy_(source))


def measure_device(device: Device) -> dict:
  """The copy bandwidth in B/s, counting reads and writes; FLOP/s in float32."""
  count = 1000 if device.on_host else 2**29
  copied = _time_copy(device, count)
  size = 16 if device.on_host else 8192
  x = torch.randn(size, size, device=device.name)
  multiplied = device.replayed(lambda: x @ x)
  return {
    "copy bandwidth": 8 * count / copied,
    "matrix rate": 2 * size**3 / multiplied,
  }


def count_values(cell: str) -> dict:
  """The numbers that a unit and step reads and writes, each once.

  Forward: x, and the states. Gradient: x (the IndRNN's relu needs none), the
  states before (of the SRU's only c counts), the outputs' gradient, and x's.
  """
  gates, states = library.GATES[cell], library.STATES[cell]
  read = 0 if cell == "IndRNN" else gates
  before = 1 if cell == "SRU" else states
  return {"forward": gates + states, "gradient": read + before + 1 + gates}


def measure_kernels(
  kernels, device: Device, bandwidth: float
) -> Iterator[dict]:
  """The recurrences alone, large enough to fill a GPU; one by one."""
  batch, steps, units = (2, 3, 8) if device.on_host else RECURRENCE
  dtypes = (torch.float32, torch.bfloat16)
  for cell in library.CELLS:
    for dtype in dtypes:
      call, sequence, incoming = make_call(
        cell, dtype, (steps, batch, units), device
      )
      work = {
        "forward": lambda call=call: kernels.forward(call),
        "gradient": lambda call=call, s=sequence, i=incoming: kernels.gradient(
          call, s(kernels), i, [None] * len(i)
        ),
      }
      for name, values in count_values(cell).items():
        seconds = device.replayed(work[name], IN_A_ROW)
        moved = values * steps * batch * units * dtype.itemsize / seconds
        what = f"{cell} {name}, {str(dtype)[6:]}"
        print_progress(what)
        yield {
          "what": what,
          "seconds": seconds,
          "bandwidth": moved,
          "share": moved / bandwidth,
        }


def make_call(cell, dtype, shape, device: Device):
  """A call, a function that has its sequences, and an incoming gradient."""
  steps, batch, units = shape
  width = library.GATES[cell] * units

  def draw(*shape):
    return torch.randn(shape, device=device.name).to(dtype)

  states = library.STATES[cell]
  call = library.Call(
    cell,
    draw(steps, batch, width),
    draw(width).clamp(-0.9, 0.9),
    draw(width),
    (draw(batch, units),) * states,
    activation=ACTIVATION[cell],
    time_major=True,
  )
  kept = []

  def sequence(kernels):
    if not kept:
      kept.extend(kernels.forward(call).sequence)
    return kept

  return call, sequence, [*[None] * (states - 1), draw(steps, batch, units)]


class LayerTimes:
  """Times training steps of layers on the same inputs, into `seconds`."""

  def __init__(self, device: Device, batch: int, units: int, steps: int):
    self._device = device
    self._x = torch.randn(steps, batch, units, device=device.name)
    self._x.requires_grad_()
    self._incoming = torch.randn_like(self._x)
    self.seconds = {}

  def _step(self, layer, weights):
    return lambda: train_step(layer, weights, self._x, self._incoming)

  def add(self, name, layer, weights, repetitions=0) -> None:
    """As a program calls it: what the host needs counts."""
    step = self._step(layer, weights)
    self.seconds[name] = self._device.median(step, repetitions)

  def add_if_possible(self, name, time, layer, weights) -> None:
    """NaN where PyTorch can't capture or compile it."""
    try:
      self.seconds[name] = time(self._step(layer, weights))
    except Exception as error:  # PyTorch's own, of many kinds
      print(f"{name}: left out: {type(error).__name__}: {error}", flush=True)
      self.seconds[name] = float("nan")

  def add_replayed(self, name, layer, weights) -> None:
    """Without what the host needs."""
    time = self._device.replayed
    self.add_if_possible(f"{name} replayed", time, layer, weights)


def measure_layers(kernels, device: Device) -> Iterator[dict]:
  """Layers forward and gradient, beside cuDNN and a loop; size by size."""
  for batch, units, steps, wanted in LAYERS:
    if device.on_host:
      batch, units, steps = 2, 4, 3
    times = LayerTimes(device, batch, units, steps)
    for name, make in (("LSTM", torch.nn.LSTM), ("GRU", torch.nn.GRU)):
      layer = make(units, units).to(device.name)
      weights = [*layer.parameters()]
      times.add("cuDNN " + name, layer, weights)
      times.add_replayed("cuDNN " + name, layer, weights)
    for cell in library.CELLS:
      ours, loop = _make_layers(cell, kernels, units, units, device)
      times.add(cell, ours, ours.weights)
      times.add_replayed(cell, ours, ours.weights)
      times.add(cell + " loop", loop, loop.weights, 3)
      print_progress(f"{cell}, batch {batch}, units {units}, time {steps}")
    sizes = {"batch": batch, "units": units, "time": steps}
    yield {**sizes, "seconds": times.seconds, "wanted": wanted}


def measure_compiled_loops(kernels, device: Device) -> Iterator[dict]:
  """Loops whose step is compiled, at the first size: each takes long."""
  # One function for all cells: past the limit it would run as it is.
  torch._dynamo.config.recompile_limit = 64
  batch, units, steps, _ = LAYERS[0]
  if device.on_host:
    batch, units, steps = 2, 4, 3
  for cell in library.CELLS:
    times = LayerTimes(device, batch, units, steps)
    (loop,) = _make_layers(
      cell, kernels, units, units, device, [CompiledLoopLayer]
    )
    times.add_if_possible(cell, device.median, loop, loop.weights)
    times.add_replayed(cell, loop, loop.weights)
    print_progress(f"{cell}, compiled loop")
    yield {"cell": cell, "seconds": times.seconds}


def print_progress(what: str) -> None:
  print(f"measured {what}", flush=True)


def print_kernels(figures: dict) -> None:
  device = figures["device"]
  print(
    f"\n{figures['versions']['device']}: copies "
    f"{device['copy bandwidth'] / 1e9:.0f} GB/s, multiplies "
    f"{device['matrix rate'] / 1e12:.1f} TFLOP/s in float32\n"
  )
  print("| recurrence | ms | GB/s | of the copy | wanted | reached |")
  print("|---|---|---|---|---|---|")
  for row in figures["kernels"]:
    reached = "yes" if row["share"] >= BANDWIDTH_WANTED else "NO"
    print(
      f"| {row['what']} | {1e3 * row['seconds']:.3f} | "
      f"{row['bandwidth'] / 1e9:.0f} | {row['share']:.0%} | "
      f"{BANDWIDTH_WANTED:.0%} | {reached} |"
    )


def print_layers(figures: dict) -> None:
  print(
    "\n| layer, batch, units, time | ms | cuDNN's | ms | loop | "
    "× cuDNN, replayed | × cuDNN | wanted | reached |"
  )
  print("|---" * 9 + "|")
  for row in figures["layers"]:
    seconds = row["seconds"]
    for cell, rival in RIVALS.items():
      ms = [
        f"{1e3 * seconds[name]:.3f}"
        for name in (cell, f"cuDNN {rival}", cell + " loop")
      ]
      faster, replayed = (
        seconds[f"cuDNN {rival}{how}"] / seconds[cell + how]
        for how in ("", " replayed")
      )
      wanted = row["wanted"].get(cell, "")
      reached = "" if not wanted else "yes" if faster >= wanted else "NO"
      print(
        f"| {cell}, {row['batch']}, {row['units']}, {row['time']} | {ms[0]} | "
        f"{rival} | {ms[1]} | {ms[2]} | {replayed:.1f} | {faster:.1f} | "
        f"{wanted} | {reached} |"
      )


def print_compiled_loops(figures: dict) -> None:
  sizes = ", ".join(str(size) for size in LAYERS[0][:3])
  ours = figures["layers"][0]["seconds"] if figures["layers"] else {}
  print(f"\n| layer, {sizes} | ms | compiled loop | both replayed |")
  print("|---|---|---|---|")
  for row in figures["compiled loops"]:
    cell = row["cell"]
    usual, replayed = (
      [
        f"{1e3 * seconds.get(name, float('nan')):.3f}"
        for seconds in (ours, row["seconds"])
      ]
      for name in (cell, cell + " replayed")
    )
    print(f"| {cell} | {' | '.join(usual)} | {', '.join(replayed)} |")


def find_versions(kernels: library.Kernels, on_host: bool) -> dict:
  name = (
    torch.cuda.get_device_name()
    if not on_host
    else "CPU: these times mean nothing"
  )
  return {
    "device": name,
    "driver": ask_gpu("driver_version") or "unknown",
    "torch": torch.__version__,
    "cuda": torch.version.cuda,
    "cudnn": torch.backends.cudnn.version(),
    "kernels": kernels.architectures(),
  }


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--on-host", action="store_true")
  parser.add_argument("--output", type=pathlib.Path, help="a JSON file")
  arguments = parser.parse_args()
  where = "gpu_on_host" if arguments.on_host else "gpu"
  kernels = library.load_or_exit(where, PROGRAM)
  device = Device(arguments.on_host)
  torch.backends.cuda.matmul.allow_tf32 = False
  torch.backends.cudnn.allow_tf32 = False
  check_layer(kernels, device)
  name = "benchmark-on-host.json" if arguments.on_host else "benchmark.json"
  path = arguments.output or BUILD / name
  figures = {"versions": find_versions(kernels, arguments.on_host)}
  figures["device"] = measure_device(device)
  bandwidth = figures["device"]["copy bandwidth"]
  parts = {
    "kernels": (measure_kernels(kernels, device, bandwidth), print_kernels),
    "layers": (measure_layers(kernels, device), print_layers),
    "compiled loops": (
      measure_compiled_loops(kernels, device),
      print_compiled_loops,
    ),
  }
  failures = 0
  for part, (rows, print_rows) in parts.items():
    figures[part] = []
    try:
      for row in rows:
        figures[part].append(row)
        path.write_text(json.dumps(figures, indent=1))
    except Exception:  # the other parts can be measured
      traceback.print_exc()
      failures += 1
    print_rows(figures)
  print(f"\nall figures: {path}")
  return int(failures > 0)


if __name__ == "__main__":
  sys.exit(main())
