"""What each cell of tf.contrib.rnn does alike: variables, names, scopes, reuse,
errors, loops over time, eager mode and tf.functions.

A test file describes its cells as `Case`s and runs `CHECKS` on them, or
`OF_OPTIONS` where a cell has been checked with other options.
"""

import dataclasses
from typing import Any

import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn

v1 = tf.compat.v1

BATCH, TIME, DEPTH = 3, 4, 2


@dataclasses.dataclass(frozen=True)
class Case:
  """A cell, and what its variables are.

  Attributes:
    make: makes the cell; takes keywords such as reuse.
    prefix: the scope of the variables.
    variables: their short names, in order.
    constants: what those start with that no initializer of a scope reaches.
    whole: those that no partitioner splits.
    is_layer: whether it is a LayerRNNCell.
    draw: makes inputs of a leading shape.
  """

  make: Any
  prefix: str
  variables: list[str]
  constants: dict[str, float]
  whole: tuple[str, ...] = ()
  is_layer: bool = False
  draw: Any = lambda shape: tf.constant(
    helpers.random(np.random.RandomState(1), [*shape, DEPTH])
  )

  def names(self, scope=""):
    return [f"{scope}{self.prefix}/{name}:0" for name in self.variables]


def step(case, cell=None, batch=BATCH, **keywords):
  """Calls a cell, by default a new one, which is returned too."""
  cell = cell or case.make()
  state = cell.zero_state(batch, tf.float32)
  return cell, cell(case.draw([batch]), state, **keywords)


def dynamic(case, cell=None, function=v1.nn.dynamic_rnn, **keywords):
  cell = cell or case.make()
  x = case.draw([BATCH, TIME])
  return cell, function(cell, x, dtype=tf.float32, **keywords)


def made():
  return [v.name for v in v1.global_variables()]


def already(what):
  return pytest.raises(ValueError, match=f"Variable .*{what}.* already exists")


# Variables and their names.


def variables(case):
  cell, _ = step(case)
  assert [v.name for v in cell.weights] == made() == case.names()
  assert [v.name for v in cell.trainable_weights] == case.names()


def names_in_scopes(case):
  with v1.variable_scope("a"):
    cell, _ = step(case)
  with v1.variable_scope("b"):
    step(case, cell)
  assert made() == case.names("a/")


def names_of_a_call_with_scope(case):
  step(case, scope="mine")
  assert made() == [f"mine/{name}:0" for name in case.variables]


def names_in_dynamic_rnn(case):
  dynamic(case)
  dynamic(case, function=tf_contrib_rnn.dynamic_rnn, scope="enc")
  assert made() == case.names("rnn/") + case.names("enc/")


def names_in_static_rnn(case):
  inputs = [case.draw([BATCH])] * 2
  tf_contrib_rnn.static_rnn(case.make(), inputs, dtype=tf.float32)
  assert made() == case.names("rnn/")


def names_in_multi_rnn_cell(case):
  stack = tf_contrib_rnn.MultiRNNCell([case.make()])
  step(case, stack)
  assert made() == case.names("multi_rnn_cell/cell_0/")


def names_in_both_directions(case):
  tf_contrib_rnn.bidirectional_dynamic_rnn(
    case.make(), case.make(), case.draw([BATCH, TIME]), dtype=tf.float32
  )
  scopes = ["bidirectional_rnn/fw/", "bidirectional_rnn/bw/"]
  assert made() == [name for scope in scopes for name in case.names(scope)]


def second_instance(case):
  step(case)
  if case.is_layer:
    step(case)
    names = [n.replace(case.prefix, case.prefix + "_1") for n in case.names()]
    assert made() == case.names() + names
  else:
    with already(case.variables[0]):
      step(case)
  dynamic(case)
  with already(case.variables[0]):
    dynamic(case)


# Options of scopes.


def starts(case):
  with v1.variable_scope("", initializer=v1.constant_initializer(0.25)):
    cell, _ = step(case)
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    for name, value in zip(case.variables, session.run(cell.variables)):
      if name not in ("period", "phase"):
        want = np.float32(case.constants.get(name, 0.25))
        assert np.all(value == want), name


