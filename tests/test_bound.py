"""RecurrentBound, and the arguments of the cells that take it."""

import functools

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS

import tf_contrib_rnn

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)

BATCH, TIME, DEPTH, UNITS = 4, 7, 3, 50


def whole(cell, inputs=None):
  if inputs is None:
    inputs = tf.ones([BATCH, TIME, DEPTH])
  return tf_contrib_rnn.dynamic_rnn(cell, inputs, dtype=tf.float32)


def recurrent_kernels(cell):
  return [v for v in cell.variables if "kernel_u" in v.name]


def initial_values(cell):
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    return session.run(cell.variables)


def pull(cell, outputs):
  """A loss whose gradient pushes each recurrent weight away from 0."""
  del outputs
  return -tf.add_n(
    [10 * tf.reduce_sum(tf.square(u)) for u in recurrent_kernels(cell)]
  )


# The bound.


@pytest.mark.parametrize("time", [1, 2, 100, 1000, np.int64(5), 3.0])
@pytest.mark.parametrize("gamma", [2.0, 1, 0.5, np.float32(8)])
def test_to_the_power_of_time_the_bound_is_gamma(time, gamma):
  bound = tf_contrib_rnn.RecurrentBound(time, gamma)
  np.testing.assert_allclose(bound.value ** int(time), gamma, rtol=1e-9)
  assert isinstance(bound.value, float)


def test_gamma_is_2_by_default():
  assert tf_contrib_rnn.RecurrentBound(2).value == pytest.approx(2**0.5)


@pytest.mark.parametrize("time", [7, 7.0, np.int64(7)])
@pytest.mark.parametrize("gamma", [8, 8.0, np.float32(8)])
def test_arguments_can_be_read(time, gamma):
  bound = tf_contrib_rnn.RecurrentBound(time, gamma)
  assert (type(bound.time), bound.time) == (int, 7)
  assert (type(bound.gamma), bound.gamma) == (float, 8)
  assert repr(bound) == "RecurrentBound(time=7, gamma=8.0)"
  for name in "time", "gamma", "value":
    with pytest.raises(AttributeError):
      setattr(bound, name, 1)


def test_tensorflow_is_imported_by_the_call_alone():
  helpers.run_fresh_script(
    """
    import sys, tf_contrib_rnn
    assert tf_contrib_rnn.RecurrentBound(1, gamma=1.5).value == 1.5
    assert "tensorflow" not in sys.modules
    """
  )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_a_call_clips_both_signs(dtype):
  got = tf_contrib_rnn.RecurrentBound(1, gamma=1.5)(
    tf.constant([[-9, -1.5, -1, 0, 1, 1.5, 9]], dtype)
  )
  assert got.dtype == dtype
  want = [[-1.5, -1.5, -1, 0, 1, 1.5, 1.5]]
  np.testing.assert_array_equal(helpers.as_float64([got])[0], want)


@pytest.mark.parametrize(
  "time", [0, -1, 1.5, None, "x", [2], float("nan"), float("inf")]
)
def test_bad_time(time):
  with pytest.raises(ValueError, match="^time is .*, expected a whole number"):
    tf_contrib_rnn.RecurrentBound(time)


@pytest.mark.parametrize(
  "gamma", [0, -1.0, None, "x", [2], float("nan"), float("inf")]
)
def test_bad_gamma(gamma):
  with pytest.raises(ValueError, match="^gamma is .*, expected a finite"):
    tf_contrib_rnn.RecurrentBound(10, gamma)


# The cells' arguments.


@every_kind
@pytest.mark.parametrize("constraint", [1.0, "x", True, [abs]])
def test_bad_constraint(kind, constraint):
  with pytest.raises(ValueError, match="^recurrent_constraint is .*, expected"):
    kind.make(UNITS, recurrent_constraint=constraint)


@every_kind
def test_without_the_arguments_all_is_as_in_tf_contrib(kind):
  with tf.Graph().as_default():
    v1.set_random_seed(3)
    cell = kind.make(UNITS)
    whole(cell)
    assert all(v.constraint is None for v in cell.variables)
    values = dict(zip([v.name for v in cell.variables], initial_values(cell)))
  for variable in recurrent_kernels(cell):
    u = values[variable.name]
    assert -1 <= u.min() < -0.8 and 0.8 < u.max() < 1


