import tensorflow as tf

x = tf.placeholder(tf.float32)


def make(tf, contrib):
  return tf.nn.rnn_cell.GRUCell(3), tf.contrib.lookup, contrib.rnn


class Model:
  import tensorflow.contrib as tc

  def cell(self):
    return self.tc.rnn.GRUCell(3), self.tf.contrib.rnn
