"""When Indy cells with ReLU overflow, and what the paper's bound does.

python relu_overflow.py start    as the cells start: how large outputs get
python relu_overflow.py train    the adding problem: the first step with a
                                 loss or a weight that is not finite
"""

import argparse
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), os.pardir))
import command_line  # noqa: E402


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  add = parser.add_argument
  add("command", choices=["start", "train"], help="see above")
  add(
    "--lengths",
    type=command_line.whole_number(2),  # a sequence has two halves
    nargs="+",
    default=[100, 500, 1000],
    metavar="N",
    help="steps of a sequence, 2 or more; default: 100 500 1000",
  )
  add(
    "--learning-rates",
    type=command_line.positive,
    nargs="+",
    default=[2e-4, 2e-3, 2e-2],
    metavar="X",
    help="of train; default: 2e-4 2e-3 2e-2",
  )
  add(
    "--steps",
    type=command_line.whole_number(1),
    default=300,
    metavar="N",
    help="of train, at most, a row; default: %(default)s",
  )
  return parser.parse_args()


# Before TensorFlow is imported: that takes seconds, and it logs its start.
OPTIONS = parse_arguments() if __name__ == "__main__" else None
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402
import tqdm  # noqa: E402
from adding_problem import make_batch  # noqa: E402

import tf_contrib_rnn as contrib_rnn  # noqa: E402

CELLS = {
  "IndRNN": contrib_rnn.IndRNNCell,
  "IndyGRU": contrib_rnn.IndyGRUCell,
  "IndyLSTM": contrib_rnn.IndyLSTMCell,
}
BATCH = 10
START_UNITS = 1024
TRAIN_UNITS = 128


def no_bound(length):
  del length
  return {}


def with_bound(length):
  bound = contrib_rnn.RecurrentBound(time=length)
  return {"recurrent_constraint": bound}


def with_bound_for_lstm(length):
  """|u| + 1 <= gamma^(1/length): an IndyLSTM's c keeps its past as well."""
  limit = contrib_rnn.RecurrentBound(time=length).value - 1
  return {
    "recurrent_initializer": tf.random_uniform_initializer(-limit, limit),
    "recurrent_constraint": lambda u: tf.clip_by_value(u, -limit, limit),
  }


BOUNDS = {
  "none": no_bound,
  "gamma^(1/T)": with_bound,
  "gamma^(1/T) - 1": with_bound_for_lstm,
}


def build(cell, bound, length, units):
  """Returns inputs, targets, outputs and the loss of one layer."""
  tf.reset_default_graph()
  tf.set_random_seed(0)
  inputs = tf.placeholder(tf.float32, [None, length, 2])
  targets = tf.placeholder(tf.float32, [None])
  cell = CELLS[cell](units, activation=tf.nn.relu, **BOUNDS[bound](length))
  outputs, _ = contrib_rnn.dynamic_rnn(cell, inputs, dtype=tf.float32)
  sums = tf.matmul(outputs[:, -1], tf.get_variable("sum", [units, 1]))
  return inputs, targets, outputs, tf.reduce_mean((sums[:, 0] - targets) ** 2)


def start(options):
  """Prints the outputs of the cells as they start."""
  print(
    "length  cell      bound            units not finite  largest other output"
  )
  for length in options.lengths:
    for cell in CELLS:
      for bound in BOUNDS:
        inputs, _, outputs, _ = build(cell, bound, length, START_UNITS)
        with tf.Session() as session:
          session.run(tf.global_variables_initializer())
          batch, _ = make_batch(np.random.RandomState(0), BATCH, length)
          got = session.run(outputs, {inputs: batch})
        is_finite = np.isfinite(got).all(axis=(0, 1))
        print(
          f"{length:6}  {cell:8}  {bound:15}"
          f"  {np.sum(~is_finite):8} of {START_UNITS}"
          f"  {np.abs(got[:, :, is_finite]).max():20.3g}"
        )


def train(options):
  """Prints when training is no longer finite."""
  print(
    "length  cell      bound            learning rate  not finite at step"
    "  largest |u|  last loss"
  )
  for length in options.lengths:
    for cell in CELLS:
      for bound in BOUNDS:
        for learning_rate in options.learning_rates:
          row = train_one(cell, bound, length, learning_rate, options.steps)
          tqdm.tqdm.write(row)


def train_one(cell, bound, length, learning_rate, steps):
  """Trains without clipped gradients; returns a row of the table."""
  inputs, targets, _, loss = build(cell, bound, length, TRAIN_UNITS)
  update = tf.train.AdamOptimizer(learning_rate).minimize(loss)
  variables = tf.trainable_variables()
  rng = np.random.RandomState(0)
  stopped, largest, last = "none", np.nan, np.nan
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    bar = tqdm.trange(
      1, steps + 1, desc=f"{cell}, {length}", leave=False, disable=None
    )
    for step in bar:
      batch, sums = make_batch(rng, BATCH, length)
      got, _ = session.run([loss, update], {inputs: batch, targets: sums})
      values = session.run(variables)
      if not (np.isfinite(got) and all(np.isfinite(v).all() for v in values)):
        stopped = f"{step}, a loss of {got:.3g}"
        break
      last = got
      kernels = [
        value
        for variable, value in zip(variables, values)
        if "kernel_u" in variable.name
      ]
      largest = max(np.abs(u).max() for u in kernels)
    bar.close()
  return (
    f"{length:6}  {cell:8}  {bound:15}  {learning_rate:13g}  {stopped:18}"
    f"  {largest:11.4f}  {last:9.3g}"
  )


def main(options):
  """Returns the exit status, 130 after Ctrl-C: the rows are printed by then."""
  tf.logging.set_verbosity(tf.logging.ERROR)
  tf.disable_v2_behavior()
  try:
    (start if options.command == "start" else train)(options)
  except KeyboardInterrupt:
    print("interrupted; there are no rows but these")
    return 130
  return 0


if __name__ == "__main__":
  sys.exit(main(OPTIONS))
