import sys
import tensorflow as tf

name = sys.argv[1]
cell = getattr(tf.contrib.rnn, name)(4)
other = getattr(tf.contrib, name)
