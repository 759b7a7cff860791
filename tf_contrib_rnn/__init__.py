"""The independently recurrent cells of tf.contrib.rnn for TensorFlow 2.

Where a TensorFlow 1 program says `tf.contrib.rnn`, say `tf_contrib_rnn`:
variables, names, scopes, reuse and checkpoints stay as they were.
"""

from tf_contrib_rnn._implementation import fused_ops_available
from tf_contrib_rnn._implementation import implementation
from tf_contrib_rnn.bound import RecurrentBound
from tf_contrib_rnn.cells import IndRNNCell
from tf_contrib_rnn.cells import IndyBasicLSTMCell
from tf_contrib_rnn.cells import IndyGRUCell
from tf_contrib_rnn.cells import IndyLSTMCell
from tf_contrib_rnn.core import BasicLSTMCell
from tf_contrib_rnn.core import BasicRNNCell
from tf_contrib_rnn.core import best_effort_input_batch_size
from tf_contrib_rnn.core import DeviceWrapper
from tf_contrib_rnn.core import DropoutWrapper
from tf_contrib_rnn.core import explain_missing as _explain_missing
from tf_contrib_rnn.core import GRUCell
from tf_contrib_rnn.core import LayerRNNCell
from tf_contrib_rnn.core import LSTMCell
from tf_contrib_rnn.core import LSTMStateTuple
from tf_contrib_rnn.core import MultiRNNCell
from tf_contrib_rnn.core import ResidualWrapper
from tf_contrib_rnn.core import RNNCell
from tf_contrib_rnn.core import static_state_saving_rnn
from tf_contrib_rnn.core import transpose_batch_time
from tf_contrib_rnn.rnn import bidirectional_dynamic_rnn
from tf_contrib_rnn.rnn import dynamic_rnn
from tf_contrib_rnn.rnn import stack_bidirectional_dynamic_rnn
from tf_contrib_rnn.rnn import stack_bidirectional_rnn
from tf_contrib_rnn.rnn import static_bidirectional_rnn
from tf_contrib_rnn.rnn import static_rnn
from tf_contrib_rnn.version import __version__

__all__ = [
  "BasicLSTMCell",
  "BasicRNNCell",
  "DeviceWrapper",
  "DropoutWrapper",
  "GRUCell",
  "IndRNNCell",
  "IndyBasicLSTMCell",
  "IndyGRUCell",
  "IndyLSTMCell",
  "LSTMCell",
  "LSTMStateTuple",
  "LayerRNNCell",
  "MultiRNNCell",
  "RNNCell",
  "RecurrentBound",
  "ResidualWrapper",
  "__version__",
  "best_effort_input_batch_size",
  "bidirectional_dynamic_rnn",
  "dynamic_rnn",
  "fused_ops_available",
  "implementation",
  "stack_bidirectional_dynamic_rnn",
  "stack_bidirectional_rnn",
  "static_bidirectional_rnn",
  "static_rnn",
  "static_state_saving_rnn",
  "transpose_batch_time",
]


def __getattr__(name):
  raise AttributeError(_explain_missing(name))
