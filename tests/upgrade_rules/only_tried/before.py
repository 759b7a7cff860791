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
try:
  from tensorflow.contrib import rnn, learn
  from tensorflow.contrib import layers

  def build():
    from tensorflow.contrib import seq2seq
except ImportError:
  rnn = layers = None
x = tf.placeholder(tf.float32), rnn.GRUCell(3)
