"""Cells in several tf.functions: each keeps the variables that are its own."""

import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn

v1 = tf.compat.v1
MAKE = {
  "IndRNN": lambda: tf_contrib_rnn.IndRNNCell(3),
  "IndyGRU": lambda: tf_contrib_rnn.IndyGRUCell(3),
  "IndyLSTM": lambda: tf_contrib_rnn.IndyLSTMCell(3),
  "SRU": lambda: tf_contrib_rnn.SRUCell(3),
  "LSTMBlock": lambda: tf_contrib_rnn.LSTMBlockCell(3),
  "GRUBlock": lambda: tf_contrib_rnn.GRUBlockCellV2(3),
  "UGRNN": lambda: tf_contrib_rnn.UGRNNCell(3),
}
either = pytest.mark.parametrize("name", MAKE)


@pytest.fixture(autouse=True, params=["after eager variables", "at first"])
def before(request):
  """TensorFlow's store of variables is in the default graph, or is not yet."""
  if request.param == "after eager variables":
    v1.get_variable("something", [])


def a_function(cell):
  return tf.function(
    lambda x: tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)[0]
  )


@either
def test_two_functions_of_two_cells(name):
  x = tf.ones([2, 4, 3])
  cells = [MAKE[name]() for _ in range(2)]
  first, second = (a_function(cell)(x) for cell in cells)
  for one, other in zip(*(cell.variables for cell in cells)):
    assert one is not other
    one.assign_add(tf.ones_like(one))
  again = a_function(cells[1])(x)
  np.testing.assert_array_equal(again, second)
  assert np.abs(a_function(cells[0])(x) - first).max() > 1e-3


@either
def test_two_functions_of_one_cell(name):
  cell = MAKE[name]()
  first = a_function(cell)(tf.ones([2, 4, 3]))
  count = len(cell.variables)
  second = a_function(cell)(tf.ones([2, 4, 3]))
  np.testing.assert_array_equal(first, second)
  assert len(cell.variables) == count


def test_a_function_of_two_cells_that_share_a_scope():
  """reuse=True is what asks for the variables of another cell."""
  cells = [MAKE["IndyGRU"](), tf_contrib_rnn.IndyGRUCell(3, reuse=True)]

  @tf.function
  def run(x):
    with v1.variable_scope("a"):
      one = tf_contrib_rnn.dynamic_rnn(cells[0], x, dtype=tf.float32)[0]
    with v1.variable_scope("a", reuse=True):
      other = tf_contrib_rnn.dynamic_rnn(cells[1], x, dtype=tf.float32)[0]
    return one, other

  one, other = run(tf.ones([2, 4, 3]))
  np.testing.assert_array_equal(one, other)


def test_two_functions_of_two_fused_cells():
  x = tf.ones([4, 2, 3])
  cells = [tf_contrib_rnn.LSTMBlockFusedCell(3) for _ in range(2)]
  for cell in cells:
    tf.function(lambda x, cell=cell: cell(x, dtype=tf.float32)[0])(x)
  one, other = (cell.variables[0] for cell in cells)
  assert one is not other
  assert np.abs(one - other).max() > 1e-3
