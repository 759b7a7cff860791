"""The SRU for Keras, against a loop in NumPy: Keras has no such layer."""

import json
import os
import zlib

import helpers
import keras_helpers
import numpy as np
import pytest
from keras_helpers import assert_close
from keras_helpers import keras
from keras_helpers import MASKS
from keras_helpers import tensor

import tf_contrib_rnn
from tf_contrib_rnn import migrate
from tf_contrib_rnn.keras import SRU
from tf_contrib_rnn.keras import SRUCell
from tf_contrib_rnn.keras import weights

BATCH, TIME = keras_helpers.BATCH, keras_helpers.TIME
FEATURES, UNITS = keras_helpers.FEATURES, keras_helpers.UNITS
RECORDED = os.path.join(os.path.dirname(__file__), "golden_rest", "sru_dynamic")
IMPLEMENTATIONS = (
  ["fused", "composed"] if keras_helpers.RUNS_TENSORFLOW else ["composed"]
)
every_implementation = pytest.mark.usefixtures("implementation")
every_mask = pytest.mark.parametrize("mask", MASKS)
backwards_or_not = pytest.mark.parametrize("backwards", [False, True])
only_on_tensorflow = pytest.mark.skipif(
  not keras_helpers.RUNS_TENSORFLOW, reason="is TensorFlow's"
)


@pytest.fixture(name="implementation", params=IMPLEMENTATIONS)
def fixture_implementation(request):
  with tf_contrib_rnn.implementation(request.param):
    yield request.param


def draw_weights(one):
  rng = np.random.RandomState(1)
  one.set_weights([keras_helpers.draw(rng, w.shape) for w in one.get_weights()])
  return one


def a_layer(make=SRU, shape=(BATCH, TIME, FEATURES), **options):
  layer = make(UNITS, **options)
  layer.build(shape)
  return draw_weights(layer)


def state():
  return keras_helpers.draw(np.random.RandomState(2), (BATCH, UNITS))


def step(x, c, kernel, bias=0.0, activation=np.tanh):
  s, f, r, t = np.split(x @ kernel, 4, -1)
  f, r = np.split(helpers.sigmoid(np.concatenate([f, r], -1) + bias), 2, -1)
  c = f * c + (1 - f) * s
  return r * activation(c) + (1 - r) * t, c


def loop(x, c, *arrays, mask=None, backwards=False, zeros=False, **options):
  """All outputs, in the order of computing, the last one, and the final c."""
  steps = range(x.shape[1])
  output, outputs = np.zeros(c.shape), []
  for t in reversed(steps) if backwards else steps:
    counts = np.ones([len(x), 1], bool) if mask is None else mask[:, t, None]
    y, new_c = step(x[:, t], c, *arrays, **options)
    output = np.where(counts, y, 0.0 if zeros else output)
    c = np.where(counts, new_c, c)
    outputs.append(output)
  return np.stack(outputs, 1), output, c


def expected(layer, x, c, **options):
  arrays = [np.asarray(a, "float64") for a in [x, c, *layer.get_weights()]]
  return loop(*arrays, **options)


@pytest.mark.parametrize("use_bias", [True, False])
def test_cell(use_bias):
  cell = a_layer(SRUCell, (BATCH, FEATURES), use_bias=use_bias)
  x, c = keras_helpers.inputs()[:, 0], state()
  want = step(x, c, *cell.get_weights())
  for given in (tensor(c), [tensor(c)]):
    output, new = cell(tensor(x), given)
    assert isinstance(new, list) == isinstance(given, list)
    new = new[0] if isinstance(new, list) else new
    for got, array in zip((output, new), want):
      np.testing.assert_allclose(keras_helpers.arrays(got)[0], array, atol=2e-6)


