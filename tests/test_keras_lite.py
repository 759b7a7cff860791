"""TensorFlow Lite: what its stock converter makes of the layers.

Each converted model runs several times, with other inputs: what it keeps from
one run to the next shows only then.
"""

import collections
import contextlib

import keras_helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn.keras import IndRNN
from tf_contrib_rnn.keras import IndyGRU
from tf_contrib_rnn.keras import IndyLSTM
from tf_contrib_rnn.keras import lite_sequence_lstm
from tf_contrib_rnn.keras import SRU

if keras_helpers.LITE_ABORTS:
  pytest.skip(keras_helpers.LITE_ABORTS, allow_module_level=True)

keras = tf.keras
TIME, FEATURES, UNITS = 7, 5, 6
FUSED = "UNIDIRECTIONAL_SEQUENCE_LSTM"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def make_model(layer, batch=1, mask=False):
  inputs = keras.Input(batch_shape=[batch, TIME, FEATURES])
  masked = keras.layers.Masking(-7.0)(inputs) if mask else inputs
  return draw_weights(keras.Model(inputs, layer(masked)))


def draw_weights(model):
  rng = np.random.RandomState(1)
  model.set_weights(
    [w + rng.uniform(-0.3, 0.3, w.shape) for w in model.get_weights()]
  )
  return model


def convert(model, implementation="auto", streaming=False):
  """A converted model; with streaming, as `lite_sequence_lstm` has it."""
  with tf_contrib_rnn.implementation(implementation):
    with lite_sequence_lstm() if streaming else contextlib.nullcontext():
      converter = tf.lite.TFLiteConverter.from_keras_model(model)
      return Converted(converter.convert())


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

  def __call__(self, *inputs):
    """The outputs, a list, in the order of their names."""
    for details in self._interpreter.get_input_details():
      (x,) = (x for x in inputs if list(x.shape) == list(details["shape"]))
      self._interpreter.set_tensor(details["index"], x)
    self._interpreter.invoke()
    outputs = self._interpreter.get_output_details()
    outputs = sorted(outputs, key=lambda details: details["name"])
    return [self._interpreter.get_tensor(out["index"]) for out in outputs]

  def reset(self):
    self._interpreter.reset_all_variables()


def inputs_for(batch, seed=2):
  rng = np.random.RandomState(seed)
  return rng.standard_normal([batch, TIME, FEATURES]).astype("float32")


def assert_agree(converted, model, batch=1, before=lambda: None):
  """Four runs, each with other inputs, give what the layer does."""
  for seed in range(4):
    x = inputs_for(batch, seed)
    before()
    (got,) = converted(x)
    np.testing.assert_allclose(got, model(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("implementation", ["auto", "composed"])
@pytest.mark.parametrize(
  "layer, options",
  [
    (IndRNN, {}),
    (IndyGRU, {}),
    (IndyGRU, {"reset_after": True}),
    (IndyLSTM, {}),
    (IndyLSTM, {"go_backwards": True}),
    (IndyLSTM, {"mask": True}),
    (IndyLSTM, {"activation": "relu"}),
    (SRU, {"mask": True}),
  ],
)
def test_layers_become_builtin_ops(layer, options, implementation):
  options = dict(options)
  mask = options.pop("mask", False)
  batch = 3 if options else 1
  layer = layer(UNITS, return_sequences=True, **options)
  model = make_model(layer, batch, mask)
  converted = convert(model, implementation)
  assert converted.ops["WHILE"] == 1
  assert not converted.ops[FUSED] and not converted.ops["CUSTOM"]
  assert_agree(converted, model, batch)


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
def test_indy_lstm_becomes_the_sequence_lstm_where_asked_for(options, batch):
  model = make_model(IndyLSTM(UNITS, **options), batch)
  converted = convert(model, streaming=True)
  assert converted.ops[FUSED] == 1
  assert not converted.ops["WHILE"] and not converted.ops["CUSTOM"]
  assert_agree(converted, model, batch, before=converted.reset)


def test_the_sequence_lstm_goes_on_where_it_stopped():
  """Two halves of a sequence, one after the other, are the whole."""
  model = make_model(IndyLSTM(UNITS, return_sequences=True))
  converted = convert(model, streaming=True)
  x = np.concatenate([inputs_for(1, seed) for seed in (0, 1)], 1)
  whole = model.layers[-1](x)
  for _ in range(2):
    converted.reset()
    halves = [converted(half)[0] for half in np.split(x, 2, 1)]
    np.testing.assert_allclose(np.concatenate(halves, 1), whole, atol=1e-5)


def test_both_directions_become_sequence_lstms():
  layer = keras.layers.Bidirectional(IndyLSTM(UNITS, return_sequences=True))
  model = make_model(layer)
  converted = convert(model, streaming=True)
  assert converted.ops[FUSED] == 2
  assert_agree(converted, model, before=converted.reset)


def make_model_of_states(states_of):
  """A model with a state among its inputs: outputs, then h and c."""
  inputs = keras.Input(batch_shape=[1, TIME, FEATURES])
  h, c = (keras.Input(batch_shape=[1, UNITS + i]) for i in range(2))
  c_of_units = keras.layers.Dense(UNITS)(c)
  y = inputs
  for _ in range(2):  # two layers that share states
    y = IndyLSTM(UNITS, return_sequences=True)(
      y, initial_state=states_of(h, c_of_units)
    )
  return draw_weights(keras.Model([inputs, h, c], [y, h, c]))


@pytest.mark.parametrize(
  "states_of", [lambda h, c: [h, c], lambda h, c: [h] * 2]
)
def test_an_initial_state_is_not_written_over(states_of):
  model = make_model_of_states(states_of)
  converted = convert(model, streaming=True)
  rng = np.random.RandomState(3)
  for _ in range(4):
    h, c = (rng.uniform(-1, 1, [1, UNITS + i]) for i in range(2))
    inputs = [inputs_for(1), h.astype("float32"), c.astype("float32")]
    got = converted(*inputs)
    for want in model(inputs):
      (same,) = (g for g in got if g.shape == want.shape)
      np.testing.assert_allclose(same, want, rtol=0, atol=1e-5)


def test_an_op_of_this_package_is_named_by_the_converter():
  with pytest.raises(Exception, match="ContribRnn>IndyGRU"):
    convert(make_model(IndyGRU(UNITS)), "fused")


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


def test_the_sequence_lstm_clips_c_at_10():
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
  converted = convert(model, streaming=True)
  assert converted.ops[FUSED] == 1
  (got,) = converted(x)
  np.testing.assert_allclose(got, clipped_lstm(model, x, 10), atol=1e-5)
  np.testing.assert_allclose(model(x), clipped_lstm(model, x, 1e9), atol=1e-5)
  assert np.abs(got - model(x)).max() > 0.1
