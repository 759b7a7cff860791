"""The variables of the wrappers of tf.contrib.rnn: names, reuse, eager mode and
tf.functions."""

import contextlib
import functools
import re

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf
from wrapper_helpers import call
from wrapper_helpers import CLASSES
from wrapper_helpers import Echo
from wrapper_helpers import every_plain_wrapper
from wrapper_helpers import every_wrapper
from wrapper_helpers import full_names
from wrapper_helpers import names
from wrapper_helpers import OUTPUT
from wrapper_helpers import run_dynamic
from wrapper_helpers import step
from wrapper_helpers import step_of
from wrapper_helpers import UNITS
from wrapper_helpers import VARIABLES
from wrapper_helpers import WRAPPERS

import tf_contrib_rnn

v1 = tf.compat.v1


# Variables.


def step_of_lstm(kind, **options):
  return step_of(kind, tf_contrib_rnn.LSTMCell(UNITS), **options)


@every_wrapper
@pytest.mark.parametrize("scope", ["", "a/"])
def test_variables_and_their_order(kind, scope, graph):
  with v1.variable_scope("a") if scope else contextlib.nullcontext():
    made = step_of_lstm(kind)
  assert names() == full_names(kind, scope)
  assert [v.name.removesuffix(":0") for v in made.weights] == names()
  assert [id(v) for v in made.trainable_weights] == [
    id(v) for v in v1.trainable_variables()
  ]
  assert not made.non_trainable_weights


@every_wrapper
def test_variables_in_eager_mode(kind):
  made = step_of_lstm(kind)
  # Cells of one name are counted in a process.
  variables = [re.sub(r"lstm_cell_\d+|:0", "", v.name) for v in made.variables]
  assert [name.replace("lstm_cell", "") for name in full_names(kind)] == [
    name.replace("lstm_cell", "") for name in variables
  ]


@every_wrapper
def test_names_with_a_scope_given(kind, graph):
  step_of_lstm(kind, scope="mine")
  assert names() == {
    "highway": ["mine/kernel", "mine/bias", "carry_w", "carry_b"],
    "compiled": ["mine/kernel", "mine/bias"],
  }.get(kind, [f"mine/{name}" for name in VARIABLES[kind]])


@every_wrapper
def test_first_scope_is_kept(kind, graph):
  with v1.variable_scope("a"):
    made = step_of_lstm(kind)
  with v1.variable_scope("b"):
    call(kind, made)
  # A highway has no scope to keep, but its cell has.
  new = ["b/carry_w", "b/carry_b"] if kind == "highway" else []
  assert names() == full_names(kind, "a/") + new


def test_uncoupled_highway_has_more_variables(graph):
  step_of("highway", couple_carry_transform_gates=False, carry_bias_init=0.5)
  assert names()[-4:] == ["carry_w", "carry_b", "transform_w", "transform_b"]
  biases = initial_values()
  np.testing.assert_array_equal(biases["carry_b"], [0.5] * UNITS)
  np.testing.assert_array_equal(biases["transform_b"], [-0.5] * UNITS)


def initial_values():
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    return dict(zip(names(), session.run(v1.global_variables())))


LIMIT_OF_EMBEDDING = np.sqrt(3)


@every_wrapper
def test_starting_values(kind, graph):
  step_of_lstm(kind)
  for name, value in initial_values().items():
    if name == "carry_b":
      assert np.all(value == 1)
    elif name.endswith("bias"):
      assert not np.any(value)
    elif name.endswith("embedding"):
      largest = np.max(np.abs(value))
      assert 0.8 * LIMIT_OF_EMBEDDING < largest < LIMIT_OF_EMBEDDING
    else:
      sizes = value.shape[-2:] if value.ndim > 1 else value.shape * 2
      assert np.max(np.abs(value)) < np.sqrt(6 / sum(sizes))
      assert value.size < 9 or np.max(np.abs(value)) > 0.6 * np.sqrt(
        6 / sum(sizes)
      )


