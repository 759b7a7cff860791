import tensorflow.compat.v1 as tensorflow
import tf_contrib_rnn
tensorflow.disable_v2_behavior()

cell = tf_contrib_rnn.GRUCell(3)
x = tensorflow.placeholder(tensorflow.float32)