@every_kind
def test_only_the_recurrent_kernels_are_constrained(kind):
  bound = tf_contrib_rnn.RecurrentBound(TIME)
  with tf.Graph().as_default():
    cell = kind.make(UNITS, recurrent_constraint=bound)
    whole(cell)
  for variable in cell.variables:
    is_recurrent = "kernel_u" in variable.name
    assert (variable.constraint is not None) == is_recurrent


@every_kind
def test_a_custom_getter_can_constrain_cells_that_are_not_made_here(kind):
  bound = tf_contrib_rnn.RecurrentBound(TIME)

  def bounded(getter, name, *arguments, **keywords):
    if name.endswith("kernel_u"):
      keywords["constraint"] = bound
    return getter(name, *arguments, **keywords)

  with tf.Graph().as_default():
    with v1.variable_scope("s", custom_getter=bounded):
      cell = kind.make(UNITS)
      whole(cell)
  assert recurrent_kernels(cell)
  for variable in cell.variables:
    is_recurrent = "kernel_u" in variable.name
    assert variable.constraint is (bound if is_recurrent else None)


@every_kind
@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_the_initializer_reaches_the_recurrent_kernels_alone(kind, mode):
  make = lambda: kind.make(
    UNITS, recurrent_initializer=v1.constant_initializer(0.25)
  )
  if mode == "graph":
    with tf.Graph().as_default():
      cell = make()
      whole(cell)
      values = initial_values(cell)
  else:
    cell = make()
    whole(cell)
    values = helpers.to_numpy(cell.variables)
  for variable, value in zip(cell.variables, values):
    assert np.all(value == 0.25) == ("kernel_u" in variable.name)


@every_kind
@pytest.mark.parametrize("initializer", ["zeros", tf.zeros_initializer])
def test_the_initializer_can_be_a_name_or_a_class(kind, initializer):
  with tf.Graph().as_default():
    cell = kind.make(UNITS, recurrent_initializer=initializer)
    whole(cell)
    values = dict(zip([v.name for v in cell.variables], initial_values(cell)))
  for variable in recurrent_kernels(cell):
    assert not values[variable.name].any()


@every_kind
def test_names_and_shapes_of_variables_stay(kind, tmp_path):
  with tf.Graph().as_default():
    whole(
      kind.make(
        UNITS,
        recurrent_initializer=v1.zeros_initializer(),
        recurrent_constraint=tf_contrib_rnn.RecurrentBound(TIME),
      )
    )
    with v1.Session() as session:
      session.run(v1.global_variables_initializer())
      path = v1.train.Saver().save(session, str(tmp_path / "model"))
  want = [
    (name[:-2], shape)
    for name, shape in zip(
      kind.names("rnn/" + kind.prefix), kind.shapes(DEPTH, UNITS)
    )
  ]
  assert tf.train.list_variables(path) == sorted(want)


# Training. Each is run without the bound too: there, weights do go past it.

OPTIMIZERS = {
  "gradient descent": v1.train.GradientDescentOptimizer,
  "Adam": v1.train.AdamOptimizer,
  "RMSProp": v1.train.RMSPropOptimizer,
}


def largest(kernels):
  return max(np.abs(u).max() for u in kernels)


def train_in_graph(make_cell, optimizer, dynamic_rnn, use_resource):
  """The largest |u| after each of some steps."""
  inputs = np.ones([BATCH, TIME, DEPTH], np.float32)
  with tf.Graph().as_default():
    with v1.variable_scope("s", use_resource=use_resource):
      cell = make_cell()
      outputs, _ = dynamic_rnn(cell, tf.constant(inputs), dtype=tf.float32)
    train = optimizer(0.1).minimize(pull(cell, outputs))
    maxima = []
    with v1.Session() as session:
      session.run(v1.global_variables_initializer())
      for _ in range(5):
        session.run(train)
        # Not through the cache of dynamic_rnn's variables.
        values = [u.read_value() for u in recurrent_kernels(cell)]
        maxima.append(largest(session.run(values)))
  return maxima


