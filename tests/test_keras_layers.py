"""What Keras's own recurrent layers can do, the Indy layers can do as well."""

import threading

import keras_helpers
import numpy as np
import pytest
from keras_helpers import assert_close
from keras_helpers import keras
from keras_helpers import KINDS
from keras_helpers import MASKS
from keras_helpers import tensor

import tf_contrib_rnn.keras as indy
from tf_contrib_rnn.keras._family import sizes

BATCH, TIME = keras_helpers.BATCH, keras_helpers.TIME
FEATURES, UNITS = keras_helpers.FEATURES, keras_helpers.UNITS
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def stateful_input():
  """A Keras input of a known batch size, under either Keras."""
  shape = (BATCH, TIME, FEATURES)
  return keras.layers.Input(batch_shape=shape)


def predict(model, x):
  return model.predict(x, verbose=0)


@every_kind
def test_shapes_and_symbolic_calls(kind):
  x = keras.layers.Input((None, FEATURES))
  layer = kind.layer(UNITS, return_sequences=True, return_state=True)
  outputs, *states = layer(x)
  assert sizes(outputs) == (None, None, UNITS)
  assert [*map(sizes, states)] == [(None, UNITS)] * kind.states
  assert sizes(kind.layer(UNITS)(x)) == (None, UNITS)


@every_kind
def test_any_batch_and_time(kind):
  ours, theirs = kind.pair(return_sequences=True)
  x = keras.layers.Input((None, FEATURES))
  models = [keras.Model(x, layer(x)) for layer in (ours, theirs)]
  rng = np.random.RandomState(0)
  for batch, time in ((1, 3), (5, 2), (2, 1)):
    one = keras_helpers.draw(rng, [batch, time, FEATURES])
    assert_close(*(tensor(predict(model, one)) for model in models))


@every_kind
def test_initial_state_of_keras_tensors(kind):
  pair = kind.pair()
  x = keras.layers.Input((TIME, FEATURES))
  states = [keras.layers.Input((UNITS,)) for _ in range(kind.states)]
  results = []
  for layer in pair:
    model = keras.Model([x, *states], layer(x, initial_state=states))
    results.append(
      predict(model, [keras_helpers.inputs(), *kind.initial_states()])
    )
  np.testing.assert_allclose(*results, rtol=0, atol=2e-6)


@every_kind
def test_state_goes_on_where_it_stopped(kind):
  layer, _ = kind.pair(return_sequences=True, return_state=True)
  x = keras_helpers.inputs()
  whole, *states = layer(tensor(x))
  first, *between = layer(tensor(x[:, :2]))
  second, *end = layer(tensor(x[:, 2:]), initial_state=between)
  parts = np.concatenate([*keras_helpers.arrays([first, second])], 1)
  assert_close(whole, tensor(parts))
  assert_close(states, end)


def reset(layer):
  (layer.reset_state if keras_helpers.IS_KERAS_3 else layer.reset_states)()


@every_kind
@pytest.mark.parametrize("mask", ["none", "right", "holes"])
def test_stateful(kind, mask):
  models = []
  for layer in kind.pair(stateful=True, return_sequences=True):
    x = stateful_input()
    models.append((layer, keras.Model(x, layer(x, mask=None))))
  x, mask = tensor(keras_helpers.inputs()), tensor(MASKS[mask])
  runs = []
  for layer, _ in models:
    runs.append([layer(x, mask=mask) for _ in range(2)])
    reset(layer)
    runs[-1].append(layer(x, mask=mask))
  assert_close(*runs)
  first, second, again = keras_helpers.arrays(runs[0])
  np.testing.assert_array_equal(first, again)
  assert np.abs(first - second).max() > 1e-3


