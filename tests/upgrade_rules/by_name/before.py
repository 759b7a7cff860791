import tensorflow as tf

if hasattr(tf, "contrib"):
  rnn = getattr(tf, "contrib").rnn
old = hasattr(tf.nn, "rnn_cell")
make = getattr(tf.contrib.rnn, "GRUCell")
make = (
    tf.contrib.rnn.GRUCell
    if hasattr(tf.contrib.rnn, "GRUCell")
    else tf.nn.rnn_cell.GRUCell
)
