"""Keras's own training, model.fit, under each strategy that it has.

TF_USE_LEGACY_KERAS=1 makes it Keras 2: docs/keras.md.
"""

import functools

import model
import parameter_server
import plan as plans
import strategies
import tensorflow as tf
from tensorflow.python.eager import context  # for graphs as they ran

from tf_contrib_rnn import keras as contrib_rnn

keras = tf.keras


def make_model(plan):
  """What model.Model is, with the weights to start from."""
  network = keras.Sequential(
    [
      keras.Input([None, model.DEPTH]),
      contrib_rnn.IndyGRU(model.UNITS, return_sequences=True),
      contrib_rnn.IndyGRU(model.UNITS),
      keras.layers.Dense(1),
    ]
  )
  *layers, dense = network.layers
  for layer, scope in zip(layers, model.CELLS):
    layer.load_contrib_variables(plan.start, scope)
  weights = model.read_weights(plan.start)
  dense.set_weights([weights["logits/kernel"], weights["logits/bias"]])
  network.compile(
    keras.optimizers.SGD(model.LEARNING_RATE, momentum=model.MOMENTUM),
    keras.losses.BinaryCrossentropy(from_logits=True),
  )
  return network


def read_weights(network):
  """The weights under the names that they have in a checkpoint."""
  *layers, dense = network.layers
  weights = dict(zip(model.NAMES[-2:], dense.get_weights()))
  for layer, scope in zip(layers, model.CELLS):
    weights.update(layer.contrib_variables(scope))
  return weights


def make_dataset(plan):
  """All sequences, in order. The strategy gives each replica its share."""
  batches = [model.make_batch(plan.seed, step) for step in range(plan.steps)]
  inputs, labels = (tf.concat(arrays, 0) for arrays in zip(*batches))
  dataset = tf.data.Dataset.from_tensor_slices((inputs, labels))
  return dataset.batch(model.BATCH)


def fit(report_step, plan, strategy):
  with strategy.scope():
    network = make_model(plan)
  dataset, options = make_dataset(plan), {}
  if isinstance(strategy, tf.distribute.ParameterServerStrategy):
    # Keras calls nothing back after a step: the workers overtake each other.
    options = {"steps_per_epoch": plan.steps}
    dataset = dataset.repeat()
  else:
    report = keras.callbacks.LambdaCallback(
      on_batch_end=lambda step, logs: report_step(step)
    )
    options = {"callbacks": [report]}
  context.enable_graph_collection()
  network.fit(dataset, shuffle=False, verbose=0, **options)
  graphs = context.export_run_metadata().partition_graphs
  devices = model.devices_of_fused_ops(graphs)
  return plans.Result(devices, read_weights(network))


mirrored = functools.partial(strategies.train_mirrored, fit)
multi_worker = functools.partial(strategies.train_multi_worker, fit)


def coordinate(report_step, plan):
  result = fit(report_step, plan, parameter_server.make_strategy())
  model.write_weights(result.weights, plan.save_to)
  return result
