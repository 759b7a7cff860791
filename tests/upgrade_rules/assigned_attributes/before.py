import tensorflow as tf

try:
  tf.nn.seq2seq = tf.contrib.legacy_seq2seq
  tf.nn.rnn_cell = tf.contrib.rnn
  tf.nn.rnn_cell.GRUCell = tf.contrib.rnn.GRUCell
except AttributeError:
  print("TensorFlow 0.12")
cell = tf.nn.rnn_cell.GRUCell(3)
loss = tf.nn.seq2seq.sequence_loss(1)
