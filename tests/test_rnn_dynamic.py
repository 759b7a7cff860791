"""dynamic_rnn and bidirectional_dynamic_rnn, compared with TensorFlow's own
functions on the same weights: outputs, final states and gradients."""

import functools

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS
from helpers import v1
from rnn_helpers import assert_same
from rnn_helpers import assert_whole
from rnn_helpers import compare
from rnn_helpers import indy
from rnn_helpers import make_inputs
from rnn_helpers import run_graph

import tf_contrib_rnn
from tf_contrib_rnn import core

every_kind = pytest.mark.parametrize("kind", KINDS)
with_implementations = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)


def test_the_dtype_of_a_reference_variable(graph, layers):
  with graph.as_default():
    x = v1.get_variable("x", [2, 3, 4], use_resource=False)
    assert x.dtype != tf.float32  # but a reference to it
    outputs, _ = tf_contrib_rnn.dynamic_rnn(
      tf_contrib_rnn.IndyGRUCell(5), x, dtype=x.dtype
    )
  assert outputs.dtype == tf.float32
  assert_whole(layers(), 1)


def test_the_op_takes_variables_as_they_are(graph):
  with graph.as_default():
    tf_contrib_rnn.dynamic_rnn(
      tf_contrib_rnn.IndyGRUCell(5), tf.zeros([2, 3, 4]), dtype=tf.float32
    )
    (op,) = (o for o in graph.get_operations() if o.type.endswith("IndyGRU"))
  shapes = [tensor.shape.as_list() for tensor in op.inputs[1:5]]
  assert shapes == [[1, 10], [1, 5], [10], [5]]


# Sizes.