@every_implementation
@every_mask
@backwards_or_not
@pytest.mark.parametrize(
  "mode", [{}, {"zero_output_for_mask": True}, {"unroll": True}], ids=str
)
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
def test_outputs_of_masked_steps(mask, backwards, mode, sequences):
  if keras_helpers.BACKEND == "torch" and backwards and "unroll" in mode:
    pytest.skip("Keras's loop on torch fails: it flips a tuple of masks")
  mask = MASKS[mask]
  layer = a_layer(
    go_backwards=backwards,
    return_sequences=sequences,
    return_state=True,
    **mode,
  )
  x, c = keras_helpers.inputs(), state()
  zeros = "zero_output_for_mask" in mode
  options = {"mask": mask, "backwards": backwards, "zeros": zeros}
  outputs, last, final = expected(layer, x, c, **options)
  got = layer(tensor(x), mask=tensor(mask), initial_state=[tensor(c)])
  got = keras_helpers.arrays(got)
  for g, w in zip(got, [outputs if sequences else last, final]):
    np.testing.assert_allclose(g, w, atol=2e-6)


def differences(compute, array, delta=1e-5):
  """The gradient of a number that is computed of an array, which is changed."""
  found = np.zeros(array.shape)
  for index in np.ndindex(array.shape):
    middle, ends = array[index], []
    for sign in (1, -1):
      array[index] = middle + sign * delta
      ends.append(compute())
    array[index] = middle
    found[index] = (ends[0] - ends[1]) / (2 * delta)
  return found


@every_implementation
@every_mask
@backwards_or_not
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
def test_gradients(mask, backwards, sequences):
  layer = a_layer(
    go_backwards=backwards, return_sequences=sequences, return_state=True
  )
  mask, x = MASKS[mask], keras_helpers.inputs()
  got = keras_helpers.gradients(layer, x, mask=tensor(mask))
  arrays = [a.astype("float64") for a in [x, *layer.get_weights()]]

  def loss():
    x, *of_layer = arrays
    c = np.zeros([BATCH, UNITS])
    options = {"mask": mask, "backwards": backwards}
    outputs, last, c = loop(x, c, *of_layer, **options)
    results = [outputs if sequences else last, c]
    return sum(np.sum(r.ravel() * np.cos(np.arange(r.size))) for r in results)

  for gradient, array in zip(got, arrays):
    want = differences(loss, array)
    np.testing.assert_allclose(gradient, want, rtol=0, atol=2e-5)


@every_implementation
@pytest.mark.parametrize(
  "activation, function",
  [
    ("relu", lambda x: np.maximum(x, 0)),
    ("softplus", lambda x: np.log1p(np.exp(x))),  # no op knows it
    (None, lambda x: x),
  ],
)
def test_activations(activation, function):
  layer = a_layer(activation=activation, return_sequences=True)
  x = keras_helpers.inputs()
  zeros = np.zeros([BATCH, UNITS])
  want, _, _ = expected(layer, x, zeros, activation=function)
  assert_close(layer(tensor(x)), tensor(want.astype("float32")))


@every_implementation
@pytest.mark.parametrize(
  "dtype, tolerance",
  [
    ("mixed_float16", 4e-3),
    ("mixed_bfloat16", 4e-2),
    ("float16", 4e-3),
    ("float64", 1e-12),
  ],
)
@pytest.mark.parametrize("mask", ["none", "holes"])
def test_dtypes(dtype, tolerance, mask):
  if keras_helpers.BACKEND != "tensorflow" and dtype != "mixed_float16":
    pytest.skip("JAX has no float64, NumPy no bfloat16")
  policy = dtype
  if not keras_helpers.IS_KERAS_3 and "mixed" in dtype:
    policy = keras.mixed_precision.Policy(dtype)
  layer = a_layer(dtype=policy, return_sequences=True, return_state=True)
  kind = "float32" if "mixed" in dtype else dtype
  assert all(kind in str(weight.dtype) for weight in layer.weights)
  x, mask = keras_helpers.inputs(), MASKS[mask]
  x = x.astype("float64" if dtype == "float64" else "float32")
  outputs, c = layer(tensor(x), mask=tensor(mask))
  assert all(dtype.split("_")[-1] in str(r.dtype) for r in (outputs, c))
  want = expected(layer, x, np.zeros([BATCH, UNITS]), mask=mask)
  for got, array in zip((outputs, c), (want[0], want[2])):
    (got,) = keras_helpers.arrays(got)
    np.testing.assert_allclose(got.astype("float64"), array, atol=tolerance)


@every_implementation
def test_one_result_of_layer_and_cell_in_keras_rnn():
  layer = a_layer(return_sequences=True, return_state=True)
  rnn = keras.layers.RNN(layer.cell, return_sequences=True, return_state=True)
  x = tensor(keras_helpers.inputs())
  assert_close(layer(x), rnn(x))


