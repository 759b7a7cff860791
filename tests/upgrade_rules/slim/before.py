import tensorflow as tf
import tensorflow.contrib.slim as slim
import tensorflow.contrib.layers as layers
from tensorflow.contrib.layers import xavier_initializer, l2_regularizer as l2
from tensorflow.contrib.layers.python.layers import initializers
from tensorflow.contrib.framework.python.ops import arg_scope
from tensorflow.contrib.slim.nets import resnet_v1

with slim.arg_scope([slim.conv2d], weights_initializer=xavier_initializer()):
  y = slim.conv2d(1, 2, 3, weights_regularizer=l2(0.1))
y = layers.fully_connected(y, 3, initializers.xavier_initializer())
y = layers.embed_sequence(y)
y = tf.contrib.layers.optimize_loss(y, None, 0.1, "SGD")
y = tf.contrib.framework.get_or_create_global_step()
y = tf.contrib.framework.nest.map_structure(abs, [1])
z = resnet_v1, arg_scope
