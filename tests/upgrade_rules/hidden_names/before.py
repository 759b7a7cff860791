import tensorflow as tf


def g(tf_contrib_rnn):
  tf_slim = 3
  x = tf.contrib.layers.xavier_initializer()
  return tf.contrib.rnn.GRUCell(3), x, tf_slim


def h():
  return tf.contrib.rnn.GRUCell(3)