@every_kind
def test_stateful_predict(kind):
  results = []
  for layer in kind.pair(stateful=True):
    x = stateful_input()
    model = keras.Model(x, layer(x))
    batch = keras_helpers.inputs()
    results.append(
      [model.predict(batch, batch_size=BATCH, verbose=0) for _ in range(2)]
    )
  np.testing.assert_allclose(*results, rtol=0, atol=2e-6)
  if keras_helpers.BACKEND != "jax":  # whose predict keeps no states
    assert np.abs(results[0][0] - results[0][1]).max() > 1e-3


def test_stateful_needs_a_batch_size():
  with pytest.raises(ValueError, match="batch size"):
    indy.IndyGRU(3, stateful=True)(keras.layers.Input((None, 2)))


@every_kind
@pytest.mark.parametrize("wrapped", [False, True])
def test_masks_of_embedding_and_masking(kind, wrapped):
  ids = np.array([[1, 2, 3, 0], [4, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0]])
  rng = np.random.RandomState(0)
  table = keras_helpers.draw(rng, [5, FEATURES])
  results = []
  for layer in kind.pair(return_sequences=not wrapped):
    embedding = keras.layers.Embedding(5, FEATURES, mask_zero=True)
    x = keras.layers.Input((None,), dtype="int32")
    model = keras.Model(x, layer(embedding(x)))
    embedding.set_weights([table])
    results.append(predict(model, ids))
  np.testing.assert_allclose(*results, rtol=0, atol=2e-6)
  zeros = keras_helpers.inputs()
  zeros[:2, 3:] = 0
  x = keras.layers.Input((None, FEATURES))
  masked = keras.layers.Masking()(x)
  results = [
    predict(keras.Model(x, layer(masked)), zeros)
    for layer in kind.pair(return_sequences=not wrapped)
  ]
  np.testing.assert_allclose(*results, rtol=0, atol=2e-6)


@every_kind
def test_mask_goes_on_to_the_next_layer(kind):
  zeros = keras_helpers.inputs()
  zeros[:2, 3:] = 0
  x = keras.layers.Input((None, FEATURES))
  following = keras.layers.GRU(3)
  results = [
    predict(keras.Model(x, following(layer(keras.layers.Masking()(x)))), zeros)
    for layer in kind.pair(return_sequences=True)
  ]
  np.testing.assert_allclose(*results, rtol=0, atol=2e-6)


@every_kind
@pytest.mark.parametrize("merge_mode", ["concat", "sum", None])
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("mask", ["none", "right", "holes"])
def test_bidirectional(kind, merge_mode, sequences, mask):
  x, mask = tensor(keras_helpers.inputs()), tensor(MASKS[mask])
  results = []
  weights = None
  for layer in kind.pair(return_sequences=sequences):
    both = keras.layers.Bidirectional(layer, merge_mode=merge_mode)
    both.build((BATCH, TIME, FEATURES))
    if weights is None:
      rng = np.random.RandomState(3)
      weights = [keras_helpers.draw(rng, w.shape) for w in both.get_weights()]
    else:
      half = len(weights) // 2
      for index in (1, 1 + half):
        weights[index] = keras_helpers.diagonal(weights[index])
    both.set_weights(weights)
    results.append(both(x, mask=mask))
  assert_close(*results)


@every_kind
@pytest.mark.parametrize("mask", ["none", "right", "holes"])
def test_cell_in_keras_rnn(kind, mask):
  layer, _ = kind.pair(return_sequences=True, return_state=True)
  rnn = keras.layers.RNN(layer.cell, return_sequences=True, return_state=True)
  x, mask = tensor(keras_helpers.inputs()), tensor(MASKS[mask])
  assert_close(rnn(x, mask=mask), layer(x, mask=mask))


def test_stacked_cells():
  ours = [indy.IndyGRUCell(6), indy.IndyLSTMCell(5), indy.IndRNNCell(4)]
  rnn = keras.layers.RNN(ours, return_sequences=True)
  x = tensor(keras_helpers.inputs())
  stacked = rnn(x)
  layers = [
    indy.IndyGRU(6, return_sequences=True),
    indy.IndyLSTM(5, return_sequences=True),
    indy.IndRNN(4, return_sequences=True),
  ]
  y = x
  for layer, cell in zip(layers, ours):
    layer.build(tuple(y.shape))
    layer.set_weights(cell.get_weights())
    y = layer(y)
  assert_close(stacked, y)


