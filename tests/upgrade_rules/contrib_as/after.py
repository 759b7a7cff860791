import tensorflow.compat.v1 as tf
import tf_contrib_rnn
import tf_slim
tf.disable_v2_behavior()

cell = tf_contrib_rnn.UGRNNCell(4)
init = tf_slim.xavier_initializer()
x = tf.placeholder(tf.float32)
