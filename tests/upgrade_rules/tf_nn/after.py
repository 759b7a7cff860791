import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()
from tensorflow.compat.v1 import nn

cell = tf_contrib_rnn.LSTMCell(3)
other = tf_contrib_rnn.GRUCell(3)
y, state = tf_contrib_rnn.dynamic_rnn(cell, tf.ones([2, 3, 4]), dtype=tf.float32)
y, state = tf_contrib_rnn.bidirectional_dynamic_rnn(cell, other, y, dtype=tf.float32)
y = tf_contrib_rnn.static_rnn(cell, [y])
y = tf.nn.raw_rnn(cell, None)
y = nn.relu(y)


class Cell(tf_contrib_rnn.RNNCell):
  rnn_cell = None
