import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
from tf_contrib_rnn import GRUCell, LSTMCell as Cell
from tf_contrib_rnn import (
    MultiRNNCell,  # stacks
    DropoutWrapper,
)
from tf_contrib_rnn import BasicLSTMCell, LSTMStateTuple

cell = MultiRNNCell([GRUCell(3), Cell(3), DropoutWrapper(BasicLSTMCell(3))])
