import tensorflow as tf
from tensorflow.contrib.rnn.python.ops import rnn_cell
from tensorflow.contrib.rnn.python.ops import core_rnn_cell as core
from tensorflow.contrib.rnn.python.ops.lstm_ops import LSTMBlockCell
from tensorflow.contrib.rnn.python.ops import gru_ops, fused_rnn_cell
from tensorflow.contrib.rnn.python.ops.core_rnn_cell import _linear as linear
from tensorflow.python.ops import rnn_cell_impl
from tensorflow.python.ops import rnn, array_ops
from tensorflow.python.ops.rnn import dynamic_rnn

cells = [rnn_cell.NASCell(3), core.GRUCell(3), LSTMBlockCell(3)]
cells += [gru_ops.GRUBlockCell(3), fused_rnn_cell.FusedRNNCell]
y = linear([array_ops.zeros([2, 3])], 4, True)
z = rnn.dynamic_rnn(cells[0], y, dtype=tf.float32)
w = rnn.raw_rnn(cells[0], None)
v = dynamic_rnn(cells[1], y, dtype=tf.float32)
