import numpy as np, os
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import tf_contrib_rnn as rnn  # three
import tf_slim as layers

cell = rnn.GRUCell(3)
y = layers.fully_connected(np.ones([2, 3]), 4)
