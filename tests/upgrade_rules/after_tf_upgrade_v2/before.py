import tensorflow as tf

tf.compat.v1.disable_eager_execution()
x = tf.compat.v1.placeholder(tf.float32)
cell = tf.contrib.rnn.GRUCell(3)
other = tf.compat.v1.nn.rnn_cell.GRUCell(3)
y = tf.compat.v1.nn.dynamic_rnn(cell, x)
z = tf.random.uniform([3])
