"""The IndyLSTM as a function that TensorFlow Lite's converter knows.

The converter replaces a function whose attribute `api_implements` begins with
"indy_lstm_" by its own sequence LSTM with diagonal recurrent weights, if the
function has the arguments and results of Keras's LSTM. Whatever else runs such
a graph calls the function. Read in the converter's source,
prepare_composite_functions_tf.cc of TensorFlow 2.21.
"""

import uuid
from typing import Any

import tensorflow as tf

from tf_contrib_rnn import recurrence
from tf_contrib_rnn.keras import cells
from tf_contrib_rnn.keras._family import keras


def can_mark(layer: Any, sequences: Any, mask: Any, training: Any) -> bool:
  """Whether the converter could take a layer's call as a whole.

  It wants to know the batch, no mask, no state but at the start, and tanh.
  """
  return (
    type(layer.cell) is cells.IndyLSTMCell
    and tf.inside_function()
    and training is False  # what exporting and predicting say
    and mask is None
    and sequences.shape[0] is not None
    and sequences.shape[1] is not None
    and sequences.dtype == tf.float32
    and layer.cell.kernel.dtype == layer.compute_dtype == "float32"
    and layer.cell.use_bias
    and not layer.return_state
    and not layer.stateful
    and layer.cell.activation is keras.activations.tanh
    and layer.cell.recurrent_activation is keras.activations.sigmoid
  )


def run(layer: Any, sequences: Any, initial_state: list) -> tuple:
  """Runs the layer's cell along time: (last output, outputs, final states).

  Args:
    layer: an IndyLSTM layer, built.
    sequences: [batch, time, features].
    initial_state: h and c, [batch, units].

  Returns:
    The last output [batch, units]; all outputs [batch, time, units], in the
    order in which they were computed; the final states, a list of two.
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
  last, outputs, h, c, _ = function(
    sequences,
    *initial_state,
    tf.convert_to_tensor(cell.kernel),
    tf.transpose(by_gate),
    tf.convert_to_tensor(cell.bias),
  )
  return last, outputs, [h, c]
