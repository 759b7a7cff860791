"""Element-wise recurrent cells and layers for flax.linen.

They are like flax's own, except for the recurrent weights. A GRUCell has a
recurrent matrix for each gate, and an IndyGRUCell has a vector. An SRUCell,
which flax does not have, has no recurrent weights. The same classes for
flax.nnx are in `tf_contrib_rnn.flax.nnx`. TensorFlow is only imported to read
or write the files of a checkpoint.
"""

from tf_contrib_rnn.flax.bound import bound_recurrent_kernels
from tf_contrib_rnn.flax.cells import IndRNNCell
from tf_contrib_rnn.flax.cells import IndyGRUCell
from tf_contrib_rnn.flax.cells import IndyLSTMCell
from tf_contrib_rnn.flax.cells import SRUCell
from tf_contrib_rnn.flax.layers import IndRNN
from tf_contrib_rnn.flax.layers import IndyGRU
from tf_contrib_rnn.flax.layers import IndyLSTM
from tf_contrib_rnn.flax.layers import SRU
from tf_contrib_rnn.flax.weights import contrib_variables
from tf_contrib_rnn.flax.weights import load_contrib_variables

__all__ = [
  "IndRNN",
  "IndRNNCell",
  "IndyGRU",
  "IndyGRUCell",
  "IndyLSTM",
  "IndyLSTMCell",
  "SRU",
  "SRUCell",
  "bound_recurrent_kernels",
  "contrib_variables",
  "load_contrib_variables",
]
