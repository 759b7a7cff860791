import tensorflow.compat.v1 as tf
import tf_contrib_rnn
import tf_slim
tf.disable_v2_behavior()


class Model:
  contrib = tf.contrib
  layers = tf_slim
  cell = tf_contrib_rnn.GRUCell
