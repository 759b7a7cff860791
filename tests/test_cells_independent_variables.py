"""The variables of the independent cells: shapes, dtypes, initializers, and
partitioned ones."""

import json

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
with_initializers = pytest.mark.parametrize(
  "kind", [KINDS["IndyGRU"], KINDS["IndyLSTM"]], ids=["IndyGRU", "IndyLSTM"]
)

BATCH, TIME, DEPTH, UNITS = 4, 2, 3, 3


@pytest.fixture(autouse=True)
def graph():
  with tf.Graph().as_default() as graph:
    v1.set_random_seed(1)
    yield graph


def names():
  return [v.name for v in v1.global_variables()]


def initial_values():
  variables = v1.global_variables()
  values = helpers.evaluate(variables)
  return {v.name.split("/", 1)[1][:-2]: x for v, x in zip(variables, values)}


def step(cell, dtype=tf.float32, **kwargs):
  x = tf.ones([BATCH, DEPTH], dtype)
  return cell(x, cell.zero_state(BATCH, dtype), **kwargs)


def dynamic(cell, **kwargs):
  x = tf.ones([BATCH, TIME, DEPTH])
  return v1.nn.dynamic_rnn(cell, x, dtype=tf.float32, **kwargs)


# Variables.


@every_kind
@pytest.mark.parametrize("units", [1, 5])
def test_variables_have_these_names_and_shapes_in_this_order(kind, units):
  step(kind.make(units))
  assert names() == kind.names()
  shapes = [v.shape.as_list() for v in v1.global_variables()]
  assert shapes == kind.shapes(DEPTH, units)


@every_kind
def test_all_variables_are_trainable(kind):
  cell = kind.make(UNITS)
  step(cell)
  assert [v.name for v in v1.trainable_variables()] == kind.names()
  assert [v.name for v in cell.trainable_variables] == kind.names()
  assert [v.name for v in cell.variables] == kind.names()
  assert not cell.non_trainable_variables


@every_kind
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_variables_take_the_dtype_of_the_inputs(kind, dtype):
  step(kind.make(UNITS), tf.as_dtype(dtype))
  assert {v.dtype.base_dtype.name for v in v1.global_variables()} == {dtype}


@every_kind
@pytest.mark.parametrize("dtype", ["float64", tf.float64])
def test_variables_have_the_dtype_given(kind, dtype):
  step(kind.make(UNITS, dtype=dtype), tf.float64)
  assert {v.dtype.base_dtype for v in v1.global_variables()} == {tf.float64}


@every_kind
def test_default_biases(kind):
  step(kind.make(UNITS))
  values = initial_values()
  biases = {n: x for n, x in values.items() if n.endswith("bias")}
  assert len(biases) == len(kind.variables) // 3
  for name, value in biases.items():
    assert np.all(value == (1 if name == "gates/bias" else 0))


def assert_spans(value, limit):
  assert np.all(value >= -limit) and np.all(value <= limit)
  assert value.min() < -0.9 * limit and value.max() > 0.9 * limit
  assert abs(value.mean()) < 0.2 * limit


@every_kind
def test_default_recurrent_kernels_are_uniform_from_minus_1_to_1(kind):
  step(kind.make(200))
  values = initial_values()
  recurrent = [n for n in values if n.endswith("kernel_u")]
  assert len(recurrent) == len(kind.variables) // 3
  for name in recurrent:
    assert_spans(values[name], 1)
    assert np.all(values[name] < 1)


@every_kind
def test_default_kernels_are_glorot_uniform(kind):
  step(kind.make(200))
  values = initial_values()
  for name in kind.kernels:
    assert_spans(values[name], np.sqrt(6 / sum(values[name].shape)))


INITIALIZERS = {
  "instance": (lambda: v1.constant_initializer(0.25), 0.25),
  "instance_v2": (lambda: tf.constant_initializer(0.25), 0.25),
  "class": (lambda: v1.zeros_initializer, 0),
  "class_v2": (lambda: tf.zeros_initializer, 0),
  "class_ones": (lambda: v1.ones_initializer, 1),
  "string": (lambda: "zeros", 0),
}
every_initializer = pytest.mark.parametrize(
  "initializer,value", INITIALIZERS.values(), ids=INITIALIZERS
)


@with_initializers
@every_initializer
def test_kernel_initializer_reaches_only_the_kernels(kind, initializer, value):
  step(kind.make(50, kernel_initializer=initializer()))
  for name, got in initial_values().items():
    if name in kind.kernels:
      assert np.all(got == value)
    elif name.endswith("bias"):
      assert np.all(got == (name == "gates/bias"))
    else:
      assert_spans(got, 1)