@every_kind
@with_implementations
@pytest.mark.parametrize("time", [0, 1, 2, 129, 151])
def test_odd_lengths_and_units(kind, implementation, time, layers):
  if time == 0:
    lengths = np.zeros([3], np.int32)
  else:
    lengths = np.array([time, time // 2, 0], np.int32)
  with tf_contrib_rnn.implementation(implementation):
    compare(
      "dynamic_rnn",
      lambda: [KINDS[kind].make(17)],
      [make_inputs(3, time, 5), lengths],
      1e-5,
    )
  assert_whole(layers(), 1)


@every_kind
@pytest.mark.parametrize("units", [1, 2, 15, 16, 17, 31, 33, 129, 151])
@pytest.mark.parametrize("time_major", [False, True])
def test_units_around_a_vector(kind, units, time_major, layers):
  compare(
    "dynamic_rnn",
    lambda: [KINDS[kind].make(units)],
    [make_inputs(5, 5, 3)],
    time_major=time_major,
  )
  assert_whole(layers(), 1)


@every_kind
@pytest.mark.parametrize("units", [255, 256, 257, 513])
def test_several_tiles(kind, units, layers):
  rng = np.random.RandomState(2)
  compare(
    "dynamic_rnn",
    lambda: [KINDS[kind].make(units)],
    [make_inputs(33, 4, 3), rng.randint(0, 5, 33).astype(np.int32)],
    5e-6,
  )
  assert_whole(layers(), 1)


@every_kind
@pytest.mark.parametrize(
  "batch, time, depth, units",
  [(0, 3, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0), (1, 1, 1, 1), (0, 0, 4, 5)],
)
def test_empty_sizes(kind, batch, time, depth, units, layers):
  compare(
    "dynamic_rnn",
    lambda: [KINDS[kind].make(units)],
    [make_inputs(batch, time, depth), np.full([batch], time, np.int32)],
  )
  assert_whole(layers(), 1)


@every_kind
def test_all_lengths_zero(kind, layers):
  x = make_inputs(3, 4, 5)
  compare(
    "bidirectional_dynamic_rnn",
    lambda: [KINDS[kind].make(6), KINDS[kind].make(6)],
    [x, np.zeros([3], np.int32)],
  )
  assert_whole(layers(), 2)


@every_kind
def test_lengths_past_the_end_and_negative_ones(kind, layers):
  compare(
    "dynamic_rnn",
    lambda: [KINDS[kind].make(6)],
    [make_inputs(3, 4, 5), np.array([9, -1, 4], np.int64)],
  )
  assert_whole(layers(), 1)


@every_kind
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtypes(kind, dtype, layers):
  tolerance = {"float16": 5e-3, "bfloat16": 4e-2, "float64": 1e-6}[dtype]
  compare(
    "dynamic_rnn",
    lambda: [KINDS[kind].make(7)],
    [make_inputs(3, 6, 5, dtype), np.array([6, 3, 0], np.int32)],
    tolerance,
    dtype,
  )
  assert_whole(layers(), 1)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_lengths_of_other_dtypes(dtype, layers):
  x = make_inputs(2, 200, 3)
  lengths = np.array([100, 5], dtype)

  def build(function, lengths, x):
    cells = [KINDS["IndyGRU"].make(3), KINDS["IndyGRU"].make(3)]
    return function(*cells, x, lengths, dtype=x.dtype)

  ours = tf_contrib_rnn.bidirectional_dynamic_rnn
  theirs = v1.nn.bidirectional_dynamic_rnn
  assert_same(
    run_graph(functools.partial(build, ours, lengths), [x]),
    run_graph(functools.partial(build, theirs, np.int64(lengths)), [x]),
    1e-5,
  )
  assert_whole(layers(), 2)


@pytest.mark.parametrize("time_major", [0, np.bool_(False), 1, np.bool_(True)])
def test_time_major_that_is_not_a_bool(time_major, layers):
  compare(
    "dynamic_rnn",
    lambda: [KINDS["IndyGRU"].make(3)],
    [make_inputs(2, 4, 3)],
    time_major=time_major,
  )
  assert_whole(layers(), 1)


# Both directions.


@every_kind
@with_implementations
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("lengths", [None, [7, 1, 0, 4]])
def test_bidirectional_dynamic_rnn(
  kind, implementation, time_major, lengths, layers
):
  x = make_inputs(4, 7, 5)
  arrays = [x.swapaxes(0, 1) if time_major else x]
  if lengths:
    arrays.append(np.array(lengths, np.int32))
  with tf_contrib_rnn.implementation(implementation):
    compare(
      "bidirectional_dynamic_rnn",
      lambda: [KINDS[kind].make(6), core.ResidualWrapper(indy(kind))],
      arrays,
      time_major=time_major,
    )
  assert_whole(layers(), 2)


def test_one_cell_object_for_both_directions(layers):
  compare(
    "bidirectional_dynamic_rnn",
    lambda: [indy("IndyGRU")] * 2,
    [make_inputs(4, 7, 5)],
  )
  assert_whole(layers(), 2)


def test_bidirectional_with_another_cell_goes_to_tensorflow(layers):
  compare(
    "bidirectional_dynamic_rnn",
    lambda: [indy("IndyGRU"), core.GRUCell(5)],
    [make_inputs(4, 7, 5), np.array([7, 1, 0, 4], np.int32)],
  )
  (message,) = layers()
  assert "GRUCell" in message


# Initial states.


@every_kind
@pytest.mark.parametrize("time_major", [False, True])
def test_initial_state(kind, time_major, layers):
  shape = (7, 4) if time_major else (4, 7)
  rng = np.random.RandomState(5)
  states = [helpers.random(rng, [4, 6]) for _ in range(KINDS[kind].states)]

  def build(function, x, *states):
    return function(
      KINDS[kind].make(6),
      x,
      [7, 1, 0, 4],
      initial_state=KINDS[kind].state(states),
      time_major=time_major,
    )

  arrays = [make_inputs(*shape, 5), *states]
  assert_same(
    run_graph(functools.partial(build, tf_contrib_rnn.dynamic_rnn), arrays),
    run_graph(functools.partial(build, v1.nn.dynamic_rnn), arrays),
  )
  assert_whole(layers(), 1)


@every_kind
def test_initial_states_of_both_directions(kind, layers):
  rng = np.random.RandomState(5)
  count = KINDS[kind].states
  states = [helpers.random(rng, [4, 6]) for _ in range(2 * count)]

  def build(function, x, *states):
    return function(
      KINDS[kind].make(6),
      KINDS[kind].make(6),
      x,
      [7, 1, 0, 4],
      KINDS[kind].state(states[:count]),
      KINDS[kind].state(states[count:]),
    )

  ours = tf_contrib_rnn.bidirectional_dynamic_rnn
  theirs = v1.nn.bidirectional_dynamic_rnn
  arrays = [make_inputs(4, 7, 5), *states]
  assert_same(
    run_graph(functools.partial(build, ours), arrays),
    run_graph(functools.partial(build, theirs), arrays),
  )
  assert_whole(layers(), 2)


@every_kind
@pytest.mark.parametrize("shape", [[None, 6], [None, None]])
@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("has_dimensions", [False, True])
def test_a_state_of_unknown_batch_may_be_one_row_for_all(
  kind, shape, rows, has_dimensions, layers
):
  assert isinstance(tf.TensorShape([1])[0], int) != has_dimensions
  rng = np.random.RandomState(5)
  states = [helpers.random(rng, [rows, 6]) for _ in range(KINDS[kind].states)]

  def build(function, x, *states):
    states = [v1.placeholder_with_default(state, shape) for state in states]
    if function is v1.nn.dynamic_rnn:  # wants to know the units
      states = [tf.ensure_shape(state, [None, 6]) for state in states]
    state = KINDS[kind].state(states)
    return function(KINDS[kind].make(6), x, initial_state=state)

  arrays = [make_inputs(4, 7, 5), *states]
  assert_same(
    run_graph(functools.partial(build, tf_contrib_rnn.dynamic_rnn), arrays),
    run_graph(functools.partial(build, v1.nn.dynamic_rnn), arrays),
  )
  assert_whole(layers(), 1)


def test_a_state_of_another_batch_fails_when_it_runs():
  with tf.Graph().as_default():
    rows = v1.placeholder_with_default(np.zeros([3, 6], "f"), [None, 6])
    outputs, _ = tf_contrib_rnn.dynamic_rnn(
      KINDS["IndyGRU"].make(6), make_inputs(4, 7, 5), initial_state=rows
    )
    with pytest.raises(tf.errors.InvalidArgumentError):
      helpers.evaluate(outputs)


# Modes.


@every_kind
@pytest.mark.parametrize("mode", ["graph", "eager", "function"])
@with_implementations
def test_modes_agree_with_numpy(kind, mode, implementation, layers):
  x = make_inputs(4, 7, 5)
  lengths = np.array([7, 1, 0, 4], np.int32)
  weights = KINDS[kind].weights(5, 6)

  def function(cells, x, lengths):
    return tf_contrib_rnn.dynamic_rnn(cells[0], x, lengths, dtype=x.dtype)

  with tf_contrib_rnn.implementation(implementation):
    outputs, state = helpers.run_in_mode(
      mode, lambda: [KINDS[kind].make(6)], [weights], function, [x, lengths]
    )
  zeros = [np.zeros([4, 6])] * KINDS[kind].states
  want = helpers.numpy_sequence(kind, weights, x, zeros, lengths=lengths)
  helpers.assert_close([outputs, state], want, 5e-6)
  assert_whole(layers(), 1)


@every_kind
def test_unknown_sizes(kind, layers):
  x = make_inputs(4, 7, 5)
  lengths = [7, 1, 0, 4]
  weights = KINDS[kind].weights(5, 6)
  zeros = [np.zeros([4, 6])] * KINDS[kind].states
  want = helpers.numpy_sequence(kind, weights, x, zeros, lengths=lengths)
  for shape in ([None, None, 5], [4, None, 5], [None, 7, 5]):
    with tf.Graph().as_default():
      inputs = v1.placeholder(tf.float32, shape)
      size = v1.placeholder(tf.int64, [None])
      cell = KINDS[kind].make(6)
      results = tf_contrib_rnn.dynamic_rnn(cell, inputs, size, dtype=tf.float32)
      assert results[0].shape.as_list() == [*shape[:2], 6]
      got = helpers.evaluate(
        results, [cell], [weights], {inputs: x, size: lengths}
      )
    helpers.assert_close(got, want, 5e-6)
  assert_whole(layers(), 3)


@every_kind
def test_compiled_by_xla(kind):
  x = make_inputs(4, 7, 5)
  lengths = np.array([7, 1, 0, 4], np.int32)
  cell = KINDS[kind].make(6)
  helpers.build_and_set([cell], [KINDS[kind].weights(5, 6)])

  def run(x):
    with tf.GradientTape() as tape:
      tape.watch(x)
      outputs, _ = tf_contrib_rnn.dynamic_rnn(
        cell, x, lengths, dtype=tf.float32
      )
    return outputs, tape.gradient(outputs, [x, *cell.variables])

  compiled = tf.function(run, jit_compile=True)
  helpers.assert_close(compiled(tf.constant(x)), run(tf.constant(x)), 5e-6)


@every_kind
def test_gradients_of_gradients(kind):
  def second(function):
    def build(x):
      outputs, _ = function(KINDS[kind].make(3), x, [4, 2], dtype=x.dtype)
      return v1.gradients(tf.reduce_sum(outputs**2), x)

    return build

  arrays = [make_inputs(2, 4, 3, "float64")]
  assert_same(
    run_graph(second(tf_contrib_rnn.dynamic_rnn), arrays, "float64"),
    run_graph(second(static_dynamic_rnn), arrays, "float64"),
    1e-9,
  )


def static_dynamic_rnn(cell, x, lengths, dtype):
  """static_rnn of TensorFlow's: a loop can't be differentiated twice."""
  outputs, state = v1.nn.static_rnn(
    cell, tf.unstack(x, axis=1), dtype=dtype, sequence_length=lengths
  )
  return tf.stack(outputs, 1), state


def test_a_named_scope_and_reuse():
  with tf.Graph().as_default():
    x = tf.zeros([2, 3, 4])
    tf_contrib_rnn.dynamic_rnn(
      indy("IndyGRU"), x, dtype=tf.float32, scope="encoder"
    )
    count = len(v1.global_variables())
    with v1.variable_scope("encoder", reuse=True) as scope:
      tf_contrib_rnn.dynamic_rnn(
        indy("IndyGRU"), x, dtype=tf.float32, scope=scope
      )
    assert len(v1.global_variables()) == count
    with pytest.raises(ValueError, match="already exists, disallowed"):
      tf_contrib_rnn.dynamic_rnn(
        indy("IndyGRU"), x, dtype=tf.float32, scope="encoder"
      )


def test_partitioned_variables_and_custom_getters_see_what_they_did():
  def names(function):
    seen = []

    def getter(getter, name, *args, **kwargs):
      seen.append((name, kwargs["caching_device"] is None))
      return getter(name, *args, **kwargs)

    with tf.Graph().as_default():
      with v1.variable_scope(
        "mine",
        custom_getter=getter,
        partitioner=v1.fixed_size_partitioner(2, axis=-1),
      ):
        outputs, _ = function(
          tf_contrib_rnn.IndyGRUCell(6), tf.ones([2, 3, 4]), dtype=tf.float32
        )
      gradients = v1.gradients(outputs, v1.global_variables())
      assert all(gradient is not None for gradient in gradients)
      return seen, [v.name for v in v1.global_variables()]

  assert names(tf_contrib_rnn.dynamic_rnn) == names(v1.nn.dynamic_rnn)


LOOP = """
import sys
import helpers
import numpy as np
import tensorflow as tf
import tf_contrib_rnn
v1 = tf.compat.v1
v1.disable_v2_behavior()

def run(function):
  with tf.Graph().as_default() as graph:
    cell = tf_contrib_rnn.IndyGRUCell(4)
    x = tf.constant(helpers.random(np.random.RandomState(3), [2, 3, 4]))
    with v1.variable_scope("loop", reuse=v1.AUTO_REUSE):
      function(cell, x, dtype=tf.float32)
      _, y = v1.while_loop(
          lambda i, _: i < 3,
          lambda i, x: (i + 1, function(cell, x, dtype=tf.float32)[0]),
          (0, x))
    gradients = v1.gradients(y, [x, *cell.variables])
    assert "Enter" in {op.type for op in graph.get_operations()}
    return helpers.evaluate(
        [y, gradients], [cell], [helpers.KINDS["IndyGRU"].weights(4, 4)])

helpers.assert_close(
    run(tf_contrib_rnn.dynamic_rnn), run(v1.nn.dynamic_rnn), 5e-6)
print("same")
"""


def test_in_a_loop_of_tensorflow_1():
  assert helpers.run_script(LOOP).splitlines()[-1] == "same"


def test_another_cell_inside_an_activation(layers):
  """Its rows are steps: it runs at each of them."""

  def make_cell():
    inner = KINDS["IndRNN"].make(5)

    def activation(x):
      return inner(x, tf.zeros_like(x))[0]

    return [tf_contrib_rnn.IndyGRUCell(5, activation=activation)]

  x = make_inputs(4, 7, 5)
  (got,) = {
    tuple(r.shape)
    for r in run_graph(
      lambda x: tf_contrib_rnn.dynamic_rnn(*make_cell(), x, dtype=x.dtype)[0],
      [x],
    )[1]
  }
  assert got == (4, 7, 5)
  compare("dynamic_rnn", make_cell, [x])
  assert_whole(layers(), 2)
