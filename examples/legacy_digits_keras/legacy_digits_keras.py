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
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LEGACY = os.path.join(HERE, os.pardir, "legacy_digits")

sys.path.append(os.path.dirname(HERE))
import command_line  # noqa: E402


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add(
    "what",
    choices=["eval", "train"],
    help="evaluate the test digits, or go on training",
  )
  add(
    "--checkpoint",
    type=command_line.checkpoint,
    default=os.path.join(LEGACY, "checkpoint", "model.ckpt"),
    help="where the weights are; default: what TensorFlow 1.15 trained",
  )
  add(
    "--epochs",
    type=command_line.whole_number(1),
    default=2,
    metavar="N",
    help="of the training; default: %(default)s",
  )
  add(
    "--seed",
    type=command_line.whole_number(0),
    default=1,
    metavar="N",
    help="of the training; default: %(default)s",
  )
  add(
    "--save-to",
    type=command_line.new_file(),
    metavar="CHECKPOINT",
    help="where to save a checkpoint for both programs after the training, or "
    "after Ctrl-C; default: nowhere",
  )
  return parser.parse_args()


# Before TensorFlow is imported: that takes seconds, and it logs its start.
ARGUMENTS = parse_arguments() if __name__ == "__main__" else None
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# It rounds otherwise on each kind of processor, and logs that it does.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import tf_contrib_rnn.keras as contrib_rnn  # noqa: E402
from tf_contrib_rnn import migrate  # noqa: E402

keras = tf.keras


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


def recurrent_layers(model):
  """The layers that were cells, each with the scope it has in a checkpoint."""
  layer, rows = model.get_layer, model.get_layer("rows")
  stack = "pixels/rnn/multi_rnn_cell/"
  directions = "rows/bidirectional_rnn/"
  return [
    (layer("layer_0"), stack + "cell_0/layer_0"),
    (layer("layer_1"), stack + "cell_1/layer_1"),
    (rows.forward_layer, directions + "fw/indy_gru_cell"),
    (rows.backward_layer, directions + "bw/indy_gru_cell"),
  ]


def load_weights(model, checkpoint):
  """Gives the model what TensorFlow 1.15 saved."""
  for layer, scope in recurrent_layers(model):
    layer.load_contrib_variables(checkpoint, scope)
  model.get_layer("logits").set_weights(
    [
      tf.train.load_variable(checkpoint, "logits/" + name)
      for name in ("kernel", "bias")
    ]
  )


def save_weights(model, checkpoint):
  """Writes what the TensorFlow 1.15 program restores, and `load_weights`."""
  kernel, bias = model.get_layer("logits").get_weights()
  variables = {"logits/kernel": kernel, "logits/bias": bias}
  for layer, scope in recurrent_layers(model):
    variables.update(layer.contrib_variables(scope))
  migrate.write_checkpoint(variables, checkpoint, overwrite=True)


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
    verbose=1 if sys.stdout.isatty() else 2,  # a bar, or a line an epoch
  )


def main(arguments):
  """Returns the exit status, 130 after Ctrl-C."""
  keras.utils.set_random_seed(arguments.seed)
  model = make_model()
  load_weights(model, arguments.checkpoint)
  if arguments.what == "eval":
    evaluate(model)
    return 0
  status = 0
  try:
    train(model, arguments.epochs)
  except KeyboardInterrupt:
    status = 130
    print("interrupted; ", end="")
  if arguments.save_to:
    save_weights(model, arguments.save_to)
    print("saved", arguments.save_to)
  elif status:
    print("nothing is saved without --save-to")
  return status


if __name__ == "__main__":
  try:
    sys.exit(main(ARGUMENTS))
  except KeyboardInterrupt:  # before or after the training
    sys.exit(130)
