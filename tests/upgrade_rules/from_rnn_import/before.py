import tensorflow as tf
from tensorflow.contrib.rnn import GRUCell, LSTMCell as Cell
from tensorflow.contrib.rnn import (
    MultiRNNCell,  # stacks
    DropoutWrapper,
)
from tensorflow.nn.rnn_cell import BasicLSTMCell, LSTMStateTuple

cell = MultiRNNCell([GRUCell(3), Cell(3), DropoutWrapper(BasicLSTMCell(3))])
