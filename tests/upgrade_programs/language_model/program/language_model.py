"""A word-level language model with two recurrent layers.

Example:
    python language_model.py --mode=record --checkpoint=/tmp/lm/model \
        --outputs=/tmp/lm/outputs.npz
"""
from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import argparse

import numpy as np
import tensorflow as tf


class SmallConfig(object):
    init_scale = 0.1
    learning_rate = 0.5
    max_grad_norm = 5
    num_layers = 2
    num_steps = 6
    hidden_size = 7
    keep_prob = 0.8
    batch_size = 3
    vocab_size = 13


class LanguageModel(object):
    """The graph of the model, for training or for evaluation."""

    def __init__(self, is_training, config, layer_norm=True):
        self.batch_size = config.batch_size
        self.num_steps = config.num_steps
        size = config.hidden_size

        self.inputs = tf.placeholder(
            tf.int32, [config.batch_size, config.num_steps], name="inputs")
        self.targets = tf.placeholder(
            tf.int32, [config.batch_size, config.num_steps], name="targets")

        def make_cell(layer):
            if layer_norm and layer == 0:
                cell = tf.contrib.rnn.LayerNormBasicLSTMCell(
                    size, forget_bias=0.0, dropout_keep_prob=1.0)
            else:
                cell = tf.contrib.rnn.BasicLSTMCell(
                    size, forget_bias=0.0, state_is_tuple=True,
                    reuse=not is_training)
            keep_prob = config.keep_prob if is_training else 1.0
            return tf.contrib.rnn.DropoutWrapper(
                cell, output_keep_prob=keep_prob)

        cell = tf.contrib.rnn.MultiRNNCell(
            [make_cell(i) for i in range(config.num_layers)],
            state_is_tuple=True)
        self.initial_state = cell.zero_state(config.batch_size, tf.float32)

        with tf.device("/cpu:0"):
            embedding = tf.get_variable(
                "embedding", [config.vocab_size, size],
                initializer=tf.contrib.layers.xavier_initializer())
            inputs = tf.nn.embedding_lookup(embedding, self.inputs)
        if is_training and config.keep_prob < 1:
            inputs = tf.nn.dropout(inputs, config.keep_prob)

        outputs, self.final_state = tf.nn.dynamic_rnn(
            cell, inputs, initial_state=self.initial_state, scope="RNN")
        output = tf.reshape(outputs, [-1, size])

        softmax_w = tf.get_variable(
            "softmax_w", [size, config.vocab_size],
            initializer=tf.contrib.layers.xavier_initializer(uniform=False),
            regularizer=tf.contrib.layers.l2_regularizer(1e-4))
        softmax_b = tf.get_variable("softmax_b", [config.vocab_size])
        self.logits = tf.matmul(output, softmax_w) + softmax_b
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=self.logits, labels=tf.reshape(self.targets, [-1]))
        self.cost = tf.reduce_sum(loss) / config.batch_size

        if not is_training:
            return
        self.lr = tf.Variable(config.learning_rate, trainable=False, name="lr")
        tvars = tf.trainable_variables()
        grads, _ = tf.clip_by_global_norm(
            tf.gradients(self.cost, tvars), config.max_grad_norm)
        optimizer = tf.train.GradientDescentOptimizer(self.lr)
        self.train_op = optimizer.apply_gradients(zip(grads, tvars))


def run_epoch(session, model, words, train_op=None):
    """Runs through the words; the state is carried from batch to batch."""
    state = session.run(model.initial_state)
    costs, logits = [], []
    for step in range((words.shape[1] - 1) // model.num_steps):
        start = step * model.num_steps
        end = start + model.num_steps
        feed_dict = {model.inputs: words[:, start:end],
                     model.targets: words[:, start + 1:end + 1]}
        for i, (c, h) in enumerate(model.initial_state):
            feed_dict[c] = state[i].c
            feed_dict[h] = state[i].h
        fetches = [model.cost, model.logits, model.final_state]
        cost, logit, state = session.run(
            fetches + [train_op] if train_op is not None else fetches,
            feed_dict)[:3]
        costs.append(cost)
        logits.append(logit)
    return np.array(costs), np.array(logits), state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=["record", "restore"])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--outputs", required=True)
    args = parser.parse_args()

    config = SmallConfig()
    words = np.random.RandomState(7).randint(
        config.vocab_size, size=[config.batch_size, 2 * config.num_steps + 1])
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(11)
        initializer = tf.random_uniform_initializer(
            -config.init_scale, config.init_scale)
        with tf.variable_scope("Model", initializer=initializer):
            train = LanguageModel(True, config)
        with tf.variable_scope("Model", reuse=True):
            valid = LanguageModel(False, config)
        saver = tf.train.Saver()
        if args.mode == "record":
            session.run(tf.global_variables_initializer())
            run_epoch(session, train, words, train.train_op)
            saver.save(session, args.checkpoint, write_meta_graph=False)
        else:
            saver.restore(session, args.checkpoint)
        costs, logits, state = run_epoch(session, valid, words)
        print("perplexity: %.3f" % np.exp(costs.mean() / config.num_steps))
        np.savez(args.outputs, costs=costs, logits=logits,
                 c=np.array([s.c for s in state]),
                 h=np.array([s.h for s in state]),
                 names=np.array([v.op.name for v in tf.global_variables()]))


if __name__ == "__main__":
    main()
