import tensorflow as tf

x = tf.compat.v1.placeholder(tf.float32, [None, 3, 3])
cell = tf.contrib.rnn.GRUCell(3)
y = tf.compat.v1.layers.dense(x, 3)
