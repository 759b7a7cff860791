from tensorflow import *
from tensorflow.contrib.rnn import *

x = placeholder(float32, [None, 3])
cell = GRUCell(3)
