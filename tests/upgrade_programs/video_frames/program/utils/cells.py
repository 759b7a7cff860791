from tensorflow.contrib.rnn import *
from tensorflow.contrib import layers as contrib_layers

regularizer = contrib_layers.l2_regularizer(1e-3)


def conv_lstm(size, channels, kernel=3):
    return ConvLSTMCell(
        conv_ndims=2, input_shape=[size, size, 2], output_channels=channels,
        kernel_shape=[kernel, kernel], name="conv_lstm_cell")


def grid(units, features):
    return GridLSTMCell(
        units, use_peepholes=True, feature_size=features,
        frequency_skip=features, num_frequency_blocks=[2],
        couple_input_forget_gates=True)
