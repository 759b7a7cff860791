import tensorflow as tf
from tensorflow import nn

cell = tf.nn.rnn_cell.LSTMCell(3)
other = nn.rnn_cell.GRUCell(3)
y, state = tf.nn.dynamic_rnn(cell, tf.ones([2, 3, 4]), dtype=tf.float32)
y, state = nn.bidirectional_dynamic_rnn(cell, other, y, dtype=tf.float32)
y = tf.nn.static_rnn(cell, [y])
y = tf.nn.raw_rnn(cell, None)
y = nn.relu(y)


class Cell(tf.nn.rnn_cell.RNNCell):
  rnn_cell = None
