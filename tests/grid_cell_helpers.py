"""What the tests of the cells over frequencies share: how they are made, and
what they compute."""

import itertools

import helpers
import numpy as np
import tensorflow as tf

import tf_contrib_rnn

CELLS = ["TimeFreq", "Grid", "BidirectionalGrid"]
UNITS = 2
BATCH = 3
# For windows of 2 columns: where each starts, block by block, and how a grid
# cell is told. The inputs have 7 columns.
DEPTH = 7
GRIDS = {
  "whole": ([[0, 3]], {"num_frequency_blocks": [2], "frequency_skip": 3}),
  "part": (
    [[1, 3]],
    {
      "num_frequency_blocks": [2],
      "frequency_skip": 2,
      "start_freqindex_list": [1],
      "end_freqindex_list": [6],
    },
  ),
  "blocks": (
    [[0], [2, 4]],
    {
      "num_frequency_blocks": [1, 2],
      "frequency_skip": 2,
      "start_freqindex_list": [0, 2],
      "end_freqindex_list": [3, 6],
    },
  ),
}


def make_grid(grid="whole", bidirectional=False, units=UNITS, **keywords):
  name = "BidirectionalGridLSTMCell" if bidirectional else "GridLSTMCell"
  keywords = {"feature_size": 2, **GRIDS[grid][1], **keywords}
  return getattr(tf_contrib_rnn, name)(units, **keywords)


def make_time_freq(units=UNITS, **keywords):
  keywords = {"feature_size": 2, "frequency_skip": 3, **keywords}
  return tf_contrib_rnn.TimeFreqLSTMCell(units, **keywords)


def make_any(name, **keywords):
  """A cell of any kind whose state_size is what it takes."""
  if name == "TimeFreq":
    return make_time_freq(**{"feature_size": DEPTH, **keywords})
  return make_grid(bidirectional=name == "BidirectionalGrid", **keywords)


def draw_arrays(windows, units=UNITS, batch=BATCH, dtype="float64"):
  """Inputs, and one state [c, m, c, m, ...] for all windows."""
  rng = np.random.RandomState(windows)
  shapes = [batch, DEPTH], [batch, 2 * windows * units]
  return [helpers.random(rng, shape, dtype) for shape in shapes]


# The reference.


def numpy_gates(weights, names, z, cells, options):
  """The sigmoids i and f, tanh(j), the sums of o, and its peepholes."""
  kernel, bias, peephole = names
  rows = [
    weights[f"{kernel}_{i}"]
    for i in itertools.takewhile(
      lambda i: f"{kernel}_{i}" in weights, itertools.count()
    )
  ]
  sums = z @ np.concatenate(rows) + weights[bias]
  see = lambda gate, cells: sum(
    c * weights[name]
    for c, name in zip(cells, peephole(gate))
    if name in weights
  )
  if options.get("couple_input_forget_gates"):
    i, j, o = np.split(sums, 3, 1)
    i = helpers.sigmoid(i + see("I", cells))
    return i, 1 - i, np.tanh(j), lambda new: o + see("O", new)
  i, j, f, o = np.split(sums, 4, 1)
  f = f + options.get("forget_bias", 1.0)
  return (
    helpers.sigmoid(i + see("I", cells)),
    helpers.sigmoid(f + see("F", cells)),
    np.tanh(j),
    lambda new: o + see("O", new),
  )


def numpy_clip(c, options):
  clip = options.get("cell_clip")
  return c if clip is None else np.clip(c, -clip, clip)


def numpy_time_freq(weights, x, states, options, starts=(0, 3)):
  """The output and new state of windows that start there."""
  (state,) = states
  size = options.get("feature_size", 2)
  units = len(weights["B"]) // 4
  parts = np.split(state, state.shape[1] // units, 1)
  before = np.zeros_like(parts[0])
  outputs, new_state = [], []
  for start, c, m in zip(starts, parts[::2], parts[1::2]):
    z = np.concatenate([x[:, start : start + size], m, before], 1)
    i, f, j, o = numpy_gates(
      weights, ("W", "B", lambda gate: [f"W_{gate}_diag"]), z, [c], options
    )
    c = numpy_clip(f * c + i * j, options)
    before = helpers.sigmoid(o([c])) * np.tanh(c)
    outputs.append(before)
    new_state += [c, before]
  return np.concatenate(outputs, 1), np.concatenate(new_state, 1)


def numpy_grid(weights, x, state, blocks, options):
  """The outputs and new states, window by window.

  Args:
    weights: the arrays by name.
    x: the inputs [batch, depth].
    state: c and m of each window, in one list.
    blocks: for each block, where its windows of two columns start.
    options: those of the cell.
  """
  state = iter(state)
  outputs, new_state = [], []
  for block, starts in enumerate(blocks):
    c_freq = m_freq = 0 * x[:, :1] + np.zeros(UNITS)
    for start in starts:
      c_time, m_time = next(state), next(state)
      z = np.concatenate([x[:, start : start + 2], m_time, m_freq], 1)
      new, results = [], []
      gates = [
        numpy_gates(weights, names, z, [c_freq, c_time], options)
        for names in names_of_lstms(block, options)
      ]
      for c, (i, f, j, _) in zip([c_freq, c_time], gates):
        new.append(numpy_clip(f * c + i * j, options))
      for c, (*_, o) in zip(new, gates):
        results.append(helpers.sigmoid(o(new)) * np.tanh(c))
      c_freq, c_time = new
      m_freq, m_time = results
      outputs += [m_time, m_freq]
      new_state += [c_time, m_time]
  return outputs, new_state


def names_of_lstms(block, options):
  """Of the frequency LSTM and the time LSTM."""
  shared = options.get("share_time_frequency_weights")
  for kind in ("freq", "freq" if shared else "time"):
    yield (
      f"W_{kind[0]}_{block}",
      f"B_{kind[0]}_{block}",
      lambda gate, kind=kind: [
        f"W_{gate}_diag_{kind}{cell}_{block}" for cell in "ft"
      ],
    )


def numpy_step(weights, x, state, grid, options, bidirectional=False):
  """The output and the parts of the new state, as the cell has them."""
  blocks = GRIDS[grid][0]
  if not bidirectional:
    outputs, state = numpy_grid(weights, x, state, blocks, options)
    return [np.concatenate(outputs, 1), *state]
  offset = options.get("backward_slice_offset", 0)
  padded = np.pad(x, [(0, 0), (max(-offset, 0), max(offset, 0))])
  turned = [[k + max(offset, 0) for k in starts[::-1]] for starts in blocks]
  half = len(state) // 2
  results = [
    numpy_grid(
      {
        name.removeprefix(scope): value
        for name, value in weights.items()
        if name.startswith(scope)
      },
      *arguments,
      options,
    )
    for scope, *arguments in (
      ("fwd/", x, state[:half], blocks),
      ("bwd/", padded, state[half:], turned),
    )
  ]
  outputs, states = zip(*results)
  return [np.concatenate(sum(outputs, []), 1), *sum(states, [])]


def split_state(cell, state):
  """One array as the parts of the cell's state."""
  sizes = len(cell.state_size)
  return type(cell.state_size)(*np.split(state, sizes, 1))


def call(cell, batch=BATCH, **keywords):
  inputs = tf.zeros([batch, DEPTH])
  return cell(inputs, cell.zero_state(batch, tf.float32), **keywords)
