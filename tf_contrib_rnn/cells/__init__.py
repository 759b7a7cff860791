"""The cells of tf.contrib.rnn 1.15. Each module has one family of cells."""

from tf_contrib_rnn.cells.block import GRUBlockCell
from tf_contrib_rnn.cells.block import GRUBlockCellV2
from tf_contrib_rnn.cells.block import LSTMBlockCell
from tf_contrib_rnn.cells.convolutional import Conv1DLSTMCell
from tf_contrib_rnn.cells.convolutional import Conv2DLSTMCell
from tf_contrib_rnn.cells.convolutional import Conv3DLSTMCell
from tf_contrib_rnn.cells.convolutional import ConvLSTMCell
from tf_contrib_rnn.cells.frequency import TimeFreqLSTMCell
from tf_contrib_rnn.cells.gated import IntersectionRNNCell
from tf_contrib_rnn.cells.gated import NASCell
from tf_contrib_rnn.cells.gated import UGRNNCell
from tf_contrib_rnn.cells.grid import BidirectionalGridLSTMCell
from tf_contrib_rnn.cells.grid import GridLSTMCell
from tf_contrib_rnn.cells.independent import IndRNNCell
from tf_contrib_rnn.cells.independent import IndyBasicLSTMCell
from tf_contrib_rnn.cells.independent import IndyGRUCell
from tf_contrib_rnn.cells.independent import IndyLSTMCell
from tf_contrib_rnn.cells.lstm import CoupledInputForgetGateLSTMCell
from tf_contrib_rnn.cells.lstm import GLSTMCell
from tf_contrib_rnn.cells.lstm import LayerNormBasicLSTMCell
from tf_contrib_rnn.cells.phased import PhasedLSTMCell
from tf_contrib_rnn.cells.simple_recurrent import SRUCell

__all__ = [
  "BidirectionalGridLSTMCell",
  "Conv1DLSTMCell",
  "Conv2DLSTMCell",
  "Conv3DLSTMCell",
  "ConvLSTMCell",
  "CoupledInputForgetGateLSTMCell",
  "GLSTMCell",
  "GRUBlockCell",
  "GRUBlockCellV2",
  "GridLSTMCell",
  "IndRNNCell",
  "IndyBasicLSTMCell",
  "IndyGRUCell",
  "IndyLSTMCell",
  "IntersectionRNNCell",
  "LSTMBlockCell",
  "LayerNormBasicLSTMCell",
  "NASCell",
  "PhasedLSTMCell",
  "SRUCell",
  "TimeFreqLSTMCell",
  "UGRNNCell",
]
