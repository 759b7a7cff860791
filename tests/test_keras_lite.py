"""TensorFlow Lite: what its stock converter makes of the layers."""

import collections

import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn.keras import IndRNN
from tf_contrib_rnn.keras import IndyGRU
from tf_contrib_rnn.keras import IndyLSTM

keras = tf.keras
TIME, FEATURES, UNITS = 7, 5, 6
FUSED = "UNIDIRECTIONAL_SEQUENCE_LSTM"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def make_model(layer, batch=1, mask=False):
  inputs = keras.Input(batch_shape=[batch, TIME, FEATURES])
  masked = keras.layers.Masking(-7.0)(inputs) if mask else inputs
  model = keras.Model(inputs, layer(masked))
  rng = np.random.RandomState(1)
  model.set_weights(
    [w + rng.uniform(-0.3, 0.3, w.shape) for w in model.get_weights()]
  )
  return model


def convert(model, implementation="auto"):
  with tf_contrib_rnn.implementation(implementation):
    return tf.lite.TFLiteConverter.from_keras_model(model).convert()


class Converted:
  """A converted model: its ops, counted, and what they compute."""

  def __init__(self, content):
    self._interpreter = tf.lite.Interpreter(
      model_content=content,
      # Without the delegate that hides ops behind one of its own.
      experimental_op_resolver_type=(
        tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
      ),
    )
    self._interpreter.allocate_tensors()
    self.ops = collections.Counter(
      op["op_name"] for op in self._interpreter._get_ops_details()
    )

  def __call__(self, x):
    (into,) = self._interpreter.get_input_details()
    out = self._interpreter.get_output_details()[0]
    self._interpreter.set_tensor(into["index"], x)
    self._interpreter.invoke()
    return self._interpreter.get_tensor(out["index"])


def inputs_for(batch):
  rng = np.random.RandomState(2)
  return rng.standard_normal([batch, TIME, FEATURES]).astype("float32")


@pytest.mark.parametrize("implementation", ["auto", "composed"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
  "options",
  [
    {"return_sequences": True},
    {},
    {"return_sequences": True, "go_backwards": True},
    {"unit_forget_bias": False},
  ],
)
def test_indy_lstm_becomes_the_fused_op(options, batch, implementation):
  model = make_model(IndyLSTM(UNITS, **options), batch)
  converted = Converted(convert(model, implementation))
  assert converted.ops[FUSED] == 1
  assert not converted.ops["WHILE"] and not converted.ops["CUSTOM"]
  x = inputs_for(batch)
  np.testing.assert_allclose(converted(x), model(x), rtol=0, atol=1e-5)


def test_both_directions_become_fused_ops():
  layer = keras.layers.Bidirectional(IndyLSTM(UNITS, return_sequences=True))
  model = make_model(layer)
  converted = Converted(convert(model))
  assert converted.ops[FUSED] == 2
  x = inputs_for(1)
  np.testing.assert_allclose(converted(x), model(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
  "layer, options",
  [
    (IndRNN, {}),
    (IndyGRU, {}),
    (IndyGRU, {"reset_after": True}),
    (IndyLSTM, {"mask": True}),
    (IndyLSTM, {"activation": "relu"}),
  ],
)
def test_others_become_builtin_ops(layer, options):
  options = dict(options)
  mask = options.pop("mask", False)
  model = make_model(layer(UNITS, return_sequences=True, **options), mask=mask)
  converted = Converted(convert(model, "composed"))
  assert converted.ops["WHILE"] == 1
  assert not converted.ops[FUSED] and not converted.ops["CUSTOM"]
  x = inputs_for(1)
  np.testing.assert_allclose(converted(x), model(x), rtol=0, atol=1e-5)


def test_an_op_of_this_package_is_named_by_the_converter():
  with pytest.raises(Exception, match="ContribRnn>IndyGRU"):
    convert(make_model(IndyGRU(UNITS)))


def clipped_lstm(model, x, clip):
  """The layer's outputs with each c cut to [-clip, clip], in float64."""
  kernel, recurrent_kernel, bias = (
    w.astype(float) for w in model.get_weights()
  )
  sigmoid = lambda v: 1 / (1 + np.exp(-v))
  h = c = np.zeros([len(x), UNITS])
  outputs = []
  for step in np.moveaxis(x.astype(float), 1, 0):
    sums = step @ kernel + np.tile(h, 4) * recurrent_kernel + bias
    i, f, j, o = np.split(sums, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(j)
    c = np.clip(c, -clip, clip)
    h = sigmoid(o) * np.tanh(c)
    outputs.append(h)
  return np.stack(outputs, 1)


def test_the_fused_op_clips_c_at_10():
  """So it differs where |c| is above 10, which one has to know."""
  time = 40
  inputs = keras.Input(batch_shape=[1, time, FEATURES])
  layer = IndyLSTM(UNITS, return_sequences=True)
  model = keras.Model(inputs, layer(inputs))
  kernel, recurrent_kernel, bias = (
    np.zeros_like(w) for w in layer.get_weights()
  )
  bias[: 3 * UNITS] = 20.0  # i, f, candidate: c grows by 1 a step
  kernel[0, 2 * UNITS : 3 * UNITS] = -40.0  # and shrinks where x is 1
  layer.set_weights([kernel, recurrent_kernel, bias])
  x = np.zeros([1, time, FEATURES], np.float32)
  x[:, 25:, 0] = 1
  converted = Converted(convert(model))
  assert converted.ops[FUSED] == 1
  got = converted(x)
  np.testing.assert_allclose(got, clipped_lstm(model, x, 10), atol=1e-5)
  np.testing.assert_allclose(model(x), clipped_lstm(model, x, 1e9), atol=1e-5)
  assert np.abs(got - model(x)).max() > 0.1
