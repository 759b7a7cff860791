import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()

try:
  tf.nn.seq2seq = tf.contrib.legacy_seq2seq
  tf.nn.rnn_cell = tf_contrib_rnn
  tf_contrib_rnn.GRUCell = tf_contrib_rnn.GRUCell
except AttributeError:
  print("TensorFlow 0.12")
cell = tf_contrib_rnn.GRUCell(3)
loss = tf.nn.seq2seq.sequence_loss(1)
