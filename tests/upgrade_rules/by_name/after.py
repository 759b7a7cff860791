import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

if hasattr(tf, "contrib"):
  rnn = getattr(tf, "contrib").rnn
old = hasattr(tf.nn, "rnn_cell")
make = getattr(tf_contrib_rnn, "GRUCell")
make = (
    tf_contrib_rnn.GRUCell
    if hasattr(tf_contrib_rnn, "GRUCell")
    else tf_contrib_rnn.GRUCell
)
