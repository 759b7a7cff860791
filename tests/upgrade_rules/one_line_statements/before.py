import tensorflow as tf; from tensorflow.contrib import rnn, learn; x = 1
if x: from tensorflow.contrib.rnn import GRUCell
try: import tensorflow.contrib.seq2seq
except ImportError: pass
cell = (tf.contrib.rnn).LSTMCell(3); other = tf.contrib \
    .rnn.GRUCell(4)
