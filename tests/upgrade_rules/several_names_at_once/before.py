import tensorflow as tf

rnn, layers = tf.contrib.rnn, tf.contrib.layers
contrib, count = tf.contrib, 3
nested, (a, b) = tf.contrib.rnn, (1, 2)
typed: object = tf.contrib
x = rnn.GRUCell(3), layers.embed_sequence(1), contrib.rnn.NASCell(count)
y = typed.rnn.GRUCell(3)