def partitioner(case):
  with v1.variable_scope("", partitioner=v1.fixed_size_partitioner(2)):
    cell, results = step(case)
  want = []
  for name in case.names():
    short = name.removeprefix(case.prefix + "/").removesuffix(":0")
    parts = [""] if short in case.whole else ["/part_0", "/part_1"]
    want += [name.replace(":0", f"{part}:0") for part in parts]
  assert made() == want
  assert np.all(np.isfinite(tf.nest.flatten(helpers.evaluate(results))[0]))


def regularizer(case):
  with v1.variable_scope("", regularizer=tf.reduce_sum):
    step(case)
  losses = v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)
  assert len(losses) == len(case.variables)


def custom_getter(case):
  seen = []

  def see(getter, name, *arguments, **keywords):
    seen.append(name + ":0")
    return getter(name, *arguments, **keywords)

  with v1.variable_scope("", custom_getter=see):
    step(case)
  assert seen == case.names()


# Reuse.


def reuse(case):
  _, first = step(case)
  for way in (True, v1.AUTO_REUSE):
    _, second = step(case, case.make(reuse=way))
    helpers.assert_close(*helpers.evaluate([first, second]), 0)
  assert made() == case.names()


def reuse_of_a_scope(case):
  with v1.variable_scope("a"):
    step(case)
  with v1.variable_scope("a", reuse=True):
    step(case)
  with v1.variable_scope("a", reuse=v1.AUTO_REUSE):
    dynamic(case)
    dynamic(case)
  assert made() == case.names("a/") + case.names("a/rnn/")


def reuse_of_what_is_not_there(case):
  with pytest.raises(ValueError, match="Variable .* does not exist"):
    step(case, case.make(reuse=True))


def reuse_of_another_size(case):
  step(case)
  with pytest.raises(ValueError, match="Trying to share variable .*shape"):
    step(case, case.make(units=6, reuse=v1.AUTO_REUSE))


# Errors.


def replace_features(case, features):
  """The inputs of a step, with other features."""
  inputs = case.draw([BATCH])
  return (*inputs[:-1], features) if isinstance(inputs, tuple) else features


def unknown_depth(case):
  x = replace_features(case, v1.placeholder(tf.float32, [BATCH, None]))
  cell = case.make()
  with pytest.raises(ValueError):
    cell(x, cell.zero_state(BATCH, tf.float32))


def inputs_of_another_rank(case):
  for shape in ([DEPTH], [BATCH, 1, DEPTH]):
    cell = case.make()
    with pytest.raises(ValueError):
      cell(
        replace_features(case, tf.ones(shape)),
        cell.zero_state(BATCH, tf.float32),
      )


def state_of_another_width(case):
  cell = case.make()
  state = tf.nest.map_structure(
    lambda size: tf.ones([BATCH, size + 1]), cell.state_size
  )
  with pytest.raises(ValueError):
    cell(case.draw([BATCH]), state)


def state_of_another_dtype(case):
  cell = case.make()
  with pytest.raises(TypeError):
    cell(case.draw([BATCH]), cell.zero_state(BATCH, tf.float64))


def unknown_keyword(case):
  keywords = [{"unknown": 1}]
  if not case.is_layer:
    keywords += [{"name": "a"}, {"dtype": tf.float32}]
  for keyword in keywords:
    with pytest.raises(TypeError):
      case.make(**keyword)


# Loops over time.


def loop_of_steps(case, cell, lengths):
  """What dynamic_rnn does, step by step, in eager mode."""
  inputs = case.draw([BATCH, TIME])
  state = cell.zero_state(BATCH, tf.float32)
  outputs = []
  for time in range(TIME):
    runs = (time < np.array(lengths))[:, np.newaxis]
    x = tf.nest.map_structure(lambda t, time=time: t[:, time], inputs)
    output, new_state = cell(x, state)
    choose = lambda new, old, runs=runs: tf.where(runs, new, old)
    state = tf.nest.map_structure(choose, new_state, state)
    outputs.append(tf.where(runs, output, tf.zeros_like(output)))
  return tf.stack(outputs, 1), state


