import tensorflow.compat.v1 as tf
import tf_slim
tf.disable_v2_behavior()
import tf_slim as slim
import tf_slim as layers
from tf_slim import xavier_initializer, l2_regularizer as l2
from tf_slim import initializers
from tf_slim import arg_scope
from tf_slim.nets import resnet_v1

with slim.arg_scope([slim.conv2d], weights_initializer=xavier_initializer()):
  y = slim.conv2d(1, 2, 3, weights_regularizer=l2(0.1))
y = layers.fully_connected(y, 3, initializers.xavier_initializer())
y = layers.embed_sequence(y)
y = tf.contrib.layers.optimize_loss(y, None, 0.1, "SGD")
y = tf_slim.get_or_create_global_step()
y = tf.nest.map_structure(abs, [1])
z = resnet_v1, arg_scope
