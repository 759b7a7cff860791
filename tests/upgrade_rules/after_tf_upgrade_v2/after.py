import tensorflow as tf
import tf_contrib_rnn

tf.compat.v1.disable_eager_execution()
x = tf.compat.v1.placeholder(tf.float32)
cell = tf_contrib_rnn.GRUCell(3)
other = tf_contrib_rnn.GRUCell(3)
y = tf_contrib_rnn.dynamic_rnn(cell, x)
z = tf.random.uniform([3])
