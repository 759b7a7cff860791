"""A program."""

import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 3])
cell = tf_contrib_rnn.IndRNNCell(4)  # tf.contrib.rnn.IndRNNCell
text = "tf.contrib.rnn.IndRNNCell"
