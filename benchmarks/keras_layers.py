"""The Keras layers beside dynamic_rnn and Keras's own, all in a tf.function.

  python benchmarks/keras_layers.py

Prints a table: milliseconds, forward and training with all gradients, medians
of runs, a few of each in turn; and the layer's time as a multiple of
dynamic_rnn's.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import tqdm
from candidates import functions
from problems import INDY_CELLS
from problems import Problem
from problems import SHAPES

import tf_contrib_rnn

ROUNDS, RUNS = 9, 6
WANTED = 1.10


def make_dynamic_rnn(problem):
  """As `functions` makes layers: a function, and its weights."""
  cell = getattr(tf_contrib_rnn, problem.cell + "Cell")(problem.units)
  cell(tf.zeros([1, problem.inputs]), cell.zero_state(1, tf.float32))
  for variable, value in zip(cell.trainable_variables, problem.weights()):
    variable.assign(value)

  def layer(x, training):
    del training
    return tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)[0]

  return layer, cell.trainable_variables


def make_functions(problem, maker):
  """Forward and training, as functions without arguments."""
  layer, weights = maker(problem)
  x = tf.Variable(problem.x())
  dy = tf.Variable(problem.output_gradients())

  @tf.function
  def forward():
    return layer(tf.convert_to_tensor(x), training=True)

  @tf.function
  def train():
    inputs = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
      tape.watch(inputs)
      outputs = layer(inputs, training=True)
    return tape.gradient(outputs, [inputs, *weights], output_gradients=dy)

  return forward, train


def measure(candidates):
  """The median milliseconds of each function; a few runs of each in turn."""
  times = [[] for _ in candidates]
  for _ in range(ROUNDS):
    for function, measured in zip(candidates, times):
      function()  # after another's, the caches are another's
      for _ in range(RUNS):
        start = time.perf_counter()
        function()
        measured.append(1e3 * (time.perf_counter() - start))
  return [statistics.median(measured) for measured in times]


def main():
  makers = [make_dynamic_rnn, functions.make_keras_indy, functions.make_keras]
  rows, ratios = [], []
  problems = [Problem(cell, *shape) for shape in SHAPES for cell in INDY_CELLS]
  for problem in tqdm.tqdm(problems, disable=None):
    pairs = [make_functions(problem, maker) for maker in makers]
    times = measure([function for pair in pairs for function in pair])
    forward, train = times[2] / times[0], times[3] / times[1]
    ratios += [forward, train]
    shown = [f"{a:.3g}, {b:.3g}" for a, b in zip(times[::2], times[1::2])]
    rows.append(
      f"| {problem.cell}, {', '.join(map(str, problem.shape))} | "
      f"{' | '.join(shown)} | {forward:.2f}, {train:.2f} |"
    )
  print(
    "| layer, batch, time, features, units | dynamic_rnn | layer | "
    "Keras's own | layer / dynamic_rnn |"
  )
  print("|---|---|---|---|---|")
  print("\n".join(rows))
  print(f"\nlayer / dynamic_rnn: {max(ratios):.2f} at most (wanted: {WANTED})")


if __name__ == "__main__":
  main()
