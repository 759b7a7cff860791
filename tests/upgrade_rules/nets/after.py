import tensorflow.compat.v1 as tf
import tf_contrib_rnn
import tf_slim.nets.resnet_v1
import tf_slim.nets.vgg
tf.disable_v2_behavior()
import tf_slim as slim

x = slim.nets.vgg.vgg_16(1)
y = tf_slim.nets.resnet_v1.resnet_v1_50(x)
text = f"{tf_contrib_rnn.GRUCell(3)}"