@every_implementation
def test_stateful():
  layer = a_layer(stateful=True, return_sequences=True)
  x = keras_helpers.inputs()
  first, second = (keras_helpers.arrays(layer(tensor(x)))[0] for _ in range(2))
  twice, _, _ = expected(
    layer, np.concatenate([x, x], 1), np.zeros([BATCH, UNITS])
  )
  np.testing.assert_allclose(
    np.concatenate([first, second], 1), twice, atol=2e-6
  )


@every_implementation
@pytest.mark.parametrize("mask", ["none", "holes"])
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
def test_bidirectional(mask, sequences):
  both = keras.layers.Bidirectional(SRU(UNITS, return_sequences=sequences))
  both.build((BATCH, TIME, FEATURES))
  draw_weights(both)
  x, mask = keras_helpers.inputs(), MASKS[mask]
  (got,) = keras_helpers.arrays(both(tensor(x), mask=tensor(mask)))
  want = []
  for layer, backwards in (
    (both.forward_layer, False),
    (both.backward_layer, True),
  ):
    options = {"mask": mask, "backwards": backwards}
    zeros = layer.zero_output_for_mask  # which Keras 3 sets
    outputs, last, _ = expected(
      layer, x, np.zeros([BATCH, UNITS]), zeros=zeros, **options
    )
    outputs = outputs[:, ::-1] if backwards else outputs
    want.append(outputs if sequences else last)
  np.testing.assert_allclose(got, np.concatenate(want, -1), atol=2e-6)


@pytest.mark.parametrize("make", [SRU, SRUCell])
def test_config_gives_the_same_again(make):
  options = {
    "activation": "relu",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "bias_initializer": "ones",
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "kernel_constraint": "non_neg",
    "bias_constraint": "non_neg",
    "dropout": 0.25,
    "seed": 3,
    "name": "one",
  }
  if make is SRU:
    options.update(go_backwards=True, return_state=True, unroll=True)
  config = json.loads(json.dumps(make(UNITS, **options).get_config()))
  again = make.from_config(config)
  assert json.loads(json.dumps(again.get_config())) == config
  assert set(options) <= set(config)
  assert not any("recurrent" in name for name in config)
  name = f"tf_contrib_rnn>{make.__name__}"
  assert keras.utils.get_registered_name(make) == name
  with pytest.raises((TypeError, ValueError), match="recurrent_dropout"):
    make(UNITS, recurrent_dropout=0.5)
  with pytest.raises(ValueError, match="units is 0, expected a whole number"):
    make(0)


def test_file_and_clone(tmp_path):
  x = keras.layers.Input((TIME, FEATURES))
  y = keras.layers.Bidirectional(SRU(3, dropout=0.1, return_sequences=True))(
    keras.layers.Masking()(x)
  )
  model = keras.Model(x, keras.layers.RNN([SRUCell(4), SRUCell(2)])(y))
  draw_weights(model)
  sequences = keras_helpers.inputs()
  path = str(tmp_path / "model.keras")
  model.save(path)
  clone = keras.models.clone_model(model)
  clone.set_weights(model.get_weights())
  for again in (keras.models.load_model(path), clone):
    assert_close(again(tensor(sequences)), model(tensor(sequences)))


def test_names_shapes_and_losses_of_weights():
  layer = a_layer(kernel_regularizer="l2", bias_regularizer="l2")
  assert [tuple(w.shape) for w in layer.weights] == [
    (FEATURES, 4 * UNITS),
    (2 * UNITS,),
  ]
  names = [w.name.split("/")[-1].split(":")[0] for w in layer.weights]
  assert names == ["kernel", "bias"]
  layer(tensor(keras_helpers.inputs()))
  assert len(layer.losses) == 2
  states = keras_helpers.arrays(layer.cell.get_initial_state(batch_size=3))
  np.testing.assert_array_equal(states, np.zeros([1, 3, UNITS]))


