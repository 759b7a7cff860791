import tensorflow as tf
from tensorflow.python.keras.layers import LSTM

x = LSTM(3)(tf.placeholder(tf.float32, [None, 3, 3]))
