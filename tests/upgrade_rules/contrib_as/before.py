import tensorflow as tf
import tensorflow.contrib as tc

cell = tc.rnn.UGRNNCell(4)
init = tc.layers.xavier_initializer()
x = tf.placeholder(tf.float32)
