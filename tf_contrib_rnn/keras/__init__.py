"""Independently recurrent cells and layers for Keras.

They are Keras's own in all but the recurrent weights: where a GRU has a matrix
for each gate, an IndyGRU has a vector. Keras has nothing like the SRU, whose
gates see the inputs alone. For Keras 3 with any of its backends,
and for tf_keras where that is what tf.keras is.
"""

from tf_contrib_rnn.keras._family import RUNS_TENSORFLOW as _RUNS_TENSORFLOW
from tf_contrib_rnn.keras.cells import IndRNNCell
from tf_contrib_rnn.keras.cells import IndyGRUCell
from tf_contrib_rnn.keras.cells import IndyLSTMCell
from tf_contrib_rnn.keras.constraints import RecurrentBound
from tf_contrib_rnn.keras.layers import IndRNN
from tf_contrib_rnn.keras.layers import IndyGRU
from tf_contrib_rnn.keras.layers import IndyLSTM
from tf_contrib_rnn.keras.layers import SRU
from tf_contrib_rnn.keras.sru import SRUCell

__all__ = [
  "IndRNN",
  "IndRNNCell",
  "IndyGRU",
  "IndyGRUCell",
  "IndyLSTM",
  "IndyLSTMCell",
  "RecurrentBound",
  "SRU",
  "SRUCell",
]

if _RUNS_TENSORFLOW:
  from tf_contrib_rnn.keras._lite import (
    lite_sequence_lstm as lite_sequence_lstm,
  )

  __all__.append("lite_sequence_lstm")
