import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
from tensorflow.python.keras.layers import LSTM

x = LSTM(3)(tf.placeholder(tf.float32, [None, 3, 3]))
