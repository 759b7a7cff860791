import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

try:
  HAS_CONTRIB = True
except ImportError:
  HAS_CONTRIB = False
try:
  from tensorflow.contrib import cudnn_rnn
  HAS_CUDNN = True
except ImportError:
  HAS_CUDNN = False
try:
  import tf_contrib_rnn as rnn
  import tf_slim as layers

  def build():
    pass
except ImportError:
  rnn = layers = None
x = tf.placeholder(tf.float32), rnn.GRUCell(3)
