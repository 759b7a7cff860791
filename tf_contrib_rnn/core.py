"""The names of tf.contrib.rnn that live on in TensorFlow, and where to turn for
those that don't.

TensorFlow keeps its own copies of these classes: the ones that its dynamic_rnn
uses, and which need no Keras. They are these, whatever tf.keras is.
"""

from tensorflow.python.ops import rnn
from tensorflow.python.ops import rnn_cell_impl

BasicLSTMCell = rnn_cell_impl.BasicLSTMCell
BasicRNNCell = rnn_cell_impl.BasicRNNCell
DeviceWrapper = rnn_cell_impl.DeviceWrapper
DropoutWrapper = rnn_cell_impl.DropoutWrapper
GRUCell = rnn_cell_impl.GRUCell
LayerRNNCell = rnn_cell_impl.LayerRNNCell
LSTMCell = rnn_cell_impl.LSTMCell
LSTMStateTuple = rnn_cell_impl.LSTMStateTuple
MultiRNNCell = rnn_cell_impl.MultiRNNCell
ResidualWrapper = rnn_cell_impl.ResidualWrapper
RNNCell = rnn_cell_impl.RNNCell

static_state_saving_rnn = rnn.static_state_saving_rnn

# pylint: disable=protected-access
best_effort_input_batch_size = rnn._best_effort_input_batch_size
transpose_batch_time = rnn._transpose_batch_time
# pylint: enable=protected-access

_OWN_CELL = "a cell of your own, a subclass of LayerRNNCell"
_DENSE = "a dense layer before or after the cell"

# What tf.contrib.rnn had and this package has not (yet): what to use instead.
MISSING = {
  "AttentionCellWrapper": "an attention layer over the outputs",
  "BidirectionalGridLSTMCell": _OWN_CELL,
  "CompiledWrapper": "tf.function(jit_compile=True)",
  "Conv1DLSTMCell": _OWN_CELL,
  "Conv2DLSTMCell": "tf.keras.layers.ConvLSTM2D",
  "Conv3DLSTMCell": "tf.keras.layers.ConvLSTM3D",
  "ConvLSTMCell": "tf.keras.layers.ConvLSTM2D",
  "CoupledInputForgetGateLSTMCell": _OWN_CELL,
  "EmbeddingWrapper": "tf.nn.embedding_lookup on the inputs",
  "FusedRNNCell": "a function from a whole sequence to its outputs",
  "FusedRNNCellAdaptor": "dynamic_rnn",
  "GLSTMCell": _OWN_CELL,
  "GRUBlockCell": "GRUCell",
  "GRUBlockCellV2": "GRUCell",
  "GridLSTMCell": _OWN_CELL,
  "HighwayWrapper": "ResidualWrapper with a residual_fn",
  "InputProjectionWrapper": _DENSE,
  "IntersectionRNNCell": _OWN_CELL,
  "LSTMBlockCell": "LSTMCell",
  "LSTMBlockFusedCell": "tf.raw_ops.BlockLSTM",
  "LSTMBlockWrapper": "tf.raw_ops.BlockLSTM",
  "LayerNormBasicLSTMCell": _OWN_CELL,
  "NASCell": _OWN_CELL,
  "OutputProjectionWrapper": _DENSE,
  "PhasedLSTMCell": _OWN_CELL,
  "SRUCell": _OWN_CELL,
  "TimeFreqLSTMCell": _OWN_CELL,
  "TimeReversedFusedRNN": "tf.reverse_sequence before and after",
  "UGRNNCell": _OWN_CELL,
}


def explain_missing(name: str) -> str:
  """The message of the AttributeError for a name that is not here."""
  if name in MISSING:
    return (
      f"tf.contrib.rnn.{name} is not in tf_contrib_rnn; "
      f"meanwhile use {MISSING[name]}"
    )
  return f"module 'tf_contrib_rnn' has no attribute '{name}'"
