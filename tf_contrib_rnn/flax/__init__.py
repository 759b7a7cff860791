"""Element-wise recurrent cells and layers for flax.linen.

They are flax's own in all but the recurrent weights: where a GRUCell has a
matrix for each gate, an IndyGRUCell has a vector, and an SRUCell, which flax
has not, nothing. The same for flax.nnx is in `tf_contrib_rnn.flax.nnx`. Nothing
here imports TensorFlow, except to read or write a checkpoint's files.
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
