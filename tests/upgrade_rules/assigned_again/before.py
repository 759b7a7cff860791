import tensorflow as tf

tf = tf.compat.v1
cell = tf.contrib.rnn.GRUCell(3)
x = tf.placeholder(tf.float32)
