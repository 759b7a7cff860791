"""Cells of our own."""
from .ops import *


class MinimalGatedCell(rnn_cell.RNNCell):
    """A cell with one gate, in the style of TensorFlow's first versions."""

    def __init__(self, num_units, activation=tf.tanh):
        self._num_units = num_units
        self._activation = activation

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def __call__(self, inputs, state, scope=None):
        with tf.variable_scope(scope or type(self).__name__):
            forget = gate("forget", tf.concat([inputs, state], 1), self._num_units)
            with tf.variable_scope("candidate"):
                kernel = tf.get_variable(
                    "kernel", [int(inputs.shape[1]) + self._num_units, self._num_units],
                    initializer=xavier())
                candidate = self._activation(
                    tf.matmul(tf.concat([inputs, forget * state], 1), kernel))
            new_state = (1 - forget) * state + forget * candidate
        return new_state, new_state


class LeakyCell(tf.nn.rnn_cell.RNNCell):
    """A cell in the style of Keras' layers: variables are made by build."""

    def __init__(self, num_units, leak=0.5, name=None, reuse=None):
        super(LeakyCell, self).__init__(_reuse=reuse, name=name)
        self._num_units = num_units
        self._leak = leak

    @property
    def state_size(self):
        return tf.nn.rnn_cell.LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def build(self, inputs_shape):
        depth = inputs_shape[1].value
        self._kernel = self.add_variable("kernel", shape=[depth, self._num_units])
        self._scale = self.add_variable(
            "scale", shape=[self._num_units],
            initializer=tf.constant_initializer(0.3))
        self.built = True

    def call(self, inputs, state):
        slow, fast = state
        fast = tf.tanh(tf.matmul(inputs, self._kernel) + self._scale * fast)
        slow = self._leak * slow + (1 - self._leak) * fast
        return slow, tf.nn.rnn_cell.LSTMStateTuple(slow, fast)
