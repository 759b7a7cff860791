import inspect

import tensorflow as tf

state = tf.contrib.rnn.GRUCell(3).zero_state(1, tf.float32)
names = inspect.getfullargspec(tf.contrib.rnn.BasicLSTMCell.__init__).args
