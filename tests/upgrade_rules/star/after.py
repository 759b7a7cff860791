import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
from tf_contrib_rnn import MultiRNNCell, GRUCell, BasicLSTMCell

cell = MultiRNNCell([GRUCell(3), BasicLSTMCell(3)])
