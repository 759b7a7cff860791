"""The adding problem: IndRNNs that keep two numbers for a thousand steps.

A sequence has two inputs a step: a random number, and a marker that is 1 at one
step of each half and 0 elsewhere. The target is the sum of the two marked
numbers, so the model has to keep the first for up to the whole sequence. Always
answering 1 has a mean squared error of 1/6; who learns the task is below it.

The experiment is that of section 5.1 of https://arxiv.org/abs/1803.04831: two
layers of 128 IndRNN units with ReLU and the paper's bound on the recurrent
weights, against one LSTM layer of 128 units.

  python adding_problem.py --lengths 100 500 1000 --seconds 120
"""

import argparse
import collections
import itertools
import os
import sys
import time
import warnings

sys.path.append(os.path.join(os.path.dirname(__file__), os.pardir))
import command_line  # noqa: E402

UNITS = 128
LEARNING_RATES = {"indrnn": 2e-4, "lstm": 2e-3}  # the paper's, ReLU and tanh
BASELINE = 1 / 6  # the variance of the sum of two uniform numbers
TEST_SEQUENCES = 1000
COLOURS = {"indrnn": "tab:blue", "lstm": "tab:orange"}
NAMES = {"indrnn": "IndRNN", "lstm": "LSTM"}


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  add = parser.add_argument
  count = command_line.whole_number(1)
  add(
    "--lengths",
    type=command_line.whole_number(2),  # a sequence has two halves
    nargs="+",
    default=[100, 500, 1000],
    metavar="N",
    help="steps of a sequence, 2 or more; default: 100 500 1000",
  )
  add(
    "--cell",
    nargs="+",
    choices=NAMES,
    default=list(NAMES),
    help="which models; default: both",
  )
  add(
    "--steps",
    type=count,
    default=20000,
    metavar="N",
    help="training steps, at most, a model; default: %(default)s",
  )
  add(
    "--seconds",
    type=command_line.positive,
    metavar="N",
    help="of training, at most, a model; default: no limit",
  )
  add(
    "--batch",
    type=count,
    default=50,
    metavar="N",
    help="sequences a training step; default: %(default)s",
  )
  add(
    "--learning-rate",
    type=command_line.positive,
    metavar="X",
    help=f"default: {LEARNING_RATES}",
  )
  add(
    "--seed",
    type=command_line.whole_number(0),
    default=0,
    metavar="N",
    help="of weights and data; default: %(default)s",
  )
  add(
    "--threads",
    type=command_line.whole_number(0),
    default=0,
    metavar="N",
    help="TensorFlow's; default: 0, which is all",
  )
  add(
    "--output",
    type=command_line.output_folder,
    default="adding_problem",
    metavar="FOLDER",
    help="where losses and the plot are written; default: %(default)s",
  )
  add("--no-plot", action="store_true", help="write no plot: no matplotlib")
  return parser.parse_args()


# Before TensorFlow is imported: that takes seconds, and it logs its start.
OPTIONS = parse_arguments() if __name__ == "__main__" else None
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402
import tqdm  # noqa: E402

import tf_contrib_rnn as contrib_rnn  # noqa: E402

# What a training leaves: arrays with a number a step, and the test error.
Training = collections.namedtuple("Training", "losses seconds test_error")
LOSS_EVERY = 1000  # steps, where there is no terminal for a progress bar


