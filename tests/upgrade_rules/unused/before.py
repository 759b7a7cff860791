import tensorflow as tf
# Old habits.
from tensorflow.contrib import learn
import tensorflow.contrib.seq2seq as seq2seq
from tensorflow.contrib.crf import crf_log_likelihood, crf_decode

x = tf.placeholder(tf.float32)