@every_wrapper
def test_initializer_of_the_scope(kind, graph):
  with v1.variable_scope("a", initializer=v1.constant_initializer(0.5)):
    step_of_lstm(kind)
  for name, value in initial_values().items():
    is_bias = name.endswith(("bias", "carry_b"))
    assert is_bias or np.all(value == 0.5)
    assert (
      not is_bias
      or np.all(value == (1 if kind == "highway" else 0))
      or (name.endswith("bias") and not np.any(value))
    )


@pytest.mark.parametrize("of_scope", [None, 0.5])
def test_initializer_of_the_embedding(of_scope, graph):
  initializer = v1.constant_initializer(of_scope) if of_scope else None
  with v1.variable_scope("a", initializer=initializer):
    step_of("embedding", initializer=v1.constant_initializer(0.25))
  assert np.all(initial_values()["a/embedding_wrapper/embedding"] == 0.25)


@every_wrapper
def test_options_of_the_scope(kind, graph):
  seen = []

  def get(getter, **keywords):
    seen.append(keywords["name"])
    return getter(**{**keywords, "trainable": False})

  with v1.variable_scope(
    "a", regularizer=tf.reduce_sum, custom_getter=get, use_resource=True
  ):
    made = step_of_lstm(kind)
  assert seen == names() == full_names(kind, "a/")
  assert len(v1.get_collection("regularization_losses")) == len(seen)
  assert not made.trainable_weights
  assert {id(v) for v in made.weights} == {id(v) for v in v1.global_variables()}


# A partitioner of two parts splits these; the biases of dense layers it leaves.
UNSPLIT = {
  "input": ["bias"],
  "output": ["bias"],
  "attention": ["bias", "attention/bias", "attn_output_projection/bias"],
}


@every_wrapper
def test_partitioner_leaves_biases_of_dense_layers_whole(kind, graph):
  with v1.variable_scope("a", partitioner=v1.fixed_size_partitioner(2)):
    made = step_of_lstm(kind)
  expected = []
  for name in VARIABLES[kind]:
    whole = "a/" + WRAPPERS[kind].prefix + name
    if name in UNSPLIT.get(kind, []):
      expected.append(whole)
    else:
      # Of one row no two parts can be made.
      parts = 1 if name == "attention/attn_w" else 2
      expected += [f"{whole}/part_{i}" for i in range(parts)]
  assert names() == expected
  if kind not in ("highway", "compiled"):
    assert len(made.weights) == len(VARIABLES[kind])
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())


