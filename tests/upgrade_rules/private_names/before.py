import tensorflow as tf
from tensorflow.python.util import nest
from tensorflow.python.ops import rnn_cell_impl, rnn
from tensorflow.python.ops.rnn_cell_impl import assert_like_rnncell as like, LSTMStateTuple
from tensorflow.python.training.nothing import foo
from tensorflow.python.layers.core import Dense

_zero_state_tensors = rnn_cell_impl._zero_state_tensors
linear = rnn_cell_impl._linear
if nest.is_sequence([1]) or like:
  y = linear([LSTMStateTuple], 3, True), rnn._transpose_batch_time(1)
  z = nest.no_such_function([1])
w = Dense(3)
