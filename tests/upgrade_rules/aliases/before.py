import tensorflow as tf

rnn_cell = tf.contrib.rnn
contrib = tf.contrib
nn = tf.nn
layers = contrib.layers
make = tf.contrib.rnn.GRUCell
tf.nn.rnn_cell = tf.contrib.rnn


def build():
  cell_module = tf.nn.rnn_cell
  return [
      rnn_cell.GRUCell(3),
      contrib.rnn.NASCell(3),
      nn.rnn_cell.BasicLSTMCell(3),
      cell_module.LSTMCell(3),
      make(3),
      layers.l2_regularizer(0.1),
  ]
