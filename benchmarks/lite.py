"""TensorFlow Lite: an IndyLSTM as the runtime's sequence LSTM, and as a loop.

  python benchmarks/lite.py

Prints a table: the model's size, and the time of one inference on one thread,
the median of many, both in one process in turn.
"""

import contextlib
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from tf_contrib_rnn.keras import IndyLSTM
from tf_contrib_rnn.keras import lite_sequence_lstm

SHAPES = [(1, 50, 64, 128), (1, 200, 128, 256), (8, 100, 64, 128)]
REPETITIONS = 50


def make_model(batch, steps, features, units):
  inputs = tf.keras.Input(batch_shape=[batch, steps, features])
  outputs = IndyLSTM(units, return_sequences=True)(inputs)
  return tf.keras.Model(inputs, outputs)


def convert(model, is_fused):
  """The converted model: with the runtime's sequence LSTM, or with a loop."""
  with lite_sequence_lstm() if is_fused else contextlib.nullcontext():
    return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def make_interpreter(content, x):
  interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
  interpreter.allocate_tensors()
  interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
  interpreter.invoke()
  return interpreter


def measure(interpreters):
  """The median seconds of an inference of each."""
  seconds = [[] for _ in interpreters]
  for _ in range(REPETITIONS):
    for interpreter, measured in zip(interpreters, seconds):
      start = time.perf_counter()
      interpreter.invoke()
      measured.append(time.perf_counter() - start)
  return [statistics.median(measured) for measured in seconds]


def main():
  print("| batch, time, features, units | fused | loop | faster |")
  print("|---|---|---|---|")
  for shape in SHAPES:
    model = make_model(*shape)
    contents = [convert(model, is_fused) for is_fused in (True, False)]
    x = np.random.RandomState(1).standard_normal(shape[:3]).astype("float32")
    times = measure([make_interpreter(content, x) for content in contents])
    cells = [
      f"{len(content) / 1000:.1f} kB, {1e3 * seconds:.2f} ms"
      for content, seconds in zip(contents, times)
    ]
    print(
      f"| {', '.join(map(str, shape))} | {' | '.join(cells)} | "
      f"{times[1] / times[0]:.1f} × |"
    )


if __name__ == "__main__":
  main()
