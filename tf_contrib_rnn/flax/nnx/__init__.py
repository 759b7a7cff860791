"""Element-wise recurrent cells and layers for flax.nnx.

They are those of `tf_contrib_rnn.flax`, with the constructors of nnx, which
take `in_features`, `hidden_features` and `rngs`.
"""

from tf_contrib_rnn.flax.nnx.bound import bound_recurrent_kernels
from tf_contrib_rnn.flax.nnx.cells import IndRNNCell
from tf_contrib_rnn.flax.nnx.cells import IndyGRUCell
from tf_contrib_rnn.flax.nnx.cells import IndyLSTMCell
from tf_contrib_rnn.flax.nnx.cells import SRUCell
from tf_contrib_rnn.flax.nnx.layers import IndRNN
from tf_contrib_rnn.flax.nnx.layers import IndyGRU
from tf_contrib_rnn.flax.nnx.layers import IndyLSTM
from tf_contrib_rnn.flax.nnx.layers import SRU
from tf_contrib_rnn.flax.nnx.weights import contrib_variables
from tf_contrib_rnn.flax.nnx.weights import load_contrib_variables

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
