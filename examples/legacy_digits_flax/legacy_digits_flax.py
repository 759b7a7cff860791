"""The digits model of examples/legacy_digits in flax, with its old weights.

The TensorFlow 1.15 program there reads each 8x8 digit pixel by pixel, by an
IndyLSTM and an IndyGRU on top of it, and row by row, by IndyGRUs in both
directions. Here is the same model of flax.nnx modules, which takes its weights
from the checkpoint that TensorFlow 1.15 trained, and can be trained on from
there.

  python legacy_digits_flax.py eval                  loads the checkpoint
  python legacy_digits_flax.py train --epochs 2      goes on training from it
  python legacy_digits_flax.py convert model.npz     the checkpoint's variables
                                                     as a file of NumPy's

Only the checkpoint needs TensorFlow: with `--checkpoint model.npz` before the
command, nothing does.
"""

import argparse
import contextlib
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LEGACY = os.path.join(HERE, os.pardir, "legacy_digits")

sys.path.append(os.path.dirname(HERE))
import command_line  # noqa: E402


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument(
    "--checkpoint",
    type=command_line.checkpoint,
    default=os.path.join(LEGACY, "checkpoint", "model.ckpt"),
    help="TensorFlow's, or a file of NumPy's (.npz); default: what TensorFlow "
    "1.15 trained",
  )
  commands = parser.add_subparsers(dest="what", required=True)
  commands.add_parser("eval", help="evaluate the test digits")
  add = commands.add_parser("train", help="go on training").add_argument
  add(
    "--epochs",
    type=command_line.whole_number(1),
    default=2,
    metavar="N",
    help="how many; default: %(default)s",
  )
  add(
    "--seed",
    type=command_line.whole_number(0),
    default=0,
    metavar="N",
    help="runs of a seed are the same; default: %(default)s",
  )
  file = command_line.new_file(".npz")
  add(
    "--save-to",
    type=file,
    metavar="FILE.npz",
    help="where to save a checkpoint as a file of NumPy's, after Ctrl-C too; "
    "default: nowhere",
  )
  command = commands.add_parser("convert", help="write a file of NumPy's")
  command.add_argument("file", type=file, help="the file, .npz")
  return parser.parse_args()


# Before JAX and TensorFlow are imported: that takes seconds.
ARGUMENTS = parse_arguments() if __name__ == "__main__" else None
# TensorFlow reads checkpoints, and logs its start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from flax import nnx  # noqa: E402

from tf_contrib_rnn.flax import nnx as contrib_rnn  # noqa: E402


class Digits(nnx.Module):
  """Images [batch, 64] to logits [batch, 10]."""

  def __init__(self, rngs):
    self.layer_0 = contrib_rnn.IndyLSTM(1, 96, rngs=rngs)
    self.dropout = nnx.Dropout(0.1, rngs=rngs)
    self.layer_1 = contrib_rnn.IndyGRU(96, 96, rngs=rngs)
    self.rows = nnx.Bidirectional(
      contrib_rnn.IndyGRU(8, 48, rngs=rngs),
      contrib_rnn.IndyGRU(8, 48, rngs=rngs),
    )
    self.logits = nnx.Linear(288, 10, rngs=rngs)

  def __call__(self, images):
    pixels = images.reshape(-1, 64, 1)
    (_, lstm_state), pixels = self.layer_0(pixels, return_carry=True)
    gru_state, _ = self.layer_1(self.dropout(pixels), return_carry=True)
    rows = images.reshape(-1, 8, 8)
    both_directions, _ = self.rows(rows, return_carry=True)
    return self.logits(
      jnp.concatenate([lstm_state, gru_state, *both_directions], axis=-1)
    )


def read_variables(checkpoint):
  """The checkpoint's variables, arrays by their names."""
  if checkpoint.endswith(".npz"):
    return dict(np.load(checkpoint))
  import tensorflow as tf

  return {
    name: tf.train.load_variable(checkpoint, name)
    for name, _ in tf.train.list_variables(checkpoint)
  }


def recurrent_layers(model):
  """The layers that were cells, each with the scope it has in a checkpoint."""
  stack = "pixels/rnn/multi_rnn_cell/"
  directions = "rows/bidirectional_rnn/"
  return [
    (model.layer_0, stack + "cell_0/layer_0"),
    (model.layer_1, stack + "cell_1/layer_1"),
    (model.rows.forward_rnn, directions + "fw/indy_gru_cell"),
    (model.rows.backward_rnn, directions + "bw/indy_gru_cell"),
  ]


