import tensorflow as tf; slim = tf.contrib.slim
contrib = tf.contrib; cell = contrib.rnn.GRUCell(3)


def make(deep):
  if deep: import tensorflow.contrib as tc; return tc.rnn.GRUCell(3)
  x = tf.contrib; return x.rnn.NASCell(3), slim.l2_regularizer(0.1)
