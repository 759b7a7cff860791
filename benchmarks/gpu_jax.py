"""Measures the recurrences inside JAX on a GPU: part of make gpu-bench.

  python benchmarks/gpu_jax.py             on a GPU
  python benchmarks/gpu_jax.py --on-host   tiny sizes on the CPU: shows that the
                                           program runs; its times mean nothing

A layer, x W and a recurrence, time-major and jitted: by the handlers and by a
`lax.scan` of the same cell. Milliseconds until the results are there, medians,
one of each in turn. Products of matrices have all bits of float32, not TF32's.
Prints a table last, and leaves the figures in --output, if it is given, row by
row.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Iterator

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "gpu"))
import jax_on_gpu  # noqa: E402

PROGRAM = "gpu_jax.py"
REPETITIONS = 30
ACTIVATION = {
  "ind_rnn": "relu",
  "indy_gru": "tanh",
  "indy_lstm": "tanh",
  "sru": "tanh",
}
WANTED = 10  # times as fast as the scan, at (128, 512, 128)
# Batch, time, units, which are the depth as well.
SHAPES = [
  (128, 256, 128),
  (128, 512, 128),
  (128, 1024, 128),
  (32, 512, 1024),
  (1, 256, 64),  # launches are all
]
SHAPES_ON_HOST = [(2, 3, 4)]


def make_functions(indy, device, cell, shape, composes):
  """Forward, and forward with all gradients, as functions without arguments."""
  import jax
  import jax.numpy as jnp

  batch, steps, units = shape
  rng = np.random.RandomState(0)

  def draw(*sizes):
    numbers = rng.uniform(-0.1, 0.1, sizes).astype(np.float32)
    return jax.device_put(numbers, device)

  width = jax_on_gpu.GATES[cell] * units
  biases = width // 2 if cell == "sru" else width
  arrays = (
    *(draw(steps, batch, units), draw(units, width)),
    *(draw(1, width), draw(biases)),
  )
  dy = draw(steps, batch, units)
  zeros = draw(batch, units) * 0
  function = {"relu": jax.nn.relu, "tanh": jnp.tanh}[ACTIVATION[cell]]
  # A function that the library doesn't know is composed.
  activation = (lambda x: function(x)) if composes else function

  def forward(x, kernel, recurrent_kernel, bias):
    state = (zeros, zeros) if cell == "indy_lstm" else zeros
    weights = [bias] if cell == "sru" else [recurrent_kernel, bias]
    return getattr(indy, cell)(
      *(x @ kernel, *weights, state),
      activation=activation,
      time_major=True,
    )[0]

  def train(dy, *arrays):
    outputs, pull_back = jax.vjp(forward, *arrays)
    return outputs, pull_back(dy)

  forward_jit, train_jit = jax.jit(forward), jax.jit(train)
  return [
    lambda: jax.block_until_ready(forward_jit(*arrays)),
    lambda: jax.block_until_ready(train_jit(dy, *arrays)),
  ]


def measure(functions):
  """The median milliseconds of each."""
  for function in functions:
    for _ in range(3):
      function()
  times = [[] for _ in functions]
  for _ in range(REPETITIONS):
    for function, measured in zip(functions, times):
      start = time.perf_counter()
      function()
      measured.append(1e3 * (time.perf_counter() - start))
  return [statistics.median(measured) for measured in times]


def measure_all(indy, device, shapes) -> Iterator[dict]:
  """Milliseconds of each cell at each shape, row by row."""
  for shape in shapes:
    for cell in ACTIVATION:
      print(f"{cell}, {shape} ...", flush=True)
      functions = [
        function
        for composes in (False, True)
        for function in make_functions(indy, device, cell, shape, composes)
      ]
      names = ("fused", "fused train", "scan", "scan train")
      ms = dict(zip(names, measure(functions)))
      sizes = dict(zip(("batch", "time", "units"), shape))
      yield {"cell": cell, **sizes, "ms": ms}


def print_table(rows) -> None:
  print(f"(wanted at 128, 512, 128: {WANTED} times as fast as the scan)\n")
  print("| cell, batch, time, units | fused | lax.scan | times as fast |")
  print("|---|---|---|---|")
  for row in rows:
    ms = row["ms"]
    pairs = [
      f"{ms[name]:.3g}, {ms[name + ' train']:.3g}" for name in ("fused", "scan")
    ]
    faster = (ms["scan" + how] / ms["fused" + how] for how in ("", " train"))
    sizes = ", ".join(str(row[key]) for key in ("batch", "time", "units"))
    times = ", ".join(f"{ratio:.1f}" for ratio in faster)
    print(f"| {row['cell']}, {sizes} | {' | '.join(pairs)} | {times} |")


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--on-host", action="store_true")
  parser.add_argument("--output", type=pathlib.Path, help="a JSON file")
  arguments = parser.parse_args()
  on_host = arguments.on_host
  indy, device = jax_on_gpu.import_or_exit(PROGRAM, on_host)
  import jax

  # All bits of float32, as in gpu.py.
  jax.config.update("jax_default_matmul_precision", "highest")
  versions = {
    "device": device.device_kind,
    "jax": jax.__version__,
    "matmul": "highest precision",
  }
  rows = []
  for row in measure_all(indy, device, SHAPES_ON_HOST if on_host else SHAPES):
    rows.append(row)
    if arguments.output:
      figures = {"versions": versions, "layers": rows}
      arguments.output.write_text(json.dumps(figures, indent=1))
  note = ": these times mean nothing" if on_host else ""
  print(f"\nforward and training, ms, on {device.device_kind}{note}")
  print_table(rows)
  return 0


if __name__ == "__main__":
  sys.exit(main())
