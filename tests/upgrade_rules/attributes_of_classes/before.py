import tensorflow as tf


class Model:
  contrib = tf.contrib
  layers = tf.contrib.layers
  cell = tf.contrib.rnn.GRUCell
