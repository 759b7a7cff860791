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

import numpy as np
import tensorflow.compat.v1 as tf
import tqdm

import tf_contrib_rnn as contrib_rnn

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 64


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


def train(epochs, save_to):
  """Trains from scratch."""
  program = Program(is_training=True)
  train_op = program.train_op()
  rng = np.random.RandomState(1)
  count = len(program.data["train_y"])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    with tqdm.tqdm(total=epochs * count, unit="digit") as bar:
      for epoch in range(epochs):
        order = rng.permutation(count)
        losses = []
        for i in range(0, count, BATCH):
          which = order[i : i + BATCH]
          losses.append(
            session.run([program.loss, train_op], program.feed("train", which))[
              0
            ]
          )
          bar.update(len(which))
          bar.set_postfix(epoch=epoch + 1, loss=f"{np.mean(losses):.4f}")
    print(
      "trained %d epochs by %s, loss of the last: %.4f"
      % (epochs, implementation_in(tf.get_default_graph()), np.mean(losses))
    )
    if save_to:
      print("saved", tf.train.Saver().save(session, save_to))


def main():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  commands = parser.add_subparsers(dest="command", required=True)
  command = commands.add_parser("eval", help="evaluate the test digits")
  command.add_argument(
    "--checkpoint", default=os.path.join(HERE, "checkpoint", "model.ckpt")
  )
  command = commands.add_parser("train", help="train from scratch")
  command.add_argument("--epochs", type=int, default=40)
  command.add_argument("--save-to", help="where to save a checkpoint")
  arguments = parser.parse_args()
  tf.logging.set_verbosity(tf.logging.ERROR)
  tf.disable_v2_behavior()
  if arguments.command == "eval":
    evaluate(arguments.checkpoint)
  else:
    train(arguments.epochs, arguments.save_to)


if __name__ == "__main__":
  main()
