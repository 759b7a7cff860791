from __future__ import print_function

import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'

import numpy as np
import tensorflow as tf

from encoder import Encoder, Decoder

VOCAB, EMBED, UNITS = 9, 4, 5


def build():
  words = tf.placeholder(tf.int32, shape=[None, None])
  lengths = tf.placeholder(tf.int32, shape=[None])
  embeddings = tf.get_variable('embeddings', [VOCAB, EMBED])
  inputs = tf.nn.embedding_lookup(embeddings, words)
  memory, start = Encoder(UNITS).encode(inputs, lengths)
  mask = tf.sequence_mask(lengths, tf.shape(words)[1], dtype=tf.float32)
  logits, weights = Decoder(UNITS, VOCAB).decode(start, memory, mask, 4)
  loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(
      logits=logits, labels=tf.one_hot(words[:, :4], VOCAB)))
  train_op = tf.train.AdamOptimizer(0.01).minimize(loss)
  return words, lengths, [memory, start, logits, weights], train_op


if __name__ == '__main__':
  if len(sys.argv) != 4:
    sys.exit('usage: run.py record|restore CHECKPOINT OUTPUTS')
  mode, checkpoint, outputs = sys.argv[1:]
  tf.set_random_seed(5)
  words, lengths, fetches, train_op = build()
  sentences = np.random.RandomState(3).randint(VOCAB, size=(3, 6))
  feed = {words: sentences, lengths: [6, 2, 4]}
  config = tf.ConfigProto(allow_soft_placement=True)
  config.gpu_options.allow_growth = True
  with tf.Session(config=config) as sess:
    saver = tf.train.Saver(tf.global_variables())
    if mode == 'record':
      sess.run(tf.global_variables_initializer())
      for _ in range(2):
        sess.run(train_op, feed_dict=feed)
      saver.save(sess, checkpoint, write_meta_graph=False)
    else:
      saver.restore(sess, checkpoint)
    results = sess.run(fetches, feed_dict=feed)
    names = [v.op.name for v in tf.global_variables()]
  np.savez(outputs, memory=results[0], start=results[1], logits=results[2],
           weights=results[3], names=np.array(names))
  print('saved', outputs)
