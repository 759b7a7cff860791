"""Measures the constants of docs/scaling.md, and checks its model with them.

  python benchmarks/scaling.py

One core alone gives the rates of the products and of the recurrence. Two
processes, a core each, give the time of an all-reduce over the loopback
address, and a training step of theirs is compared with the model's. So is one
of eight devices of JAX on one host, which share its cores. Prints tables.
"""

import argparse
import dataclasses
import json
import multiprocessing
import os
import socket
import statistics
import time

import tqdm
from problems import INDY_CELLS
from problems import Problem

SHAPE = (32, 100, 256, 256)
CELL = "IndyGRU"
SIZES = (4_096, 786_432, 8_388_608)  # bytes of an all-reduce
_RUNS = 20


def products(problem):
  """Multiplications and additions of x W."""
  batch, steps, inputs, units = problem.shape
  return 2 * batch * steps * inputs * problem.gates * units


def cells(problem):
  """Units and steps of the batch."""
  return problem.batch * problem.time * problem.units


def gradient_bytes(problem):
  """What workers exchange in a step: the gradients of W, u and b."""
  return 4 * problem.gates * problem.units * (problem.inputs + 2)


@dataclasses.dataclass(frozen=True)
class Core:
  """The constants of one core, for one cell: seconds each.

  Attributes:
    product: of a multiplication or addition of a product.
    forward: of a unit and step of the recurrence.
    gradient: of a unit and step of its gradient.
    step: of a step of one sequence of few units: each waits for the one before.
    step_gradient: of such a step's gradient.
  """

  product: float
  forward: float
  gradient: float
  step: float
  step_gradient: float

  def train(self, problem):
    """Seconds of a training step: three products, recurrence and gradient."""
    return 3 * products(problem) * self.product + cells(problem) * (
      self.forward + self.gradient
    )


def _median(call):
  for _ in range(3):
    call()
  seconds = []
  for _ in range(_RUNS):
    start = time.perf_counter()
    call()
    seconds.append(time.perf_counter() - start)
  return statistics.median(seconds)


def _pin(core):
  os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
  os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def measure_core(results):
  """Puts the constants of each cell into a queue."""
  _pin(0)
  from candidates import sessions

  for cell in INDY_CELLS:
    problem = Problem(cell, *SHAPE)
    floor = sessions.build("floor", problem)
    # The mean of the three products of a training step.
    product = _median(floor.train) / 3 / products(problem)
    floor.close()
    forward, gradient = _measure_recurrence(problem)
    # A vector of units: nothing to do beside the step that is waited for.
    few = Problem(cell, 1, 10_000, 1, 16)
    step, step_gradient = _measure_recurrence(few)
    results.put(
      Core(
        product,
        forward / cells(problem),
        gradient / cells(problem),
        step / few.time,
        step_gradient / few.time,
      )
    )


def _measure_recurrence(problem):
  """Seconds of a recurrence alone, and of its gradient."""
  import parts
  import tensorflow as tf

  width = problem.gates * problem.units
  with tf.Graph().as_default():
    x = parts.variable("x", problem.batch, problem.time, width)
    state = tf.zeros([problem.batch, problem.units])
    outputs, _ = parts.RECURRENCES[problem.cell](
      x,
      parts.variable("u", 1, width),
      parts.variable("b", width),
      (state, state) if problem.cell == "IndyLSTM" else state,
    )
    gradients = tf.gradients(outputs, x, parts.variable("dy", *outputs.shape))
    with tf.compat.v1.Session() as session:
      session.run(tf.compat.v1.global_variables_initializer())
      forward = _median(session.make_callable(outputs.op))
      both = _median(session.make_callable([outputs.op, gradients[0].op]))
  return forward, both - forward


