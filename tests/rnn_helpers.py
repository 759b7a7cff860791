"""What the tests of dynamic_rnn and its relatives share."""

import functools

import helpers
import numpy as np
import tensorflow as tf
from helpers import KINDS
from helpers import v1

import tf_contrib_rnn


def assert_whole(messages, count):
  assert len(messages) == count, messages
  for message in messages:
    assert message.startswith("whole sequences: "), message


def start_session():
  """A session that runs graphs as they are: to rewrite them takes longer."""
  options = v1.ConfigProto()
  options.graph_options.rewrite_options.disable_meta_optimizer = True
  return v1.Session(config=options)


def run_graph(build, arrays, dtype="float32", seed=0):
  """What build(*tensors) returns, and its gradients, with random variables.

  build returns (outputs and states, in any structure). All gradients are
  those of a sum that weights every number differently.
  """
  with tf.Graph().as_default():
    v1.set_random_seed(1)
    tensors = [tf.constant(array) for array in arrays]
    results = tf.nest.flatten(build(*tensors))
    rng = np.random.RandomState(seed)
    variables = v1.global_variables()
    total = 0.0
    for i, result in enumerate(results):
      count = tf.size(result)
      weights = tf.sin(tf.range(tf.cast(count, tf.float32)) * 0.37 + i)
      flat = tf.reshape(tf.cast(result, tf.float32), [-1])
      total += tf.reduce_sum(flat * weights)
    floating = [t for t in tensors if t.dtype.is_floating]
    gradients = v1.gradients(total, variables + floating)
    gradients = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    with start_session() as session:
      session.run(v1.global_variables_initializer())
      for variable in variables:
        value = helpers.random(rng, variable.shape.as_list(), dtype) * 0.7
        session.run(v1.assign(variable, value))
      return (
        [v.name for v in variables],
        session.run(results),
        session.run(gradients),
      )


def assert_same(got, want, tolerance=2e-6):
  assert got[0] == want[0]
  helpers.assert_close(got[1], want[1], tolerance)
  assert len(got[2]) == len(want[2]) > 0
  helpers.assert_close(got[2], want[2], 5 * tolerance)


def compare(
  name, make_cells, arrays, tolerance=2e-6, dtype="float32", **kwargs
):
  """Runs a function of this package and TensorFlow's; returns nothing.

  The first array is the inputs; a second one is the sequence_length.
  """

  def build(function, x, lengths=None):
    return function(
      *make_cells(), x, sequence_length=lengths, dtype=x.dtype, **kwargs
    )

  ours = functools.partial(build, getattr(tf_contrib_rnn, name))
  theirs = functools.partial(build, getattr(v1.nn, name))
  assert_same(
    run_graph(ours, arrays, dtype), run_graph(theirs, arrays, dtype), tolerance
  )


def make_inputs(batch, time, depth, dtype="float32", seed=3):
  return helpers.random(
    np.random.RandomState(seed), [batch, time, depth], dtype
  )


def indy(kind):
  return KINDS[kind].make(5)
