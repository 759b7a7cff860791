import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

x = tf.mul(1, 2), tf.pack([1]), tf.scalar_summary("a", 1)
y = tf.concat(1, [x]), tf.split(1, 2, x), tf.concat([x], 1)
z = tf.nn.seq2seq.sequence_loss(1), tf.nn.rnn(1, 2)
