"""The names of the independent cells' variables, per construction, who sees
them, and the signatures of the cells."""

import inspect

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import KINDS

import tf_contrib_rnn

v1 = tf.compat.v1

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)

BATCH, TIME, DEPTH, UNITS = 4, 2, 3, 3


@pytest.fixture(autouse=True)
def graph():
  with tf.Graph().as_default() as graph:
    v1.set_random_seed(1)
    yield graph


def names():
  return [v.name for v in v1.global_variables()]


def step(cell, dtype=tf.float32, **kwargs):
  x = tf.ones([BATCH, DEPTH], dtype)
  return cell(x, cell.zero_state(BATCH, dtype), **kwargs)


def dynamic(cell, **kwargs):
  x = tf.ones([BATCH, TIME, DEPTH])
  return v1.nn.dynamic_rnn(cell, x, dtype=tf.float32, **kwargs)


def static(cell, **kwargs):
  x = [tf.ones([BATCH, DEPTH])] * TIME
  return tf_contrib_rnn.static_rnn(cell, x, dtype=tf.float32, **kwargs)


def raw(cell, **kwargs):
  x = tf.ones([BATCH, DEPTH])

  def loop(time, output, state, _):
    if output is None:
      state = cell.zero_state(BATCH, tf.float32)
    return tf.fill([BATCH], time >= TIME), x, state, output, None

  return v1.nn.raw_rnn(cell, loop, **kwargs)


def bidirectional(forward, backward, **kwargs):
  x = tf.ones([BATCH, TIME, DEPTH])
  return v1.nn.bidirectional_dynamic_rnn(
    forward, backward, x, dtype=tf.float32, **kwargs
  )


def static_bidirectional(forward, backward, **kwargs):
  x = [tf.ones([BATCH, DEPTH])] * TIME
  return tf_contrib_rnn.static_bidirectional_rnn(
    forward, backward, x, dtype=tf.float32, **kwargs
  )


# Names, per construction.

DRIVERS = {
  "alone": (step, "{}"),
  "dynamic": (dynamic, "rnn/{}"),
  "static": (static, "rnn/{}"),
  "raw": (raw, "rnn/{}"),
}
every_driver = pytest.mark.parametrize(
  "drive,pattern", DRIVERS.values(), ids=DRIVERS
)
TWO_WAY = {"dynamic": bidirectional, "static": static_bidirectional}
both_two_way = pytest.mark.parametrize("drive", TWO_WAY.values(), ids=TWO_WAY)


@every_kind
@every_driver
def test_name_of_an_unnamed_cell(kind, drive, pattern):
  drive(kind.make(UNITS))
  assert names() == kind.names(pattern.format(kind.prefix))


@every_kind
@every_driver
def test_name_of_a_named_cell(kind, drive, pattern):
  drive(kind.make(UNITS, name="foo"))
  assert names() == kind.names(pattern.format("foo"))


@every_kind
@every_driver
def test_name_inside_a_scope(kind, drive, pattern):
  with v1.variable_scope("outer"):
    drive(kind.make(UNITS))
  assert names() == kind.names("outer/" + pattern.format(kind.prefix))


@every_kind
@pytest.mark.parametrize("drive", [dynamic, static, raw])
def test_name_with_scope_enc(kind, drive):
  drive(kind.make(UNITS), scope="enc")
  assert names() == kind.names("enc/" + kind.prefix)


@every_kind
def test_scope_of_a_call_alone_replaces_the_name(kind):
  step(kind.make(UNITS), scope="mine")
  assert names() == kind.names("mine")


@every_kind
@both_two_way
def test_names_of_bidirectional_rnns(kind, drive):
  drive(kind.make(UNITS), kind.make(UNITS))
  assert names() == (
    kind.names("bidirectional_rnn/fw/" + kind.prefix)
    + kind.names("bidirectional_rnn/bw/" + kind.prefix)
  )


@every_kind
@both_two_way
def test_names_of_bidirectional_rnns_with_scope_enc(kind, drive):
  drive(kind.make(UNITS), kind.make(UNITS), scope="enc")
  assert names() == (
    kind.names("enc/fw/" + kind.prefix) + kind.names("enc/bw/" + kind.prefix)
  )


