"""The IndyLSTM as a function that TensorFlow Lite's converter knows.

The converter replaces a function whose attribute `api_implements` starts with
"indy_lstm_" by its own sequence LSTM with diagonal recurrent weights. The
function needs the arguments and results of Keras's LSTM. Everything else that
runs the graph calls the function. Read in the converter's source,
prepare_composite_functions_tf.cc of TensorFlow 2.21.

The LSTM of the converter keeps its state from one run of the model to the
next. It therefore computes what the layer does in the first run only, and is
only created if a program asks for it.
"""

import contextlib
import contextvars
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tf_contrib_rnn import recurrence
from tf_contrib_rnn.keras import cells
from tf_contrib_rnn.keras._family import keras
from tf_contrib_rnn.keras._family import sizes

_is_asked_for = contextvars.ContextVar("lite_sequence_lstm", default=False)


@contextlib.contextmanager
def lite_sequence_lstm() -> Iterator[None]:
  """Context that converts an IndyLSTM to TensorFlow Lite's sequence LSTM.

  Inside, `tf.lite.TFLiteConverter` converts an `IndyLSTM` to one
  UNIDIRECTIONAL_SEQUENCE_LSTM. It is two to three times as fast as the loop
  that it replaces. It differs from the layer in two ways:

  - It keeps h and c from one `invoke()` to the next. For a stream that arrives
    in parts, this is what you want. For independent sequences, call
    `interpreter.reset_all_variables()` before each.
  - It clips c at 10.

  A layer is converted in this way if all of these hold. Any other layer becomes
  a loop, as outside this context.

  - Its batch size and number of steps are known.
  - There is no mask and no initial state.
  - The activations are tanh and sigmoid.
  - Everything is float32.
  - There is a bias.
  - `return_state` and `stateful` are False.

  Source: the stock converter of TensorFlow 2.21.

  Yields:
    Nothing.

  Example:

  >>> import contextlib, io
  >>> import tensorflow as tf
  >>> from tf_contrib_rnn.keras import IndyLSTM, lite_sequence_lstm
  >>> inputs = tf.keras.Input(batch_shape=[1, 20, 8])
  >>> model = tf.keras.Model(inputs, IndyLSTM(16)(inputs))
  >>> converter = tf.lite.TFLiteConverter.from_keras_model(model)
  >>> with contextlib.redirect_stdout(io.StringIO()), lite_sequence_lstm():
  ...   content = converter.convert()  # Keras prints what it saves
  """
  token = _is_asked_for.set(True)
  try:
    yield
  finally:
    _is_asked_for.reset(token)


def _are_zeros(states: list) -> bool:
  """Whether these states are known to be zeros, like a layer's own ones."""
  values = [tf.get_static_value(state) for state in states]
  return all(value is not None and not np.any(value) for value in values)


def can_mark(
  layer: Any, sequences: Any, initial_state: list, mask: Any, training: Any
) -> bool:
  """Whether the converter should take a layer's call as a whole, and can.

  It needs a known batch, no mask, states of zeros, and tanh. It would overwrite
  a state that is passed to it.
  """
  return (
    _is_asked_for.get()
    and type(layer.cell) is cells.IndyLSTMCell
    and tf.inside_function()
    and training is False  # what exporting and predicting say
    and mask is None
    and None not in sizes(sequences)[:2]
    and sequences.dtype == tf.float32
    and layer.cell.kernel.dtype == layer.compute_dtype == "float32"
    and layer.cell.use_bias
    and not layer.return_state
    and not layer.stateful
    and layer.cell.activation is keras.activations.tanh
    and layer.cell.recurrent_activation is keras.activations.sigmoid
    and _are_zeros(initial_state)
  )


def run(layer: Any, sequences: Any) -> tuple:
  """Runs the cell of a layer along time: (last output, outputs, final states).

  Args:
    layer: An IndyLSTM layer that is built.
    sequences: Tensor [batch, time, features].

  Returns:
    The last output [batch, units]; all outputs [batch, time, units], in the
    order of computation; and a list of the two final states.
  """
  cell, backwards = layer.cell, layer.go_backwards

  def standard_lstm(inputs, h, c, kernel, recurrent_kernel, bias):
    """Gates i, f, c, o; recurrent_kernel [units, 4]."""
    outputs, (c, h) = recurrence.indy_lstm(
      tf.tensordot(inputs, kernel, 1),
      tf.reshape(tf.transpose(recurrent_kernel), [1, -1]),
      bias,
      (c, h),
      forget_bias=0.0,
      reverse=backwards,
      gate_order="keras",
    )
    if backwards:
      outputs = tf.reverse(outputs, [1])
    return outputs[:, -1], outputs, h, c, tf.constant(0.0)

  function = tf.function(
    standard_lstm,
    autograph=False,
    experimental_attributes={
      "api_implements": f"indy_lstm_{uuid.uuid4()}",
      "api_preferred_device": "CPU",
      "go_backwards": backwards,
      "time_major": False,
    },
  )
  by_gate = tf.reshape(cell.recurrent_kernel, [4, cell.units])
  # Of its own: the converter makes them the states that it keeps.
  h, c = (tf.zeros([sequences.shape[0], cell.units]) for _ in range(2))
  last, outputs, h, c, _ = function(
    sequences,
    h,
    c,
    tf.convert_to_tensor(cell.kernel),
    tf.transpose(by_gate),
    tf.convert_to_tensor(cell.bias),
  )
  return last, outputs, [h, c]
