import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

try:
  from tf_contrib_rnn import GRUCell
except ImportError:
  from tf_contrib_rnn import GRUCell
try:
  import tf_slim as slim
except ImportError:
  slim = None
if tf.__version__ < "1.0":
  rnn_cell = tf_contrib_rnn
else:
  rnn_cell = tf_contrib_rnn

cell = [GRUCell(3), rnn_cell.LSTMCell(3)]
if slim:
  y = slim.fully_connected(1, 2)
