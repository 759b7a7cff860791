import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()


def g(tf_contrib_rnn):
  tf_slim = 3
  x = tf.contrib.layers.xavier_initializer()
  return tf.contrib.rnn.GRUCell(3), x, tf_slim


def h():
  return tf_contrib_rnn.GRUCell(3)
