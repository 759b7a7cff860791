"""A program."""

import tensorflow as tf

x = tf.placeholder(tf.float32, [None, 3])
cell = tf.contrib.rnn.IndRNNCell(4)  # tf.contrib.rnn.IndRNNCell
text = "tf.contrib.rnn.IndRNNCell"
