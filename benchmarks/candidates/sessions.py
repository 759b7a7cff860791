"""Candidates in graphs of TensorFlow 1, run by a session.

Sequences and weights are variables: constants would be folded, and feeds
copied. What is run are operations: their results stay in TensorFlow.
"""

import tensorflow as tf

import tf_contrib_rnn
from candidates import Calls

v1 = tf.compat.v1
v1.disable_v2_behavior()


class _Graph:
  """A graph whose variables are given their numbers by the session."""

  def __init__(self, dtype):
    self._values = []
    self._dtype = tf.as_dtype(dtype)

  def variable(self, name, value):
    variable = v1.get_variable(name, value.shape, self._dtype)
    self._values.append((variable, value))
    return variable

  def set(self, variables, values):
    assert len(variables) == len(values)
    self._values += zip(variables, values)

  def start(self):
    session = v1.Session()
    for variable, value in self._values:
      variable.load(value.astype(self._dtype.as_numpy_dtype), session)
    self._values = []
    return session


def _floor(_, graph, problem):
  rows = problem.batch * problem.time
  x = graph.variable("x", problem.x().reshape(rows, problem.inputs))
  w = graph.variable("w", problem.kernel())
  dy = graph.variable("dy", problem.projected_gradients())
  y = tf.matmul(x, w)
  dx = tf.matmul(dy, w, transpose_b=True)
  return y, [dx, tf.matmul(x, dy, transpose_a=True)]


def _cell(name, graph, problem):
  x = graph.variable("x", problem.x())
  dy = graph.variable("dy", problem.output_gradients())
  cell = getattr(tf_contrib_rnn, problem.cell + "Cell")(problem.units)
  run = tf_contrib_rnn if name == "whole" else v1.nn
  implementation = "composed" if name == "composition" else "fused"
  with tf_contrib_rnn.implementation(implementation):
    y, _ = run.dynamic_rnn(cell, x, dtype=problem.dtype)
  graph.set(cell.trainable_variables, problem.weights())
  return y, v1.gradients(y, [x] + cell.trainable_variables, grad_ys=dy)


def _block_lstm(_, graph, problem):
  batch, time, inputs, units = problem.shape
  x = graph.variable("x", problem.x().swapaxes(0, 1))
  dy = graph.variable("dy", problem.output_gradients().swapaxes(0, 1))
  kernel = problem.random(7, inputs + units, 4 * units, scale=units**-0.5)
  w = graph.variable("w", kernel)
  b = graph.variable("b", problem.bias())
  zeros = tf.zeros([batch, units])
  peephole = tf.zeros([units])
  y = tf.raw_ops.BlockLSTMV2(
    seq_len_max=tf.constant(time, tf.int64),
    x=x,
    cs_prev=zeros,
    h_prev=zeros,
    w=w,
    wci=peephole,
    wcf=peephole,
    wco=peephole,
    b=b,
  ).h
  return y, v1.gradients(y, [x, w, b], grad_ys=dy)


_BUILDERS = {"floor": _floor, "block_lstm": _block_lstm}


def build(name, problem):
  with tf.Graph().as_default():
    graph = _Graph(problem.dtype)
    y, gradients = _BUILDERS.get(name, _cell)(name, graph, problem)
    assert None not in gradients
    session = graph.start()
    return Calls(
      session.make_callable(y.op),
      session.make_callable([t.op for t in [y, *gradients]]),
      session.make_callable([y, gradients[0]]),
      session.close,
    )
