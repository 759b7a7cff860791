from itertools import izip

try:
  import cPickle as pickle
except ImportError:
  import pickle
import ConfigParser
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32)
