"""How far fused and composed results are from the exact ones, by dtype.

  python benchmarks/precision.py

Prints a table: the largest difference to a float64 run of the same numbers, in
parts of the largest value; for outputs, and for gradients of the inputs, the
recurrent kernel and the bias. The worst of the three cells counts.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import recurrence

BATCH, TIME, UNITS = 32, 500, 64
GATES = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4}
PARTS = ("outputs", "inputs", "recurrent_kernel", "bias")


def draw(cell, dtype):
  """Random arguments: numbers that the dtype can hold, in float64."""
  rng = np.random.RandomState(1)
  width = GATES[cell] * UNITS
  shapes = [[BATCH, TIME, width], [1, width], [width]]
  shapes += [[BATCH, UNITS]] * (2 if cell == "indy_lstm" else 1)
  arrays = (tf.constant(rng.uniform(-1, 1, shape)) for shape in shapes)
  return [tf.cast(tf.cast(array, dtype), tf.float64) for array in arrays]


@tf.function
def run(cell, arguments, implementation):
  """The outputs and the gradients of their sum, in float64.

  In a graph, where the composition sums over time step by step.
  """
  weights, states = arguments[:3], arguments[3:]
  with tf_contrib_rnn.implementation(implementation), tf.GradientTape() as tape:
    tape.watch(weights)
    state = tuple(states) if len(states) > 1 else states[0]
    outputs, _ = getattr(recurrence, cell)(*weights, state)
    loss = tf.reduce_sum(tf.cast(outputs, tf.float64))
  results = [outputs, *tape.gradient(loss, weights)]
  return [tf.cast(result, tf.float64) for result in results]


def differences(dtype, implementation):
  """For each of PARTS the largest difference of any cell."""
  worst = [0.0] * len(PARTS)
  for cell in GATES:
    exact = draw(cell, dtype)
    want = run(cell, exact, "composed")
    got = run(cell, [tf.cast(a, dtype) for a in exact], implementation)
    for i, (g, w) in enumerate(zip(got, want)):
      largest = tf.reduce_max(tf.abs(w))
      worst[i] = max(worst[i], float(tf.reduce_max(tf.abs(g - w)) / largest))
  return worst


def main():
  print(f"| dtype | implementation | {' | '.join(PARTS)} |")
  print("|---|---|" + "---:|" * len(PARTS))
  for dtype in ("float64", "float32", "float16", "bfloat16"):
    for implementation in ("fused", "composed"):
      figures = differences(dtype, implementation)
      cells = " | ".join(f"{figure:.1g}" for figure in figures)
      print(f"| {dtype} | {implementation} | {cells} |")


if __name__ == "__main__":
  main()
