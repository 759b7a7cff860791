"""Measures the recurrences inside JAX on a GPU: part of make gpu-bench.

  python benchmarks/gpu_jax.py             on a GPU
  python benchmarks/gpu_jax.py --on-host   tiny sizes on the CPU: shows that the
                                           program runs; its times mean nothing

A layer, x W and a recurrence, time-major and jitted: by the handlers and by a
`lax.scan` of the same cell. Milliseconds until the results are there, medians,
one of each in turn. Prints a table last.
"""

import argparse
import pathlib
import statistics
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "gpu"))
import jax_on_gpu  # noqa: E402

PROGRAM = "gpu_jax.py"
REPETITIONS = 30
ACTIVATION = {"ind_rnn": "relu", "indy_gru": "tanh", "indy_lstm": "tanh"}
WANTED = 10  # times as fast as the scan, at (50, 512, 128)
# Batch, time, units, which are the depth as well.
SHAPES = [(50, 256, 128), (50, 512, 128), (50, 1024, 128), (32, 512, 1024)]
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
  arrays = (
    *(draw(steps, batch, units), draw(units, width)),
    *(draw(1, width), draw(width)),
  )
  dy = draw(steps, batch, units)
  zeros = draw(batch, units) * 0
  function = {"relu": jax.nn.relu, "tanh": jnp.tanh}[ACTIVATION[cell]]
  # A function that the library doesn't know is composed.
  activation = (lambda x: function(x)) if composes else function

  def forward(x, kernel, recurrent_kernel, bias):
    state = (zeros, zeros) if cell == "indy_lstm" else zeros
    return getattr(indy, cell)(
      *(x @ kernel, recurrent_kernel, bias, state),
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


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--on-host", action="store_true")
  on_host = parser.parse_args().on_host
  indy, device = jax_on_gpu.import_or_exit(PROGRAM, on_host)
  rows = []
  for shape in SHAPES_ON_HOST if on_host else SHAPES:
    for cell in ACTIVATION:
      print(f"{cell}, {shape} ...", flush=True)
      functions = [
        function
        for composes in (False, True)
        for function in make_functions(indy, device, cell, shape, composes)
      ]
      fused, fused_train, scan, scan_train = measure(functions)
      rows.append(
        f"| {cell}, {', '.join(map(str, shape))} | {fused:.3g}, "
        f"{fused_train:.3g} | {scan:.3g}, {scan_train:.3g} | "
        f"{scan / fused:.1f}, {scan_train / fused_train:.1f} |"
      )
  note = ": these times mean nothing" if on_host else ""
  print(f"\nforward and training, ms, on {device.device_kind}{note}")
  print(f"(wanted at 50, 512, 128: {WANTED} times as fast as the scan)\n")
  print("| cell, batch, time, units | fused | lax.scan | times as fast |")
  print("|---|---|---|---|")
  print("\n".join(rows))
  return 0


if __name__ == "__main__":
  sys.exit(main())
