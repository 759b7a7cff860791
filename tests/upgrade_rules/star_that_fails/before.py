import tensorflow as tf
from tensorflow.contrib.layers import *

x = tf.placeholder(tf.float32, [None, 3])
y = batch_norm(fully_connected(x, 3)), embed_sequence(1), unknown
