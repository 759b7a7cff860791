"""Independently recurrent cells and layers for Keras.

They are like Keras's own, except for the recurrent weights. A GRU has a
recurrent matrix for each gate, and an IndyGRU has a vector. Keras has no
layer like the SRU, whose gates depend on the inputs only. The classes are for
Keras 3 with any of its backends, or for tf_keras if `tf.keras` is tf_keras.
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
