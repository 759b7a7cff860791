import argparse
import logging

import numpy as np
import tensorflow as tf

import network
from common import SIZES, scalar
from network import xavier


def ctc_targets():
    indices = [[0, 0], [0, 1], [1, 0]]
    return tf.SparseTensor(indices, [1, 3, 2], [2, 2])


def build(graph):
    with graph.as_default():
        tf.set_random_seed(42)
        tf.get_variable_scope().set_initializer(xavier(seed=3))
        frames = tf.placeholder(tf.float32, [None, None, SIZES.features], "frames")
        lengths = tf.placeholder(tf.int32, [None], "lengths")
        phones, finals = network.AcousticModel()(frames, lengths)
        loss = tf.reduce_mean(tf.nn.ctc_loss(ctc_targets(), phones, lengths))
        loss += tf.losses.get_regularization_loss()
        step = scalar("step", 0)
        train = tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss, global_step=step)
        return dict(frames=frames, lengths=lengths, phones=phones, finals=finals,
                    loss=loss, step=step, train=train, saver=tf.train.Saver())


def run(args):
    graph = tf.Graph()
    nodes = build(graph)
    feed = {
        nodes["frames"]: np.random.RandomState(8).randn(7, 2, SIZES.features),
        nodes["lengths"]: [7, 4],
    }
    with tf.Session(graph=graph) as sess:
        if args.restore:
            nodes["saver"].restore(sess, args.checkpoint)
        else:
            sess.run(tf.global_variables_initializer())
            for _ in range(2):
                loss, _ = sess.run([nodes["loss"], nodes["train"]], feed)
                logging.info("loss %s", loss)
            nodes["saver"].save(sess, args.checkpoint, write_meta_graph=False)
        wanted = ["phones", "finals", "loss", "step"]
        values = sess.run([nodes[name] for name in wanted], feed)
        names = [v.op.name for v in tf.global_variables()]
    np.savez(args.outputs, names=np.array(names), **dict(zip(wanted, values)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--restore", action="store_true")
    parser.add_argument("checkpoint")
    parser.add_argument("outputs")
    run(parser.parse_args())
