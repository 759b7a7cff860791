import tensorflow as tf
import tensorflow.contrib.slim as slim

x = slim.nets.vgg.vgg_16(1)
y = tf.contrib.slim.nets.resnet_v1.resnet_v1_50(x)
text = f"{tf.contrib.rnn.GRUCell(3)}"
