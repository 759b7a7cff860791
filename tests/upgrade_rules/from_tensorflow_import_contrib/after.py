import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()
from tensorflow.compat.v1 import flags

flags.DEFINE_integer("units", 4, "")
cell = tf_contrib_rnn.UGRNNCell(flags.FLAGS.units)