def make_batch(rng, batch, length):
  """Returns inputs [batch, length, 2] and targets [batch]."""
  numbers = rng.uniform(size=[batch, length])
  markers = np.zeros([batch, length])
  rows = np.arange(batch)
  markers[rows, rng.randint(0, length // 2, batch)] = 1
  markers[rows, rng.randint(length // 2, length, batch)] = 1
  inputs = np.stack([numbers, markers], axis=2).astype(np.float32)
  return inputs, (numbers * markers).sum(axis=1).astype(np.float32)


def make_indrnn(length):
  """Two layers, initialised as the paper's authors do for this problem."""
  bound = contrib_rnn.RecurrentBound(time=length)
  # Only the last output is used: all units of the last layer start with a
  # memory as long as the sequence. The first layer's have memories of any
  # length.
  lowest = [0.0, 1 / bound.value]
  return contrib_rnn.MultiRNNCell(
    [
      contrib_rnn.IndRNNCell(
        UNITS,
        activation=tf.nn.relu,
        recurrent_initializer=tf.random_uniform_initializer(low, bound.value),
        recurrent_constraint=bound,
      )
      for low in lowest
    ]
  )


def make_lstm(length):
  del length
  return contrib_rnn.LSTMCell(UNITS)


CELLS = {"indrnn": make_indrnn, "lstm": make_lstm}


class Program:
  """The graph, and how it is fed."""

  def __init__(self, cell, length, learning_rate):
    self.inputs = tf.placeholder(tf.float32, [None, length, 2])
    self.targets = tf.placeholder(tf.float32, [None])
    # The IndRNN's matrices start small, or a thousand steps would add up.
    initializer = tf.random_normal_initializer(stddev=1e-3)
    with tf.variable_scope(
      "model", initializer=initializer if cell == "indrnn" else None
    ):
      outputs, _ = contrib_rnn.dynamic_rnn(
        CELLS[cell](length), self.inputs, dtype=tf.float32
      )
    with tf.variable_scope("sum"):
      kernel = tf.get_variable("kernel", [UNITS, 1])
      bias = tf.get_variable("bias", [1], initializer=tf.zeros_initializer())
      sums = tf.matmul(outputs[:, -1], kernel) + bias
    self.loss = tf.reduce_mean(tf.square(sums[:, 0] - self.targets))
    optimizer = tf.train.AdamOptimizer(learning_rate)
    gradients, variables = zip(*optimizer.compute_gradients(self.loss))
    gradients, _ = tf.clip_by_global_norm(gradients, 10.0)
    # The optimizer applies the bound too, after each update.
    self.train = optimizer.apply_gradients(zip(gradients, variables))

  def feed(self, rng, batch):
    inputs, targets = make_batch(rng, batch, self.inputs.shape[1])
    return {self.inputs: inputs, self.targets: targets}


def train(cell, length, options):
  """Trains for the steps or seconds of the options, whichever ends first.

  Returns a Training, and whether it ended without Ctrl-C.
  """
  tf.reset_default_graph()
  tf.set_random_seed(options.seed)
  rng = np.random.RandomState(options.seed)
  learning_rate = options.learning_rate or LEARNING_RATES[cell]
  program = Program(cell, length, learning_rate)
  config = tf.ConfigProto(
    intra_op_parallelism_threads=options.threads,
    inter_op_parallelism_threads=options.threads,
  )
  with tf.Session(config=config) as session:
    session.run(tf.global_variables_initializer())
    losses, seconds, is_whole = run_steps(
      session, program, rng, f"{NAMES[cell]}, length {length}", options
    )
    # The same sequences for every model, in parts, to save memory.
    rng = np.random.RandomState(options.seed + 1)
    parts = [
      session.run(program.loss, program.feed(rng, TEST_SEQUENCES // 10))
      for _ in range(10)
    ]
  training = Training(np.array(losses), np.array(seconds), np.mean(parts))
  return training, is_whole


def run_steps(session, program, rng, name, options):
  """Returns losses, seconds, and whether it ended without Ctrl-C."""
  losses, seconds = [], []
  start = time.monotonic()
  with tqdm.tqdm(total=options.steps, unit="step", disable=None) as bar:
    bar.set_description(name)
    try:
      for step in range(1, options.steps + 1):
        feed = program.feed(rng, options.batch)
        loss, _ = session.run([program.loss, program.train], feed)
        losses.append(loss)
        seconds.append(time.monotonic() - start)
        bar.update()
        if step % 10 == 1:
          bar.set_postfix(loss=f"{np.mean(losses[-100:]):.4f}")
        if bar.disable and step % LOSS_EVERY == 0:
          mean = np.mean(losses[-100:])
          print(f"{name}: step {step}, loss {mean:.4f}", flush=True)
        if not np.isfinite(loss):
          tqdm.tqdm.write(f"step {step}: the loss is {loss}")
          break
        if options.seconds and seconds[-1] > options.seconds:
          break
    except KeyboardInterrupt:
      count = min(len(losses), len(seconds))
      return losses[:count], seconds[:count], False
  return losses, seconds, True


def smooth(losses, window=100):
  """The mean of up to `window` losses before each step, that one included."""
  sums = np.cumsum(np.insert(losses.astype(np.float64), 0, 0))
  stops = np.arange(1, len(losses) + 1)
  starts = np.maximum(stops - window, 0)
  return (sums[stops] - sums[starts]) / (stops - starts)


def plot(trainings, path):
  """Draws the losses of {(cell, length): Training}: a panel a length."""
  try:
    from matplotlib import figure
  except ImportError as error:
    raise SystemExit(
      "The plot needs matplotlib: pip install matplotlib, or leave it out "
      "with --no-plot."
    ) from error
  lengths = sorted({length for _, length in trainings})
  picture = figure.Figure(figsize=(4 * len(lengths), 6), layout="constrained")
  # By steps above, by seconds below.
  axes = picture.subplots(2, len(lengths), sharey=True, squeeze=False)
  for panels, length in zip(axes.T, lengths):
    for panel, label in zip(panels, ["step", "seconds"]):
      for (cell, its_length), training in trainings.items():
        if its_length == length:
          x = training.seconds
          if label == "step":
            x = np.arange(1, len(training.losses) + 1)
          panel.plot(
            x, smooth(training.losses), color=COLOURS[cell], label=NAMES[cell]
          )
      panel.axhline(BASELINE, color="grey", ls="--", label="always 1")
      panel.set(xlabel=label, yscale="log", xlim=(0, None))
      panel.grid(alpha=0.3)
    panels[0].set_title(f"length {length}")
  for panel in axes[:, 0]:
    panel.set_ylabel("MSE, mean of 100 steps")
  handles, labels = axes[0, 0].get_legend_handles_labels()
  picture.legend(handles, labels, loc="outside upper center", ncols=3)
  picture.savefig(path, dpi=100)


def print_table(trainings):
  print("length  model   steps  seconds  loss of the last 100  test MSE")
  for (cell, length), (losses, seconds, test_error) in trainings.items():
    print(
      f"{length:6}  {NAMES[cell]:6} {len(losses):6} {seconds[-1]:8.0f}"
      f" {np.mean(losses[-100:]):21.5f} {test_error:9.5f}"
    )


def main(options):
  """Returns the exit status, 130 after Ctrl-C."""
  tf.logging.set_verbosity(tf.logging.ERROR)
  # TensorFlow's advice against what is tf.contrib.rnn's here.
  warnings.filterwarnings("ignore", ".* is deprecated", module="tensorflow")
  tf.disable_v2_behavior()
  os.makedirs(options.output, exist_ok=True)
  trainings = {}
  for length, cell in itertools.product(options.lengths, options.cell):
    training, is_whole = train(cell, length, options)
    path = os.path.join(options.output, f"{cell}_{length}.npz")
    np.savez(path, **training._asdict())
    if not is_whole:
      print(f"interrupted after {len(training.losses)} steps; saved {path}")
      return 130
    trainings[cell, length] = training
  if not options.no_plot:
    path = os.path.join(options.output, "adding_problem.png")
    plot(trainings, path)
    print("wrote", path)
  print_table(trainings)
  return 0


if __name__ == "__main__":
  try:
    sys.exit(main(OPTIONS))
  except KeyboardInterrupt:  # before or after a training
    sys.exit(130)
