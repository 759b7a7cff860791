import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 2, from tf_keras
import tensorflow as tf
import tf_contrib_rnn
tf.compat.v1.disable_v2_behavior()

x = tf.compat.v1.placeholder(tf.float32, [None, 3, 3])
cell = tf_contrib_rnn.GRUCell(3)
y = tf.compat.v1.layers.dense(x, 3)
