"""A TensorFlow 1.15 program on TensorFlow 2: sequential digit classification.

Each 8x8 digit (UCI optical digits, 1,797 images) is read pixel by pixel, 64
steps, by an IndyLSTM and an IndyGRU on top of it under dynamic_rnn; and row by
row, 8 steps, by IndyGRUs in both directions. The program was written for
tf.contrib.rnn and trained on TensorFlow 1.15; `checkpoint/` and
`test_logits.npy` are what it left. What changed are the imports, where the rnn
functions come from, and tf.layers.dense, which Keras 3 took away.

  python legacy_digits.py eval                 restores the checkpoint
  python legacy_digits.py train --epochs 5     trains from scratch
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 64
NOT_SAVED = "nothing is saved without --save-to"

sys.path.append(os.path.dirname(HERE))
import command_line  # noqa: E402


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  commands = parser.add_subparsers(
    dest="command", required=True, metavar="eval | train"
  )
  command = commands.add_parser("eval", help="evaluate the test digits")
  command.add_argument(
    "--checkpoint",
    type=command_line.checkpoint,
    default=os.path.join(HERE, "checkpoint", "model.ckpt"),
    help="what to restore; default: what TensorFlow 1.15 trained",
  )
  command = commands.add_parser(
    "train", help="train from scratch, and evaluate the test digits"
  )
  command.add_argument(
    "--epochs",
    type=command_line.whole_number(1),
    default=40,
    metavar="N",
    help="how many; default: %(default)s",
  )
  command.add_argument(
    "--seed",
    type=command_line.whole_number(0),
    default=1,
    metavar="N",
    help="runs of a seed are the same; default: %(default)s",
  )
  command.add_argument(
    "--save-to",
    type=command_line.new_file(),
    metavar="CHECKPOINT",
    help="where to save a checkpoint, after Ctrl-C too; default: nowhere",
  )
  return parser.parse_args()


# Before TensorFlow is imported: that takes seconds, and it logs its start.
ARGUMENTS = parse_arguments() if __name__ == "__main__" else None
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# It rounds otherwise on each kind of processor, and logs that it does.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

import tf_contrib_rnn as contrib_rnn  # noqa: E402


def dense(inputs, units, name):
  """What tf.layers.dense was, under the same variable names."""
  with tf.variable_scope(name):
    kernel = tf.get_variable("kernel", [inputs.shape[-1], units])
    bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
    return tf.matmul(inputs, kernel) + bias


def model(images, is_training):
  """The logits [batch, 10] of images [batch, 64]."""
  pixels = tf.reshape(images, [-1, 64, 1])
  rows = tf.reshape(images, [-1, 8, 8])
  with tf.variable_scope("pixels"):
    cells = []
    for i, cell_class in enumerate(
      [contrib_rnn.IndyLSTMCell, contrib_rnn.IndyGRUCell]
    ):
      cell = cell_class(96, name="layer_%d" % i)
      if is_training:
        cell = contrib_rnn.DropoutWrapper(cell, output_keep_prob=0.9)
      cells.append(cell)
    stack = contrib_rnn.MultiRNNCell(cells)
    batch = tf.shape(images)[0]
    _, state = contrib_rnn.dynamic_rnn(
      stack, pixels, initial_state=stack.zero_state(batch, tf.float32)
    )
  with tf.variable_scope("rows"):
    lengths = tf.fill([batch], 8)
    _, (forward, backward) = contrib_rnn.bidirectional_dynamic_rnn(
      contrib_rnn.IndyGRUCell(48),
      contrib_rnn.IndyGRUCell(48),
      rows,
      sequence_length=lengths,
      dtype=tf.float32,
    )
  features = tf.concat([state[0].h, state[1], forward, backward], axis=1)
  return dense(features, 10, name="logits")


def implementation_in(graph):
  """Which implementation of the cells a graph holds."""
  is_fused = any(
    op.type.startswith("ContribRnn>") for op in graph.get_operations()
  )
  return "fused ops" if is_fused else "composition of TensorFlow's ops"


class Program:
  """The graph, and how it is fed."""

  def __init__(self, is_training):
    self.data = np.load(os.path.join(HERE, "digits.npz"))
    self.images = tf.placeholder(tf.float32, [None, 64], name="images")
    self.labels = tf.placeholder(tf.int32, [None], name="labels")
    self.logits = model(self.images, is_training)
    self.loss = tf.reduce_mean(
      tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=self.labels, logits=self.logits
      )
    )
    self.accuracy = tf.reduce_mean(
      tf.to_float(
        tf.equal(tf.argmax(self.logits, 1, output_type=tf.int32), self.labels)
      )
    )

  def feed(self, part, which):
    return {
      self.images: self.data[part + "_x"][which] / 8.0 - 1.0,
      self.labels: self.data[part + "_y"][which],
    }

  def train_op(self):
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.AdamOptimizer(2e-3)
    gradients, variables = zip(*optimizer.compute_gradients(self.loss))
    gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
    return optimizer.apply_gradients(
      zip(gradients, variables), global_step=step
    )


def evaluate(checkpoint):
  """Restores a checkpoint and compares with what TensorFlow 1.15 got."""
  program = Program(is_training=False)
  every = slice(None)
  with tf.Session() as session:
    tf.train.Saver().restore(session, checkpoint)
    logits, accuracy = session.run(
      [program.logits, program.accuracy], program.feed("test", every)
    )
  recorded = np.load(os.path.join(HERE, "test_logits.npy"))
  difference = np.abs(logits - recorded).max()
  by = implementation_in(tf.get_default_graph())
  print(f"checkpoint:          restored by TensorFlow {tf.__version__}")
  print(f"implementation:      {by}")
  print(f"test digits:         {len(logits)}")
  print(f"test accuracy:       {accuracy:.6f}")
  print(
    "largest difference to the logits that TensorFlow 1.15 recorded: "
    f"{difference:.2g} (of logits up to {np.abs(recorded).max():.1f})"
  )


def run_epochs(session, program, train_op, epochs, seed):
  """Trains, and returns the mean loss of the last epoch."""
  import tqdm  # only training needs it

  rng = np.random.RandomState(seed)
  count = len(program.data["train_y"])
  # Without a terminal there is no bar, but a line an epoch.
  with tqdm.tqdm(total=epochs * count, unit="digit", disable=None) as bar:
    for epoch in range(1, epochs + 1):
      order = rng.permutation(count)
      losses = []
      for i in range(0, count, BATCH):
        which = order[i : i + BATCH]
        feed = program.feed("train", which)
        losses.append(session.run([program.loss, train_op], feed)[0])
        bar.update(len(which))
        bar.set_postfix(epoch=epoch, loss=f"{np.mean(losses):.4f}")
      if bar.disable:
        loss = np.mean(losses)
        print(f"epoch {epoch} of {epochs}: loss {loss:.4f}", flush=True)
  return np.mean(losses)


def train(epochs, seed, save_to):
  """Trains from scratch; returns the exit status, 130 after Ctrl-C."""
  tf.set_random_seed(seed)
  program = Program(is_training=True)
  train_op = program.train_op()
  with tf.variable_scope(tf.get_variable_scope(), reuse=True):
    test = Program(is_training=False)
  saver = tf.train.Saver()
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    try:
      loss = run_epochs(session, program, train_op, epochs, seed)
    except KeyboardInterrupt:
      saved = saver.save(session, save_to) if save_to else None
      print("interrupted;", f"saved {saved}" if saved else NOT_SAVED)
      return 130
    accuracy = session.run(test.accuracy, test.feed("test", slice(None)))
    by = implementation_in(tf.get_default_graph())
    print(f"trained {epochs} epochs by {by}, loss of the last: {loss:.4f}")
    print(f"test accuracy:       {accuracy:.6f}")
    if save_to:
      print("saved", saver.save(session, save_to))
  return 0


def main(arguments):
  tf.logging.set_verbosity(tf.logging.ERROR)
  tf.disable_v2_behavior()
  if arguments.command == "eval":
    evaluate(arguments.checkpoint)
    return 0
  return train(arguments.epochs, arguments.seed, arguments.save_to)


if __name__ == "__main__":
  try:
    sys.exit(main(ARGUMENTS))
  except KeyboardInterrupt:  # before or after the training
    sys.exit(130)
