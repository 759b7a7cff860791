"""The independent cells inside wrappers: TensorFlow's own and tf_keras's legacy
ones."""

import json

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS

import tf_contrib_rnn

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS)
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)

BATCH, TIME, UNITS = 4, 6, 5


@pytest.fixture(autouse=True)
def graph():
  with tf.Graph().as_default() as graph:
    v1.set_random_seed(1)
    yield graph


def make_inputs(seed=0, shape=(BATCH, TIME, UNITS)):
  return helpers.random(np.random.RandomState(seed), shape)


def dynamic(cell, x, **kwargs):
  return v1.nn.dynamic_rnn(cell, tf.constant(x), dtype=x.dtype, **kwargs)


def make_layers(kind, count):
  cells = [KINDS[kind].make(UNITS) for _ in range(count)]
  weights = [KINDS[kind].weights(UNITS, UNITS, seed) for seed in range(count)]
  return cells, weights


def zeros(kind):
  return [np.zeros([BATCH, UNITS])] * KINDS[kind].states


def reference(kind, weights, x):
  """Layers above each other: the outputs and every layer's state."""
  states = []
  for one in weights:
    x, state = helpers.numpy_sequence(kind, one, x, zeros(kind))
    states.append(state)
  return x, states


def residual_reference(kind, weights, x):
  """As a ResidualWrapper around each step."""
  state, outputs = zeros(kind), []
  for t in range(TIME):
    state = helpers.numpy_step(kind, weights, x[:, t], state)
    outputs.append(state[-1] + x[:, t])
  return np.stack(outputs, 1), state


# MultiRNNCell.


@every_kind
@with_implementations
def test_multi_rnn_cell_runs_layers_above_each_other(kind, implementation):
  cells, weights = make_layers(kind, 3)
  x = make_inputs()
  with tf_contrib_rnn.implementation(implementation):
    results = dynamic(tf_contrib_rnn.MultiRNNCell(cells), x)
  got = helpers.evaluate(results, cells, weights)
  helpers.assert_close(got, reference(kind, weights, x), 5e-6)


def test_multi_rnn_cell_of_the_three_kinds():
  cells = [kind.make(UNITS) for kind in KINDS.values()]
  weights = [kind.weights(UNITS, UNITS) for kind in KINDS.values()]
  x = make_inputs()
  got, _ = helpers.evaluate(
    dynamic(tf_contrib_rnn.MultiRNNCell(cells), x), cells, weights
  )
  for kind, one in zip(KINDS, weights):
    x, _ = helpers.numpy_sequence(kind, one, x, zeros(kind))
  helpers.assert_close(got, x, 5e-6)


@every_kind
def test_multi_rnn_cell_of_one_cell_twice_applies_it_twice(kind):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs()
  results = dynamic(tf_contrib_rnn.MultiRNNCell([cell] * 2), x)
  got = helpers.evaluate(results, [cell], [weights])
  helpers.assert_close(got, reference(kind, [weights] * 2, x), 5e-6)


@every_kind
def test_multi_rnn_cell_has_the_cells_states(kind):
  cells, _ = make_layers(kind, 2)
  multi = tf_contrib_rnn.MultiRNNCell(cells)
  size = KINDS[kind].state([UNITS] * KINDS[kind].states)
  assert multi.state_size == (size, size)
  assert multi.output_size == UNITS
  state = multi.zero_state(BATCH, tf.float32)
  tf.nest.assert_same_structure(state, (size, size))


# DropoutWrapper.


@every_kind
@pytest.mark.parametrize("variational", [False, True])
def test_dropout_that_keeps_all_changes_no_bit(kind, variational):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs()
  wrapped = tf_contrib_rnn.DropoutWrapper(
    cell,
    1.0,
    1.0,
    1.0,
    variational_recurrent=variational,
    input_size=UNITS,
    dtype=tf.float32,
  )
  results = [dynamic(wrapped, x), dynamic(cell, x)]
  got, expected = helpers.evaluate(results, [cell], [weights])
  for a, b in zip(tf.nest.flatten(got), tf.nest.flatten(expected)):
    np.testing.assert_array_equal(a, b)
    assert a.any()