@every_kind
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize(
  "dynamic_rnn", [tf_contrib_rnn.dynamic_rnn, v1.nn.dynamic_rnn]
)
@pytest.mark.parametrize("use_resource", [True, False])
def test_optimizers_of_v1_keep_the_bound_in_graphs(
  kind, optimizer, dynamic_rnn, use_resource
):
  bound = tf_contrib_rnn.RecurrentBound(TIME)
  train = lambda constraint: train_in_graph(
    functools.partial(kind.make, UNITS, recurrent_constraint=constraint),
    optimizer,
    dynamic_rnn,
    use_resource,
  )
  assert max(train(None)) > 1.2
  for constraint in bound, lambda u: bound(tf.identity(u)):
    assert max(train(constraint)) == np.float32(bound.value)


def keras_3():
  return tf.keras.optimizers.SGD(0.1).apply_gradients


def keras_2():
  return helpers.import_keras_2().optimizers.SGD(0.1).apply_gradients


def v1_optimizer():
  return v1.train.GradientDescentOptimizer(0.1).apply_gradients


def by_hand():
  """The loop that RecurrentBound's docstring asks for."""

  def apply(pairs):
    for gradient, variable in pairs:
      variable.assign_sub(0.1 * gradient)
      if variable.constraint is not None:
        variable.assign(variable.constraint(variable))

  return apply


@every_kind
@pytest.mark.parametrize(
  "make_apply", [keras_3, keras_2, v1_optimizer, by_hand]
)
def test_eager_training_keeps_the_bound(kind, make_apply):
  bound = tf_contrib_rnn.RecurrentBound(TIME)
  for constraint in bound, None:
    cell = kind.make(UNITS, recurrent_constraint=constraint)
    whole(cell)
    apply = make_apply()
    for _ in range(5):
      with tf.GradientTape() as tape:
        loss = pull(cell, whole(cell))
      kernels = recurrent_kernels(cell)
      apply(list(zip(tape.gradient(loss, kernels), kernels)))
    values = helpers.to_numpy(kernels)
    if constraint is None:
      assert largest(values) > 1.2
    else:
      # It was reached, so it was applied.
      assert largest(values) == np.float32(bound.value)


@every_kind
def test_partitioned_variables_keep_the_bound(kind):
  bound = tf_contrib_rnn.RecurrentBound(TIME)
  with tf.Graph().as_default():
    in_two = lambda shape, dtype: [1] * (shape.rank - 1) + [2]
    with v1.variable_scope("s", partitioner=in_two):
      cell = kind.make(
        UNITS,
        recurrent_initializer=v1.ones_initializer(),
        recurrent_constraint=bound,
      )
      outputs, _ = v1.nn.dynamic_rnn(
        cell, tf.ones([BATCH, TIME, DEPTH]), dtype=tf.float32
      )
    parts = [v for v in v1.trainable_variables() if "kernel_u" in v.name]
    assert len(parts) == 2 * len(
      [name for name, _, _ in kind.variables if "kernel_u" in name]
    )
    loss = -tf.add_n([tf.reduce_sum(tf.square(part)) for part in parts])
    train = v1.train.GradientDescentOptimizer(1.0).minimize(loss)
    with v1.Session() as session:
      session.run(v1.global_variables_initializer())
      session.run(train)
      for part in session.run([part.read_value() for part in parts]):
        assert np.all(part == np.float32(bound.value))


@every_kind
@pytest.mark.parametrize("mode", ["graph", "eager", "function"])
def test_a_constraint_changes_no_result(kind, mode):
  rng = np.random.RandomState(0)
  inputs = helpers.random(rng, [BATCH, TIME, DEPTH])
  weights = [kind.weights(DEPTH, UNITS)]
  results = []
  for constraint in None, tf_contrib_rnn.RecurrentBound(TIME, gamma=0.01):
    results.append(
      helpers.run_in_mode(
        mode,
        lambda: [kind.make(UNITS, recurrent_constraint=constraint)],  # noqa: B023
        weights,
        lambda cells, x: whole(cells[0], x),
        [inputs],
      )
    )
  helpers.assert_close(*results, 1e-7)
