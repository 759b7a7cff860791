import tensorflow as tf

x = tf.contrib.layers.linear(tf.ones([2, 3]), 4)
table = tf.contrib.lookup.HashTable(1, -1)
