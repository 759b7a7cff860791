"""Configurations, weights and files of the Keras cells and layers."""

import json

import helpers
import keras_helpers
import numpy as np
import pytest
from keras_helpers import keras
from keras_helpers import KINDS

import tf_contrib_rnn.keras as indy

TIME, FEATURES, UNITS = (
  keras_helpers.TIME,
  keras_helpers.FEATURES,
  keras_helpers.UNITS,
)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
CELL_OPTIONS = {
  "activation": "relu",
  "use_bias": False,
  "kernel_initializer": "he_normal",
  "recurrent_initializer": "zeros",
  "bias_initializer": "ones",
  "kernel_regularizer": "l2",
  "recurrent_regularizer": "l1",
  "bias_regularizer": "l2",
  "kernel_constraint": "non_neg",
  "recurrent_constraint": "unit_norm",
  "bias_constraint": "non_neg",
  "dropout": 0.25,
  "recurrent_dropout": 0.5,
  "seed": 3,
  "name": "one",
}
LAYER_OPTIONS = {
  "return_sequences": True,
  "return_state": True,
  "go_backwards": True,
  "unroll": True,
  "zero_output_for_mask": True,
  "activity_regularizer": "l2",
}


def more_options(kind):
  options = {}
  if kind.gates > 1:
    options["recurrent_activation"] = "hard_sigmoid"
  if kind.gates == 3:
    options["reset_after"] = not kind.options["reset_after"]
  if kind.gates == 4:
    options["unit_forget_bias"] = False
  return options


def shown(config):
  """A configuration as a file holds it."""
  return json.loads(json.dumps(config, default=str))


@every_kind
@pytest.mark.parametrize("of", ["cell", "layer"])
def test_config_gives_the_same_again(kind, of):
  make = getattr(kind, of)
  options = {**CELL_OPTIONS, **more_options(kind)}
  if of == "layer":
    options.update(LAYER_OPTIONS)
  one = make(UNITS, **options)
  config = one.get_config()
  again = make.from_config(json.loads(json.dumps(config)))
  assert shown(again.get_config()) == shown(config)
  assert set(options) <= set(config)
  for name in options:
    value = getattr(one, name)
    if isinstance(value, (bool, int, float, str)):
      assert getattr(again, name) == value == options[name], name
  if of == "layer":
    assert "cell" not in config


@every_kind
@pytest.mark.parametrize("of", ["cell", "layer"])
def test_default_arguments_are_keras_own(kind, of):
  """But for two, which a diagonal recurrence has others for."""
  ours = getattr(kind, of)(UNITS).get_config()
  theirs = getattr(kind, f"matrix_{of}")(UNITS).get_config()
  differ = {"name", "recurrent_initializer", "reset_after"}
  for name in set(theirs) - differ:
    assert shown(ours[name]) == shown(theirs[name]), name


@every_kind
@pytest.mark.parametrize("of", ["cell", "layer"])
def test_registered_name(kind, of):
  make = getattr(kind, of)
  name = f"tf_contrib_rnn>{make.__name__}"
  assert keras.utils.get_registered_name(make) == name
  serialized = keras.layers.serialize(make(UNITS))
  assert name in json.dumps(serialized, default=str)
  assert type(keras.layers.deserialize(serialized)) is make


def a_model(kind, **options):
  x = keras.layers.Input((TIME, FEATURES))
  layer = kind.layer(UNITS, return_sequences=True, **kind.options, **options)
  y = keras.layers.Bidirectional(layer)(keras.layers.Masking()(x))
  cells = [kind.cell(6, **kind.options), kind.cell(4, **kind.options)]
  model = keras.Model(x, keras.layers.RNN(cells)(y))
  model.compile("adam", "mse")
  targets = np.zeros([keras_helpers.BATCH, 4], "float32")
  model.fit(keras_helpers.inputs(), targets, verbose=0)
  return model


def assert_same_predictions(model, again):
  x = keras_helpers.inputs()
  x[0, 3:] = 0
  np.testing.assert_allclose(
    again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
  )


@pytest.mark.one_value
@every_kind
def test_file(kind, tmp_path):
  model = a_model(kind, activation="relu")
  path = str(tmp_path / "model.keras")
  model.save(path)
  again = keras.models.load_model(path)
  assert_same_predictions(model, again)
  # And goes on to be trained, with the optimizer's state.
  targets = np.ones([keras_helpers.BATCH, 4], "float32")
  for one in (model, again):
    one.fit(keras_helpers.inputs(), targets, verbose=0)
  assert_same_predictions(model, again)


