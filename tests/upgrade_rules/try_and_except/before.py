import tensorflow as tf

try:
  from tensorflow.contrib.rnn import GRUCell
except ImportError:
  from tensorflow.python.ops.rnn_cell import GRUCell
try:
  import tensorflow.contrib.slim as slim
except ImportError:
  slim = None
if tf.__version__ < "1.0":
  rnn_cell = tf.nn.rnn_cell
else:
  rnn_cell = tf.contrib.rnn

cell = [GRUCell(3), rnn_cell.LSTMCell(3)]
if slim:
  y = slim.fully_connected(1, 2)
