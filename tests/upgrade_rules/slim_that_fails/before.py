import tensorflow as tf
import tensorflow.contrib.slim as slim

x = slim.local_variable(1)
y = slim.learning.create_train_op(1, 2, clip_gradient_norm=1.0)
z = slim.learning.clip_gradient_norms(1, 2)
w = tf.contrib.metrics.streaming_concat(1)
v = tf.contrib.metrics.streaming_mean(1)
