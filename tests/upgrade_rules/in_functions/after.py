import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()


def build(units):
  import tensorflow.compat.v1 as tf
  from tf_contrib_rnn import GRUCell

  def inner():
    pass

  return GRUCell(units), tf_contrib_rnn.NASCell(units)
