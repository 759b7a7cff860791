"""Graph mode, as TensorFlow 1 programs have it: one process, and a cluster.

The cluster has parameter servers, which hold the variables, and workers. A
worker builds the whole graph, with the variables on the servers and the rest
on itself. The first worker is the chief: it initializes or restores the
variables, and saves them.
"""

import json
import os
import signal
import time

import model
import plan as plans
import tensorflow as tf

v1 = tf.compat.v1

PARTS = 2  # of each variable that can be split: one on each server
SECONDS_BETWEEN_LOOKS = 0.02


class Program:
  """The graph: placeholders, a loss, a training step.

  Args:
    partitioner: for variables in parts.
  """

  def __init__(self, partitioner=None):
    self.inputs = v1.placeholder(tf.float32, [None, None, model.DEPTH])
    self.labels = v1.placeholder(tf.float32, [None, 1])
    self.global_step = v1.train.get_or_create_global_step()
    self.network = model.Model(partitioner)
    self.train_op = self.build_step()
    # Also restores whole variables into parts, and parts into whole ones.
    self.saver = v1.train.Saver()

  def build_step(self):
    losses = self.network.losses(self.inputs, self.labels)
    loss = tf.reduce_mean(losses)
    return model.make_optimizer().minimize(loss, self.global_step)

  def train(self, session, plan, step):
    """Runs a step; returns where its fused ops ran."""
    inputs, labels = model.make_batch(plan.seed, step)
    metadata = v1.RunMetadata()
    session.run(
      self.train_op,
      {self.inputs: inputs, self.labels: labels},
      options=v1.RunOptions(output_partition_graphs=True),
      run_metadata=metadata,
    )
    return model.devices_of_fused_ops(metadata.partition_graphs)


def train_alone(report_step, plan):
  """One process. Without a checkpoint to start from, it draws the weights."""
  with v1.Graph().as_default():
    v1.set_random_seed(plan.seed)
    return train_in_session(report_step, plan, Program(), v1.ConfigProto())


def train_in_session(report_step, plan, program, config):
  init = v1.global_variables_initializer()
  devices = []
  with v1.Session(config=config) as session:
    session.run(init)
    if plan.start:
      program.saver.restore(session, plan.start)
    for step in range(session.run(program.global_step), plan.steps):
      devices = program.train(session, plan, step)
      report_step(step)
    program.saver.save(session, plan.save_to)
  return plans.Result(devices, model.read_weights(plan.save_to))


def read_cluster():
  """The cluster, and this task's place in it, from TF_CONFIG."""
  config = json.loads(os.environ["TF_CONFIG"])
  return config["cluster"], config["task"]["type"], config["task"]["index"]


def serve(report_step):
  """What a parameter server does, until it is ended."""
  del report_step
  cluster, job, index = read_cluster()
  v1.train.Server(cluster, job, index).join()


def wait_until_initialized(target, config):
  """Waits for the chief. MonitoredTrainingSession would look twice a minute."""
  missing = v1.report_uninitialized_variables()
  with v1.Session(target, config=config) as session:
    while len(session.run(missing)):
      time.sleep(SECONDS_BETWEEN_LOOKS)


def start_session(target, index, program, plan):
  """The session of a worker. The chief's restores, and saves."""
  # A worker does not depend on other workers: they may come and go.
  filters = ["/job:ps", f"/job:worker/task:{index}"]
  config = v1.ConfigProto(device_filters=filters)

  def start_from(scaffold, session):
    """What the chief calls if the cluster has saved nothing yet."""
    del scaffold
    program.saver.restore(session, plan.start)

  scaffold = v1.train.Scaffold(
    saver=program.saver, init_fn=start_from if plan.start else None
  )
  if index:
    wait_until_initialized(target, config)
  return v1.train.MonitoredTrainingSession(
    target,
    is_chief=not index,
    checkpoint_dir=plan.folder,
    scaffold=scaffold,
    save_checkpoint_steps=plan.steps_between_checkpoints,
    save_summaries_steps=None,
    log_step_count_steps=None,
    save_graph_def=False,
    config=config,
  )


def work(report_step, plan, killed_at=None):
  """What a worker does: the steps that are its turn.

  One worker runs at a time, so that the weights do not depend on chance. A
  program that trains for speed has no turns: its workers overtake each other.

  Args:
    report_step: is called after each step.
    plan: what to train.
    killed_at: the step at which this worker kills itself, if any.
  """
  cluster, job, index = read_cluster()
  server = v1.train.Server(cluster, job, index)
  setter = v1.train.replica_device_setter(
    cluster=cluster, worker_device=f"/job:worker/task:{index}"
  )
  devices = []
  with v1.Graph().as_default():
    with v1.device(setter):
      program = Program(v1.fixed_size_partitioner(PARTS))
    with start_session(server.target, index, program, plan) as session:
      while (step := session.run(program.global_step)) < plan.steps:
        if step % len(cluster["worker"]) != index:
          time.sleep(SECONDS_BETWEEN_LOOKS)
          continue
        if step == killed_at:
          os.kill(os.getpid(), signal.SIGKILL)
        devices = program.train(session, plan, step)
        report_step(step)
  if index:
    return plans.Result(devices)
  # The chief's session saved the last step when it closed.
  last = v1.train.latest_checkpoint(plan.folder)
  copy_checkpoint(last, plan.save_to)
  return plans.Result(devices, model.read_weights(last))


def copy_checkpoint(source, target):
  """Copies the files of a checkpoint, under another name."""
  for path in tf.io.gfile.glob(source + ".*"):
    tf.io.gfile.copy(path, target + path[len(source) :], overwrite=True)


def measure_accuracies(report_step, seed, weights):
  """The share of new sequences that the weights of each layout get right."""
  del report_step
  first = 10**6  # no training has a batch behind it
  batches = [model.make_batch(seed, first + i) for i in range(16)]
  accuracies = []
  for arrays in weights:
    network = model.Model()
    network.build()
    network.assign(arrays)
    right = [network.logits(x) * (2 * y - 1) > 0 for x, y in batches]
    accuracies.append(float(tf.reduce_mean(tf.cast(right, tf.float32))))
  return accuracies
