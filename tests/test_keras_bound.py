"""RecurrentBound as a constraint of Keras's: configuration, files, training.

Run with whichever Keras there is; the last two tests start the others.
"""

import doctest
import importlib.util
import json
import os
import subprocess
import sys

import helpers
import keras_helpers
import numpy as np
import pytest
from keras_helpers import keras
from keras_helpers import KINDS
from keras_helpers import TIME

import tf_contrib_rnn
import tf_contrib_rnn.keras as indy
from tf_contrib_rnn.keras import constraints

UNITS, FEATURES, BATCH = 2, 3, 2
GAMMA = 1.5
LIMIT = np.float32(GAMMA ** (1 / TIME))

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_bound = pytest.mark.parametrize(
  "make_bound",
  [indy.RecurrentBound, tf_contrib_rnn.RecurrentBound],
  ids=["of Keras", "of TensorFlow"],
)


def assert_is_bound(constraint, time=TIME, gamma=GAMMA):
  assert type(constraint) is indy.RecurrentBound
  assert (constraint.time, constraint.gamma) == (time, gamma)


# The constraint.


def test_docstring():
  result = doctest.testmod(constraints)
  assert result.attempted and not result.failed


def test_it_is_a_constraint_of_keras():
  assert issubclass(indy.RecurrentBound, keras.constraints.Constraint)
  assert "RecurrentBound" in indy.__all__


@pytest.mark.parametrize("time", [100, np.int64(100), 100.0])
@pytest.mark.parametrize("gamma", [2, np.float32(0.5)])
def test_config_gives_the_same_again(time, gamma):
  config = indy.RecurrentBound(time, gamma).get_config()
  assert config == {"time": 100, "gamma": gamma}
  config = json.loads(json.dumps(config))
  assert_is_bound(indy.RecurrentBound.from_config(config), 100, gamma)


def test_registered_name():
  bound = indy.RecurrentBound(TIME, GAMMA)
  serialized = json.loads(json.dumps(keras.constraints.serialize(bound)))
  assert serialized["registered_name"] == "tf_contrib_rnn>RecurrentBound"
  assert_is_bound(keras.constraints.deserialize(serialized))
  assert_is_bound(keras.constraints.get(serialized))


def test_repr():
  assert repr(indy.RecurrentBound(5)) == "RecurrentBound(time=5, gamma=2.0)"


@pytest.mark.parametrize("time, gamma", [(0, 2.0), ("x", 2.0), (None, 2.0)])
def test_bad_time(time, gamma):
  with pytest.raises(ValueError, match="^time is .*, expected a whole number"):
    indy.RecurrentBound.from_config({"time": time, "gamma": gamma})


@pytest.mark.parametrize("gamma", [0, "x", float("nan")])
def test_bad_gamma(gamma):
  with pytest.raises(ValueError, match="^gamma is .*, expected a finite"):
    indy.RecurrentBound(TIME, gamma)


def as_float64(tensor):
  if keras_helpers.IS_KERAS_3:
    tensor = keras.ops.convert_to_numpy(tensor)
  return np.asarray(tensor).astype("float64")


def tensor_and_variable(values, dtype):
  if keras_helpers.IS_KERAS_3:
    variable = keras.Variable(values, dtype=dtype)
    return keras.ops.convert_to_tensor(values, dtype), variable
  variable = keras.backend.variable(values, dtype)
  return keras.backend.constant(values, dtype), variable


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_a_call_clips_both_signs(dtype):
  bound = indy.RecurrentBound(1, gamma=1.5)
  given = [[-9, -1.5, -1, 0, 1, 1.5, 9]]
  tensor, variable = tensor_and_variable(given, dtype)
  for u in tensor, variable:
    got = bound(u)
    assert got.dtype == tensor.dtype
    want = [[-1.5, -1.5, -1, 0, 1, 1.5, 1.5]]
    np.testing.assert_array_equal(as_float64(got), want)
    np.testing.assert_array_equal(as_float64(u), given)


# What cells and layers make of their recurrent_constraint.


@every_kind
@pytest.mark.parametrize("of", ["cell", "layer"])
@every_bound
def test_cells_have_that_of_keras(kind, of, make_bound):
  given = make_bound(TIME, GAMMA)
  one = getattr(kind, of)(UNITS, recurrent_constraint=given)
  assert_is_bound(one.recurrent_constraint)
  if make_bound is indy.RecurrentBound:
    assert one.recurrent_constraint is given
  again = type(one).from_config(json.loads(json.dumps(one.get_config())))
  assert_is_bound(again.recurrent_constraint)


def test_other_constraints_stay():
  class Other(tf_contrib_rnn.RecurrentBound):
    def __call__(self, u):
      return u

  for given in Other(TIME), lambda u: u:
    assert indy.IndRNN(2, recurrent_constraint=given).recurrent_constraint is (
      given
    )
  assert indy.IndRNN(2).recurrent_constraint is None


# Training and files.


def with_recurrent_kernels(model, value):
  """Gives all recurrent kernels a value, of both signs."""
  weights = model.get_weights()
  for index, weight in enumerate(weights):
    if is_recurrent(weight):
      values = value * (-1.0) ** np.arange(weight.size)
      weights[index] = values.astype(weight.dtype)[np.newaxis]
  model.set_weights(weights)


def is_recurrent(weight):
  return weight.ndim == 2 and len(weight) == 1  # [1, gates * units]


def recurrent_kernels(model):
  weights = filter(is_recurrent, model.get_weights())
  return [weight.astype("float64") for weight in weights]


def train(model):
  x = np.ones([BATCH, TIME, FEATURES], "float32")
  model.train_on_batch(x, np.zeros(model(x).shape, "float32"))


