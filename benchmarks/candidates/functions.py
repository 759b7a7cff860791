"""Candidates as functions of TensorFlow 2: layers of Keras, and XLA."""

import tensorflow as tf

import tf_contrib_rnn
import tf_contrib_rnn.keras
from candidates import Calls
from tf_contrib_rnn import migrate

_KERAS_LAYERS = {"IndRNN": "SimpleRNN", "IndyGRU": "GRU", "IndyLSTM": "LSTM"}


def make_keras(problem):
  layer = getattr(tf.keras.layers, _KERAS_LAYERS[problem.cell])(
    problem.units, return_sequences=True
  )
  layer.build((problem.batch, problem.time, problem.inputs))
  return layer, layer.trainable_variables


def make_keras_indy(problem):
  layer = getattr(tf_contrib_rnn.keras, problem.cell)(
    problem.units, return_sequences=True
  )
  layer.build((problem.batch, problem.time, problem.inputs))
  weights = migrate.CellWeights(
    problem.cell + "Cell",
    problem.kernel(),
    problem.recurrent_kernel(),
    problem.bias(),
  )
  layer.load_contrib_variables(migrate.to_variables(weights, "cell"))
  return layer, layer.trainable_variables


def make_composition(problem):
  cell = getattr(tf_contrib_rnn, problem.cell + "Cell")(problem.units)
  cell(tf.zeros([1, problem.inputs]), cell.zero_state(1, tf.float32))
  for variable, value in zip(cell.trainable_variables, problem.weights()):
    variable.assign(value)

  def layer(x):
    with tf_contrib_rnn.implementation("composed"):
      return tf.compat.v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)[0]

  return layer, cell.trainable_variables


def build(name, problem):
  makers = {
    "xla": make_composition,
    "keras": make_keras,
    "keras_indy": make_keras_indy,
  }
  is_xla = name == "xla"
  layer, weights = makers[name](problem)
  x = tf.Variable(problem.x())
  dy = tf.Variable(problem.output_gradients())

  @tf.function(jit_compile=is_xla)
  def forward():
    return layer(tf.convert_to_tensor(x))

  @tf.function(jit_compile=is_xla)
  def train():
    inputs = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
      tape.watch(inputs)
      y = layer(inputs)
    return y, tape.gradient(y, [inputs, *weights], output_gradients=dy)

  def results():
    y, gradients = train()
    return [y.numpy(), gradients[0].numpy()]

  return Calls(forward, train, results if name != "keras" else None)
