"""The digits model of examples/legacy_digits in Keras, with its old weights.

The TensorFlow 1.15 program there reads each 8x8 digit pixel by pixel, by an
IndyLSTM and an IndyGRU on top of it, and row by row, by IndyGRUs in both
directions. Here is the same model of Keras layers, which takes its weights from
the checkpoint that TensorFlow 1.15 trained, and can be trained on from there.

  python legacy_digits_keras.py eval                 loads the checkpoint
  python legacy_digits_keras.py train --epochs 2     goes on training from it
"""

import argparse
import os

import numpy as np
import tensorflow as tf

import tf_contrib_rnn.keras as contrib_rnn

keras = tf.keras
HERE = os.path.dirname(os.path.abspath(__file__))
LEGACY = os.path.join(HERE, os.pardir, "legacy_digits")


def make_model():
  """Images [batch, 64] to logits [batch, 10]."""
  images = keras.Input([64])
  pixels = keras.layers.Reshape([64, 1])(images)
  pixels, lstm_state, _ = contrib_rnn.IndyLSTM(
    96, return_sequences=True, return_state=True, name="layer_0"
  )(pixels)
  pixels = keras.layers.Dropout(0.1)(pixels)
  gru_state = contrib_rnn.IndyGRU(96, name="layer_1")(pixels)
  rows = keras.layers.Reshape([8, 8])(images)
  both_directions = keras.layers.Bidirectional(
    contrib_rnn.IndyGRU(48, name="rows"), name="rows"
  )(rows)
  features = keras.layers.Concatenate()(
    [lstm_state, gru_state, both_directions]
  )
  logits = keras.layers.Dense(10, name="logits")(features)
  return keras.Model(images, logits)


def load_weights(model, checkpoint):
  """Gives the model what TensorFlow 1.15 saved."""
  layer = model.get_layer
  layer("layer_0").load_contrib_variables(checkpoint, "pixels")
  layer("layer_1").load_contrib_variables(checkpoint, "pixels")
  rows = layer("rows")
  scope = "rows/bidirectional_rnn/"
  rows.forward_layer.load_contrib_variables(checkpoint, scope + "fw")
  rows.backward_layer.load_contrib_variables(checkpoint, scope + "bw")
  layer("logits").set_weights(
    [
      tf.train.load_variable(checkpoint, "logits/" + name)
      for name in ("kernel", "bias")
    ]
  )


def load_data(part):
  data = np.load(os.path.join(LEGACY, "digits.npz"))
  images = (data[part + "_x"] / 8.0 - 1.0).astype("float32")
  return images, data[part + "_y"]


def evaluate(model):
  """Prints the accuracy, and how far the logits are from the recorded ones."""
  images, labels = load_data("test")
  logits = model.predict(images, verbose=0)
  accuracy = np.mean(logits.argmax(1) == labels)
  recorded = np.load(os.path.join(LEGACY, "test_logits.npy"))
  print(f"TensorFlow:          {tf.__version__}")
  print(f"test digits:         {len(logits)}")
  print(f"test accuracy:       {accuracy:.6f}")
  print(
    "largest difference to the logits that TensorFlow 1.15 recorded: "
    f"{np.abs(logits - recorded).max():.2g}"
    f" (of logits up to {np.abs(recorded).max():.1f})"
  )


def train(model, epochs):
  """Trains on from the checkpoint's weights, with the program's optimizer."""
  model.compile(
    keras.optimizers.Adam(2e-3, global_clipnorm=1.0),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
  )
  model.fit(
    *load_data("train"),
    batch_size=64,
    epochs=epochs,
    validation_data=load_data("test"),
  )


def main():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("what", choices=["eval", "train"])
  parser.add_argument(
    "--checkpoint", default=os.path.join(LEGACY, "checkpoint", "model.ckpt")
  )
  parser.add_argument("--epochs", type=int, default=2)
  arguments = parser.parse_args()
  model = make_model()
  load_weights(model, arguments.checkpoint)
  if arguments.what == "eval":
    evaluate(model)
  else:
    train(model, arguments.epochs)


if __name__ == "__main__":
  main()