def a_model(bound, kind=KINDS["IndRNN"], of="layer", eager=True, **options):
  options = {"recurrent_constraint": bound, **options}
  if of == "cell":
    layer = keras.layers.RNN(kind.cell(UNITS, **options))
  else:
    layer = kind.layer(UNITS, **options)
  if of == "bidirectional":
    layer = keras.layers.Bidirectional(layer)
  inputs = keras.layers.Input((TIME, FEATURES))
  return compiled(keras.Model(inputs, layer(inputs)), eager)


def compiled(model, eager=True):
  """Eager, because each graph would take a second to make."""
  model.compile(keras.optimizers.SGD(1e-6), "mse", run_eagerly=eager)
  return model


def assert_training_bounds(model, limit=LIMIT):
  for value in 9, 99:  # the second update as well as the first
    with_recurrent_kernels(model, value)
    train(model)
    for u in recurrent_kernels(model):
      np.testing.assert_array_equal(np.abs(u), limit)
      assert u.min() < 0 < u.max()


@every_kind
@pytest.mark.parametrize("of", ["cell", "layer"])
def test_training_keeps_the_bound(kind, of):
  bound = indy.RecurrentBound(TIME, GAMMA)
  assert_training_bounds(a_model(bound, kind, of))


def test_training_goes_past_it_without_the_bound():
  model = a_model(None)
  with_recurrent_kernels(model, 9)
  train(model)
  assert all(np.all(np.abs(u) > 8) for u in recurrent_kernels(model))


def test_training_in_a_graph_keeps_the_bound():
  bound = indy.RecurrentBound(TIME, GAMMA)
  assert_training_bounds(a_model(bound, eager=False))


@pytest.mark.parametrize(
  "policy", ["float16", "bfloat16", "float64", "mixed_bfloat16"]
)
def test_training_keeps_the_bound_with_a_policy(policy):
  model = a_model(indy.RecurrentBound(TIME, GAMMA), dtype=policy)
  dtype = "float32" if "mixed" in policy else policy
  rounded, _ = tensor_and_variable([GAMMA ** (1 / TIME)], dtype)
  assert_training_bounds(model, as_float64(rounded)[0])


FILES = [
  ("model.keras", "cell"),
  ("model.keras", "layer"),
  ("model.keras", "bidirectional"),
  ("model.h5", "layer"),
  ("model.h5", "bidirectional"),
]
if not keras_helpers.IS_KERAS_3:
  FILES.append(("model", "bidirectional"))


@every_bound
@pytest.mark.parametrize("name, of", FILES)
def test_files(make_bound, name, of, tmp_path):
  model = a_model(make_bound(TIME, GAMMA), of=of)
  model.save(tmp_path / name)
  # The older format has no registered names of layers inside of wrappers.
  is_hidden = (name, of) == ("model.h5", "bidirectional")
  known = {"IndRNN": indy.IndRNN} if is_hidden else {}
  with keras.utils.custom_object_scope(known):
    again = keras.models.load_model(tmp_path / name, compile=False)
  assert_is_bound_in(again)
  assert_training_bounds(compiled(again))


def assert_is_bound_in(model):
  layer = model.layers[-1]
  if isinstance(layer, keras.layers.Bidirectional):
    assert_is_bound(layer.forward_layer.recurrent_constraint)
    assert_is_bound(layer.backward_layer.recurrent_constraint)
  else:
    assert_is_bound(layer.cell.recurrent_constraint)


@every_bound
def test_clones_and_json(make_bound):
  model = a_model(make_bound(TIME, GAMMA), of="bidirectional")
  for again in (
    keras.models.clone_model(model),
    keras.models.model_from_json(model.to_json()),
  ):
    assert_is_bound_in(again)
    assert_training_bounds(compiled(again))


# The other Keras and another backend.

only_from_keras_3 = pytest.mark.skipif(
  not keras_helpers.IS_KERAS_3 or not keras_helpers.RUNS_TENSORFLOW,
  reason="starts from Keras 3 on TensorFlow",
)


def skip_without(package):
  if importlib.util.find_spec(package) is None:
    pytest.skip(f"{package} is not installed")


@only_from_keras_3
def test_a_file_is_read_on_jax_without_tensorflow(tmp_path):
  skip_without("jax")
  path = tmp_path / "model.keras"
  a_model(tf_contrib_rnn.RecurrentBound(TIME, GAMMA)).save(path)
  printed = helpers.run_fresh_script(
    """
    import sys
    sys.modules["tensorflow"] = None  # an import of it fails
    import keras, numpy as np
    import tf_contrib_rnn.keras
    model = keras.models.load_model(sys.argv[1])
    x = np.ones([2, *model.input_shape[1:]], "float32")
    for value in 9, 99:
      model.set_weights([np.full_like(w, value) for w in model.get_weights()])
      model.train_on_batch(x, model(x))
      print(model.get_weights()[1].tolist())
    print(model.layers[-1].recurrent_constraint)
    """,
    path,
    KERAS_BACKEND="jax",
  )
  *kernels, bound = printed.splitlines()
  assert bound == f"RecurrentBound(time={TIME}, gamma={GAMMA})"
  assert len(kernels) == 2
  for kernel in kernels:
    kernel = np.array(json.loads(kernel), "float32")
    np.testing.assert_array_equal(kernel, np.full([1, UNITS], LIMIT))


@only_from_keras_3
def test_tf_keras():
  skip_without("tf_keras")
  root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
  command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
  done = subprocess.run(
    [*command, __file__, "-W", "ignore"],
    cwd=root,
    env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
    text=True,
    capture_output=True,
    check=False,
  )
  assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
