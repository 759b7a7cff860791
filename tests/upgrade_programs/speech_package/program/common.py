"""What the whole program shares."""
import collections

import tensorflow as tf

try:
    # TensorFlow 1.x
    rnn_cell = tf.contrib.rnn
except AttributeError:
    rnn_cell = tf.nn.rnn_cell
layers = tf.contrib.layers

Sizes = collections.namedtuple("Sizes", "features units phones")
SIZES = Sizes(features=4, units=5, phones=6)


def scalar(name, value):
    return tf.Variable(value, name=name, trainable=False, dtype=tf.int32)
