import tensorflow.compat.v1 as tf
import tf_contrib_rnn
tf.disable_v2_behavior()
from tensorflow import contrib

cell = tf_contrib_rnn.UGRNNCell(4)
loss = contrib.seq2seq.sequence_loss(1, 2, 3)