@with_initializers
@every_initializer
def test_bias_initializer_reaches_all_the_biases(kind, initializer, value):
  step(kind.make(50, bias_initializer=initializer()))
  for name, got in initial_values().items():
    if name.endswith("bias"):
      assert np.all(got == value)
    else:
      assert got.min() < 0 < got.max()


@every_kind
def test_scope_initializer_reaches_only_the_kernels(kind):
  with v1.variable_scope("s", initializer=v1.constant_initializer(0.25)):
    step(kind.make(50))
  values = {n.split("/", 1)[1]: x for n, x in initial_values().items()}
  for name, got in values.items():
    assert np.all(got == 0.25) == (name in kind.kernels)
    if name.endswith("bias"):
      assert np.all(got == (name == "gates/bias"))
    if name.endswith("kernel_u"):
      assert_spans(got, 1)


@with_initializers
def test_kernel_initializer_goes_before_the_scopes(kind):
  with v1.variable_scope("s", initializer=v1.ones_initializer()):
    step(kind.make(UNITS, kernel_initializer="zeros"))
  values = {n.split("/", 1)[1]: x for n, x in initial_values().items()}
  assert not any(values[name].any() for name in kind.kernels)


@every_kind
def test_scope_regularizer_reaches_all_variables(kind):
  with v1.variable_scope("s", regularizer=tf.reduce_sum):
    step(kind.make(UNITS))
  losses = v1.losses.get_regularization_losses()
  got = helpers.evaluate([losses, v1.global_variables()])
  assert len(losses) == len(kind.variables)
  np.testing.assert_allclose(got[0], [x.sum() for x in got[1]], rtol=1e-5)


@every_kind
@pytest.mark.parametrize(
  "use_resource,type_name", [(True, "ResourceVariable"), (False, "RefVariable")]
)
def test_use_resource_of_the_scope_is_obeyed(kind, use_resource, type_name):
  with v1.variable_scope("s", use_resource=use_resource):
    output, _ = step(kind.make(UNITS))
  assert {type(v).__name__ for v in v1.global_variables()} == {type_name}
  assert helpers.evaluate(output).shape == (BATCH, UNITS)


@every_kind
def test_ref_and_resource_variables_give_the_same_results_and_gradients(kind):
  weights = kind.weights(DEPTH, UNITS)
  results = []
  for use_resource in (True, False):
    with tf.Graph().as_default():
      with v1.variable_scope("s", use_resource=use_resource):
        cell = kind.make(UNITS)
        output, _ = dynamic(cell)
      gradients = v1.gradients(output, list(cell.variables))
      results.append(helpers.evaluate([output, gradients], [cell], [weights]))
  for a, b in zip(*map(tf.nest.flatten, results)):
    np.testing.assert_array_equal(a, b)


