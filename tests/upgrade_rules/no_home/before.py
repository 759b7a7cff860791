import tensorflow as tf
from tensorflow.contrib import seq2seq
from tensorflow.contrib.training import HParams
from tensorflow.examples.tutorials.mnist import input_data

helper = seq2seq.TrainingHelper(1, 2)
loss, _ = tf.contrib.crf.crf_log_likelihood(1, 2, 3)
optimizer = tf.contrib.opt.AdamWOptimizer(0.1)
cell = tf.contrib.cudnn_rnn.CudnnLSTM(1, 2)
estimator = tf.estimator.Estimator(None)
parameters = HParams(a=1)
data = input_data.read_data_sets("data")
other = tf.contrib.nothing.of_that_name(1)
old = tf.mul(1, 2)
