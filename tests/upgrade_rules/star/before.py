import tensorflow as tf
from tensorflow.contrib.rnn import *

cell = MultiRNNCell([GRUCell(3), BasicLSTMCell(3)])
