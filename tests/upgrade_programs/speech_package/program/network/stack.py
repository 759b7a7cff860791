import tensorflow as tf
from tensorflow.contrib.layers import fully_connected
from tensorflow.contrib.rnn import IndRNNCell, IndyLSTMCell

from common import SIZES, rnn_cell as rc
from . import cells
from .ops import nest


class AcousticModel:
    """Layers of several kinds, one above the other."""

    def __init__(self, sizes=SIZES):
        self.sizes = sizes
        self.cells = [
            rc.MultiRNNCell([IndyLSTMCell(sizes.units), IndRNNCell(sizes.units)]),
            cells.MinimalGatedCell(sizes.units),
            rc.ResidualWrapper(cells.LeakyCell(sizes.units)),
        ]

    def __call__(self, frames, lengths):
        hidden = frames
        finals = []
        for number, cell in enumerate(self.cells):
            with tf.variable_scope("layer_%d" % number):
                zeros = cell.zero_state(tf.shape(frames)[1], tf.float32)
                hidden, final = tf.nn.dynamic_rnn(
                    cell, hidden, lengths, initial_state=zeros, time_major=True)
                finals += nest.flatten(final)
        phones = fully_connected(
            hidden, self.sizes.phones, activation_fn=None,
            weights_regularizer=tf.contrib.layers.l2_regularizer(0.01))
        return phones, tf.concat(finals, axis=1)
