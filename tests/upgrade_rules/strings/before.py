"""tf.contrib.rnn"""
import importlib

import tensorflow as tf

rnn = importlib.import_module("tensorflow.contrib.rnn")
cell = eval("tf.contrib.rnn." + "GRUCell")
text = "see tf.contrib.rnn for more"
x = tf.placeholder(tf.float32)