def test_stacked_cells_with_dropout_are_trained():
  cells = [
    indy.IndyGRUCell(6, dropout=0.2, recurrent_dropout=0.2),
    indy.IndyLSTMCell(5, dropout=0.2, recurrent_dropout=0.2),
  ]
  x = keras.layers.Input((TIME, FEATURES))
  model = keras.Model(x, keras.layers.RNN(cells)(x))
  model.compile("adam", "mse")
  targets = np.zeros([BATCH, 5], "float32")
  losses = model.fit(keras_helpers.inputs(), targets, epochs=2, verbose=0)
  assert np.all(np.isfinite(losses.history["loss"]))


@every_kind
def test_time_distributed(kind):
  layer, _ = kind.pair()
  x = np.stack([keras_helpers.inputs()] * 2, 1)
  got = keras.layers.TimeDistributed(layer)(tensor(x))
  one = keras_helpers.arrays(layer(tensor(x[:, 0])))[0]
  assert_close(got, tensor(np.stack([one, one], 1)))


@every_kind
@pytest.mark.parametrize("rates", [(0.5, 0.0), (0.0, 0.5), (0.3, 0.3)])
def test_dropout(kind, rates):
  """Dropped while training alone, anew in each call, the same at each step."""
  dropout, recurrent = rates
  options = {"dropout": dropout, "recurrent_dropout": recurrent}
  layer, _ = kind.pair(return_sequences=True, **options)
  plain, _ = kind.pair(return_sequences=True)
  x = tensor(keras_helpers.inputs())
  assert_close(layer(x), plain(x))
  one, two = keras_helpers.arrays([layer(x, training=True) for _ in range(2)])
  assert np.abs(one - two).max() > 1e-2
  assert np.abs(one - keras_helpers.arrays(plain(x))[0]).max() > 1e-2


def test_dropped_inputs_are_the_same_at_each_step():
  layer = indy.IndRNN(
    FEATURES,
    activation="linear",
    kernel_initializer="identity",
    recurrent_initializer="zeros",
    dropout=0.5,
    return_sequences=True,
  )
  x = tensor(np.ones([BATCH, TIME, FEATURES], "float32"))
  (outputs,) = keras_helpers.arrays(layer(x, training=True))
  assert set(np.unique(outputs)) == {0.0, 2.0}
  assert np.all(outputs == outputs[:, :1])


def test_dropped_state_is_the_same_at_each_step():
  layer = indy.IndRNN(
    FEATURES,
    activation="linear",
    kernel_initializer="identity",
    recurrent_initializer="ones",
    recurrent_dropout=0.5,
    return_sequences=True,
  )
  x = tensor(np.ones([BATCH, TIME, FEATURES], "float32"))
  (outputs,) = keras_helpers.arrays(layer(x, training=True))
  kept = 2.0 ** np.arange(1, TIME + 1) - 1  # each step doubles and adds one
  for unit in np.moveaxis(outputs, 1, -1).reshape(-1, TIME):
    assert np.allclose(unit, 1) or np.allclose(unit, kept)


@pytest.mark.skipif(
  not keras_helpers.IS_KERAS_3, reason="Keras 2 drops less than all"
)
@every_kind
def test_all_inputs_dropped_are_zeros(kind):
  layer, _ = kind.pair(return_sequences=True)
  dropping, _ = kind.pair(return_sequences=True, dropout=1.0)
  x = keras_helpers.inputs()
  got = dropping(tensor(x), training=True)
  assert_close(got, layer(tensor(np.zeros_like(x))))


@every_kind
def test_seed(kind):
  x = tensor(keras_helpers.inputs())
  results = []
  for _ in range(2):
    keras.utils.set_random_seed(3)
    layer = kind.layer(UNITS, dropout=0.5, recurrent_dropout=0.5, seed=7)
    results.append(layer(x, training=True))
  assert_close(*results)


