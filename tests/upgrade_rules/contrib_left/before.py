import tensorflow as tf
from tensorflow import contrib

cell = contrib.rnn.UGRNNCell(4)
loss = contrib.seq2seq.sequence_loss(1, 2, 3)