@every_kind
@with_implementations
def test_output_dropout_zeroes_and_scales_the_outputs(kind, implementation):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs()
  wrapped = tf_contrib_rnn.DropoutWrapper(cell, output_keep_prob=0.5)
  with tf_contrib_rnn.implementation(implementation):
    results = dynamic(wrapped, x)
  outputs, state = helpers.evaluate(results, [cell], [weights])
  expected, expected_state = reference(kind, [weights], x)
  kept = outputs != 0
  assert 0.3 < kept.mean() < 0.7
  helpers.assert_close(outputs[kept], 2 * expected[kept], 5e-6)
  helpers.assert_close(state, expected_state, 5e-6)


@every_kind
def test_variational_output_dropout_is_the_same_at_every_step(kind):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs()
  wrapped = tf_contrib_rnn.DropoutWrapper(
    cell, output_keep_prob=0.5, variational_recurrent=True, dtype=tf.float32
  )
  outputs, _ = helpers.evaluate(dynamic(wrapped, x), [cell], [weights])
  kept = outputs != 0
  assert 0.1 < kept[:, 0].mean() < 0.9
  np.testing.assert_array_equal(kept, np.repeat(kept[:, :1], TIME, 1))
  expected, _ = reference(kind, [weights], x)
  helpers.assert_close(outputs[kept], 2 * expected[kept], 5e-6)


@every_kind
@pytest.mark.parametrize("variational", [False, True])
def test_dropout_everywhere_is_finite_and_changes_results(kind, variational):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs()
  wrapped = tf_contrib_rnn.DropoutWrapper(
    cell,
    0.5,
    0.5,
    0.5,
    variational_recurrent=variational,
    input_size=UNITS,
    dtype=tf.float32,
  )
  outputs, state = dynamic(wrapped, x)
  gradients = v1.gradients(outputs, list(cell.variables))
  results = [outputs, state, gradients]
  got = helpers.evaluate(results, [cell], [weights])
  assert got[0].shape == (BATCH, TIME, UNITS)
  assert all(np.isfinite(r).all() for r in tf.nest.flatten(got))
  assert 0 < (got[0] == 0).mean() < 1
  expected, _ = reference(kind, [weights], x)
  assert np.abs(got[0] - expected).max() > 0.1


def test_dropout_spares_the_lstms_memory():
  (cell,), (weights,) = make_layers("IndyLSTM", 1)
  x = make_inputs(shape=[BATCH, UNITS])
  wrapped = tf_contrib_rnn.DropoutWrapper(cell, state_keep_prob=0.5)
  results = wrapped(tf.constant(x), wrapped.zero_state(BATCH, tf.float32))
  _, (c, h) = helpers.evaluate(results, [cell], [weights])
  expected_c, _ = helpers.numpy_step("IndyLSTM", weights, x, zeros("IndyLSTM"))
  helpers.assert_close(c, expected_c, 5e-6)
  assert 0 < (h == 0).mean() < 1


# ResidualWrapper.


@every_kind
@with_implementations
def test_residual_wrapper_adds_the_inputs(kind, implementation):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs()
  with tf_contrib_rnn.implementation(implementation):
    results = dynamic(tf_contrib_rnn.ResidualWrapper(cell), x)
  got = helpers.evaluate(results, [cell], [weights])
  helpers.assert_close(got, residual_reference(kind, weights, x), 5e-6)


@every_kind
def test_residual_wrapper_takes_a_residual_fn(kind):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs(shape=[BATCH, UNITS])
  wrapped = tf_contrib_rnn.ResidualWrapper(cell, lambda i, o: 3 * i - o)
  results = wrapped(tf.constant(x), wrapped.zero_state(BATCH, tf.float32))
  output, _ = helpers.evaluate(results, [cell], [weights])
  expected = helpers.numpy_step(kind, weights, x, zeros(kind))[-1]
  helpers.assert_close(output, 3 * x - expected, 5e-6)


