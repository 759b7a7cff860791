from itertools import izip

try:
  import cPickle as pickle
except ImportError:
  import pickle
import ConfigParser
import tensorflow as tf
x = tf.placeholder(tf.float32)
