import django.contrib.auth
import tensorflow as tf


class Model:
  def __init__(self):
    self.tf = tf
    self.cell = self.tf.contrib.rnn.GRUCell(3)


def make(tf):
  return tf.contrib.rnn.GRUCell(3), django.contrib.auth.rnn


def get():
  return get().contrib.layers
