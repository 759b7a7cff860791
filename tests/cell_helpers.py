"""What the tests of the plain RNNCells share: a call with random weights in
each mode of TensorFlow, and gradients by finite differences."""

import helpers
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

MODES = ["graph", "eager", "function"]


def short_name(variable):
  """The name of a variable below the scope of its cell."""
  return variable.name.split("/", 1)[-1].removesuffix(":0")


def draw(cell, seed=0):
  """Random weights for a cell that has its variables, by their short names."""
  rng = np.random.RandomState(seed)
  return {
    short_name(v): helpers.random(rng, v.shape, v.dtype.base_dtype.name)
    for v in cell.variables
  }


def run_step(mode, make_cell, x, state):
  """Calls a cell with random weights.

  In eager mode and in a tf.function it is called twice, and the variables of
  the first call get the weights.

  Args:
    mode: one of `MODES`.
    make_cell: makes the cell.
    x: an array, or a tuple of them.
    state: an array, or a function that makes the cell's state of it.

  Returns:
    The leaves of the results, and the weights by their short names.
  """
  if mode == "graph":
    with tf.Graph().as_default():
      cell = make_cell()
      results = cell(as_tensors(x), as_tensors(state))
      weights = draw(cell)
      values = helpers.evaluate(results, [cell], [weights.values()])
    return tf.nest.flatten(values), weights
  cell = make_cell()
  call = tf.function(cell) if mode == "function" else cell
  call(as_tensors(x), as_tensors(state))
  weights = assign(cell)
  results = call(as_tensors(x), as_tensors(state))
  return tf.nest.flatten(helpers.to_numpy(results)), weights


def as_tensors(state):
  return tf.nest.map_structure(tf.constant, state)


def assign(cell):
  """Gives a cell random weights in eager mode; returns them."""
  weights = draw(cell)
  for variable in cell.variables:
    variable.assign(weights[short_name(variable)])
  return weights


def loss(tensors, cos=np.cos):
  """A number that each entry of the results has a share in, in NumPy."""
  return sum(
    np.sum(t * cos(np.arange(t.size)).reshape(t.shape)) for t in tensors
  )


def check_gradients(make_cell, x, state, numpy_step, tolerance=1e-8):
  """Compares gradients with finite differences of a step in NumPy.

  Args:
    make_cell: makes a cell.
    x: float64 inputs.
    state: its state, of float64 arrays.
    numpy_step: takes weights by name, x and the leaves of the state; returns
      the leaves of the results.
    tolerance: by which the gradients may differ.
  """
  cell = make_cell()
  cell(as_tensors(x), as_tensors(state))
  weights = assign(cell)
  tensors = as_tensors(x), as_tensors(state)
  with tf.GradientTape() as tape:
    tape.watch(tensors)
    results = tf.nest.flatten(cell(*tensors))
    total = tf.add_n(
      [
        tf.reduce_sum(t * np.cos(np.arange(tf.size(t))).reshape(t.shape))
        for t in results
      ]
    )
  sources = [*tf.nest.flatten(tensors), *cell.variables]
  got = tape.gradient(total, sources, unconnected_gradients="zero")
  arrays = [x, *tf.nest.flatten(state), *weights.values()]
  leaves = len(arrays) - len(weights)
  function = lambda: loss(
    numpy_step(dict(zip(weights, arrays[leaves:])), arrays[0], arrays[1:leaves])
  )
  for gradient, array in zip(got, arrays):
    helpers.assert_close(gradient, differences(function, array), tolerance)


def differences(function, array, step=1e-5):
  """The gradient of a function that sees the array, entry by entry."""
  result = np.empty_like(array)
  for index in np.ndindex(array.shape):
    entry = array[index]
    array[index] = entry + step
    above = function()
    array[index] = entry - step
    result[index] = (above - function()) / (2 * step)
    array[index] = entry
  return result
