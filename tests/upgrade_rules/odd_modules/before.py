import tensorflow as tf
from tensorflow.contrib.rnn.python import ops
from tensorflow.contrib.rnn.python.ops import no_such_module
from tensorflow.contrib import losses, metrics, util, learn

cell = ops.rnn_cell.NASCell(3)
other = tf.contrib.rnn.python.ops.core_rnn_cell.GRUCell(3)
x = no_such_module.f(), tf.contrib.rnn.python.ops.nothing.g()
y = losses.log_loss(1, 2), metrics.streaming_mean(1)
z = util.make_tensor_proto(1), learn.preprocessing.VocabularyProcessor(3)
w = tf.contrib.distributions.Normal(0, 1), tf.contrib.rnn.python
