"""The variables and the states of GridLSTMCell, BidirectionalGridLSTMCell and,
in the same ways, TimeFreqLSTMCell."""

import numpy as np
import pytest
import tensorflow as tf
from grid_cell_helpers import BATCH
from grid_cell_helpers import call
from grid_cell_helpers import CELLS
from grid_cell_helpers import DEPTH
from grid_cell_helpers import make_any
from grid_cell_helpers import make_grid
from grid_cell_helpers import make_time_freq
from grid_cell_helpers import UNITS

import tf_contrib_rnn

v1 = tf.compat.v1


# Variables.


def names():
  return [v.name.removesuffix(":0") for v in v1.global_variables()]


PEEPHOLES = [
  "W_F_diag_{}f_{}",
  "W_F_diag_{}t_{}",
  "W_I_diag_{}f_{}",
  "W_I_diag_{}t_{}",
  "W_O_diag_{}f_{}",
  "W_O_diag_{}t_{}",
]


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("shards", [1, 2])
def test_variables_of_grids(peepholes, shared, coupled, bidirectional, shards):
  kinds = ["freq"] if shared else ["freq", "time"]
  columns = (3 if coupled else 4) * UNITS
  rows = {1: [6], 2: [3, 3]}[shards]
  want = []
  for scope in ("fwd/", "bwd/") if bidirectional else ("",):
    for block in range(2):
      for kind in kinds:
        for k, height in enumerate(rows):
          name = f"{scope}W_{kind[0]}_{block}_{k}"
          want.append((name, [height, columns]))
        want.append((f"{scope}B_{kind[0]}_{block}", [columns]))
      for kind in kinds if peepholes else ():
        for name in PEEPHOLES[2:] if coupled else PEEPHOLES:
          want.append((scope + name.format(kind, block), [UNITS]))
  with tf.Graph().as_default():
    cell = make_grid(
      "blocks",
      bidirectional,
      use_peepholes=peepholes,
      share_time_frequency_weights=shared,
      couple_input_forget_gates=coupled,
      num_unit_shards=shards,
    )
    call(cell)
    prefix = (
      "bidirectional_grid_lstm_cell" if bidirectional else "grid_lstm_cell"
    )
    assert [(v.name, v.shape) for v in cell.variables] == [
      (f"{prefix}/{name}:0", shape) for name, shape in want
    ]
    whole = v1.get_collection(v1.GraphKeys.CONCATENATED_VARIABLES)
    kernels = len(kinds) * (4 if bidirectional else 2)
    assert len(whole) == (kernels if shards > 1 else 0)


@pytest.mark.parametrize("name", CELLS)
def test_what_variables_start_with(name):
  with tf.Graph().as_default(), v1.Session() as session:
    cell = make_any(
      name, units=30, use_peepholes=True, initializer=v1.ones_initializer()
    )
    call(cell)
    session.run(v1.global_variables_initializer())
    for variable, value in zip(cell.variables, session.run(cell.variables)):
      if "/B" in variable.name:
        assert not np.any(value)
      else:
        fans = sum(value.shape) if value.ndim == 2 else 2 * len(value)
        limit = np.sqrt(6 / fans)
        assert 0.7 * limit < np.max(np.abs(value)) <= limit


@pytest.mark.parametrize("name", CELLS)
def test_scopes_and_reuse(name):
  with tf.Graph().as_default():
    cell = make_any(name, num_unit_shards=2)
    with v1.variable_scope("a"):
      call(cell)
    call(cell)
    made = names()
    assert all(name.startswith("a/") for name in made)
    with v1.variable_scope("a"):
      call(make_any(name, num_unit_shards=2, reuse=True))
      with pytest.raises(ValueError, match="already exists, disallowed"):
        call(make_any(name, num_unit_shards=2))
      with pytest.raises(ValueError, match="specified shape"):
        call(make_any(name, num_unit_shards=2, units=3, reuse=True))
    assert names() == made
    with v1.variable_scope("b"):
      for _ in range(2):
        call(make_any(name, reuse=v1.AUTO_REUSE))
      with pytest.raises(ValueError, match="does not exist"):
        call(make_any(name, reuse=True), scope="c")
    call(make_any(name), scope="mine")
    assert names()[-1].startswith("mine/") and "cell/" not in names()[-1]
    with pytest.raises(TypeError, match="name"):
      make_any(name, name="d")


