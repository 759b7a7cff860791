import inspect

import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

state = tf_contrib_rnn.GRUCell(3).zero_state(1, tf.float32)
names = inspect.getfullargspec(tf_contrib_rnn.BasicLSTMCell.__init__).args