@every_kind
@pytest.mark.parametrize("implementation", [1, 2])
def test_masks_by_both_kerases_names(kind, implementation):
  options = {} if kind.gates == 1 else {"implementation": implementation}
  cell = kind.cell(UNITS, dropout=0.5, recurrent_dropout=0.5, **options)
  x = tensor(np.ones([BATCH, FEATURES], "float32"))
  h = tensor(np.ones([BATCH, UNITS], "float32"))
  for one, names in (
    (x, ("get_dropout_mask_for_cell", "get_dropout_mask")),
    (h, ("get_recurrent_dropout_mask_for_cell", "get_recurrent_dropout_mask")),
  ):
    of_keras_2, of_keras_3 = (getattr(cell, name) for name in names)
    masks = keras_helpers.arrays(of_keras_2(one, True, count=kind.gates))
    assert len(masks) == kind.gates
    assert all(mask.shape == tuple(one.shape) for mask in masks)
    assert set(np.unique(masks)) == {0.0, 2.0}
    np.testing.assert_array_equal(
      keras_helpers.arrays(of_keras_3(one))[0], masks[0]
    )
  cell.reset_dropout_mask()
  cell.reset_recurrent_dropout_mask()
  again = keras_helpers.arrays(cell.get_recurrent_dropout_mask(h))[0]
  assert np.any(again != masks[0])


def test_no_masks_without_dropout():
  cell = indy.IndyGRUCell(3)
  x = tensor(np.ones([2, 3], "float32"))
  assert cell.get_dropout_mask_for_cell(x, True, count=3) is None
  assert cell.get_recurrent_dropout_mask_for_cell(x, True) is None
  assert cell.get_dropout_mask(x) is None
  assert cell.get_recurrent_dropout_mask(x) is None


@every_kind
def test_initial_state_of_cell(kind):
  cell = kind.cell(UNITS)
  for keywords in (
    {"batch_size": 3},
    {"batch_size": 3, "dtype": "float32"},
    {"inputs": tensor(np.ones([3, 2], "float32"))},
  ):
    states = keras_helpers.arrays(cell.get_initial_state(**keywords))
    assert len(states) == kind.states
    for state in states:
      np.testing.assert_array_equal(state, np.zeros([3, UNITS], "float32"))


@every_kind
def test_fit_with_callbacks(kind, tmp_path):
  x = np.random.RandomState(0).rand(64, TIME, FEATURES).astype("float32")
  y = x[:, :, :1].mean(1)
  model = keras.Sequential(
    [kind.layer(8, dropout=0.1, **kind.options), keras.layers.Dense(1)]
  )
  model.compile("adam", "mse")
  path = str(tmp_path / "best.weights.h5")
  history = model.fit(
    x,
    y,
    epochs=8,
    verbose=0,
    validation_split=0.25,
    callbacks=[
      keras.callbacks.EarlyStopping(patience=8),
      keras.callbacks.ModelCheckpoint(
        path, save_best_only=True, save_weights_only=True
      ),
      keras.callbacks.ReduceLROnPlateau(),
    ],
  ).history
  assert history["loss"][-1] < history["loss"][0]
  model.load_weights(path)
  best = model.evaluate(x[48:], y[48:], verbose=0)
  np.testing.assert_allclose(best, min(history["val_loss"]), rtol=1e-4)


def test_regularizers_and_constraints():
  layer = indy.IndyLSTM(
    4,
    kernel_regularizer="l2",
    recurrent_regularizer="l2",
    bias_regularizer="l2",
    activity_regularizer="l2",
    kernel_constraint="non_neg",
    recurrent_constraint="non_neg",
    bias_constraint="non_neg",
  )
  layer(tensor(keras_helpers.inputs()))
  assert len(layer.losses) == 4
  for weight in (
    layer.cell.kernel,
    layer.cell.recurrent_kernel,
    layer.cell.bias,
  ):
    assert weight.constraint is not None


