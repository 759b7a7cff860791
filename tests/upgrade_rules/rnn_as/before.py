import tensorflow as tf
import tensorflow.contrib.rnn as R
from tensorflow.contrib import rnn
from tensorflow.contrib import rnn as r

cells = [R.GRUCell(4), rnn.BasicLSTMCell(3), r.NASCell(2)]


def run(rnn):
  return rnn.GRUCell, [r for r in range(3)]
