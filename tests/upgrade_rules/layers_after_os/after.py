import os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 2, from tf_keras

import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

y = tf.layers.dense(tf.ones([2, 3]), 4)
