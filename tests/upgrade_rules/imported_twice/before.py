import tensorflow
import tensorflow.contrib.rnn
import tensorflow.contrib.layers

cell = tensorflow.contrib.rnn.GRUCell(3)
x = tensorflow.placeholder(tensorflow.float32)