@every_kind
def test_one_cell_for_both_directions_has_one_set_of_variables(kind):
  cell = kind.make(UNITS)
  bidirectional(cell, cell)
  assert names() == kind.names("bidirectional_rnn/fw/" + kind.prefix)


@every_kind
@every_driver
def test_names_in_a_multi_rnn_cell(kind, drive, pattern):
  drive(tf_contrib_rnn.MultiRNNCell([kind.make(UNITS) for _ in range(3)]))
  prefix = pattern.format("multi_rnn_cell/cell_%d/" + kind.prefix)
  assert names() == [n for i in range(3) for n in kind.names(prefix % i)]


@every_kind
@every_driver
def test_one_cell_twice_in_a_multi_rnn_cell_is_cell_0(kind, drive, pattern):
  drive(tf_contrib_rnn.MultiRNNCell([kind.make(UNITS)] * 2))
  prefix = pattern.format("multi_rnn_cell/cell_0/" + kind.prefix)
  assert names() == kind.names(prefix)


WRAPPERS = {
  "dropout": lambda cell: tf_contrib_rnn.DropoutWrapper(
    cell, input_keep_prob=0.5, output_keep_prob=0.5, state_keep_prob=0.5
  ),
  "residual": tf_contrib_rnn.ResidualWrapper,
  "device": lambda cell: tf_contrib_rnn.DeviceWrapper(cell, "/cpu:0"),
  "all": lambda cell: tf_contrib_rnn.DeviceWrapper(
    tf_contrib_rnn.ResidualWrapper(tf_contrib_rnn.DropoutWrapper(cell)),
    "/cpu:0",
  ),
}


@every_kind
@every_driver
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_wrappers_add_nothing_to_names(kind, drive, pattern, wrap):
  drive(wrap(kind.make(UNITS)))
  assert names() == kind.names(pattern.format(kind.prefix))


@every_kind
def test_two_unnamed_cells_get_two_names(kind):
  step(kind.make(UNITS))
  step(kind.make(UNITS))
  assert names() == kind.names() + kind.names(kind.prefix + "_1")


@every_kind
def test_a_cell_makes_its_variables_once(kind):
  cell = kind.make(UNITS)
  for _ in range(3):
    step(cell)
  assert names() == kind.names()


def assert_shares(first, second, kind):
  assert len(first.variables) == len(kind.variables)
  for a, b in zip(first.variables, second.variables):
    assert a is b


@every_kind
@pytest.mark.parametrize("how", [{}, {"name": "foo"}])
def test_reuse_true_shares_the_same_objects(kind, how):
  first = kind.make(UNITS, **how)
  step(first)
  second = kind.make(UNITS, reuse=True, **how)
  step(second)
  assert_shares(first, second, kind)
  assert names() == kind.names(how.get("name"))


@every_kind
def test_auto_reuse_as_argument_makes_then_shares(kind):
  cells = [kind.make(UNITS, name="a", reuse=v1.AUTO_REUSE) for _ in range(2)]
  for cell in cells:
    step(cell)
  assert_shares(*cells, kind)
  assert names() == kind.names("a")


@every_kind
@every_driver
@pytest.mark.parametrize("reuse", [True, v1.AUTO_REUSE])
def test_reuse_on_the_scope_shares(kind, drive, pattern, reuse):
  first, second = (kind.make(UNITS, name="foo") for _ in range(2))
  with v1.variable_scope("s"):
    drive(first)
  with v1.variable_scope("s", reuse=reuse):
    drive(second)
  assert_shares(first, second, kind)
  assert names() == kind.names("s/" + pattern.format("foo"))


@every_kind
def test_auto_reuse_on_the_scope_makes_then_shares(kind):
  cells = [kind.make(UNITS) for _ in range(2)]
  for cell in cells:
    with v1.variable_scope("s", reuse=v1.AUTO_REUSE):
      dynamic(cell)
  assert_shares(*cells, kind)
  assert names() == kind.names("s/rnn/" + kind.prefix)


@every_kind
def test_reuse_variables_inside_one_scope_shares(kind):
  cells = [kind.make(UNITS) for _ in range(2)]
  dynamic(cells[0])
  v1.get_variable_scope().reuse_variables()
  dynamic(cells[1])
  assert_shares(*cells, kind)


