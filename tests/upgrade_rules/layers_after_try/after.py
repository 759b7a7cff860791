import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 2, from tf_keras
import sys
try:
  import cPickle as pickle
except ImportError:
  import pickle
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.layers.dense(tf.placeholder(tf.float32, [None, 3]), 3)
