"""Measures training steps on long sequences, plain and with chunks.

  python benchmarks/long_sequences.py --quick    short ones, a minute
  python benchmarks/long_sequences.py

Each step is that of an IndyGRU layer with 256 inputs and 256 units, with the
gradients of inputs and weights, in a process of its own. Seconds are the median
of its runs. The memory is the peak in the first step, above what the process
held before it. x itself is not in it. Prints a table. Without --quick, it also
draws docs/long_sequences.png.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import tqdm

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

INPUTS = UNITS = 256
TIMES = (1_000, 10_000, 100_000)
QUICK_TIMES = (300, 1_000)
_FOLDER = pathlib.Path(__file__).resolve().parents[1] / "docs"


def measure(batch, steps_of_time, chunk, runs):
  """Peak bytes of a first step, and seconds of the later ones."""
  import measure as measuring
  import tensorflow as tf

  import tf_contrib_rnn

  cell = tf_contrib_rnn.IndyGRUCell(UNITS)
  cell(tf.zeros([1, INPUTS]), cell.zero_state(1, tf.float32))

  @tf.function(autograph=False)
  def step(x):
    with tf.GradientTape() as tape:
      tape.watch(x)
      outputs, _ = tf_contrib_rnn.dynamic_rnn(
        cell, x, dtype=tf.float32, time_major=True
      )
    return tape.gradient(outputs, [x, *cell.variables])

  def prepare(length):
    x = tf.random.stateless_uniform([length, batch, INPUTS], [1, 2])
    with tf_contrib_rnn.gradient_in_chunks(chunk or length):
      traced = step.get_concrete_function(x)
    return lambda: traced(x)

  prepare(3)()
  call = prepare(steps_of_time)
  measuring.restart_peak()
  held = measuring.memory("VmRSS")
  call()
  peak = measuring.memory("VmHWM") - held
  seconds = []
  for _ in range(runs):
    start = time.perf_counter()
    call()
    seconds.append(time.perf_counter() - start)
  return {"bytes": peak, "seconds": statistics.median(seconds)}


def measure_in_process(*arguments):
  """What `measure` returns, or None if the step did not fit."""
  command = [sys.executable, __file__, "--one", json.dumps(arguments)]
  done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
  if done.returncode:
    return None
  return json.loads(done.stdout.splitlines()[-1])


def plain_bytes(batch, steps_of_time):
  """What a plain step holds at least: x W, its gradient, x, outputs, theirs."""
  return 4 * batch * steps_of_time * (2 * 3 * UNITS + 2 * INPUTS + 2 * UNITS)


def print_table(figures):
  print("| time | plain: GB | chunks: GB | plain: s | chunks: s | time ratio |")
  print("|---:|---:|---:|---:|---:|---:|")
  for length, (plain, chunks) in figures.items():
    of_plain = ["does not fit", "", ""]
    if plain:
      of_plain = [
        f"{plain['bytes'] / 1e9:.3g}",
        f"{plain['seconds']:.3g}",
        f"{chunks['seconds'] / plain['seconds']:.2f}",
      ]
    print(
      f"| {length:,} | {of_plain[0]} | {chunks['bytes'] / 1e9:.3g} "
      f"| {of_plain[1]} | {chunks['seconds']:.3g} | {of_plain[2]} |"
    )


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add("--quick", action="store_true", help="short sequences, no chart")
  add("--batch", type=int, default=4, help="sequences, default: 4")
  add("--steps", type=int, default=250, help="of a chunk, default: 250")
  add("--limit", type=float, default=24, help="GB for a step, default: 24")
  add("--runs", type=int, default=3, help="timed steps, default: 3")
  add("--one", help=argparse.SUPPRESS)
  return parser.parse_args()


def main():
  options = parse_arguments()
  if options.one:
    print(json.dumps(measure(*json.loads(options.one))))
    return
  times = QUICK_TIMES if options.quick else TIMES
  steps = min(options.steps, times[0] // 3) if options.quick else options.steps
  cases = [(length, chunk) for length in times for chunk in (None, steps)]
  found = {}
  for length, chunk in tqdm.tqdm(cases, disable=None):
    fits = plain_bytes(options.batch, length) < options.limit * 1e9
    if chunk or fits:
      found[length, chunk] = measure_in_process(
        options.batch, length, chunk, options.runs
      )
  figures = {
    length: (found.get((length, None)), found[length, steps])
    for length in times
  }
  print(
    f"(batch {options.batch}, inputs {INPUTS}, units {UNITS}), chunks of "
    f"{steps} steps"
  )
  print_table(figures)
  if not options.quick:
    import charts

    print(charts.draw_long_sequences(figures, _FOLDER))


if __name__ == "__main__":
  main()
