"""The names of tf.contrib.rnn that live on in TensorFlow.

TensorFlow keeps its own copies of these classes: the ones that its dynamic_rnn
uses, and which need no Keras. They are these, whatever tf.keras is.
"""

from tensorflow.python.ops import rnn
from tensorflow.python.ops import rnn_cell_impl

BasicLSTMCell = rnn_cell_impl.BasicLSTMCell
BasicRNNCell = rnn_cell_impl.BasicRNNCell
DeviceWrapper = rnn_cell_impl.DeviceWrapper
DropoutWrapper = rnn_cell_impl.DropoutWrapper
GRUCell = rnn_cell_impl.GRUCell
LayerRNNCell = rnn_cell_impl.LayerRNNCell
LSTMCell = rnn_cell_impl.LSTMCell
LSTMStateTuple = rnn_cell_impl.LSTMStateTuple
MultiRNNCell = rnn_cell_impl.MultiRNNCell
ResidualWrapper = rnn_cell_impl.ResidualWrapper
RNNCell = rnn_cell_impl.RNNCell

static_state_saving_rnn = rnn.static_state_saving_rnn

# pylint: disable=protected-access
best_effort_input_batch_size = rnn._best_effort_input_batch_size
transpose_batch_time = rnn._transpose_batch_time
# pylint: enable=protected-access
