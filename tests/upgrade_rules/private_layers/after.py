import tensorflow.compat.v1 as tf
import tf_contrib_rnn
import tf_slim
tf.disable_v2_behavior()
from tensorflow.compat.v1 import nest
from tf_slim import conv2d
from tf_slim import layers as L, utils
from tf_slim import layers

y = tf_slim.layers.conv2d(1, 2, 3)
z = tf.contrib.layers.python.layers.layers.batch_norm(1)
v = tf_slim.model_variable("v")
w = L.fully_connected(1, 2), utils.smart_cond(1, 2, 3), tf_slim.dropout(1)
n = nest.flatten([1]), nest.flatten_up_to([1], [2]), conv2d(1, 2, 3)
m = tf.sets.size(1), tf.contrib.metrics.confusion_matrix(1, 2)
t = tf.lookup.experimental.MutableHashTable(1, 2, 3, shared_name="t")
o = getattr(tf_slim, "batch_norm"), getattr(tf_contrib_rnn, "None")
