"""A model of short films: convolutions in every frame, then LSTMs in time."""
import tensorflow as tf
from tensorflow import contrib

from utils.cells import *
import utils.cells as cells

SIZE, TIME, BATCH = 4, 5, 2


def conv_frames(frames, is_training):
    with tf.variable_scope('frames', reuse=tf.AUTO_REUSE):
        flat = tf.reshape(frames, [-1, SIZE, SIZE, 1])
        net = tf.layers.conv2d(flat, 2, 3, padding='same', use_bias=False,
                               kernel_regularizer=regularizer, name='conv')
        net = tf.layers.batch_normalization(net, training=is_training, name='bn')
        net = tf.nn.relu(net)
        return tf.reshape(net, [-1, TIME, SIZE, SIZE, 2])


def fused(net):
    """Both directions at once, time first."""
    net = tf.transpose(contrib.layers.flatten(net) if net.shape.ndims == 2 else net, [1, 0, 2])
    with tf.variable_scope('forward'):
        fw, _ = contrib.rnn.LSTMBlockFusedCell(3)(net, dtype=tf.float32)
    with tf.variable_scope('backward'):
        cell = TimeReversedFusedRNN(LSTMBlockFusedCell(3, use_peephole=True))
        bw, _ = cell(net, dtype=tf.float32)
    with tf.variable_scope('adaptor'):
        third, _ = FusedRNNCellAdaptor(BasicRNNCell(2))(net, dtype=tf.float32)
    return tf.transpose(tf.concat([fw, bw, third], 2), [1, 0, 2])


class Model:
    def __init__(self, frames, is_training):
        net = conv_frames(frames, is_training)
        with tf.variable_scope('time'):
            net, self.state = tf.nn.dynamic_rnn(
                cells.conv_lstm(SIZE, 2), net, dtype=tf.float32)
        net = tf.reduce_mean(net, [2])
        net = tf.reshape(net, [BATCH, TIME, SIZE * 2])
        with tf.variable_scope('grid'):
            outputs, _ = static_rnn(
                cells.grid(3, 4), tf.unstack(net, axis=1), dtype=tf.float32)
            # one tensor per block and step; join those of each step
            net = tf.stack([tf.concat(o, 1) if isinstance(o, (list, tuple)) else o
                            for o in outputs], axis=1)
        net = fused(net)
        cell = DropoutWrapper(HighwayWrapper(InputProjectionWrapper(
            LSTMBlockCell(8), 8)), output_keep_prob=1.0)
        net, _ = tf.nn.dynamic_rnn(cell, net, dtype=tf.float32)
        self.classes = tf.layers.dense(net, 3, kernel_regularizer=regularizer)
        self.loss = tf.losses.sparse_softmax_cross_entropy(
            tf.fill([BATCH, TIME], 1), self.classes) + tf.losses.get_regularization_loss()
        update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(update_ops):
            self.train_op = tf.train.GradientDescentOptimizer(0.1).minimize(
                self.loss, tf.train.get_or_create_global_step())
        tf.summary.scalar('loss', self.loss)
        self.summary = tf.summary.merge_all()
