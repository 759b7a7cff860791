import tensorflow.compat.v1 as tf
import tf_contrib_rnn

tf.compat.v1.disable_v2_behavior()
tf.enable_eager_execution()
cell = tf_contrib_rnn.GRUCell(3)
