import tensorflow.compat.v1 as tf
import tf_slim
tf.disable_v2_behavior()
import tf_slim as slim

x = slim.local_variable(1)
y = slim.learning.create_train_op(1, 2, clip_gradient_norm=1.0)
z = slim.learning.clip_gradient_norms(1, 2)
w = tf.contrib.metrics.streaming_concat(1)
v = tf_slim.metrics.streaming_mean(1)
