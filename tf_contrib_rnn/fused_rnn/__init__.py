"""The fused cells of tf.contrib.rnn 1.15: one call runs whole sequences.

The inputs are time-major, [time, batch, depth], or a list of steps [batch,
depth].
"""

from tf_contrib_rnn.fused_rnn.adaptors import FusedRNNCell
from tf_contrib_rnn.fused_rnn.adaptors import FusedRNNCellAdaptor
from tf_contrib_rnn.fused_rnn.adaptors import TimeReversedFusedRNN
from tf_contrib_rnn.fused_rnn.block import LSTMBlockFusedCell
from tf_contrib_rnn.fused_rnn.block import LSTMBlockWrapper

__all__ = [
  "FusedRNNCell",
  "FusedRNNCellAdaptor",
  "LSTMBlockFusedCell",
  "LSTMBlockWrapper",
  "TimeReversedFusedRNN",
]
