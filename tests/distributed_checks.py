"""What test_distributed.py looks at: trains under each layout of the example.

A program of its own, so that one process imports TensorFlow for all others,
and so that each of these can choose its Keras. It writes what came of it into
a file.
"""

import argparse
import os
import pathlib
import pickle
import socket
import sys
import time

EXAMPLE = pathlib.Path(__file__).resolve().parents[1] / "examples/distributed"
sys.path[:0] = [str(EXAMPLE), os.path.dirname(os.path.abspath(__file__))]

import distributed  # noqa: E402
import layouts  # noqa: E402
import plan as plans  # noqa: E402
import processes  # noqa: E402

SEED = 3
STEPS = 12
# Each goes on from what the one before has saved, up to this step. All but
# "cluster" have been run before.
CHAIN = {"cluster": 16, "mirrored-graph": 20, "one-process": 24}
EVERY = [layout for layout in layouts.LAYOUTS if layout.name != "cluster"]


def train_composed(report_step, start, steps):
  """Trains by TensorFlow's own ops alone; the weights before each step."""
  import model
  import numpy as np
  import tensorflow as tf

  import tf_contrib_rnn

  network = model.Model()
  network.build()
  network.assign(model.read_weights(start))

  @tf.function(autograph=False)
  def differentiate(inputs, labels):
    with tf.GradientTape() as tape, tf_contrib_rnn.implementation("composed"):
      loss = tf.reduce_mean(network.losses(inputs, labels))
    return tape.gradient(loss, network.weights)

  sums = [np.zeros(weights.shape) for weights in network.weights]
  found = [network.values()]
  for step in range(steps):
    gradients = differentiate(*model.make_batch(SEED, step))
    for i, gradient in enumerate(gradients):
      sums[i] = model.MOMENTUM * sums[i] + gradient.numpy()
      network.weights[i].assign_sub(model.LEARNING_RATE * sums[i])
    found.append(network.values())
    report_step(step)
  return found


def fail(report_step):
  raise ValueError("as it should")


def wait_long(report_step):
  report_step(0)
  time.sleep(1000)


def run_task(name, *arguments, seconds=60):
  """What a function of this file returns in a process of its own."""
  with processes.Processes({}, seconds) as started:
    task = processes.Task("process")
    started.start(task, f"distributed_checks:{name}", *arguments)
    return [value for _, kind, value in started.follow() if kind == "done"][0]


def error_of(name, **options):
  try:
    return run_task(name, **options)
  except processes.TaskError as error:
    return str(error)


def run_chain(folder):
  """Goes on from one layout to the next; the weights that each ends with."""
  start, weights = os.path.join(folder, "one-process.ckpt"), {}
  for name, steps in CHAIN.items():
    save_to = os.path.join(folder, f"{name}-{steps}.ckpt")
    plan = plans.Plan(steps, SEED, save_to, start)
    weights[name] = layouts.run(layouts.BY_NAME[name], plan).weights
    start = save_to
  return weights


def run_with_a_taken_port(folder):
  """Runs a cluster, the first of whose ports another program listens at."""
  with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    choose, chosen = processes.choose_addresses, []

    def choose_badly(jobs):
      addresses = choose(jobs)
      if jobs and not chosen:
        addresses["worker"][0] = "{}:{}".format(*taken.getsockname())
      chosen.append(addresses)
      return addresses

    processes.choose_addresses = choose_badly
    start, save_to = (os.path.join(folder, n) for n in ("start.ckpt", "p.ckpt"))
    plan = plans.Plan(STEPS, SEED, save_to, start)
    try:
      outcome = layouts.run(layouts.BY_NAME["workers-loop"], plan)
    finally:
      processes.choose_addresses = choose
  return outcome, chosen


def main(folder):
  arguments = argparse.Namespace(steps=STEPS, seed=SEED)
  chosen = [layout for layout in EVERY if not layouts.why_not(layout)]
  distributed.prepare_processes(chosen)
  found = {"outcomes": {}}
  distributed.run_all(chosen, arguments, folder, found["outcomes"])
  found["rows"] = [*distributed.make_rows(found["outcomes"], arguments)]
  distributed.print_table(found["rows"])
  start = os.path.join(folder, "start.ckpt")
  found["reference"] = run_task("train_composed", start, max(CHAIN.values()))
  found["chain"] = run_chain(folder)
  found["taken port"] = run_with_a_taken_port(folder)
  found["errors"] = [error_of("fail"), error_of("wait_long", seconds=1)]
  path = pathlib.Path(folder, "found.pickle")
  path.write_bytes(pickle.dumps(found))


if __name__ == "__main__":
  main(sys.argv[1])