ATTRIBUTES = {
  "IndRNN": ["_kernel_w", "_kernel_u", "_bias"],
  "IndyGRU": [
    "_gate_kernel_w",
    "_gate_kernel_u",
    "_gate_bias",
    "_candidate_kernel_w",
    "_candidate_kernel_u",
    "_candidate_bias",
  ],
  "IndyLSTM": ["_kernel_w", "_kernel_u", "_bias"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_hold_the_variables(kind):
  cell = KINDS[kind].make(UNITS)
  step(cell)
  held = [getattr(cell, name).name for name in ATTRIBUTES[kind]]
  assert held == KINDS[kind].names()


# Partitioners.


def partitioned(kind, parts=2):
  with v1.variable_scope(
    "s", partitioner=v1.fixed_size_partitioner(parts) if parts else None
  ):
    cell = kind.make(6)
    x = tf.constant(helpers.random(np.random.RandomState(5), [BATCH, 4]))
    output, _ = cell(x, cell.zero_state(BATCH, tf.float32))
  return cell, output


@pytest.mark.parametrize("kind", KINDS)
def test_partitioner_makes_partitioned_attributes_and_part_names(kind):
  cell, _ = partitioned(KINDS[kind])
  for name in ATTRIBUTES[kind]:
    assert type(getattr(cell, name)).__name__ == "PartitionedVariable"
  expected = [
    f"s/{KINDS[kind].prefix}/{name}/part_{part}:0"
    for name, rows, _ in KINDS[kind].variables
    for part in range(1 if rows == 1 else 2)
  ]
  assert names() == expected


@pytest.mark.parametrize("kind", KINDS)
def test_partitioned_variables_have_the_whole_shapes(kind):
  cell, _ = partitioned(KINDS[kind])
  shapes = [getattr(cell, n).get_shape().as_list() for n in ATTRIBUTES[kind]]
  assert shapes == KINDS[kind].shapes(4, 6)


def save(kind, parts, path):
  """Saves random variables; returns the output that they give."""
  with tf.Graph().as_default(), v1.Session() as session:
    v1.set_random_seed(3)
    _, output = partitioned(kind, parts)
    session.run(v1.global_variables_initializer())
    v1.train.Saver().save(session, path, write_meta_graph=False)
    return session.run(output)


def restore(kind, parts, path):
  with tf.Graph().as_default(), v1.Session() as session:
    _, output = partitioned(kind, parts)
    v1.train.Saver().restore(session, path)
    return session.run(output)


@every_kind
@pytest.mark.parametrize(
  "saved,restored", [(2, 2), (2, None), (None, 2), (2, 3)]
)
def test_saver_restores_whole_variables_however_partitioned(
  kind, saved, restored, tmp_path
):
  path = str(tmp_path / "model")
  expected = save(kind, saved, path)
  np.testing.assert_allclose(
    restore(kind, restored, path), expected, rtol=1e-6, atol=1e-7
  )


@every_kind
def test_saver_saves_parts_as_slices_of_the_whole(kind, tmp_path):
  path = str(tmp_path / "model")
  save(kind, 2, path)
  saved = tf.train.load_checkpoint(path).get_variable_to_shape_map()
  whole = [n[:-2] for n in kind.names("s/" + kind.prefix)]
  assert saved == dict(zip(whole, kind.shapes(4, 6)))


@every_kind
def test_partitioned_cell_runs_and_differentiates_under_dynamic_rnn(kind):
  with v1.variable_scope("s", partitioner=v1.fixed_size_partitioner(2)):
    output, _ = dynamic(kind.make(4))
  gradients = v1.gradients(output, v1.trainable_variables())
  output, gradients = helpers.evaluate([output, gradients])
  assert output.shape == (BATCH, TIME, 4) and output.any()
  assert all(g.any() for g in gradients)


# What differs once TensorFlow 2's behaviour is disabled.

V1_SCRIPT = """
import json
import tensorflow as tf
from helpers import KINDS
v1 = tf.compat.v1
v1.disable_v2_behavior()

def types(**kwargs):
  with tf.Graph().as_default(), v1.variable_scope("s", **kwargs):
    cell = kind.make(5, dtype=tf.float32)
    cell(tf.ones([4, 3]), cell.zero_state(tf.ones([4, 3]).shape[0], tf.float32))
    return sorted({type(v).__name__ for v in v1.global_variables()})

def drive():
  for cell in (kind.make(5), kind.make(5)):
    cell(tf.ones([4, 3]), cell.zero_state(4, tf.float32))
  v1.nn.dynamic_rnn(kind.make(5), tf.ones([4, 2, 3]), dtype=tf.float32)

def error(shape):
  try:
    cell = kind.make(5)
    cell(v1.placeholder(tf.float32, shape), cell.zero_state(4, tf.float32))
  except ValueError as e:
    return str(e)

results = {}
for name, kind in KINDS.items():
  with tf.Graph().as_default():
    drive()
    names = [v.name for v in v1.global_variables()]
    shapes = [v.shape.as_list() for v in v1.global_variables()]
    results[name] = {
        "default": types(), "resource": types(use_resource=True),
        "names": names, "shapes": shapes, "error": error([4, None])}
print(json.dumps(results))
"""


@pytest.fixture(scope="module", name="v1_results")
def fixture_v1_results():
  return json.loads(helpers.run_script(V1_SCRIPT).splitlines()[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_without_v2_behavior_variables_are_refs(kind, v1_results):
  assert v1_results[kind]["default"] == ["RefVariable"]
  assert v1_results[kind]["resource"] == ["ResourceVariable"]


@pytest.mark.parametrize("kind", KINDS)
def test_without_v2_behavior_names_and_shapes_stay(kind, v1_results):
  prefix = KINDS[kind].prefix
  prefixes = [prefix, prefix + "_1", "rnn/" + prefix]
  expected = [n for p in prefixes for n in KINDS[kind].names(p)]
  assert v1_results[kind]["names"] == expected
  assert v1_results[kind]["shapes"] == 3 * KINDS[kind].shapes(3, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_without_v2_behavior_unknown_depth_reads_as_it_did(kind, v1_results):
  assert v1_results[kind]["error"] == (
    "Expected inputs.shape[-1] to be known, saw shape: (4, ?)"
  )


@every_kind
@pytest.mark.parametrize("shape", [(None, DEPTH), tf.TensorShape([2, DEPTH])])
def test_build_before_a_call_makes_float32_variables(graph, kind, shape):
  cell = kind.make(UNITS)
  cell.build(shape)
  assert {v.dtype.base_dtype for v in cell.variables} == {tf.float32}
  assert [v.shape.as_list() for v in cell.variables] == kind.shapes(
    DEPTH, UNITS
  )
