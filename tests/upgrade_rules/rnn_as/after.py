import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import tf_contrib_rnn as R
import tf_contrib_rnn as rnn
import tf_contrib_rnn as r

cells = [R.GRUCell(4), rnn.BasicLSTMCell(3), r.NASCell(2)]


def run(rnn):
  return rnn.GRUCell, [r for r in range(3)]
