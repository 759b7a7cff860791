import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
from six.moves import range as xrange

a = [i for i in xrange(3)]
b = unicode("a"), raw_input()
x = tf.placeholder(tf.float32)
