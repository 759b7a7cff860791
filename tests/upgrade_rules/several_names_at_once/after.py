import tensorflow.compat.v1 as tf
import tf_contrib_rnn
import tf_slim
tf.disable_v2_behavior()

rnn, layers = tf_contrib_rnn, tf_slim
contrib, count = tf.contrib, 3
nested, (a, b) = tf_contrib_rnn, (1, 2)
x = rnn.GRUCell(3), layers.embed_sequence(1), tf_contrib_rnn.NASCell(count)
y = tf_contrib_rnn.GRUCell(3)
