import tf_contrib_rnn as rnn
import tensorflow.compat.v1 as tf1
tf1.disable_v2_behavior()
from text import tf

x = rnn.GRUCell(tf())