@pytest.mark.parametrize("name", CELLS)
def test_scope_options(name):
  with tf.Graph().as_default(), v1.Session() as session:
    with v1.variable_scope(
      "a",
      initializer=v1.constant_initializer(0.5),
      partitioner=v1.fixed_size_partitioner(2),
    ):
      cell = make_any(name, use_peepholes=True)
      output, _ = call(cell)
    assert all(name[:-1].endswith("/part_") for name in names())
    session.run(v1.global_variables_initializer())
    for variable in v1.global_variables():
      start = 0 if "/B" in variable.name else 0.5
      assert np.all(session.run(variable) == start)
    assert np.all(np.isfinite(session.run(output)))


@pytest.mark.parametrize("name", CELLS)
def test_eager_calls_and_functions_share_variables(name):
  cell = make_any(name, num_unit_shards=2)
  traced = tf.function(lambda inputs: call(cell, inputs.shape[0])[0])
  for batch in (2, 5):
    assert traced(tf.zeros([batch])).shape == [batch, cell.output_size]
  first = [id(v) for v in cell.variables]
  call(cell)
  call(cell, batch=4)
  assert [id(v) for v in cell.variables] == first
  assert len({v.name for v in cell.variables}) == len(first)


# State.


def test_state_sizes():
  cell = make_grid("blocks")
  fields = [
    f"state_f{window:02d}_b{block:02d}_{part}"
    for block, windows in enumerate([1, 2])
    for window in range(windows)
    for part in "cm"
  ]
  assert [*cell.state_tuple_type._fields] == fields
  assert cell.state_size == cell.state_tuple_type(*[UNITS] * 6)
  assert cell.state_tuple_type.__name__ == "GridLSTMStateTuple"
  assert cell.state_tuple_type is not make_grid("blocks").state_tuple_type
  assert cell.output_size == 12
  both = make_grid("blocks", True)
  name = "BidirectionalGridLSTMStateTuple"
  assert both.state_tuple_type.__name__ == name
  assert [*both.state_tuple_type._fields] == [
    f"{direction}_{field}" for direction in ("fwd", "bwd") for field in fields
  ]
  assert both.output_size == 24
  wide = make_time_freq(units=5)
  assert (wide.state_size, wide.output_size) == (10, 5)


def test_states_of_grids_are_namedtuples():
  with tf.Graph().as_default():
    cell = make_grid()
    state = cell.zero_state(BATCH, tf.float32)
    with pytest.raises(AttributeError, match="state_f00_b00_c"):
      cell(tf.zeros([BATCH, DEPTH]), (*state,))
    other = make_grid()
    _, new_state = other(tf.zeros([BATCH, DEPTH]), state)
    assert type(new_state) is other.state_tuple_type


def test_unknown_batch():
  with tf.Graph().as_default():
    inputs = v1.placeholder(tf.float32, [None, DEPTH])
    state = v1.placeholder(tf.float32, [None, None])
    output, new_state = make_time_freq()(inputs, state)
    assert output.shape.as_list() == [None, 4]
    assert new_state.shape.as_list() == [None, 8]
    for name in CELLS:
      outputs, _ = tf_contrib_rnn.dynamic_rnn(
        make_any(name, reuse=v1.AUTO_REUSE),
        v1.placeholder(tf.float32, [None, 4, DEPTH]),
        dtype=tf.float32,
      )
      assert outputs.shape[:2].as_list() == [None, 4]
