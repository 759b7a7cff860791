"""Tags the words of a sentence, from words and their letters."""
import argparse

import numpy as np
import tensorflow as tf
from tensorflow.contrib.rnn import LSTMCell, LSTMStateTuple, stack_bidirectional_dynamic_rnn as stack_birnn

from base_model import BaseModel
from config import Config


class Tagger(BaseModel):
    def add_placeholders(self):
        self.word_ids = tf.placeholder(tf.int32, shape=[None, None], name="word_ids")
        self.sequence_lengths = tf.placeholder(tf.int32, shape=[None], name="sequence_lengths")
        self.char_ids = tf.placeholder(tf.int32, shape=[None, None, None], name="char_ids")
        self.word_lengths = tf.placeholder(tf.int32, shape=[None, None], name="word_lengths")
        self.labels = tf.placeholder(tf.int32, shape=[None, None], name="labels")
        self.is_training = tf.placeholder_with_default(False, shape=[], name="is_training")

    def add_word_embeddings_op(self):
        with tf.variable_scope("words"):
            table = tf.get_variable("_word_embeddings", dtype=tf.float32, shape=[self.config.nwords, self.config.dim_word])
            words = tf.nn.embedding_lookup(table, self.word_ids, name="word_embeddings")
        with tf.variable_scope("chars"):
            table = tf.get_variable("_char_embeddings", dtype=tf.float32, shape=[self.config.nchars, self.config.dim_char])
            chars = tf.nn.embedding_lookup(table, self.char_ids)
            s = tf.shape(chars)
            chars = tf.reshape(chars, shape=[s[0] * s[1], s[-2], self.config.dim_char])
            cell_fw = LSTMCell(3, state_is_tuple=True)
            cell_bw = LSTMCell(3, state_is_tuple=True)
            _, states = tf.nn.bidirectional_dynamic_rnn(
                cell_fw, cell_bw, chars,
                sequence_length=tf.reshape(self.word_lengths, [-1]),
                dtype=tf.float32)
            assert all(isinstance(state, LSTMStateTuple) for state in states)
            output = tf.concat([states[0].h, states[1].h], axis=-1)
            output = tf.reshape(output, shape=[s[0], s[1], 6])
        self.word_embeddings = tf.layers.dropout(
            tf.concat([words, output], axis=-1), self.config.dropout, training=self.is_training)

    def add_logits_op(self):
        cells = lambda: [LSTMCell(n, use_peepholes=True, num_proj=self.config.num_proj, cell_clip=3., initializer=tf.truncated_normal_initializer(stddev=1.0))
                         for n in self.config.hidden_size]
        with tf.variable_scope("bi-lstm"):
            output, _, _ = stack_birnn(
                cells(), cells(), self.word_embeddings,
                sequence_length=self.sequence_lengths, dtype=tf.float32)
        hidden = tf.layers.dense(output, 6, activation=tf.nn.relu)
        self.logits = tf.layers.dense(
            hidden, self.config.ntags, name="proj",
            kernel_initializer=tf.random_normal_initializer(stddev=2.0))
        self.labels_pred = tf.cast(tf.argmax(self.logits, axis=-1), tf.int32)

    def add_loss_op(self):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=self.logits, labels=self.labels)
        mask = tf.sequence_mask(self.sequence_lengths)
        self.loss = tf.reduce_mean(tf.boolean_mask(losses, mask))

    def build(self):
        tf.get_variable_scope().set_initializer(tf.random_normal_initializer(stddev=0.7))
        self.add_placeholders()
        self.add_word_embeddings_op()
        self.add_logits_op()
        self.add_loss_op()
        self.add_train_op("adagrad", self.config.lr, self.loss, self.config.clip)
        self.initialize_session()

    def feed(self):
        rng = np.random.RandomState(1)
        return {
            self.word_ids: rng.randint(self.config.nwords, size=(2, 5)),
            self.sequence_lengths: [5, 3],
            self.char_ids: rng.randint(self.config.nchars, size=(2, 5, 4)),
            self.word_lengths: rng.randint(5, size=(2, 5)),
            self.labels: rng.randint(self.config.ntags, size=(2, 5)),
        }


def main(args):
    tf.set_random_seed(23)
    model = Tagger(Config())
    model.build()
    feed = model.feed()
    if args.mode == "record":
        training = dict(feed)
        training[model.is_training] = True
        model.sess.run(model.train_op, training)
        model.save_session(args.checkpoint)
    else:
        model.restore_session(args.checkpoint)
    logits, labels, loss = model.sess.run([model.logits, model.labels_pred, model.loss], feed)
    model.write(args.outputs, logits=logits, labels=labels, loss=loss)
    model.close_session()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("mode")
    parser.add_argument("checkpoint")
    parser.add_argument("outputs")
    main(parser.parse_args())