def load_weights(model, variables):
  """Gives the model what TensorFlow 1.15 saved."""
  for layer, scope in recurrent_layers(model):
    contrib_rnn.load_contrib_variables(layer, variables, scope)
  model.logits.kernel[...] = jnp.asarray(variables["logits/kernel"])
  model.logits.bias[...] = jnp.asarray(variables["logits/bias"])


def save_weights(model, file):
  """Writes the variables that `load_weights` takes."""
  variables = {
    "logits/kernel": model.logits.kernel[...],
    "logits/bias": model.logits.bias[...],
  }
  for layer, scope in recurrent_layers(model):
    variables.update(contrib_rnn.contrib_variables(layer, scope))
  np.savez(file, **variables)


def load_data(part):
  data = np.load(os.path.join(LEGACY, "digits.npz"))
  images = (data[part + "_x"] / 8.0 - 1.0).astype("float32")
  return images, data[part + "_y"]


@nnx.jit
def predict(model, images):
  return model(images)


def evaluate(model):
  """Prints the accuracy, and how far the logits are from the recorded ones."""
  images, labels = load_data("test")
  model.eval()
  logits = np.asarray(predict(model, images))
  accuracy = np.mean(logits.argmax(1) == labels)
  recorded = np.load(os.path.join(LEGACY, "test_logits.npy"))
  print(f"JAX:                 {jax.__version__}")
  print(f"test digits:         {len(logits)}")
  print(f"test accuracy:       {accuracy:.6f}")
  print(
    "largest difference to the logits that TensorFlow 1.15 recorded: "
    f"{np.abs(logits - recorded).max():.2g}"
    f" (of logits up to {np.abs(recorded).max():.1f})"
  )


@nnx.jit
def train_step(model, optimizer, images, labels):
  def loss(model):
    return optax.softmax_cross_entropy_with_integer_labels(
      model(images), labels
    ).mean()

  value, gradients = nnx.value_and_grad(loss)(model)
  optimizer.update(model, gradients)
  return value


@contextlib.contextmanager
def interrupts_between_steps():
  """Gives a function that raises KeyboardInterrupt if Ctrl-C was pressed.

  In the middle of a step JAX may make another error of a KeyboardInterrupt.
  """
  pressed = []

  def check():
    if pressed:
      raise KeyboardInterrupt

  usual = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
  try:
    yield check
  finally:
    signal.signal(signal.SIGINT, usual)


def train(model, epochs, seed, batch=64):
  """Trains on from the checkpoint's weights, with the program's optimizer."""
  images, labels = load_data("train")
  optimizer = nnx.Optimizer(
    model,
    optax.chain(optax.clip_by_global_norm(1.0), optax.adam(2e-3)),
    wrt=nnx.Param,
  )
  rng = np.random.RandomState(seed)
  model.train()
  with interrupts_between_steps() as check_for_interrupt:
    for epoch in range(1, epochs + 1):
      order = rng.permutation(len(images))
      losses = []
      for first in range(0, len(order) - batch + 1, batch):
        rows = order[first : first + batch]
        losses.append(train_step(model, optimizer, images[rows], labels[rows]))
        check_for_interrupt()
      loss = np.mean(losses)
      print(f"epoch {epoch} of {epochs}, mean loss: {loss:.4f}", flush=True)


def train_and_save(model, arguments):
  """Returns the exit status, 130 after Ctrl-C."""
  status = 0
  try:
    train(model, arguments.epochs, arguments.seed)
    evaluate(model)
  except KeyboardInterrupt:
    status = 130
    print("interrupted; ", end="")
  if arguments.save_to:
    save_weights(model, arguments.save_to)
    print("saved", arguments.save_to)
  elif status:
    print("nothing is saved without --save-to")
  return status


def main(arguments):
  variables = read_variables(arguments.checkpoint)
  if arguments.what == "convert":
    np.savez(arguments.file, **variables)
    return 0
  seed = arguments.seed if arguments.what == "train" else 0
  model = Digits(nnx.Rngs(seed))
  load_weights(model, variables)
  if arguments.what == "train":
    return train_and_save(model, arguments)
  evaluate(model)
  return 0


if __name__ == "__main__":
  try:
    sys.exit(main(ARGUMENTS))
  except KeyboardInterrupt:  # before or after the training
    sys.exit(130)