def test_recurrent_bound_as_constraint():
  bound = indy.RecurrentBound(time=TIME)
  layer = indy.IndRNN(4, activation="relu", recurrent_constraint=bound)
  model = keras.Sequential([layer])
  model.compile(keras.optimizers.SGD(100.0), "mse")
  y = np.ones([BATCH, 4], "float32")
  model.fit(keras_helpers.inputs(), y, verbose=0)
  u = layer.get_weights()[1]
  assert np.abs(u).max() <= bound.value * (1 + 1e-6)


def test_initial_weights():
  keras.utils.set_random_seed(1)
  gru, lstm = indy.IndyGRUCell(500), indy.IndyLSTMCell(500)
  for cell in (gru, lstm):
    cell.build((None, 3))
    u = cell.get_weights()[1]
    assert -1 <= u.min() < -0.99 and 0.99 < u.max() < 1
    assert abs(u.mean()) < 0.1
  assert not np.any(gru.get_weights()[2])
  np.testing.assert_array_equal(
    lstm.get_weights()[2].reshape(4, 500), np.eye(4)[:, 1:2] * np.ones(500)
  )
  lstm = indy.IndyLSTMCell(5, unit_forget_bias=False)
  lstm.build((None, 3))
  assert not np.any(lstm.get_weights()[2])


def test_two_layers_start_differently():
  layers = [indy.IndyGRU(4), indy.IndyGRU(4)]
  for layer in layers:
    layer.build((None, None, 3))
  assert np.any(layers[0].get_weights()[1] != layers[1].get_weights()[1])


@every_kind
def test_layer_shows_what_the_cell_has(kind):
  layer = kind.layer(UNITS, activation="relu", dropout=0.5, seed=1)
  assert layer.units == UNITS
  assert layer.activation is keras.activations.relu
  assert (layer.dropout, layer.recurrent_dropout, layer.seed) == (0.5, 0.0, 1)


@pytest.mark.parametrize("units", [0, -1, 2.5, "three", None])
@pytest.mark.parametrize("make", [indy.IndyGRU, indy.IndRNNCell])
def test_units_have_to_be_a_count(make, units):
  with pytest.raises(ValueError, match="units is .*, expected a whole number"):
    make(units)


@pytest.mark.skipif(
  not keras_helpers.IS_KERAS_3, reason="Keras 2 has another: see below"
)
@every_kind
def test_keras_3_checks_of_layers(kind):
  """Keras's own test of a layer: configuration, shapes, dtypes, training."""
  testing = pytest.importorskip("keras.src.testing")
  testing.TestCase().run_layer_test(
    kind.layer,
    init_kwargs={
      "units": 3,
      "dropout": 0.5,
      "recurrent_dropout": 0.5,
      **kind.options,
    },
    input_shape=(3, 2, 4),
    call_kwargs={"training": True},
    expected_output_shape=(3, 3),
    expected_num_trainable_weights=3,
    expected_num_non_trainable_weights=0,
    expected_num_seed_generators=1,
    expected_num_non_trainable_variables=1,
    supports_masking=True,
  )


@pytest.mark.skipif(
  keras_helpers.IS_KERAS_3, reason="Keras 3 has another: see above"
)
@every_kind
@pytest.mark.parametrize("sequences", [False, True])
def test_keras_2_checks_of_layers(kind, sequences):
  """Keras's own test of a layer: configuration, shapes, dtypes, training."""
  package = keras.layers.Layer.__module__.split(".")[0]
  utilities = pytest.importorskip(f"{package}.src.testing_infra.test_utils")
  with keras.utils.custom_object_scope({kind.layer.__name__: kind.layer}):
    utilities.layer_test(
      kind.layer,
      kwargs={"units": 3, "return_sequences": sequences, **kind.options},
      input_shape=(3, 2, 4),
    )


