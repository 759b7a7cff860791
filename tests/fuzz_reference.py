"""The recurrences and their gradients as loops of NumPy in float64.

Nothing here is derived by hand: gradients are differences along the imaginary
axis, exact to the last digits. A unit of one row depends on no other, so all of
them are differentiated at once.
"""

import dataclasses
from typing import Optional

import numpy as np

GATES = {"IndRNN": 1, "IndyGRU": 3, "IndyLSTM": 4, "SRU": 4}
STATES = {"IndRNN": 1, "IndyGRU": 1, "IndyLSTM": 2, "SRU": 2}

# Where r, z, c and i, j, f, o lie: each is its own inverse.
ORDERS = {
  ("IndyGRU", "keras"): [1, 0, 2],
  ("IndyLSTM", "keras"): [0, 2, 1, 3],
}

# How far the imaginary axis is left: its square is nothing.
_STEP = 1e-30


def sigmoid(x):
  return 0.5 * (1 + np.tanh(0.5 * x))


# Of complex numbers next to the real axis as well.
_ACTIVATIONS = {
  "tanh": np.tanh,
  "sigmoid": sigmoid,
  "relu": lambda x: np.where(x.real > 0, x, 0),
  "identity": lambda x: x,
  "elu": lambda x: np.where(
    x.real > 0, x, np.expm1(np.where(x.real > 0, 0, x))
  ),
  "softsign": lambda x: x / (1 + np.sign(x.real) * x),
}
ACTIVATIONS = tuple(_ACTIVATIONS)


@dataclasses.dataclass
class Problem:
  """One call, in float64, with gates in the order of tf.contrib.rnn.

  Attributes:
    x: [time, batch, gates, units], the projected inputs.
    u, b, d: [gates, units], the recurrent kernel, the bias and the bias of what
      the state brings.
    states: of [batch, units], h or c and h.
    lengths: [batch], or None.
  """

  cell: str
  activation: str
  forget_bias: float
  reverse: bool
  x: np.ndarray
  u: np.ndarray
  b: np.ndarray
  d: np.ndarray
  states: list[np.ndarray]
  lengths: Optional[np.ndarray]
  # How near ReLU's kink, where its gradient may be either, a run came.
  kink: float = np.inf

  def activate(self, x):
    if self.activation == "relu":
      distances = np.abs(x.real)[x.real != 0]
      self.kink = min(self.kink, np.min(distances, initial=np.inf))
    return _ACTIVATIONS[self.activation](x)

  def cut_lengths(self):
    time, batch = self.x.shape[-4:-2]
    if self.lengths is None:
      return np.full([batch], time)
    return np.clip(self.lengths.astype(np.int64), 0, time)


def _step(problem, x, states):
  """The new states, of x [..., batch, gates, units]."""
  act = problem.activate

  def gate(which, h, reset=1):
    u, b, d = (w[..., which, :] for w in (problem.u, problem.b, problem.d))
    return x[..., which, :] + b + reset * (u * h + d)

  h = states[-1]
  if problem.cell == "IndRNN":
    return [act(gate(0, h))]
  if problem.cell == "IndyGRU":
    r, z = sigmoid(gate(0, h)), sigmoid(gate(1, h))
    return [z * h + (1 - z) * act(gate(2, h, r))]
  if problem.cell == "SRU":
    c = states[0]
    f, r = sigmoid(gate(1, c)), sigmoid(gate(2, c))
    c, t = f * c + (1 - f) * gate(0, c), gate(3, c)
    return [c, r * act(c) + (1 - r) * t]
  i, o = sigmoid(gate(0, h)), sigmoid(gate(3, h))
  f = sigmoid(gate(2, h) + problem.forget_bias)
  c = f * states[0] + i * act(gate(1, h))
  return [c, o * act(c)]


def run(problem):
  """The states along time, zeros past the ends, and the final states."""
  time, batch, _, units = problem.x.shape[-4:]
  lengths = problem.cut_lengths()
  leading = problem.x.shape[:-4]
  sequences = [
    np.zeros([*leading, time, batch, units], problem.x.dtype)
    for _ in problem.states
  ]
  states, rows = list(problem.states), np.arange(batch)
  for step in range(lengths.max(initial=0)):
    runs = step < lengths
    times = np.maximum(lengths - 1 - step, 0) if problem.reverse else step
    times = np.broadcast_to(times, [batch])
    new = _step(problem, problem.x[..., times, rows, :, :], states)
    for i, state in enumerate(new):
      states[i] = np.where(runs[:, np.newaxis], state, states[i])
      sequences[i][..., times[runs], rows[runs], :] = state[..., runs, :]
  return sequences, states


def count_directions(problem):
  """How many runs `differentiate` does at once."""
  time, _, gates, _ = problem.x.shape
  return time * gates + 3 * gates + len(problem.states)


def _perturb(problem):
  """The problem, with a leading axis of all directions, one after the other."""
  time, _, gates, _ = problem.x.shape
  shapes = [(time, 1, gates, 1)] + [(1, gates, 1)] * 3
  shapes += [(1, 1)] * len(problem.states)
  arrays = [problem.x, problem.u, problem.b, problem.d, *problem.states]
  count = count_directions(problem)
  first, perturbed = 0, []
  for array, shape in zip(arrays, shapes):
    size = int(np.prod(shape))
    directions = np.zeros([count, size])
    directions[np.arange(first, first + size), np.arange(size)] = _STEP
    perturbed.append(array + 1j * directions.reshape(count, *shape))
    first += size
  x, u, b, d, *states = perturbed
  return dataclasses.replace(problem, x=x, u=u, b=b, d=d, states=states)


def differentiate(problem, sequence_weights, final_weights):
  """The gradients of the sum of all states, each times its weight.

  Args:
    problem: the call.
    sequence_weights, final_weights: the incoming gradients of what `run`
      returns; None for zeros.

  Returns:
    The gradients of x, u, b, d and of each state, shaped as these.
  """
  time, batch, gates, units = problem.x.shape
  perturbed = _perturb(problem)
  sequences, finals = run(perturbed)
  problem.kink = perturbed.kink
  losses = np.zeros([count_directions(problem), batch, units])
  for sequence, weights in zip(sequences, sequence_weights):
    if weights is not None:
      losses += np.sum(sequence.imag / _STEP * weights, axis=-3)
  for final, weights in zip(finals, final_weights):
    if weights is not None:
      losses += final.imag / _STEP * weights
  x = losses[: time * gates].reshape(time, gates, batch, units)
  rest = losses[time * gates :]
  sums = rest[: 3 * gates].sum(axis=1).reshape(3, gates, units)
  return [x.swapaxes(1, 2), *sums, *rest[3 * gates :]]
