import tensorflow.compat.v1 as tf
import tf_contrib_rnn.linear
tf.disable_v2_behavior()
from tensorflow.python.util import nest
from tensorflow.python.ops import rnn_cell_impl, rnn
from tensorflow.python.ops.rnn_cell_impl import assert_like_rnncell as like
from tf_contrib_rnn import LSTMStateTuple
from tensorflow.python.layers.core import Dense

_zero_state_tensors = rnn_cell_impl._zero_state_tensors
linear = tf_contrib_rnn.linear._linear
if tf.nest.is_nested([1]) or like:
  y = linear([LSTMStateTuple], 3, True), rnn._transpose_batch_time(1)
  z = nest.no_such_function([1])
w = Dense(3)
