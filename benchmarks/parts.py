"""Where a layer's forward time goes: its parts, each alone.

  python benchmarks/parts.py

The parts do not add up to the layer: run alone, each finds its own data in the
caches and its threads asleep.
"""

import time

import numpy as np
import tensorflow as tf
from problems import Problem
from problems import SHAPES

import tf_contrib_rnn
from tf_contrib_rnn import recurrence

v1 = tf.compat.v1
v1.disable_v2_behavior()

RECURRENCES = {
  "IndRNN": recurrence.ind_rnn,
  "IndyGRU": recurrence.indy_gru,
  "IndyLSTM": recurrence.indy_lstm,
  # It has no recurrent kernel, and biases for its two gates alone.
  "SRU": lambda x, _, b, c: recurrence.sru(x, b[: b.shape[0] // 2], c),
}


def variable(name, *shape):
  initializer = v1.random_uniform_initializer(-1, 1)
  return v1.get_variable(name, shape, initializer=initializer)


def build(problem):
  """The parts as tensors of the default graph."""
  batch, steps, inputs, units = problem.shape
  width = problem.gates * units
  x = variable("x", batch, steps, inputs)
  kernel = variable("kernel", inputs, width)
  state = tf.zeros([batch, units])
  if problem.cell == "IndyLSTM":
    state = (state, state)
  cell = getattr(tf_contrib_rnn, problem.cell + "Cell")(units)
  parts = {
    "session": tf.no_op(),
    "product": tf.matmul(tf.reshape(x, [-1, inputs]), kernel),
    "recurrence": RECURRENCES[problem.cell](
      variable("projected", batch, steps, width),
      variable("u", 1, width),
      variable("b", width),
      state,
    )[0],
    "layer": tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)[0],
  }
  if problem.cell == "IndyGRU":
    kernels = [variable("w", inputs, 2 * units), variable("v", inputs, units)]
    parts["kernels"] = tf.concat(kernels, 1)
  return parts


def time_parts(problem, rounds=7, runs=15):
  """Median milliseconds of each part, the parts taking turns."""
  seconds = {}
  with tf.Graph().as_default(), v1.Session() as session:
    parts = build(problem)
    session.run(v1.global_variables_initializer())
    for _ in range(rounds):
      for name, part in parts.items():
        run = session.make_callable(getattr(part, "op", part))
        for i in range(runs + 3):
          start = time.perf_counter()
          run()
          if i >= 3:
            seconds.setdefault(name, []).append(time.perf_counter() - start)
  return {name: 1e3 * np.median(runs) for name, runs in seconds.items()}


def main():
  names = ["layer", "product", "recurrence", "kernels", "session"]
  print("| shape | cell |", " | ".join(names), "|")
  print("|---" * (2 + len(names)) + "|")
  for shape in SHAPES:
    for cell in RECURRENCES:
      parts = time_parts(Problem(cell, *shape))
      figures = [f"{parts[n]:.3f}" if n in parts else "–" for n in names]
      print(f"| {shape} | {cell} | {' | '.join(figures)} |")


if __name__ == "__main__":
  main()
