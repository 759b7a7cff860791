import tensorflow.compat.v1 as tf
import tf_contrib_rnn as rnn
import tf_contrib_rnn
tf.disable_v2_behavior()
x = 1
if x: from tf_contrib_rnn import GRUCell
try: import tensorflow.contrib.seq2seq
except ImportError: pass
cell = tf_contrib_rnn.LSTMCell(3); other = tf_contrib_rnn.GRUCell(4)