def dynamic_rnn_is_a_loop_of_steps(case):
  cell = case.make()
  lengths = [TIME, 0, 2]
  want = loop_of_steps(case, cell, lengths)
  for function in (v1.nn.dynamic_rnn, tf_contrib_rnn.dynamic_rnn):
    _, got = dynamic(case, cell, function, sequence_length=lengths)
    helpers.assert_close(got, helpers.to_numpy(want), 2e-6)
  assert len(cell.variables) == len(case.variables)


def raw_rnn_is_a_loop_of_steps(case):
  cell = case.make()
  want = helpers.to_numpy(loop_of_steps(case, cell, [TIME] * BATCH))
  inputs = case.draw([BATCH, TIME])
  at = lambda time: tf.nest.map_structure(
    lambda t: tf.gather(t, tf.minimum(time, TIME - 1), axis=1), inputs
  )

  def loop(time, output, state, _):
    if output is None:
      state = cell.zero_state(BATCH, tf.float32)
    done = tf.fill([BATCH], time >= TIME)
    return done, at(time), state, output, None

  outputs, state, _ = v1.nn.raw_rnn(cell, loop)
  got = tf.transpose(outputs.stack(), [1, 0, 2]), state
  helpers.assert_close(got, want, 2e-6)


def wrappers(case):
  """Around it a DropoutWrapper that keeps all, inside a MultiRNNCell."""
  cell = case.make()
  stack = tf_contrib_rnn.MultiRNNCell([tf_contrib_rnn.DropoutWrapper(cell)])
  _, results = dynamic(case, stack)
  _, want = dynamic(case, cell)
  helpers.assert_close(results, helpers.to_numpy(want), 2e-6)


# Eager mode and tf.functions.


def eager_twice(case):
  cell, first = step(case)
  variables = cell.variables
  assert len(variables) == len(case.variables)
  _, second = step(case, cell)
  helpers.assert_close(second, first, 0)
  step(case, cell, batch=1)
  assert [id(v) for v in variables] == [id(v) for v in cell.variables]


def function_twice(case):
  cell = case.make()
  call = tf.function(lambda x, state: cell(x, state))
  for batch in (BATCH, 1):
    call(case.draw([batch]), cell.zero_state(batch, tf.float32))
  assert len(cell.variables) == len(case.variables)
  _, want = step(case, cell)
  got = call(case.draw([BATCH]), cell.zero_state(BATCH, tf.float32))
  helpers.assert_close(got, helpers.to_numpy(want), 2e-6)


def arrays_and_lists(case):
  """The inputs and the state as NumPy's arrays, and in a list."""
  cell, want = step(case)
  inputs = tf.nest.map_structure(lambda t: t.numpy(), case.draw([BATCH]))
  size = cell.state_size
  state = tf.nest.map_structure(lambda n: np.zeros([BATCH, n], "f"), size)
  state = [*state] if isinstance(size, tuple) else state
  got = cell(inputs, state)
  helpers.assert_close(got, helpers.to_numpy(want), 0)


IN_GRAPHS = [
  variables,
  names_in_scopes,
  names_of_a_call_with_scope,
  names_in_dynamic_rnn,
  names_in_static_rnn,
  names_in_multi_rnn_cell,
  names_in_both_directions,
  second_instance,
  starts,
  partitioner,
  regularizer,
  custom_getter,
  reuse,
  reuse_of_a_scope,
  reuse_of_what_is_not_there,
  reuse_of_another_size,
  unknown_depth,
  inputs_of_another_rank,
  state_of_another_width,
  state_of_another_dtype,
  unknown_keyword,
]
IN_EAGER_MODE = [
  dynamic_rnn_is_a_loop_of_steps,
  raw_rnn_is_a_loop_of_steps,
  wrappers,
  eager_twice,
  function_twice,
  arrays_and_lists,
]
CHECKS = {check.__name__: check for check in IN_GRAPHS + IN_EAGER_MODE}
# What depends on a cell's options.
OF_OPTIONS = [
  check.__name__
  for check in (
    variables,
    names_in_dynamic_rnn,
    starts,
    partitioner,
    dynamic_rnn_is_a_loop_of_steps,
    eager_twice,
    function_twice,
  )
]


def run(check, case):
  """Runs one of the checks, in a graph of its own if it needs one."""
  check = CHECKS[check]
  if check not in IN_GRAPHS:
    return check(case)
  with tf.Graph().as_default():
    return check(case)
