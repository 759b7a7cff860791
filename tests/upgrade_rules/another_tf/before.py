from tensorflow.contrib import rnn
from text import tf

x = rnn.GRUCell(tf())
