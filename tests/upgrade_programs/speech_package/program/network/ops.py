import numpy as np
import tensorflow as tf

rnn_cell = tf.contrib.rnn
nest = tf.contrib.framework.nest
xavier = tf.contrib.layers.xavier_initializer


def gate(name, inputs, units):
    """sigmoid(W inputs + b), with variables of its own."""
    with tf.variable_scope(name):
        depth = inputs.get_shape().as_list()[1]
        w = tf.get_variable("w", [depth, units], initializer=xavier())
        b = tf.get_variable("b", [units], initializer=tf.constant_initializer(1.))
        return tf.sigmoid(tf.nn.xw_plus_b(inputs, w, b))
