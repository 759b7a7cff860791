# -*- coding: utf-8 -*-
"""Reads a sentence in both directions and answers with a few words.

The decoder attends to the encoder's outputs.
"""
import tensorflow as tf
from tensorflow.contrib import rnn
from tensorflow.contrib.rnn.python.ops import core_rnn_cell
from tensorflow.contrib.rnn.python.ops.core_rnn_cell import _linear as linear
from tensorflow.python.ops import rnn_cell_impl
from tensorflow.python.ops.rnn import bidirectional_dynamic_rnn as bi_rnn

LSTMStateTuple = rnn_cell_impl.LSTMStateTuple


class Encoder(object):
  """Two bidirectional layers: GRU, then IndyGRU."""

  def __init__(self, units, scope='encoder'):
    self.units = units
    self.scope = scope

  def encode(self, inputs, lengths):
    with tf.variable_scope(self.scope):
      (fw, bw), _ = tf.nn.bidirectional_dynamic_rnn(
          rnn.GRUCell(self.units), rnn.GRUCell(self.units), inputs,
          sequence_length=lengths, dtype=tf.float32, scope='words')
      both = tf.concat([fw, bw], axis=-1)
      outputs, states = bi_rnn(
          cell_fw=rnn.IndyGRUCell(self.units),
          cell_bw=rnn.IndyGRUCell(self.units),
          inputs=both, sequence_length=lengths, dtype=tf.float32,
          scope='phrases')
      return tf.concat(outputs, 2), tf.concat(states, 1)


class Decoder(object):
  """An LSTM that looks at the encoder's outputs at every step."""

  def __init__(self, units, vocab, scope='decoder'):
    self.units = units
    self.vocab = vocab
    self.scope = scope

  def attend(self, query, memory, mask):
    with tf.variable_scope('attention', reuse=tf.AUTO_REUSE):
      depth = memory.get_shape()[-1].value
      query = tf.expand_dims(linear([query], depth, False), 1)
      v = tf.get_variable('v', [depth])
      scores = tf.reduce_sum(v * tf.tanh(memory + query), [2])
      weights = tf.nn.softmax(scores + (mask - 1.) * 1e9)
      return tf.reduce_sum(tf.expand_dims(weights, 2) * memory, 1), weights

  def decode(self, start, memory, mask, steps):
    with tf.variable_scope(self.scope):
      with tf.variable_scope('start'):
        c = core_rnn_cell._linear([start], self.units, True)
      state = LSTMStateTuple(c, tf.tanh(c))
      cell = rnn.BasicLSTMCell(self.units)
      if not isinstance(cell, rnn_cell_impl.RNNCell):
        raise TypeError('not a cell')
      cell = rnn.OutputProjectionWrapper(
          rnn.EmbeddingWrapper(cell, self.vocab, 4), self.vocab)
      word = tf.zeros([tf.shape(start)[0], 1], tf.int32)
      logits, weights = [], []
      for step in range(steps):
        if step:
          tf.get_variable_scope().reuse_variables()
        logit, state = cell(word, state)
        context, weight = self.attend(state.h, memory, mask)
        with tf.variable_scope('context'):
          logit += core_rnn_cell._linear([context, logit], self.vocab, True)
        word = tf.expand_dims(tf.cast(tf.argmax(logit, 1), tf.int32), 1)
        logits.append(logit)
        weights.append(weight)
      return tf.stack(logits, axis=1), tf.stack(weights, axis=1)