def test_unknown_arguments_are_refused():
  with pytest.raises((TypeError, ValueError), match="no_such_argument"):
    indy.IndyGRU(3, no_such_argument=1)


def test_unknown_features_are_refused():
  with pytest.raises(ValueError, match="known last dimension|last dimension"):
    indy.IndyGRU(3)(keras.layers.Input((4, None)))


@pytest.mark.skipif(
  not keras_helpers.RUNS_TENSORFLOW, reason="Keras's loop does not check it"
)
@every_kind
@pytest.mark.parametrize("backwards", [False, True])
def test_masks_of_three_dimensions(kind, backwards):
  """Keras's layers take one for all units, [batch, time, 1]."""
  x = tensor(keras_helpers.inputs())
  layers = kind.pair(return_sequences=True, go_backwards=backwards)
  for name in ("holes", "right"):
    mask = tensor(MASKS[name][..., np.newaxis])
    assert_close(*(layer(x, mask=mask) for layer in layers))


@pytest.mark.skipif(
  keras_helpers.BACKEND == "torch", reason="Keras's loop does not check it"
)
def test_shape_of_mask_is_checked():
  x = tensor(np.ones([2, 3, 5], "float32"))
  with pytest.raises(ValueError, match=r"mask has shape \(2, 4\), expected"):
    indy.IndyGRU(3)(x, mask=tensor(np.ones([2, 4], bool)))


def test_number_of_features_is_checked():
  layer = indy.IndyLSTM(3)
  layer(tensor(np.ones([2, 4, 5], "float32")))
  expected = "expected 5 features"
  if not keras_helpers.IS_KERAS_3:  # which compares them itself
    expected = r"expected shape=\(None, None, 5\)"
  with pytest.raises(ValueError, match=expected):
    layer(tensor(np.ones([2, 4, 6], "float32")))


@pytest.mark.parametrize(
  "shapes,message",
  [
    ([(2, 3)], "length 1, expected 2: h and c"),
    ([(2, 3)] * 3, "length 3, expected 2: h and c"),
    ([(2, 3), (2, 4)], r"c of shape \(2, 4\), expected \(2, 3\)"),
    ([(5, 3), (2, 3)], r"h of shape \(5, 3\), expected \(2, 3\)"),
    ([(3,), (2, 3)], r"h of shape \(3,\), expected \(2, 3\)"),
  ],
)
def test_initial_state_is_checked(shapes, message):
  states = [tensor(np.ones(shape, "float32")) for shape in shapes]
  expected = f"initial_state has {message}"
  if not keras_helpers.IS_KERAS_3:  # which compares all but the batch
    expected += "|not compatible with `cell.state_size`"
  with pytest.raises(ValueError, match=expected):
    indy.IndyLSTM(3)(
      tensor(np.ones([2, 4, 5], "float32")), initial_state=states
    )


@every_kind
@pytest.mark.parametrize("name", ["tanh", "softplus"])  # no op has softplus
def test_one_initial_state_for_all_sequences(kind, name):
  rng = np.random.RandomState(0)
  x = tensor(keras_helpers.draw(rng, [BATCH, TIME, FEATURES]))
  layer = kind.layer(UNITS, activation=name, return_sequences=True)
  arrays = [keras_helpers.draw(rng, [1, UNITS]) for _ in range(kind.states)]
  states = [*map(tensor, arrays)]
  repeated = [tensor(np.repeat(array, BATCH, 0)) for array in arrays]
  each = layer(x, initial_state=repeated)
  assert_close(layer(x, initial_state=states), each)
  if keras_helpers.RUNS_TENSORFLOW:
    import tensorflow as tf

    any_batch = tf.TensorSpec([None, TIME, FEATURES], x.dtype)
    call = tf.function(lambda x: layer(x, initial_state=states))
    assert_close(call.get_concrete_function(any_batch)(x), each)
    any_states = [tf.TensorSpec([None, UNITS], x.dtype)] * kind.states
    call = tf.function(lambda x, *states: layer(x, initial_state=list(states)))
    call = call.get_concrete_function(any_batch, *any_states)
    assert_close(call(x, *states), each)
    assert_close(call(x, *repeated), each)


