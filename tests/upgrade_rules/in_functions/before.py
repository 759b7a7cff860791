def build(units):
  import tensorflow as tf
  from tensorflow.contrib import learn
  from tensorflow.contrib.rnn import GRUCell

  def inner():
    from tensorflow.contrib import learn

  return GRUCell(units), tf.contrib.rnn.NASCell(units)
