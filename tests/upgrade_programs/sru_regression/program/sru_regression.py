"""Predicts a sum of sines with SRU layers."""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import numpy as np
from six.moves import xrange  # pylint: disable=redefined-builtin
import tensorflow as tf

slim = tf.contrib.slim
nest = tf.contrib.framework.nest

flags = tf.app.flags
FLAGS = flags.FLAGS
flags.DEFINE_string('checkpoint', None, 'Prefix of the checkpoint.')
flags.DEFINE_string('outputs', None, 'Where the outputs are written.')
flags.DEFINE_boolean('restore', False, 'Whether to restore the checkpoint.')
flags.DEFINE_integer('num_units', 6, 'Units of each layer.')
flags.DEFINE_integer('num_steps', 2, 'Training steps.')
flags.DEFINE_float('learning_rate', 1e-2, 'Learning rate.')


def waves(batch=3, time=8):
  phases = np.random.RandomState(4).uniform(0, 6, [batch, 1, 2])
  t = np.arange(time + 1).reshape([1, -1, 1])
  series = np.sin(t * [0.3, 0.7] + phases).sum(2, keepdims=True)
  return series[:, :-1].astype('f'), series[:, 1:].astype('f')


def _arg_scope(weight_decay=1e-3):
  with slim.arg_scope(
      [slim.fully_connected],
      activation_fn=tf.nn.relu,
      weights_initializer=slim.variance_scaling_initializer(seed=1),
      weights_regularizer=slim.l2_regularizer(weight_decay)) as sc:
    return sc


def model_fn(series, targets):
  """The graph: predictions, final states and the training op."""
  num_units = FLAGS.num_units
  with slim.arg_scope(_arg_scope()):
    net = slim.fully_connected(series, num_units, scope='fc1')
    cell = tf.contrib.rnn.MultiRNNCell([
        tf.contrib.rnn.SRUCell(num_units, activation=activation)
        for activation in (tf.tanh, tf.nn.relu)])
    net, state = tf.nn.dynamic_rnn(cell, net, dtype=tf.float32)
    net = tf.contrib.layers.layer_norm(net, begin_norm_axis=2, scope='norm')
    net = slim.stack(net, slim.fully_connected, [5, 4], scope='fc2')
    predictions = slim.fully_connected(
        net, 1, activation_fn=None, scope='predictions')
  tf.losses.mean_squared_error(targets, predictions)
  loss = tf.losses.get_total_loss()
  global_step = tf.contrib.framework.get_or_create_global_step()
  learning_rate = tf.train.exponential_decay(
      FLAGS.learning_rate, global_step, 10, 0.9)
  optimizer = tf.train.AdamOptimizer(learning_rate)
  train_op = slim.learning.create_train_op(
      loss, optimizer, global_step=global_step)
  return predictions, nest.flatten(state), loss, train_op


def main(_):
  tf.logging.set_verbosity(tf.logging.ERROR)
  tf.set_random_seed(6)
  x, y = waves()
  series = tf.placeholder(tf.float32, [None, None, 1])
  targets = tf.placeholder(tf.float32, [None, None, 1])
  predictions, states, loss, train_op = model_fn(series, targets)
  feed = {series: x, targets: y}
  saver = tf.train.Saver(slim.get_variables_to_restore())
  with tf.Session() as sess:
    if FLAGS.restore:
      saver.restore(sess, FLAGS.checkpoint)
    else:
      sess.run([tf.global_variables_initializer(),
                tf.local_variables_initializer()])
      for _ in xrange(FLAGS.num_steps):
        sess.run(train_op, feed)
      saver.save(sess, FLAGS.checkpoint, write_meta_graph=False)
    p, s, l, step = sess.run(
        [predictions, states, loss, tf.train.get_global_step()], feed)
  tf.logging.info('loss %f', l)
  if not tf.gfile.Exists(FLAGS.checkpoint + '.index'):
    raise ValueError('no checkpoint')
  np.savez(FLAGS.outputs, predictions=p, states=np.array(s), loss=l, step=step,
           names=np.array([v.op.name for v in tf.global_variables()]))


if __name__ == '__main__':
  flags.mark_flag_as_required('checkpoint')
  tf.app.run()
