"""What one product for all inputs would save in cells with recurrent matrices.

  python benchmarks/input_products.py

[x, h] W is x Wx + h Wh, so that x Wx can be done for all steps before the loop.
Each of five cells is written out twice, with its product as tf.contrib.rnn has
it and with that, and run by TensorFlow's dynamic_rnn in a graph. The two take
turns; medians over the runs.
"""

import time

import numpy as np
import tensorflow as tf

from tf_contrib_rnn import core

v1 = tf.compat.v1
SHAPES = ((8, 100, 64, 64), (32, 100, 256, 256))
RUNS = {8: 25, 32: 12}


def _ugrnn(gates, states, _):
  g, c = tf.split(gates, 2, 1)
  g = tf.sigmoid(g + 1)
  h = g * states[0] + (1 - g) * tf.tanh(c)
  return h, (h,)


def _coupled(gates, states, _):
  j, f, o = tf.split(gates, 3, 1)
  f = tf.sigmoid(f + 1)
  c = f * states[0] + (1 - f) * tf.tanh(j)
  h = tf.sigmoid(o) * tf.tanh(c)
  return h, (c, h)


def _basic_lstm(gates, states, _):
  i, j, f, o = tf.split(gates, 4, 1)
  c = states[0] * tf.sigmoid(f + 1) + tf.sigmoid(i) * tf.tanh(j)
  h = tf.tanh(c) * tf.sigmoid(o)
  return h, (c, h)


def _phased(gates, states, inputs):
  c, h = states
  i, f, j, o = tf.split(gates, 4, 1)
  new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
  new_h = tf.sigmoid(o) * tf.tanh(new_c)
  k = inputs[:, :1]  # in place of the oscillation
  c, h = k * new_c + (1 - k) * c, k * new_h + (1 - k) * h
  return h, (c, h)


def _nas(of_inputs, of_state, states):
  x, h = (tf.split(product, 8, 1) for product in (of_inputs, of_state))
  sums = [a + b for a, b in zip(x, h)]
  first = [
    tf.sigmoid(sums[0]),
    tf.nn.relu(sums[1]),
    tf.sigmoid(sums[2]),
    tf.nn.relu(x[3] * h[3]),
    tf.tanh(sums[4]),
    tf.sigmoid(sums[5]),
    tf.tanh(sums[6]),
    tf.sigmoid(sums[7]),
  ]
  second = [
    tf.tanh(first[0] * first[1]),
    tf.tanh(first[2] + first[3]),
    tf.tanh(first[4] * first[5]),
    tf.sigmoid(first[6] + first[7]),
  ]
  c = tf.tanh(second[0] + states[0]) * second[1]
  h = tf.tanh(c * tf.tanh(second[2] + second[3]))
  return h, (c, h)


# Name: (gates, states, what a step does with the sums).
CELLS = {
  "UGRNN": (2, 1, _ugrnn),
  "Coupled": (3, 2, _coupled),
  "LayerNormBasic": (4, 2, _basic_lstm),
  "Phased": (4, 2, _phased),
  "NAS": (8, 2, None),
}


class _Cell(core.RNNCell):
  """One of the cells; `is_done` says whether inputs are multiplied already."""

  def __init__(self, name, kernel, depth, units, is_done):
    super().__init__()
    self._cell_name, self._units, self._is_done = name, units, is_done
    self._kernel, self._of_state = kernel, kernel[depth:]
    self._of_inputs = kernel[:depth]

  @property
  def state_size(self):
    return (self._units,) * CELLS[self._cell_name][1]

  @property
  def output_size(self):
    return self._units

  def call(self, inputs, state):
    h, step = state[-1], CELLS[self._cell_name][2]
    if step is None:
      done = inputs if self._is_done else tf.matmul(inputs, self._of_inputs)
      return _nas(done, tf.matmul(h, self._of_state), state)
    if self._is_done:
      return step(inputs + tf.matmul(h, self._of_state), state, inputs)
    sums = tf.matmul(tf.concat([inputs, h], 1), self._kernel)
    return step(sums, state, inputs)


def build(name, shape, is_done):
  """The operations of a forward and of a training run."""
  batch, steps, depth, units = shape
  width = CELLS[name][0] * units
  rng = np.random.default_rng(0)
  scale = (depth + units) ** -0.5
  x = tf.Variable(rng.standard_normal((batch, steps, depth), np.float32))
  kernel = tf.Variable(
    rng.standard_normal((depth + units, width), np.float32) * scale
  )
  inputs = x
  if is_done:
    rows = tf.reshape(x, [batch * steps, depth])
    inputs = tf.reshape(rows @ kernel[:depth], [batch, steps, width])
  cell = _Cell(name, kernel, depth, units, is_done)
  outputs, _ = v1.nn.dynamic_rnn(cell, inputs, dtype=tf.float32)
  gradients = v1.gradients(tf.reduce_sum(outputs**2), [x, kernel])
  return {"forward": outputs.op, "training": [g.op for g in gradients]}


def measure(name, shape):
  """Milliseconds by (direction, whether inputs are multiplied before)."""
  with tf.Graph().as_default(), v1.Session() as session:
    runs = {
      (direction, is_done): operations
      for is_done in (False, True)
      for direction, operations in build(name, shape, is_done).items()
    }
    session.run(v1.global_variables_initializer())
    times = {key: [] for key in runs}
    for number in range(RUNS[shape[0]] + 2):
      for key, operations in runs.items():
        start = time.perf_counter()
        session.run(operations)
        if number > 1:  # the first are for warming up
          times[key].append(time.perf_counter() - start)
  return {key: 1e3 * np.median(found) for key, found in times.items()}


def main():
  print("| shape | cell | forward, ms | times faster | training, ms | |")
  print("|---|---|---:|---:|---:|---:|")
  for shape in SHAPES:
    for name in CELLS:
      ms = measure(name, shape)
      columns = []
      for direction in ("forward", "training"):
        old, new = ms[direction, False], ms[direction, True]
        columns += [f"{old:.1f} → {new:.1f}", f"{old / new:.2f}"]
      print(f"| {shape} | {name} |", " | ".join(columns), "|", flush=True)


if __name__ == "__main__":
  main()
