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
import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from tf_contrib_rnn.flax import nnx as contrib_rnn

HERE = os.path.dirname(os.path.abspath(__file__))
LEGACY = os.path.join(HERE, os.pardir, "legacy_digits")


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


def load_weights(model, variables):
  """Gives the model what TensorFlow 1.15 saved."""
  rows = "rows/bidirectional_rnn/"
  for layer, scope in (
    (model.layer_0, "pixels"),
    (model.layer_1, "pixels"),
    (model.rows.forward_rnn, rows + "fw"),
    (model.rows.backward_rnn, rows + "bw"),
  ):
    contrib_rnn.load_contrib_variables(layer, variables, scope)
  model.logits.kernel[...] = jnp.asarray(variables["logits/kernel"])
  model.logits.bias[...] = jnp.asarray(variables["logits/bias"])


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


def train(model, epochs, batch=64):
  """Trains on from the checkpoint's weights, with the program's optimizer."""
  images, labels = load_data("train")
  optimizer = nnx.Optimizer(
    model,
    optax.chain(optax.clip_by_global_norm(1.0), optax.adam(2e-3)),
    wrt=nnx.Param,
  )
  rng = np.random.RandomState(0)
  for epoch in range(epochs):
    model.train()
    order = rng.permutation(len(images))
    losses = []
    for first in range(0, len(order) - batch + 1, batch):
      rows = order[first : first + batch]
      losses.append(train_step(model, optimizer, images[rows], labels[rows]))
    print(f"epoch {epoch + 1}, mean loss: {np.mean(losses):.4f}")
  evaluate(model)


def main():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument(
    "--checkpoint", default=os.path.join(LEGACY, "checkpoint", "model.ckpt")
  )
  commands = parser.add_subparsers(dest="what", required=True)
  commands.add_parser("eval")
  commands.add_parser("train").add_argument("--epochs", type=int, default=2)
  commands.add_parser("convert").add_argument("file")
  arguments = parser.parse_args()
  variables = read_variables(arguments.checkpoint)
  if arguments.what == "convert":
    np.savez(arguments.file, **variables)
    return
  model = Digits(nnx.Rngs(0))
  load_weights(model, variables)
  if arguments.what == "eval":
    evaluate(model)
  else:
    train(model, arguments.epochs)


if __name__ == "__main__":
  main()
