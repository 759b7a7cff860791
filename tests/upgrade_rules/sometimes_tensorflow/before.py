import sys

import tensorflow as tf

if len(sys.argv) > 1:
  rnn = tf.contrib.rnn
else:
  import my_cells as rnn

cell = rnn.GRUCell(3)
