import tensorflow.compat.v1 as tf
import tf_slim
tf.disable_v2_behavior()

x = tf_slim.linear(tf.ones([2, 3]), 4)
table = tf.lookup.StaticHashTable(1, -1)
