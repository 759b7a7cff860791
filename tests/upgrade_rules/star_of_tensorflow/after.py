from tensorflow.compat.v1 import *
from tf_contrib_rnn import GRUCell
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

x = placeholder(float32, [None, 3])
cell = GRUCell(3)
