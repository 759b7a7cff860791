"""Training under MirroredStrategy, with one process or more.

Each replica trains on its share of a batch. The gradients are summed over all
replicas, so the weights are those of one process with whole batches.
"""

import functools

import model
import plan as plans
import tensorflow as tf
import tensorflow1
from tensorflow.python.eager import context  # for graphs as they ran

v1 = tf.compat.v1

REPLICAS = 2
SHARE = model.BATCH // REPLICAS


def make_two_devices():
  """Two devices of the CPU. On GPUs, MirroredStrategy() takes all there are."""
  cpu = tf.config.list_physical_devices("CPU")[0]
  device = tf.config.LogicalDeviceConfiguration()
  tf.config.set_logical_device_configuration(cpu, [device] * REPLICAS)
  return [f"CPU:{i}" for i in range(REPLICAS)]


class Loop:
  """A model and its training step under a strategy."""

  def __init__(self, strategy, plan):
    self.strategy = strategy
    with strategy.scope():
      self.network = model.Model()
      self.network.build()
      self._optimizer = model.make_optimizer()
    self.network.assign(model.read_weights(plan.start))

  def train_replica(self, inputs, labels):
    with tf.GradientTape() as tape:
      losses = self.network.losses(inputs, labels)
      loss = tf.reduce_sum(losses) / model.BATCH
    weights = self.network.weights
    gradients = tape.gradient(loss, weights)
    self._optimizer.apply_gradients(zip(gradients, weights))

  @tf.function(autograph=False)
  def train(self, inputs, labels):
    self.strategy.run(self.train_replica, (inputs, labels))

  def share(self, array):
    """Gives each replica of this process its part of a batch."""

    def part(replica):
      start = replica.replica_id_in_sync_group * SHARE
      return tf.convert_to_tensor(array[start : start + SHARE])

    return self.strategy.experimental_distribute_values_from_function(part)


def train_in_loop(report_step, plan, strategy):
  loop = Loop(strategy, plan)
  context.enable_graph_collection()
  for step in range(plan.steps):
    loop.train(*map(loop.share, model.make_batch(plan.seed, step)))
    report_step(step)
  graphs = context.export_run_metadata().partition_graphs
  devices = model.devices_of_fused_ops(graphs)
  return plans.Result(devices, loop.network.values())


def train_mirrored(train, report_step, plan):
  """One process with two devices."""
  strategy = tf.distribute.MirroredStrategy(make_two_devices())
  result = train(report_step, plan, strategy)
  model.write_weights(result.weights, plan.save_to)
  return result


def train_multi_worker(train, report_step, plan):
  """The same program in each worker. They find each other in TF_CONFIG."""
  strategy = tf.distribute.MultiWorkerMirroredStrategy()
  result = train(report_step, plan, strategy)
  if strategy.cluster_resolver.task_id == 0:  # the chief
    model.write_weights(result.weights, plan.save_to)
  return result


mirrored_loop = functools.partial(train_mirrored, train_in_loop)
multi_worker_loop = functools.partial(train_multi_worker, train_in_loop)


class MirroredProgram(tensorflow1.Program):
  """The graph of TensorFlow 1, with a replica on each device."""

  def build_step(self):
    strategy = tf.distribute.get_strategy()
    operations = strategy.run(self._build_replica)
    return tf.group(strategy.experimental_local_results(operations))

  def _build_replica(self):
    replica = tf.distribute.get_replica_context()
    start = replica.replica_id_in_sync_group * SHARE
    part = slice(start, start + SHARE)
    losses = self.network.losses(self.inputs[part], self.labels[part])
    loss = tf.reduce_sum(losses) / model.BATCH
    return model.make_optimizer().minimize(loss, self.global_step)


def mirrored_graph(report_step, plan):
  """Graph mode, in one process with two devices."""
  strategy = tf.distribute.MirroredStrategy(make_two_devices())
  config = v1.ConfigProto(device_count={"CPU": REPLICAS})
  with v1.Graph().as_default(), strategy.scope():
    program = MirroredProgram()
    return tensorflow1.train_in_session(report_step, plan, program, config)
