import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32)
cell = tf.contrib.rnn.GRUCell(3)
other = tf.nn.rnn_cell.GRUCell(3)
y = tf.nn.dynamic_rnn(cell, x)
