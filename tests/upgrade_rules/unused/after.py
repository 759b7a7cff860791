import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
# Old habits.

x = tf.placeholder(tf.float32)