@every_kind
@every_driver
def test_one_cell_called_in_scopes_a_and_b_stays_in_a(kind, drive, pattern):
  cell = kind.make(UNITS)
  with v1.variable_scope("A"):
    drive(cell)
  with v1.variable_scope("B"):
    drive(cell)
  assert names() == kind.names("A/" + pattern.format(kind.prefix))


# Custom getters.


@every_kind
@every_driver
def test_custom_getter_is_called_once_a_variable_by_keyword(
  kind, drive, pattern
):
  calls = []

  def getter(*args, **kwargs):
    calls.append((args, kwargs["name"]))
    return kwargs.pop("getter")(**kwargs)

  with v1.variable_scope("s", custom_getter=getter):
    drive(kind.make(UNITS))
  prefix = "s/" + pattern.format(kind.prefix)
  assert calls == [((), n[:-2]) for n in kind.names(prefix)]


@every_kind
def test_custom_getter_may_return_a_tensor(kind):
  weights = kind.weights(DEPTH, UNITS)
  doubled = [2 * w for w in weights]
  with v1.variable_scope(
    "s", custom_getter=lambda getter, **kwargs: 2 * getter(**kwargs)
  ):
    output, state = dynamic(kind.make(UNITS))
  plain_cell = kind.make(UNITS)
  with v1.variable_scope("plain"):
    plain = dynamic(plain_cell)
  with v1.Session() as session:
    values = weights + doubled
    session.run(
      [v1.assign(v, w) for v, w in zip(v1.global_variables(), values)]
    )
    got, expected = session.run([(output, state), plain])
  helpers.assert_close(got, expected, 1e-6)


# Signatures.

SIGNATURES = {
  "IndyGRUCell": {
    "num_units": inspect.Parameter.empty,
    "activation": None,
    "reuse": None,
    "kernel_initializer": None,
    "bias_initializer": None,
    "name": None,
    "dtype": None,
  },
  "IndyLSTMCell": {
    "num_units": inspect.Parameter.empty,
    "forget_bias": 1.0,
    "activation": None,
    "reuse": None,
    "kernel_initializer": None,
    "bias_initializer": None,
    "name": None,
    "dtype": None,
  },
  "IndRNNCell": {
    "num_units": inspect.Parameter.empty,
    "activation": None,
    "reuse": None,
    "name": None,
    "dtype": None,
  },
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name):
  parameters = inspect.signature(getattr(tf_contrib_rnn, name)).parameters
  by_kind = {kind: [] for kind in inspect._ParameterKind}
  for p in parameters.values():
    by_kind[p.kind].append((p.name, p.default))
  got = by_kind.pop(inspect.Parameter.POSITIONAL_OR_KEYWORD)
  assert got == list(SIGNATURES[name].items())
  # What tf.contrib.rnn did not have is by name alone.
  assert by_kind.pop(inspect.Parameter.KEYWORD_ONLY) == [
    ("recurrent_initializer", None),
    ("recurrent_constraint", None),
  ]
  assert not any(by_kind.values())


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_by_position_reach_what_their_names_say(name):
  values = {
    "num_units": 7,
    "forget_bias": 0.5,
    "activation": tf.nn.relu,
    "reuse": v1.AUTO_REUSE,
    "kernel_initializer": "zeros",
    "bias_initializer": "ones",
    "name": "foo",
    "dtype": tf.float64,
  }
  cell = getattr(tf_contrib_rnn, name)(*[values[p] for p in SIGNATURES[name]])
  step(cell, tf.float64)
  assert (cell.output_size, cell.name, cell.dtype) == (7, "foo", "float64")
  assert cell.variables[0].name.startswith("foo/")
  if "kernel_initializer" in SIGNATURES[name]:
    value = (
      helpers.evaluate(cell.variables[0]),
      helpers.evaluate(cell.variables[2]),
    )
    assert not value[0].any() and np.all(value[1] == 1)


@every_kind
def test_cells_are_layer_rnn_cells(kind):
  assert issubclass(kind.make, tf_contrib_rnn.LayerRNNCell)


@every_kind
def test_state_and_output_size(kind):
  cell = kind.make(7)
  expected = tf_contrib_rnn.LSTMStateTuple(c=7, h=7)
  assert cell.state_size == (7 if kind.states == 1 else expected)
  if kind.states == 2:
    assert isinstance(cell.state_size, tf_contrib_rnn.LSTMStateTuple)
  assert cell.output_size == 7
