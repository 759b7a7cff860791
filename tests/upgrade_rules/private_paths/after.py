import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()
import tf_contrib_rnn as rnn_cell
import tf_contrib_rnn as core
from tf_contrib_rnn import LSTMBlockCell
import tf_contrib_rnn as gru_ops
import tf_contrib_rnn as fused_rnn_cell
from tf_contrib_rnn.linear import _linear as linear
import tf_contrib_rnn as rnn_cell_impl
from tensorflow.python.ops import rnn, array_ops
from tf_contrib_rnn import dynamic_rnn

cells = [rnn_cell.NASCell(3), core.GRUCell(3), LSTMBlockCell(3)]
cells += [gru_ops.GRUBlockCell(3), fused_rnn_cell.FusedRNNCell]
y = linear([array_ops.zeros([2, 3])], 4, True)
z = tf_contrib_rnn.dynamic_rnn(cells[0], y, dtype=tf.float32)
w = rnn.raw_rnn(cells[0], None)
v = dynamic_rnn(cells[1], y, dtype=tf.float32)
