"""ParameterServerStrategy: a coordinator gives steps to workers.

The variables are on parameter servers. The coordinator is the program that a
person writes; the workers and parameter servers are the same few lines.
"""

import pathlib
import re
import signal
import tempfile

import model
import plan as plans
import strategies
import tensorflow as tf
import tensorflow1


class Loop(strategies.Loop):
  @tf.function(autograph=False)
  def train_on_worker(self, inputs, labels):
    self.strategy.run(self.train_replica, (inputs, labels))


def make_strategy():
  resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
  return tf.distribute.ParameterServerStrategy(resolver)


def coordinate(report_step, plan):
  strategy = make_strategy()
  coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
  loop = Loop(strategy, plan)
  for step in range(plan.steps):
    batch = model.make_batch(plan.seed, step)
    coordinator.schedule(loop.train_on_worker, batch)
    # One worker at a time. Without this line, they overtake each other.
    coordinator.join()
    report_step(step)
  weights = loop.network.values()
  model.write_weights(weights, plan.save_to)
  return plans.Result([], weights)


def serve(report_step):
  """What workers and parameter servers do, until they get SIGTERM.

  A worker runs functions that the coordinator traced, so it needs the fused
  ops: `import tf_contrib_rnn` beside TensorFlow is enough. It sees no graph in
  Python; a profile says what it ran.
  """
  del report_step
  signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
  cluster, job, index = tensorflow1.read_cluster()
  server = tf.distribute.Server(cluster, job, index, protocol="grpc")
  with tempfile.TemporaryDirectory() as folder:
    with tf.profiler.experimental.Profile(folder):
      signal.sigwait({signal.SIGTERM})
    paths = pathlib.Path(folder).rglob("*.xplane.pb")
    profile = b"".join(path.read_bytes() for path in paths)
  del server
  ran = re.search(rb"ContribRnn>IndyGRUGrad", profile)
  return plans.Result([f"/job:{job}/task:{index}"] if ran else [])
