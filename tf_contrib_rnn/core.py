"""The names of tf.contrib.rnn that TensorFlow 2 still has.

TensorFlow keeps its own copies of these classes. Its `dynamic_rnn` uses them,
and they do not need Keras. The names here are these copies, no matter which
Keras `tf.keras` is.
"""

from typing import Any
from typing import TYPE_CHECKING

from tensorflow.python.ops import rnn
from tensorflow.python.ops import rnn_cell_impl

if TYPE_CHECKING:
  import tensorflow as tf

  # The same classes, with the types of a call, which TensorFlow leaves out.

  class RNNCell(rnn_cell_impl.RNNCell):
    def __call__(
      self, inputs: Any, state: Any, scope: Any = None
    ) -> tuple[Any, Any]: ...
    def zero_state(self, batch_size: Any, dtype: Any) -> Any: ...

  class LayerRNNCell(RNNCell, rnn_cell_impl.LayerRNNCell):
    def __call__(
      self,
      inputs: Any,
      state: Any,
      scope: Any = None,
      *arguments: Any,
      **keywords: Any,
    ) -> tuple[tf.Tensor, Any]: ...

  class BasicLSTMCell(LayerRNNCell, rnn_cell_impl.BasicLSTMCell): ...

  class BasicRNNCell(LayerRNNCell, rnn_cell_impl.BasicRNNCell): ...

  class GRUCell(LayerRNNCell, rnn_cell_impl.GRUCell): ...

  class LSTMCell(LayerRNNCell, rnn_cell_impl.LSTMCell): ...

  class DeviceWrapper(RNNCell, rnn_cell_impl.DeviceWrapper): ...

  class DropoutWrapper(RNNCell, rnn_cell_impl.DropoutWrapper): ...

  class MultiRNNCell(RNNCell, rnn_cell_impl.MultiRNNCell): ...

  class ResidualWrapper(RNNCell, rnn_cell_impl.ResidualWrapper): ...

else:
  BasicLSTMCell = rnn_cell_impl.BasicLSTMCell
  BasicRNNCell = rnn_cell_impl.BasicRNNCell
  DeviceWrapper = rnn_cell_impl.DeviceWrapper
  DropoutWrapper = rnn_cell_impl.DropoutWrapper
  GRUCell = rnn_cell_impl.GRUCell
  LayerRNNCell = rnn_cell_impl.LayerRNNCell
  LSTMCell = rnn_cell_impl.LSTMCell
  MultiRNNCell = rnn_cell_impl.MultiRNNCell
  ResidualWrapper = rnn_cell_impl.ResidualWrapper
  RNNCell = rnn_cell_impl.RNNCell

LSTMStateTuple = rnn_cell_impl.LSTMStateTuple

static_state_saving_rnn = rnn.static_state_saving_rnn

# pylint: disable=protected-access
best_effort_input_batch_size = rnn._best_effort_input_batch_size
transpose_batch_time = rnn._transpose_batch_time
# pylint: enable=protected-access
