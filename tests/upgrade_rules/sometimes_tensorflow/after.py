import sys

import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

if len(sys.argv) > 1:
  rnn = tf_contrib_rnn
else:
  import my_cells as rnn

cell = rnn.GRUCell(3)
