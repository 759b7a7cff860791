import numpy as np, tensorflow as tf, os
from tensorflow.contrib import rnn, layers, learn  # three

cell = rnn.GRUCell(3)
y = layers.fully_connected(np.ones([2, 3]), 4)
