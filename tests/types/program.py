"""A user's program, which `make lint` gives to mypy and pyright.

A line with a mistake has a comment that expects the checkers' complaint, and
they complain about such a comment where there is none.
"""

from typing import Any

import numpy as np

import tf_contrib_rnn
from tf_contrib_rnn import keras as independent
from tf_contrib_rnn import migrate
from tf_contrib_rnn.flax import nnx

inputs: Any = np.ones([2, 3, 4])

# The cells.
cell: tf_contrib_rnn.IndyGRUCell = tf_contrib_rnn.IndyGRUCell(16, name="cell")
outputs, state = tf_contrib_rnn.dynamic_rnn(cell, inputs)
with tf_contrib_rnn.implementation("composed"):
  output, state = cell(inputs, cell.zero_state(2, "float32"))
tf_contrib_rnn.implementation("compose")  # type: ignore  # pyright: ignore
tf_contrib_rnn.IndyGRUCell(16, unit=3)  # type: ignore  # pyright: ignore
tf_contrib_rnn.IndyGRUCel(16)  # type: ignore  # pyright: ignore

# A call of any cell, wrappers included, takes a state and returns a pair.
stack = tf_contrib_rnn.MultiRNNCell(
  [tf_contrib_rnn.DropoutWrapper(cell), tf_contrib_rnn.GRUCell(8)]
)
cells: list[tf_contrib_rnn.RNNCell] = [stack, cell, tf_contrib_rnn.NASCell(4)]
output, (first, second) = stack(inputs, stack.zero_state(2, "float32"))
stack(inputs)  # type: ignore  # pyright: ignore
tf_contrib_rnn.SRUCell(4)(inputs)  # type: ignore  # pyright: ignore
tf_contrib_rnn.UGRNNCell(4)(inputs)  # type: ignore  # pyright: ignore
a, b, c = tf_contrib_rnn.GRUCell(4)(inputs, state)  # type: ignore  # pyright: ignore

# The layers for Keras.
layer: independent.IndyLSTM = tf_contrib_rnn.keras.IndyLSTM(
  4, "tanh", return_sequences=True, dropout=0.5, name="layer"
)
independent.IndyGRU(4, reset_after=True, return_state=True)
independent.IndRNN(4, retrun_sequences=True)  # type: ignore  # pyright: ignore
independent.IndRNN(4, reset_after=True)  # type: ignore  # pyright: ignore
independent.SRU(4, dropout=0.1, return_state=True)
independent.SRU(4, recurrent_dropout=0.1)  # type: ignore  # pyright: ignore
independent.IndRNNCell(4, units=5)  # type: ignore  # pyright: ignore
width: int = layer.units
layer.units = "5"  # type: ignore  # pyright: ignore
outputs = layer(inputs, mask=inputs, training=True)
layer(initial_state=state)  # type: ignore  # pyright: ignore
output, [h, c] = independent.IndyLSTMCell(4)(inputs, [inputs, inputs])
independent.IndyLSTMCell(4)(inputs)  # type: ignore  # pyright: ignore

# The layers for flax.nnx.
nnx_layer: nnx.IndyLSTM = nnx.IndyLSTM(
  3, 4, rngs=inputs, reverse=True, forget_bias_init=np.zeros
)
nnx.IndRNNCell(3, 4, rngs=inputs, residual=True)
nnx.IndRNN(3, 4, rngs=inputs, gate_fn=np.tanh)  # type: ignore  # pyright: ignore
nnx.IndRNN(3, 4)  # type: ignore  # pyright: ignore
nnx.SRU(3, 4, rngs=inputs, gate_fn=np.tanh, bias_metadata={}, reverse=True)
nnx.SRU(3, 4, rngs=inputs, residual=True)  # type: ignore  # pyright: ignore

# Checkpoints.
weights: migrate.CellWeights = tf_contrib_rnn.migrate.read_weights(
  "IndRNNCell", {}, scope="rnn"
)
migrate.write_checkpoint({"a": inputs}, "model.ckpt", overwrite=True)
migrate.read_weight("IndRNNCell", {})  # type: ignore  # pyright: ignore