@every_kind
@pytest.mark.parametrize("name", ["tanh", "softplus"])  # no op has softplus
@pytest.mark.skipif(keras_helpers.IS_KERAS_3, reason="not in Keras 3")
def test_time_major(kind, name):
  import tensorflow as tf

  rng = np.random.RandomState(0)
  x = tensor(keras_helpers.draw(rng, [BATCH, TIME, FEATURES]))
  mask = tf.sequence_mask([TIME, 0, 1, 3], TIME)
  options = {"activation": name, "return_state": True}
  for more in ({}, {"return_sequences": True}, {"go_backwards": True}):
    layer = kind.layer(UNITS, **options, **more)
    want, *states = layer(x, mask=mask)
    other = kind.layer(UNITS, **options, **more, time_major=True)
    other.build((TIME, BATCH, FEATURES))
    other.set_weights(layer.get_weights())
    got, *got_states = other(
      tf.transpose(x, [1, 0, 2]), mask=tf.transpose(mask)
    )
    if more.get("return_sequences"):
      got = tf.transpose(got, [1, 0, 2])
    assert_close([got, *got_states], [want, *states])


def test_two_threads_run_a_layer():
  """One is inside a step while the other runs the whole layer."""
  first_is_inside, other_is_done = threading.Event(), threading.Event()

  def activation(x):
    if threading.current_thread() is first:
      first_is_inside.set()
      other_is_done.wait(60)
    return keras.activations.tanh(x)

  x = tensor(keras_helpers.draw(np.random.RandomState(0), [2, 5, UNITS]))
  layer = indy.IndRNN(UNITS, activation=activation)
  found = []
  first = threading.Thread(target=lambda: found.append(layer(x)))
  want = layer(x)
  first.start()
  assert first_is_inside.wait(60)
  layer(x)
  other_is_done.set()
  first.join()
  assert_close(found[0], want)


def test_a_stateful_layer_is_built_before_weights_are_loaded():
  variables = {
    "rnn/ind_rnn_cell/kernel_w": np.ones([3, 4]),
    "rnn/ind_rnn_cell/kernel_u": np.ones([1, 4]),
    "rnn/ind_rnn_cell/bias": np.zeros([4]),
  }
  layer = indy.IndRNN(4, stateful=True)
  with pytest.raises(ValueError, match="build\\(\\(BATCH, None, 3"):
    layer.load_contrib_variables(variables)
  layer.build((2, None, 3))
  layer.load_contrib_variables(variables)


def test_lengths_are_given_as_a_mask():
  with pytest.raises(
    TypeError, match="sequence_length is not .* expected mask"
  ):
    indy.IndyGRU(3)(
      tensor(np.ones([2, 4, 5], "float32")), sequence_length=[1, 2]
    )


def test_rank_of_inputs_is_checked():
  with pytest.raises(ValueError, match="expected ndim=3"):
    indy.IndyGRU(3)(tensor(np.ones([2, 3], "float32")))


@pytest.mark.skipif(
  keras_helpers.IS_KERAS_3, reason="Keras 3's RNN takes no ragged tensors"
)
@every_kind
def test_ragged_time(kind):
  import tensorflow as tf

  rows = [[1.0, 2, 3], [4.0], [5.0, 6]]
  ragged = tf.ragged.constant([[[x] * FEATURES for x in row] for row in rows])
  ragged = tf.RaggedTensor.from_row_lengths(
    tf.constant(ragged.flat_values.numpy().reshape(-1, FEATURES)),
    ragged.row_lengths(),
  )
  ours, theirs = (layer(ragged) for layer in kind.pair(return_sequences=True))
  np.testing.assert_array_equal(ours.row_lengths(), theirs.row_lengths())
  assert_close(ours.flat_values, theirs.flat_values)
