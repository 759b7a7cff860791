import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
from tensorflow.contrib.layers import batch_norm, embed_sequence
from tf_slim import fully_connected

x = tf.placeholder(tf.float32, [None, 3])
y = batch_norm(fully_connected(x, 3)), embed_sequence(1), unknown
