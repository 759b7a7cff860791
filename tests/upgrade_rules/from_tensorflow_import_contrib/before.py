import tensorflow as tf
from tensorflow import contrib as c, flags

flags.DEFINE_integer("units", 4, "")
cell = c.rnn.UGRNNCell(flags.FLAGS.units)
