import tensorflow.compat.v1 as tf
import tf_contrib_rnn
import tf_slim
tf.disable_v2_behavior()
slim = tf_slim
cell = tf_contrib_rnn.GRUCell(3)


def make(deep):
  if deep: return tf_contrib_rnn.GRUCell(3)
  return tf_contrib_rnn.NASCell(3), slim.l2_regularizer(0.1)
