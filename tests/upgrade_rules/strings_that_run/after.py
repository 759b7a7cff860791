import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

name = "GRU"
a = eval("tf.contrib.rnn.GRUCell(128)"), eval("tf.contrib.rnn.%sCell" % name)
b = eval(f"tf.contrib.rnn.{name}Cell"), eval("tf.nn.rnn_cell." + name)
c = "tf.contrib.rnn.x {}".format(1), "see tf.contrib.rnn for more"
x = tf.placeholder(tf.float32)
