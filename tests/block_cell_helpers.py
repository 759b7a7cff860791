"""What the tests of the block cells share: their equations in float64 and
finite differences of them, and ways to run a cell."""

import dataclasses
from typing import Optional

import helpers
import numpy as np
import tensorflow as tf
from helpers import sigmoid

import tf_contrib_rnn

BATCH, TIME, DEPTH, UNITS = 4, 6, 3, 5
LENGTHS = [6, 0, 9, 2]


# The equations in float64.


@dataclasses.dataclass
class Lstm:
  """An LSTM block's options and equations.

  The gradient takes no notice of the clip. So finite differences are taken of a
  function that moves c by what the clip moved it in the first run, not more.
  """

  peephole: bool = False
  clip: Optional[float] = None
  forget_bias: float = 1.0
  states: int = 2
  moves: list = dataclasses.field(default_factory=list)

  @property
  def arguments(self):
    return {
      "use_peephole": self.peephole,
      "cell_clip": self.clip,
      "forget_bias": self.forget_bias,
    }

  def make(self, units=UNITS, **kwargs):
    return tf_contrib_rnn.LSTMBlockCell(units, **self.arguments, **kwargs)

  def shapes(self, depth, units):
    kernel = [[depth + units, 4 * units], [4 * units]]
    return kernel + [[units]] * (3 if self.peephole else 0)

  def step(self, x, states, weights, number=0):
    (c, h), (kernel, bias, *peepholes) = states, weights
    wi, wf, wo = peepholes or np.zeros([3, c.shape[1]])
    gates = np.concatenate([x, h], 1) @ kernel + bias
    i, j, f, o = np.split(gates, 4, 1)
    f = f + self.forget_bias
    c = sigmoid(i + wi * c) * np.tanh(j) + sigmoid(f + wf * c) * c
    if self.clip and self.clip > 0:
      if number == len(self.moves):
        self.moves.append(np.clip(c, -self.clip, self.clip) - c)
      c = c + self.moves[number]
    return c, sigmoid(o + wo * c) * np.tanh(c)


@dataclasses.dataclass
class Gru:
  name: str = "GRUBlockCell"
  states: int = 1

  def make(self, units=UNITS, **kwargs):
    return getattr(tf_contrib_rnn, self.name)(units, **kwargs)

  def shapes(self, depth, units):
    rows = depth + units
    return [[rows, 2 * units], [2 * units], [rows, units], [units]]

  def step(self, x, states, weights, number=0):
    (h,), (w_ru, b_ru, w_c, b_c) = states, weights
    r, u = np.split(sigmoid(np.concatenate([x, h], 1) @ w_ru + b_ru), 2, 1)
    c = np.tanh(np.concatenate([x, r * h], 1) @ w_c + b_c)
    return (u * h + (1 - u) * c,)


MAKERS = {
  "plain": Lstm,
  "peephole": lambda: Lstm(peephole=True),
  "clip": lambda: Lstm(clip=0.2),
  "all": lambda: Lstm(peephole=True, clip=0.1, forget_bias=-0.5),
  "GRU": Gru,
  "GRUv2": lambda: Gru("GRUBlockCellV2"),
}


def draw(shapes, seed=0, dtype="float32"):
  rng = np.random.RandomState(seed)
  return [helpers.random(rng, shape, dtype) for shape in shapes]


def draw_weights(kind, depth=DEPTH, units=UNITS, dtype="float32"):
  return draw(kind.shapes(depth, units), 1, dtype)


def draw_step(kind, batch=BATCH, depth=DEPTH, units=UNITS, dtype="float32"):
  """Inputs and states."""
  return draw([[batch, depth]] + [[batch, units]] * kind.states, 2, dtype)


def pack(states):
  states = list(states)
  return states[0] if len(states) == 1 else tuple(states)


def sequence(kind, x, states, weights, lengths=None):
  """Time-major outputs, and the final states."""
  lengths = np.full(x.shape[1], len(x)) if lengths is None else lengths
  outputs = []
  for t, inputs in enumerate(x):
    runs = (t < np.asarray(lengths))[:, np.newaxis]
    new = kind.step(inputs, states, weights, t)
    outputs.append(np.where(runs, new[-1], 0))
    states = [np.where(runs, n, s) for n, s in zip(new, states)]
  return [np.stack(outputs), *states]


def weigh(results):
  """A number of all results, that each entry has another part in."""
  return sum(
    (r * np.sin(0.37 * np.arange(r.size) + 0.2).reshape(r.shape)).sum()
    for r in results
  )


def weigh_tensors(results):
  total = 0.0
  for r in results:
    numbers = tf.reshape(tf.range(tf.size(r)), tf.shape(r))
    weights = tf.sin(0.37 * tf.cast(numbers, tf.float64) + 0.2)
    total += tf.reduce_sum(tf.cast(r, tf.float64) * weights)
  return total


def finite_differences(function, arrays, step=1e-6):
  """The gradients of a function of arrays, an entry after the other."""
  arrays = helpers.as_float64(arrays)
  function(arrays)
  gradients = [np.zeros_like(a) for a in arrays]
  for array, gradient in zip(arrays, gradients):
    for index in np.ndindex(array.shape):
      value = array[index]
      ends = []
      for array[index] in (value + step, value - step):
        ends.append(function(arrays))
      array[index] = value
      gradient[index] = (ends[0] - ends[1]) / (2 * step)
  return gradients


def run(mode, kind, function, arrays, weights, units=UNITS, **kwargs):
  """Runs function(cell, *tensors) in a mode with these weights."""
  if mode == "graph":
    with tf.Graph().as_default():
      cell = kind.make(units, **kwargs)
      results = function(cell, *map(tf.constant, arrays))
      return helpers.evaluate(results, [cell], [weights])
  cell = make_and_set(kind, arrays, weights, units, **kwargs)
  if mode == "function":
    function = tf.function(function)
  return helpers.to_numpy(function(cell, *map(tf.constant, arrays)))


def make_and_set(kind, arrays, weights, units=UNITS, **kwargs):
  """A cell in eager mode."""
  cell = kind.make(units, **kwargs)
  call(cell, *map(tf.constant, arrays))
  for variable, array in zip(cell.variables, weights):
    variable.assign(array)
  return cell


def call(cell, x, *states):
  output, state = cell(x, pack(states))
  return [output, *tf.nest.flatten(state)]
