"""Keras layers with the weights of TensorFlow 1 checkpoints: the recordings."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import migrate
from tf_contrib_rnn.keras import IndRNN
from tf_contrib_rnn.keras import IndyGRU
from tf_contrib_rnn.keras import IndyGRUCell
from tf_contrib_rnn.keras import IndyLSTM
from tf_contrib_rnn.keras import weights

keras = tf.keras
HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(
  HERE,
  os.pardir,
  "examples",
  "legacy_digits_keras",
  "legacy_digits_keras.py",
)
LAYERS = {"rnn": IndRNN, "gru": IndyGRU, "lstm": IndyLSTM}
SCOPES = {
  "rnn": "rnn/ind_rnn_cell",
  "gru": "rnn/indy_gru_cell",
  "lstm": "rnn/indy_lstm_cell",
}
every_kind = pytest.mark.parametrize("kind", sorted(LAYERS))
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)


class Golden:
  """What TensorFlow 1.15 recorded of one scenario."""

  def __init__(self, name):
    folder = os.path.join(HERE, "golden", name)
    with open(os.path.join(folder, "meta.json")) as file:
      self.scenario = json.load(file)["scenario"]
    self.checkpoint = os.path.join(folder, "ckpt")
    self.arrays = np.load(os.path.join(folder, "golden.npz"))
    self.x = self.arrays["in_x"]

  def mask(self):
    lengths = np.array(self.scenario["sequence_length"])
    return np.arange(self.scenario["time"]) < lengths[:, np.newaxis]

  def states(self, prefix="s", first=0):
    """h first, as Keras has them; the recordings have c, h."""
    names = [prefix + str(first + i) for i in range(2)]
    return [self.arrays[n] for n in reversed(names) if n in self.arrays]


def close(got, expected, tolerance=2e-6):
  np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@every_kind
@with_implementations
def test_recorded_sequences(kind, implementation):
  golden = Golden("dynamic_" + kind)
  layer = LAYERS[kind](4, return_sequences=True, return_state=True)
  layer.load_contrib_variables(golden.checkpoint)
  with tf_contrib_rnn.implementation(implementation):
    outputs, *states = layer(golden.x)
  close(outputs, golden.arrays["y0"])
  for state, expected in zip(states, golden.states()):
    close(state, expected)


@every_kind
@with_implementations
def test_recorded_sequences_of_several_lengths(kind, implementation):
  golden = Golden("dynamic_seqlen_" + kind)
  layer = LAYERS[kind](
    8, return_sequences=True, return_state=True, zero_output_for_mask=True
  )
  layer.load_contrib_variables(golden.checkpoint, "rnn")
  with tf_contrib_rnn.implementation(implementation):
    outputs, *states = layer(
      golden.x,
      mask=tf.constant(golden.mask()),
      initial_state=[tf.constant(s) for s in golden.states("in_s")],
    )
  close(outputs, golden.arrays["y0"])
  for state, expected in zip(states, golden.states()):
    close(state, expected)


@every_kind
def test_recorded_stack(kind):
  golden = Golden("multi_" + kind)
  outputs = golden.x
  for units in (6, 4):
    layer = LAYERS[kind](units, return_sequences=True)
    layer.load_contrib_variables(golden.checkpoint, "enc")  # its units tell
    outputs = layer(outputs)
  close(outputs, golden.arrays["y0"])


@every_kind
def test_recorded_directions(kind):
  golden = Golden("bidirectional_" + kind)
  both = keras.layers.Bidirectional(
    LAYERS[kind](5, return_sequences=True, zero_output_for_mask=True),
    merge_mode=None,
  )
  both.build(golden.x.shape)
  for layer, scope in ((both.forward_layer, "fw"), (both.backward_layer, "bw")):
    layer.load_contrib_variables(
      golden.checkpoint, "bidirectional_rnn/" + scope
    )
  forward, backward = both(golden.x, mask=tf.constant(golden.mask()))
  close(forward, golden.arrays["y0"])
  close(backward, golden.arrays["y1"])


def test_recorded_relu_in_time_major_order():
  golden = Golden("relu_rnn")
  layer = IndRNN(9, activation="relu", return_sequences=True)
  layer.load_contrib_variables(golden.checkpoint)
  outputs = layer(np.swapaxes(golden.x, 0, 1))
  close(np.swapaxes(outputs, 0, 1), golden.arrays["y0"])


def test_recorded_forget_bias_and_name():
  golden = Golden("name_lstm")
  layer = IndyLSTM(4, return_sequences=True)
  layer.load_contrib_variables(
    golden.checkpoint, "decoder/my_cell", forget_bias=0.0
  )
  close(layer(golden.x), golden.arrays["y0"])


def test_recorded_float64():
  golden = Golden("float64_gru")
  layer = IndyGRU(4, return_sequences=True, dtype="float64")
  layer.load_contrib_variables(golden.checkpoint)
  close(layer(tf.constant(golden.x)), golden.arrays["y0"], 1e-12)


def test_recorded_step_of_a_cell():
  golden = Golden("step_gru")
  cell = IndyGRUCell(4)
  weights.load_contrib_variables(cell, golden.checkpoint)
  output, _ = cell(tf.constant(golden.x), tf.zeros([3, 4]))
  close(output, golden.arrays["y0"])


def test_reset_after_takes_the_same_weights():
  golden = Golden("dynamic_gru")
  layer = IndyGRU(4, return_sequences=True, reset_after=True)
  layer.load_contrib_variables(golden.checkpoint)
  close(layer(golden.x), golden.arrays["y0"])


@every_kind
@pytest.mark.parametrize("forget_bias", [0.0, 1.0, 2.5])
def test_back_to_a_checkpoint(kind, forget_bias, tmp_path):
  layer = LAYERS[kind](4, bias_initializer="random_normal")
  layer.build((None, None, 3))
  variables = layer.contrib_variables(SCOPES[kind], forget_bias=forget_bias)
  prefix = migrate.write_checkpoint(variables, tmp_path / "model.ckpt")
  other = LAYERS[kind](4)
  other.load_contrib_variables(prefix, forget_bias=forget_bias)
  for got, expected in zip(other.get_weights(), layer.get_weights()):
    close(got, expected, 3e-7)


@every_kind
def test_a_tensorflow_1_cell_computes_what_the_layer_does(kind, tmp_path):
  cell = {
    "rnn": tf_contrib_rnn.IndRNNCell,
    "gru": tf_contrib_rnn.IndyGRUCell,
    "lstm": tf_contrib_rnn.IndyLSTMCell,
  }[kind]
  layer = LAYERS[kind](4, return_sequences=True)
  x = np.random.RandomState(1).standard_normal([2, 5, 3]).astype("float32")
  expected = layer(x)
  prefix = migrate.write_checkpoint(
    layer.contrib_variables(SCOPES[kind]), tmp_path / "model.ckpt"
  )
  v1 = tf.compat.v1
  with tf.Graph().as_default(), v1.Session() as session:
    outputs, _ = tf_contrib_rnn.dynamic_rnn(
      cell(4), tf.constant(x), dtype=tf.float32
    )
    v1.train.Saver().restore(session, prefix)
    close(session.run(outputs), expected)


def checkpoint_of_gru(**changes):
  layer = IndyGRU(4)
  layer.build((None, None, 3))
  variables = layer.contrib_variables("rnn/indy_gru_cell")
  variables.update(changes)
  return {name: a for name, a in variables.items() if a is not None}


@pytest.mark.parametrize(
  "changes, message",
  [
    (
      {"rnn/indy_gru_cell/gates/bias": None},
      "missing: 'rnn/indy_gru_cell/gates/bias'",
    ),
    (
      {"rnn/indy_gru_cell/gates/extra": np.zeros(3)},
      "not of such a cell: 'rnn/indy_gru_cell/gates/extra'",
    ),
    (
      {"rnn/indy_gru_cell/candidate/bias": np.zeros(3)},
      r"'rnn/indy_gru_cell/candidate/bias' has shape \[3\], expected \[4\]",
    ),
    (
      {"rnn/indy_gru_cell/candidate/bias": np.zeros(4, np.int32)},
      "'rnn/indy_gru_cell/candidate/bias' has dtype int32, expected float16",
    ),
    (
      {"rnn/indy_gru_cell/gates/bias": np.full(8, 1e300)},
      r"'rnn/indy_gru_cell/gates/bias' has 1e\+300 .*, expected .* float32",
    ),
  ],
)
def test_wrong_checkpoint_changes_nothing(changes, message):
  layer = IndyGRU(4)
  with pytest.raises(ValueError, match=message):
    layer.load_contrib_variables(
      checkpoint_of_gru(**changes), "rnn/indy_gru_cell"
    )
  assert not layer.built
  layer.build((None, None, 3))
  before = layer.get_weights()
  with pytest.raises(ValueError, match=message):
    layer.load_contrib_variables(
      checkpoint_of_gru(**changes), "rnn/indy_gru_cell"
    )
  for got, expected in zip(layer.get_weights(), before):
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
  "dtype, value, largest",
  [
    ("float16", 7e4, 6e4),
    ("bfloat16", 1e39, 1e38),
    ("float32", 1e39, 1e38),
    ("mixed_bfloat16", 1e39, 1e38),
    ("float64", None, 1e300),
  ],
)
def test_dtype_of_the_layer_holds_every_number(dtype, value, largest):
  name = "rnn/indy_gru_cell/candidate/kernel"
  layer = IndyGRU(4, dtype=dtype)
  for _ in range(2):
    if value is not None:
      with pytest.raises(ValueError, match=f"variable '{name}' has "):
        layer.load_contrib_variables(
          checkpoint_of_gru(**{name: np.full([3, 4], value)})
        )
    layer.load_contrib_variables(
      checkpoint_of_gru(**{name: np.full([3, 4], largest)})
    )
    kernel = np.array(layer.get_weights()[0][:, 8:], "float64")
    np.testing.assert_allclose(kernel, largest, rtol=1e-2)


def test_dtype_of_a_layer_on_jax(monkeypatch):
  pytest.importorskip("jax", reason="JAX is not installed")
  if not weights.IS_KERAS_3:
    pytest.skip("Keras 2 has no backends")
  layer = IndyGRU(4, dtype="float64")
  assert weights._dtype_of(layer.cell) == "float64"
  monkeypatch.setattr(keras.config, "backend", lambda: "jax")
  assert weights._dtype_of(layer.cell) == "float32"  # without jax_enable_x64


def test_nan_of_a_checkpoint_stays():
  bias = np.array([0, np.nan, np.inf, 1], np.float64)
  layer = IndyGRU(4)
  for _ in range(2):
    layer.load_contrib_variables(
      checkpoint_of_gru(**{"rnn/indy_gru_cell/candidate/bias": bias})
    )
    np.testing.assert_array_equal(layer.get_weights()[2][8:], bias)


def test_forget_bias_that_no_bias_holds():
  layer = IndyLSTM(4)
  layer.build((None, None, 3))
  variables = layer.contrib_variables("rnn")
  with pytest.raises(ValueError, match="forget_bias changes .* by -1e.300"):
    layer.contrib_variables("rnn", forget_bias=1e300)
  with pytest.raises(ValueError, match="forget_bias changes .* by 1e.300"):
    layer.load_contrib_variables(variables, forget_bias=1e300)


def test_layer_of_other_sizes():
  with pytest.raises(ValueError, match="one IndyGRUCell of 5 units"):
    IndyGRU(5).load_contrib_variables(checkpoint_of_gru())
  with pytest.raises(ValueError, match="units is 5, and .* has 4"):
    IndyGRU(5).load_contrib_variables(checkpoint_of_gru(), "rnn/indy_gru_cell")
  layer = IndyGRU(4)
  layer.build((None, None, 2))
  with pytest.raises(ValueError, match="built for 2 features, expected .* 3"):
    layer.load_contrib_variables(checkpoint_of_gru())


def test_layer_without_a_bias():
  layer = IndyGRU(4, use_bias=False)
  layer.load_contrib_variables(checkpoint_of_gru())  # its biases are zeros
  ones = {"rnn/indy_gru_cell/candidate/bias": np.ones(4, np.float32)}
  with pytest.raises(ValueError, match="layer has use_bias=False"):
    layer.load_contrib_variables(checkpoint_of_gru(**ones))


def test_what_no_contrib_cell_computes():
  layer = IndyGRU(4, reset_after=True, bias_initializer="ones")
  with pytest.raises(ValueError, match="no weights before it is built"):
    layer.contrib_variables("rnn")
  layer.build((None, None, 3))
  with pytest.raises(ValueError, match="recurrent bias of the candidate"):
    layer.contrib_variables("rnn")
  layer = IndyLSTM(4, recurrent_activation="hard_sigmoid")
  layer.build((None, None, 3))
  with pytest.raises(ValueError, match="recurrent_activation"):
    layer.contrib_variables("rnn")


def test_layer_of_another_kind():
  with pytest.raises(ValueError, match="expected an IndRNN, Indy.* SRU layer"):
    weights.load_contrib_variables(keras.layers.Dense(3), checkpoint_of_gru())


def run_example(*arguments):
  result = subprocess.run(
    [sys.executable, EXAMPLE, *arguments], capture_output=True, text=True
  )
  assert result.returncode == 0, result.stderr
  return result.stdout


def test_example():
  output = run_example("eval")
  assert "test accuracy:       0.966667" in output
  assert float(output.split("recorded: ")[1].split(" ")[0]) < 1e-4


@pytest.mark.long
def test_example_trains_on():
  output = run_example("train", "--epochs", "1")
  assert float(output.split("val_accuracy: ")[1].split(" ")[0]) > 0.9
