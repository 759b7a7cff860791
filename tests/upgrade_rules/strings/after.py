"""tf.contrib.rnn"""
import importlib

import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

rnn = importlib.import_module("tensorflow.contrib.rnn")
cell = eval("tf.contrib.rnn." + "GRUCell")
text = "see tf.contrib.rnn for more"
x = tf.placeholder(tf.float32)
