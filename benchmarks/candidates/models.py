"""A model of Keras, for comparing policies of precision."""

import keras
import tensorflow as tf

import tf_contrib_rnn.keras
from candidates import Calls


def build(_, problem):
  if keras.__version__.startswith("2."):
    raise RuntimeError(f"keras is {keras.__version__}, expected Keras 3")
  make = getattr(tf_contrib_rnn.keras, problem.cell)
  keras.config.set_dtype_policy(problem.dtype)
  model = keras.Sequential(
    [
      make(problem.units, return_sequences=True),
      make(problem.units, return_sequences=True),
      keras.layers.Dense(1, dtype="float32"),
    ]
  )
  optimizer = keras.optimizers.Adam()
  if problem.dtype == "mixed_float16":
    optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
  x = tf.Variable(problem.x())
  model.build(x.shape)
  optimizer.build(model.trainable_variables)

  def loss():
    return tf.reduce_mean(tf.square(model(tf.convert_to_tensor(x))))

  @tf.function
  def train():
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
      value = loss()
      scaled = optimizer.scale_loss(value)
    optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables))
    return value

  return Calls(tf.function(loss), train)
