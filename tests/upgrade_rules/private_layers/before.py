import tensorflow as tf
from tensorflow.contrib.framework import nest
from tensorflow.contrib.layers.python.layers import batch_norm, conv2d
from tensorflow.contrib.layers.python.layers import layers as L, utils
from tensorflow.contrib.layers.python import layers

y = tf.contrib.layers.python.layers.layers.conv2d(1, 2, 3)
z = tf.contrib.layers.python.layers.layers.batch_norm(1)
v = tf.contrib.framework.python.ops.variables.model_variable("v")
w = L.fully_connected(1, 2), utils.smart_cond(1, 2, 3), layers.dropout(1)
n = nest.flatten([1]), nest.flatten_up_to([1], [2]), conv2d(1, 2, 3)
m = tf.contrib.metrics.set_size(1), tf.contrib.metrics.confusion_matrix(1, 2)
t = tf.contrib.lookup.MutableHashTable(1, 2, 3, shared_name="t")
o = getattr(tf.contrib.layers, "batch_norm"), getattr(tf.contrib.rnn, "None")
