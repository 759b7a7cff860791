import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

tf = tf.compat.v1
cell = tf_contrib_rnn.GRUCell(3)
x = tf.placeholder(tf.float32)