@every_implementation
def test_dropout():
  """Dropped while training alone, the same inputs at each step."""
  layer = a_layer(dropout=0.5, return_sequences=True, seed=1)
  x = np.ones([BATCH, TIME, FEATURES], "float32")
  zeros = np.zeros([BATCH, UNITS])
  (plain,) = keras_helpers.arrays(layer(tensor(x)))
  np.testing.assert_allclose(plain, expected(layer, x, zeros)[0], atol=2e-6)
  one, two = keras_helpers.arrays(
    [layer(tensor(x), training=True) for _ in range(2)]
  )
  assert np.abs(one - two).max() > 1e-2
  mask = layer.cell.get_dropout_mask(tensor(x[:, 0]))
  (mask,) = keras_helpers.arrays(mask)
  assert set(np.unique(mask)) == {0.0, 2.0}


@every_implementation
@only_on_tensorflow
@pytest.mark.parametrize("with_mask", [False, True])
def test_one_product_and_one_op(with_mask, implementation):
  import tensorflow as tf

  layer = a_layer(return_sequences=True)
  signature = [tf.TensorSpec([None, None, FEATURES])]
  signature += [tf.TensorSpec([None, None], tf.bool)] * with_mask

  @tf.function(input_signature=signature)
  def run(x, mask=None):
    return layer(x, mask=mask)

  definition = run.get_concrete_function().graph.as_graph_def()
  types = [node.op for node in definition.node]
  for function in definition.library.function:
    types += [node.op for node in function.node_def]
  assert types.count("MatMul") == 1
  is_fused = implementation == "fused"
  assert types.count("ContribRnn>SRU") == is_fused
  assert any("While" in name for name in types) != is_fused


@only_on_tensorflow
@pytest.mark.parametrize("mask", ["none", "holes"])
def test_compiled_by_xla(mask):
  import tensorflow as tf

  layer = a_layer(return_sequences=True, return_state=True)
  x, mask = keras_helpers.inputs(), tensor(MASKS[mask])
  run = tf.function(lambda x: layer(x, mask=mask), jit_compile=True)
  with tf_contrib_rnn.implementation("auto"):
    assert_close(run(tf.constant(x)), layer(x, mask=mask))


def recorded_variable(name, *shape):
  """What the recorded program gave a variable: see golden_rest."""
  rng = np.random.RandomState(zlib.crc32(f"{name}:0".encode()) & 0x7FFFFFFF)
  return 0.7 * rng.uniform(-1, 1, shape)


@every_implementation
@only_on_tensorflow
def test_recorded_by_tensorflow_1():
  with open(os.path.join(RECORDED, "meta.json")) as file:
    lengths = np.array(json.load(file)["scenario"]["sequence_length"])
  arrays = np.load(os.path.join(RECORDED, "golden.npz"))
  layer = SRU(
    5,
    return_sequences=True,
    return_state=True,
    zero_output_for_mask=True,
    dtype="float64",
  )
  shapes = {"rnn/sru_cell/kernel": [5, 20], "rnn/sru_cell/bias": [10]}
  layer.load_contrib_variables(
    {name: recorded_variable(name, *shape) for name, shape in shapes.items()}
  )
  mask = np.arange(arrays["x0"].shape[1]) < lengths[:, np.newaxis]
  results = layer(tensor(arrays["x0"]), mask=tensor(mask))
  assert_close(results, [tensor(arrays[n]) for n in ("y0", "s0")], 1e-12)


@only_on_tensorflow
def test_checkpoint_there_and_back(tmp_path):
  layer = a_layer()
  variables = layer.contrib_variables("rnn/sru_cell")
  assert list(variables) == ["rnn/sru_cell/kernel", "rnn/sru_cell/bias"]
  prefix = migrate.write_checkpoint(variables, tmp_path / "model.ckpt")
  other, cell = SRU(UNITS), SRUCell(UNITS)
  other.load_contrib_variables(prefix, "rnn")
  weights.load_contrib_variables(cell, prefix)
  for again in (other, cell):
    for got, want in zip(again.get_weights(), layer.get_weights()):
      np.testing.assert_array_equal(got, want)
  without = SRU(UNITS, use_bias=False)
  with pytest.raises(ValueError, match="layer has use_bias=False"):
    without.load_contrib_variables(prefix)
  assert not without.built
  without.build((None, None, FEATURES))
  variables = without.contrib_variables("rnn")
  np.testing.assert_array_equal(variables["rnn/bias"], np.zeros(2 * UNITS))