@pytest.mark.one_value
@every_kind
def test_file_of_the_older_format(kind, tmp_path):
  """It has no registered names inside of wrappers: these need a scope."""
  path, x = str(tmp_path / "model.h5"), keras.layers.Input((TIME, FEATURES))
  layer = kind.layer(UNITS, return_sequences=True, **kind.options)
  model = keras.Model(x, kind.layer(3)(layer(x)))
  model.save(path)
  assert_same_predictions(model, keras.models.load_model(path))
  model = keras.Model(x, keras.layers.Bidirectional(kind.layer(3))(layer(x)))
  model.save(path)
  with keras.utils.custom_object_scope({kind.layer.__name__: kind.layer}):
    assert_same_predictions(model, keras.models.load_model(path))


@pytest.mark.one_value
@every_kind
def test_weights_alone_and_clones(kind, tmp_path):
  model = a_model(kind)
  path = str(tmp_path / "model.weights.h5")
  model.save_weights(path)
  clone = keras.models.clone_model(model)
  clone.load_weights(path)
  assert_same_predictions(model, clone)
  again = keras.models.model_from_json(model.to_json())
  again.set_weights(model.get_weights())
  assert_same_predictions(model, again)


@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_saved_model(implementation, tmp_path):
  """Read by another process, which needs this package for the ops alone."""
  if not keras_helpers.RUNS_TENSORFLOW:
    pytest.skip("SavedModels are TensorFlow's")
  import tf_contrib_rnn

  path, x = str(tmp_path / "model"), keras_helpers.inputs()
  with tf_contrib_rnn.implementation(implementation):
    model = keras.Sequential(
      [
        keras.layers.InputLayer((TIME, FEATURES)),
        keras.layers.Masking(),
        indy.IndyGRU(3, return_sequences=True),
        keras.layers.Bidirectional(indy.IndyLSTM(3, return_sequences=True)),
        indy.IndRNN(3),
      ]
    )
    if keras_helpers.IS_KERAS_3:
      model.export(path, verbose=False)
    else:
      model.export(path)
  np.save(tmp_path / "x.npy", x)
  np.save(tmp_path / "y.npy", model.predict(x, verbose=0))
  needed = "import tf_contrib_rnn" if implementation == "fused" else ""
  helpers.run_fresh_script(
    f"""
    import sys
    import numpy as np
    import tensorflow as tf
    {needed}
    model = tf.saved_model.load(sys.argv[1] + "/model")
    x, y = (np.load(f"{{sys.argv[1]}}/{{name}}.npy") for name in "xy")
    np.testing.assert_allclose(model.serve(x), y, atol=1e-6)
    """,
    tmp_path,
  )


@every_kind
@pytest.mark.skipif(
  keras_helpers.IS_KERAS_3, reason="Keras 3 reads no SavedModel as a model"
)
def test_saved_model_of_keras_2_is_a_model_again(kind, tmp_path):
  model = a_model(kind)
  path = str(tmp_path / "model")
  model.save(path, save_format="tf")
  again = keras.models.load_model(path)
  assert_same_predictions(model, again)
  assert type(again.layers[-1].cell.cells[0]) is kind.cell


@every_kind
def test_names_and_shapes_of_weights(kind):
  layer = kind.layer(UNITS, name="mine", **kind.options)
  layer.build((None, None, FEATURES))
  width = kind.gates * UNITS
  bias = (2, width) if kind.options.get("reset_after") else (width,)
  assert [tuple(weight.shape) for weight in layer.weights] == [
    (FEATURES, width),
    (1, width),
    bias,
  ]
  names = [weight.name.split("/")[-1].split(":")[0] for weight in layer.weights]
  assert names == ["kernel", "recurrent_kernel", "bias"]
  if keras_helpers.IS_KERAS_3:
    assert layer.weights[0].path == f"mine/{layer.cell.name}/kernel"


def test_public_names():
  assert indy.__all__ == sorted(indy.__all__)
  others = {"RecurrentBound", "lite_sequence_lstm"}
  for name in {*indy.__all__} - others:
    assert issubclass(getattr(indy, name), keras.layers.Layer)
