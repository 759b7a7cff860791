import tensorflow.compat.v1 as tf
import tf_contrib_rnn as rnn
x = 1
import tf_contrib_rnn
tf.disable_v2_behavior()
if x: from tf_contrib_rnn import GRUCell
try: pass
except ImportError: pass
cell = tf_contrib_rnn.LSTMCell(3); other = tf_contrib_rnn.GRUCell(4)
