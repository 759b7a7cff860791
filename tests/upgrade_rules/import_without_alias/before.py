import tensorflow

cell = tensorflow.contrib.rnn.GRUCell(4)
x = tensorflow.placeholder(tensorflow.float32)
