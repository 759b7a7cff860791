import tensorflow.compat.v1 as tf
import tf_contrib_rnn
import tf_slim
tf.disable_v2_behavior()

rnn_cell = tf_contrib_rnn
nn = tf.nn
layers = tf_slim
make = tf_contrib_rnn.GRUCell
tf.nn.rnn_cell = tf_contrib_rnn


def build():
  cell_module = tf_contrib_rnn
  return [
      rnn_cell.GRUCell(3),
      tf_contrib_rnn.NASCell(3),
      tf_contrib_rnn.BasicLSTMCell(3),
      cell_module.LSTMCell(3),
      make(3),
      layers.l2_regularizer(0.1),
  ]
