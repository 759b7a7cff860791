import tensorflow.compat.v1 as tf
import tf_contrib_rnn

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32)
cell = tf_contrib_rnn.GRUCell(3)
other = tf_contrib_rnn.GRUCell(3)
y = tf_contrib_rnn.dynamic_rnn(cell, x)
