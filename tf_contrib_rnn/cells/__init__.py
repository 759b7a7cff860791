"""The cells of tf.contrib.rnn 1.15, a file a family."""

from tf_contrib_rnn.cells.independent import IndRNNCell
from tf_contrib_rnn.cells.independent import IndyBasicLSTMCell
from tf_contrib_rnn.cells.independent import IndyGRUCell
from tf_contrib_rnn.cells.independent import IndyLSTMCell

__all__ = ["IndRNNCell", "IndyBasicLSTMCell", "IndyGRUCell", "IndyLSTMCell"]
