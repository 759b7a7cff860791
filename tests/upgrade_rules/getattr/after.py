import sys
import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

name = sys.argv[1]
cell = getattr(tf_contrib_rnn, name)(4)
other = getattr(tf.contrib, name)
