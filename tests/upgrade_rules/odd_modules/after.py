import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()
from tensorflow.contrib.rnn.python.ops import no_such_module
from tensorflow.contrib import learn
from tf_slim import losses, metrics

cell = tf_contrib_rnn.NASCell(3)
other = tf_contrib_rnn.GRUCell(3)
x = no_such_module.f(), tf.contrib.rnn.python.ops.nothing.g()
y = losses.log_loss(1, 2), metrics.streaming_mean(1)
z = tf.make_tensor_proto(1), learn.preprocessing.VocabularyProcessor(3)
w = tf.contrib.distributions.Normal(0, 1), tf.contrib.rnn.python
