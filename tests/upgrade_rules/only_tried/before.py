import tensorflow as tf

try:
  import tensorflow.contrib as _contrib
  HAS_CONTRIB = True
except ImportError:
  HAS_CONTRIB = False
try:
  from tensorflow.contrib import cudnn_rnn
  HAS_CUDNN = True
except ImportError:
  HAS_CUDNN = False
x = tf.placeholder(tf.float32)