def test_partitions_of_the_embedding_take_turns(graph):
  with v1.variable_scope("a", partitioner=v1.fixed_size_partitioner(3)):
    made = tf_contrib_rnn.EmbeddingWrapper(Echo(), CLASSES, 3)
    output, _ = made(tf.range(CLASSES), tf.zeros([CLASSES, 3]))
  sizes = [v.shape[0] for v in v1.global_variables()]
  assert sizes == [3, 2, 2]
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    parts, rows = session.run([v1.global_variables(), output])
  for number, row in enumerate(rows):
    np.testing.assert_array_equal(row, parts[number % 3][number // 3])


# Reuse.


@every_plain_wrapper
@pytest.mark.parametrize("reuse", [True, v1.AUTO_REUSE])
def test_reuse_reaches_the_cell(kind, reuse, graph):
  step_of(kind, reuse=None if reuse is True else reuse)
  made = names()
  step_of(kind, reuse=reuse)
  assert names() == made
  gru = tf_contrib_rnn.GRUCell(UNITS + 1)
  with pytest.raises(ValueError, match="Trying to share variable"):
    step_of(kind, gru, reuse=reuse)


@every_plain_wrapper
def test_reuse_of_nothing(kind, graph):
  with pytest.raises(ValueError, match="does not exist"):
    step_of(kind, reuse=True)


@every_wrapper
def test_scope_that_reuses(kind, graph):
  with v1.variable_scope("a"):
    step_of(kind)
  made = names()
  with v1.variable_scope("a", reuse=True):
    step_of(kind)
  assert names() == made


@every_plain_wrapper
def test_second_instance_without_reuse(kind, graph):
  step_of(kind)
  with pytest.raises(ValueError, match="Variable .* already exists"):
    step_of(kind)


@every_plain_wrapper
def test_second_call_shares(kind, graph):
  made = step_of(kind)
  before = names()
  call(kind, made)
  assert names() == before


def test_second_call_of_a_highway_without_reuse(graph):
  made = step_of("highway")
  with pytest.raises(ValueError, match="Variable carry_w already exists"):
    call("highway", made)
  with v1.variable_scope(v1.get_variable_scope(), reuse=True):
    call("highway", made)
  assert len(names()) == 6


# Eager mode and tf.functions.


@every_wrapper
def test_eager_calls_share_variables(kind):
  made = step_of(kind)
  first = {id(v) for v in made.variables}
  with v1.variable_scope("elsewhere"):
    call(kind, made, batch=3)
  assert {id(v) for v in made.variables} == first


@every_wrapper
def test_function_traced_twice_then_eager(kind):
  made = WRAPPERS[kind].make_around("indy_gru_cell")
  run = functools.partial(step_from_zeros, made)
  traced = tf.function(run, autograph=False)
  rng = np.random.RandomState(0)
  for batch in (2, 3):
    x = tf.constant(WRAPPERS[kind].draw(rng, [batch], "float32"))
    helpers.assert_close(traced(x), run(x), 5e-6)
  assert traced.experimental_get_tracing_count() > 1
  count = {"input": 8, "output": 8, "embedding": 7, "highway": 8}
  assert len(made.variables) == count.get(kind, 14 if kind[0] == "a" else 6)


def step_from_zeros(made, x):
  return made(x, made.zero_state(x.shape[0], tf.float32))


@pytest.mark.parametrize("kind", ["output", "attention", "highway"])
def test_two_functions_have_wrappers_of_their_own(kind):
  x = WRAPPERS[kind].draw(np.random.RandomState(0), [2, 3], "float32")
  variables = []
  for _ in range(2):
    cell = OUTPUT(tf_contrib_rnn.BasicRNNCell(2), output_size=UNITS)
    made = WRAPPERS[kind].wrap(cell)
    run = functools.partial(run_dynamic, tf_contrib_rnn, made)
    traced = tf.function(run, autograph=False)
    helpers.assert_close(traced(tf.constant(x)), run(tf.constant(x)), 5e-6)
    variables += made.variables
  count = len(VARIABLES[kind]) + 2
  assert len({id(v) for v in variables}) == 2 * count


@every_wrapper
def test_weights_that_the_cell_had_before(kind):
  cell = tf_contrib_rnn.GRUCell(UNITS)
  step(cell, tf.ones([2, {"input": 3}.get(kind, WRAPPERS[kind].depth)]))
  made = step_of(kind, cell)
  variables = {id(v) for v in made.trainable_variables}
  assert variables >= {id(v) for v in cell.trainable_variables}
  made.trainable = False
  assert not made.trainable_weights
  assert {id(v) for v in made.non_trainable_weights} == variables


@every_wrapper
def test_checkpoints_of_objects(kind, tmp_path):
  made = step_of_lstm(kind)
  cell_helpers.assign(made)
  path = tf.train.Checkpoint(cell=made).save(str(tmp_path / "ckpt"))
  other = WRAPPERS[kind].make_around("lstm_cell")
  status = tf.train.Checkpoint(cell=other).restore(path)
  call(kind, other)
  status.assert_consumed()
  for a, b in zip(made.variables, other.variables):
    np.testing.assert_array_equal(a, b)


def test_saved_model(tmp_path):
  module = tf.Module()
  module.cell = WRAPPERS["attention"].make_around("basic_rnn_cell")
  module.run = tf.function(functools.partial(step_from_zeros, module.cell))
  x = tf.ones([2, 5])
  want = module.run(x)
  tf.saved_model.save(module, str(tmp_path))
  loaded = tf.saved_model.load(str(tmp_path))
  helpers.assert_close(loaded.run(x), want, 1e-6)
