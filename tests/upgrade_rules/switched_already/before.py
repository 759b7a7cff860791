import tensorflow as tf

tf.compat.v1.disable_v2_behavior()
tf.enable_eager_execution()
cell = tf.contrib.rnn.GRUCell(3)