@every_kind
def test_residual_wrapper_around_another_depth_is_a_value_error(kind):
  wrapped = tf_contrib_rnn.ResidualWrapper(KINDS[kind].make(UNITS))
  with pytest.raises(ValueError):
    wrapped(tf.ones([BATCH, 3]), wrapped.zero_state(BATCH, tf.float32))


# DeviceWrapper.


@every_kind
@with_implementations
@pytest.mark.parametrize("device", ["/cpu:0", "/gpu:0", "/device:GPU:0"])
def test_device_wrapper_runs_wherever_it_can(kind, implementation, device):
  (cell,), (weights,) = make_layers(kind, 1)
  x = make_inputs()
  with tf_contrib_rnn.implementation(implementation):
    results = dynamic(tf_contrib_rnn.DeviceWrapper(cell, device), x)
  gradients = v1.gradients(results[0], list(cell.variables))
  config = v1.ConfigProto(allow_soft_placement=True)
  with v1.Session(config=config) as session:
    session.run([v1.assign(v, w) for v, w in zip(cell.variables, weights)])
    got, gradients = session.run([results, gradients])
  helpers.assert_close(got, reference(kind, [weights], x), 5e-6)
  assert all(g.any() for g in gradients)


@every_kind
@with_implementations
@pytest.mark.parametrize("device", ["CPU:0", "GPU:0"])
def test_device_wrapper_asks_for_the_device(kind, implementation, device):
  wrapped = tf_contrib_rnn.DeviceWrapper(KINDS[kind].make(UNITS), "/" + device)
  with tf_contrib_rnn.implementation(implementation):
    output, _ = wrapped(
      tf.ones([BATCH, UNITS]), wrapped.zero_state(BATCH, tf.float32)
    )
  assert output.device.upper().endswith(device)


# Wrappers around each other, as programs have them.


@every_kind
def test_three_layers_with_residual_dropout_and_device(kind):
  cells, weights = make_layers(kind, 3)
  wrapped = [
    tf_contrib_rnn.DeviceWrapper(
      tf_contrib_rnn.ResidualWrapper(tf_contrib_rnn.DropoutWrapper(cell)),
      "/cpu:0",
    )
    for cell in cells
  ]
  x = make_inputs()
  results = dynamic(tf_contrib_rnn.MultiRNNCell(wrapped), x)
  got = helpers.evaluate(results, cells, weights)
  states = []
  for one in weights:
    x, state = residual_reference(kind, one, x)
    states.append(state)
  helpers.assert_close(got, (x, states), 5e-6)


@every_kind
@pytest.mark.parametrize(
  "wrap",
  [
    tf_contrib_rnn.DropoutWrapper,
    tf_contrib_rnn.ResidualWrapper,
    lambda cell: tf_contrib_rnn.DeviceWrapper(cell, "/cpu:0"),
  ],
  ids=["dropout", "residual", "device"],
)
def test_wrappers_have_the_cells_sizes_and_zero_state(kind, wrap):
  cell = KINDS[kind].make(UNITS)
  wrapped = wrap(cell)
  assert wrapped.state_size == cell.state_size
  assert wrapped.output_size == cell.output_size
  state = wrapped.zero_state(BATCH, tf.float32)
  tf.nest.assert_same_structure(state, cell.state_size)
  assert all(s.shape == [BATCH, UNITS] for s in tf.nest.flatten(state))


# tf_keras's wrappers, against TensorFlow's own.