def work(index, addresses, results):
  """One of two workers: seconds of all-reduces, and of a training step."""
  _pin(index)
  cluster = {"worker": addresses}
  task = {"type": "worker", "index": index}
  os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
  import tensorflow as tf

  strategy = tf.distribute.MultiWorkerMirroredStrategy()
  from candidates import functions

  half = Problem(CELL, SHAPE[0] // 2, *SHAPE[1:])
  layer, weights = functions.make_keras_indy(half)
  x, dy = tf.constant(half.x()), tf.constant(half.output_gradients())
  vectors = [tf.zeros([size // 4]) for size in SIZES]

  def reduce(tensors):
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)

  def train():
    with tf.GradientTape() as tape:
      tape.watch(x)
      y = layer(x)
    dx, *gradients = tape.gradient(y, [x, *weights], output_gradients=dy)
    return dx, reduce(gradients)

  def run(function, *arguments):
    compiled = tf.function(lambda: strategy.run(function, arguments))
    return _median(lambda: tf.nest.flatten(compiled())[-1].numpy())

  seconds = [run(reduce, vector) for vector in vectors] + [run(train)]
  if index == 0:
    results.put(seconds)


def measure_devices(results):
  """Eight devices of JAX: seconds of their all-reduce, and of a step."""
  flag = "--xla_force_host_platform_device_count=8"
  os.environ["XLA_FLAGS"] = flag
  import jax
  import jax.numpy as jnp
  from jax.sharding import NamedSharding
  from jax.sharding import PartitionSpec as P

  import tf_contrib_rnn.jax as indy

  problem = Problem(CELL, *SHAPE)
  mesh = jax.make_mesh((8,), ("batch",))

  def put(array, *axes):
    return jax.device_put(jnp.asarray(array), NamedSharding(mesh, P(*axes)))

  x, dy = put(problem.x(), "batch"), put(problem.output_gradients(), "batch")
  state = put(jnp.zeros([problem.batch, problem.units]), "batch")
  weights = [put(weight) for weight in _joined(problem)]

  def layer(weights, x):
    kernel, recurrent_kernel, bias = weights
    return indy.indy_gru(x @ kernel, recurrent_kernel, bias, state)[0]

  def train(weights, x, dy):
    y, pull_back = jax.vjp(layer, weights, x)
    return y, pull_back(dy)

  numbers = gradient_bytes(problem) // 4
  parts = put(jnp.ones([8, numbers]), "batch")
  total = jax.jit(
    lambda parts: parts.sum(0), out_shardings=NamedSharding(mesh, P())
  )
  step = jax.jit(train)
  results.put(
    [
      _median(lambda: jax.block_until_ready(total(parts))),
      _median(lambda: jax.block_until_ready(step(weights, x, dy))),
    ]
  )


def _joined(problem):
  return problem.kernel(), problem.recurrent_kernel(), problem.bias()


def _choose_addresses():
  sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
  addresses = ["{}:{}".format(*one.getsockname()) for one in sockets]
  for one in sockets:
    one.close()
  return addresses


def _start(count, function, *arguments):
  """Runs processes, and returns what they put into the queue."""
  context = multiprocessing.get_context("spawn")
  results = context.Queue()
  processes = [
    context.Process(
      target=function,
      args=((i,) if count > 1 else ()) + (*arguments, results),
      daemon=True,
    )
    for i in range(count)
  ]
  for process in processes:
    process.start()
  return lambda: results.get(timeout=300)


def _table(columns, rows):
  for line in (columns, ["---"] * len(columns), *rows):
    print(f"| {' | '.join(line)} |")
  print()


def _print_constants(cores):
  rows = [
    [
      cell,
      f"{1e-9 / core.product:.0f}",
      f"{1e9 * core.forward:.2f}",
      f"{1e9 * core.gradient:.2f}",
      f"{1e9 * core.step:.0f}",
      f"{1e9 * core.step_gradient:.0f}",
    ]
    for cell, core in cores.items()
  ]
  columns = ["forward", "gradient", "dependent step", "its gradient"]
  columns = [f"{column}, ns" for column in columns]
  _table(["one core", "products, GFLOP/s", *columns], rows)


def _milliseconds(seconds):
  return f"{1e3 * seconds:.2f}"


def _print_checks(core, reduces, of_workers, of_devices):
  problem = Problem(CELL, *SHAPE)
  half = Problem(CELL, SHAPE[0] // 2, *SHAPE[1:])
  _table(
    ["all-reduce of two processes, bytes", "ms"],
    [[f"{size:,}", _milliseconds(s)] for size, s in zip(SIZES, reduces)],
  )
  rows = []
  for name, compute, reduce, measured in (
    ("two processes, a core each", core.train(half), *of_workers),
    ("eight devices on two cores", core.train(problem) / 2, *of_devices),
  ):
    rows.append(
      [
        name,
        _milliseconds(compute),
        _milliseconds(reduce),
        _milliseconds(compute + reduce),
        _milliseconds(measured),
        f"{measured / (compute + reduce):.2f}",
      ]
    )
  columns = ["", "compute", "all-reduce", "the model", "measured", "ratio"]
  _table([*columns[:1], *(f"{c}, ms" for c in columns[1:-1]), "ratio"], rows)


def main():
  argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  ).parse_args()
  with tqdm.tqdm(total=3, disable=None) as bar:
    get = _start(1, measure_core)
    cores = {cell: get() for cell in INDY_CELLS}
    bar.update()
    *reduces, step = _start(2, work, _choose_addresses())()
    bar.update()
    devices = _start(1, measure_devices)()
    bar.update()
  _print_constants(cores)
  # The second size is that of the gradients, but for u and b.
  _print_checks(cores[CELL], reduces, (reduces[1], step), devices)


if __name__ == "__main__":
  main()