KERAS_SCRIPT = """
import json
import numpy as np
import tensorflow as tf
import helpers
import tf_contrib_rnn
v1 = tf.compat.v1
keras = v1.nn.rnn_cell
assert keras.MultiRNNCell is not tf_contrib_rnn.MultiRNNCell

WRAPPERS = {
    "multi": lambda m, make: m.MultiRNNCell([make(), make()]),
    "variational": lambda m, make: m.DropoutWrapper(
        make(), 1.0, 1.0, 1.0, variational_recurrent=True, input_size=5,
        dtype=tf.float32),
    "half": lambda m, make: m.DropoutWrapper(make(), output_keep_prob=0.5),
    "residual": lambda m, make: m.ResidualWrapper(make()),
    "gpu": lambda m, make: m.DeviceWrapper(make(), "/gpu:0"),
    "all": lambda m, make: m.MultiRNNCell([
        m.DeviceWrapper(m.ResidualWrapper(m.DropoutWrapper(make())), "/cpu:0")
        for _ in range(2)]),
}

def assigned(variables):
  rng = np.random.RandomState(7)
  return [v1.assign(v, helpers.random(rng, v.shape)) for v in variables]

def run(module, wrap, kind):
  with tf.Graph().as_default():
    v1.set_random_seed(3)
    cell = wrap(module, lambda: kind.make(5))
    x = tf.constant(helpers.random(np.random.RandomState(2), [4, 6, 5]))
    results = v1.nn.dynamic_rnn(
        cell, x, sequence_length=[6, 0, 9, 3], dtype=tf.float32)
    variables = v1.trainable_variables()
    gradients = v1.gradients(results[0], variables + [x])
    config = v1.ConfigProto(allow_soft_placement=True)
    with v1.Session(config=config) as session:
      session.run(assigned(variables))
      values = session.run([results, gradients])
  return [v.name for v in variables], tf.nest.flatten(values)

results = {}
for name, kind in helpers.KINDS.items():
  for wrapper, wrap in WRAPPERS.items():
    theirs, ours = run(keras, wrap, kind), run(tf_contrib_rnn, wrap, kind)
    results[name + " " + wrapper] = {
        "names": [theirs[0], ours[0]],
        "shapes": [[list(a.shape) for a in r[1]] for r in (theirs, ours)],
        "zeros": float(np.mean(theirs[1][0] == 0)),
        "finite": all(bool(np.isfinite(a).all()) for a in theirs[1]),
        "error": max(float(np.max(np.abs(a - b), initial=0))
                     for a, b in zip(theirs[1], ours[1]))}
print(json.dumps(results))
"""


@pytest.fixture(scope="module", name="keras_results")
def fixture_keras_results():
  version = tuple(map(int, tf.__version__.split(".")[:2]))
  legacy = {"TF_USE_LEGACY_KERAS": "1"} if version >= (2, 16) else {}
  out = helpers.run_fresh_script(KERAS_SCRIPT, **legacy)
  return json.loads(out.splitlines()[-1])


KERAS_WRAPPERS = ["multi", "variational", "half", "residual", "gpu", "all"]


@every_kind
@pytest.mark.parametrize("wrapper", KERAS_WRAPPERS)
def test_keras_wrappers_make_the_same_variables(kind, wrapper, keras_results):
  theirs, ours = keras_results[f"{kind} {wrapper}"]["names"]
  assert theirs == ours
  assert len(theirs) >= len(KINDS[kind].variables)
  assert all(KINDS[kind].prefix + "/" in name for name in theirs)


@every_kind
@pytest.mark.parametrize("wrapper", [w for w in KERAS_WRAPPERS if w != "half"])
def test_keras_wrappers_give_the_same_numbers(kind, wrapper, keras_results):
  result = keras_results[f"{kind} {wrapper}"]
  assert result["shapes"][0] == result["shapes"][1]
  assert result["finite"]
  assert result["error"] < 2e-5


@every_kind
def test_keras_dropout_zeroes_some_outputs(kind, keras_results):
  result = keras_results[f"{kind} half"]
  padding = (6 + 3) / 24
  assert padding + 0.2 < result["zeros"] < 1 - 0.1
  assert result["finite"]
  assert result["shapes"][0] == result["shapes"][1]
