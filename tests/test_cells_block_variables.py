"""The variables of the block cells, and the errors of wrong calls."""

import helpers
import numpy as np
import pytest
import tensorflow as tf
from block_cell_helpers import BATCH
from block_cell_helpers import DEPTH
from block_cell_helpers import MAKERS
from block_cell_helpers import pack
from block_cell_helpers import TIME
from block_cell_helpers import UNITS

import tf_contrib_rnn

v1 = tf.compat.v1


# Variables.

NAMES = {
  "plain": ["lstm_cell/kernel", "lstm_cell/bias"],
  "peephole": [
    "lstm_cell/kernel",
    "lstm_cell/bias",
    "lstm_cell/w_i_diag",
    "lstm_cell/w_f_diag",
    "lstm_cell/w_o_diag",
  ],
  "GRU": ["gru_cell/w_ru", "gru_cell/b_ru", "gru_cell/w_c", "gru_cell/b_c"],
  "GRUv2": [
    "gru_cell/gates/kernel",
    "gru_cell/gates/bias",
    "gru_cell/candidate/kernel",
    "gru_cell/candidate/bias",
  ],
}
every_name = pytest.mark.parametrize("name", NAMES)


def made_names():
  return [v.op.name for v in v1.global_variables()]


def step(cell, dtype=tf.float32, depth=DEPTH, **kwargs):
  x = tf.ones([BATCH, depth], dtype)
  return cell(x, cell.zero_state(BATCH, dtype), **kwargs)


@every_name
def test_names_shapes_and_order(graph, name):
  kind = MAKERS[name]()
  cell = kind.make()
  step(cell)
  assert made_names() == NAMES[name]
  shapes = [v.shape.as_list() for v in cell.variables]
  assert shapes == kind.shapes(DEPTH, UNITS)
  assert cell.trainable_variables == v1.trainable_variables()
  assert cell.output_size == UNITS
  assert tf.nest.flatten(cell.state_size) == [UNITS] * kind.states


def test_the_lstms_state_is_a_state_tuple():
  cell = tf_contrib_rnn.LSTMBlockCell(UNITS)
  assert isinstance(cell.state_size, tf_contrib_rnn.LSTMStateTuple)
  _, state = step(cell)
  assert isinstance(state, tf_contrib_rnn.LSTMStateTuple)


@every_name
def test_starting_values(graph, name):
  step(MAKERS[name]().make(40))
  for variable, value in zip(
    v1.global_variables(), helpers.evaluate(v1.global_variables())
  ):
    last = variable.op.name.rpartition("cell/")[2]
    if last in ("b_ru", "gates/bias"):
      assert np.all(value == 1)
    elif last in ("bias", "b_c", "candidate/bias"):
      assert np.all(value == 0)
    else:
      limit = np.sqrt((3 if value.ndim == 1 else 6) / sum(value.shape))
      assert np.all(np.abs(value) <= limit)
      assert 0.85 * limit < np.abs(value).max() and np.std(value) > 0.4 * limit


@every_name
def test_scopes_options_reach_the_variables(graph, name):
  options = {
    "initializer": v1.constant_initializer(0.25),
    "regularizer": tf.reduce_sum,
    "partitioner": v1.fixed_size_partitioner(2),
    "use_resource": True,
  }
  with v1.variable_scope("scope", **options):
    output, _ = step(MAKERS[name]().make())
  assert made_names() == [
    f"scope/{n}/part_{i}" for n in NAMES[name] for i in (0, 1)
  ]
  assert len(v1.losses.get_regularization_losses()) == len(made_names())
  output, *values = helpers.evaluate([output, *v1.global_variables()])
  assert np.all(np.isfinite(output))
  for variable, value in zip(made_names(), values):
    start = 0.25
    if "/b" in variable.partition("cell/")[2] or "cell/b" in variable:
      start = 1 if "b_ru" in variable or "gates" in variable else 0
    assert np.all(value == start), variable


@every_name
def test_a_second_cell_and_reuse(graph, name):
  make = MAKERS[name]().make
  step(make())
  first = made_names()
  step(make())
  prefix = first[0].partition("/")[0]
  assert made_names()[len(first) :] == [
    n.replace(prefix, f"{prefix}_1") for n in first
  ]
  for reuse in (True, v1.AUTO_REUSE):
    cell = make(reuse=reuse)
    step(cell)
    assert [v.op.name for v in cell.variables] == first
  assert len(made_names()) == 2 * len(first)
  with pytest.raises(ValueError, match="Trying to share variable"):
    step(MAKERS[name]().make(UNITS + 1, reuse=True))


@every_name
def test_reuse_of_what_is_not_there(graph, name):
  with pytest.raises(ValueError, match="does not exist"):
    step(MAKERS[name]().make(reuse=True))


@every_name
def test_a_second_dynamic_rnn_without_reuse(graph, name):
  x = tf.ones([BATCH, TIME, DEPTH])
  make = MAKERS[name]().make
  v1.nn.dynamic_rnn(make(), x, dtype=tf.float32)
  assert made_names() == [f"rnn/{n}" for n in NAMES[name]]
  with pytest.raises(ValueError, match="already exists, disallowed"):
    v1.nn.dynamic_rnn(make(), x, dtype=tf.float32)


def test_names_given(graph):
  step(tf_contrib_rnn.LSTMBlockCell(UNITS, name="mine"))
  step(tf_contrib_rnn.GRUBlockCell(UNITS, name=None))
  step(tf_contrib_rnn.LSTMBlockCell(UNITS), scope="called")
  cell = tf_contrib_rnn.GRUBlockCellV2(UNITS)
  with v1.variable_scope("outer"):
    step(cell)
  step(cell)  # keeps its first scope
  assert [n for n in made_names() if not n.endswith(("bias", "_c"))] == [
    "mine/kernel",
    "gru_block_cell/w_ru",
    "gru_block_cell/b_ru",
    "called/kernel",
    "outer/gru_cell/gates/kernel",
    "outer/gru_cell/candidate/kernel",
  ]


def test_dtypes_of_variables(graph):
  for dtype in (tf.float16, "float16"):
    cell = tf_contrib_rnn.LSTMBlockCell(UNITS, dtype=dtype)
    step(cell, tf.float16)
    assert {v.dtype.base_dtype for v in cell.variables} == {tf.float16}


# Errors.


@every_name
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int32"])
def test_other_dtypes(name, dtype):
  for context in (tf.Graph().as_default(), tf.init_scope()):
    with context, pytest.raises(TypeError, match=f"{dtype}, expected float"):
      step(MAKERS[name]().make(), tf.as_dtype(dtype))


def test_other_dtypes_when_it_is_made_or_called_again():
  with pytest.raises(TypeError, match="is float16, expected float32"):
    step(tf_contrib_rnn.GRUBlockCell(UNITS), tf.float16)
  with pytest.raises(TypeError, match="is float64, expected float16 or"):
    step(tf_contrib_rnn.LSTMBlockCell(UNITS, dtype=tf.float64), tf.float32)
  with pytest.raises(TypeError, match="variables are of float16"):
    step(tf_contrib_rnn.LSTMBlockCell(UNITS, dtype=tf.float16), tf.float32)
  cell = tf_contrib_rnn.LSTMBlockCell(UNITS)
  step(cell)
  with pytest.raises(TypeError, match="is float64, expected float16 or"):
    step(cell, tf.float64)
  with pytest.raises(TypeError, match="c is of float16, the inputs of float32"):
    cell(tf.ones([BATCH, DEPTH]), cell.zero_state(BATCH, tf.float16))


BAD_STATES = {
  "rank 1": [UNITS],
  "rank 3": [BATCH, UNITS, 1],
  "width": [BATCH, UNITS + 1],
  "batch": [1, UNITS],
}


@pytest.mark.parametrize("name", ["plain", "GRU"])
@pytest.mark.parametrize("shape", BAD_STATES.values(), ids=BAD_STATES)
def test_states_of_other_shapes(name, shape):
  """The kernel would abort the process for one of rank 1."""
  kind = MAKERS[name]()
  x, good = tf.ones([BATCH, DEPTH]), tf.ones([BATCH, UNITS])
  bad = tf.ones(shape)
  cell = kind.make()
  for states in ([bad, good], [good, bad])[: kind.states]:
    with pytest.raises(ValueError, match="Shape of [ch] is .*, expected"):
      cell(x, pack(states[: kind.states]))
  cell(x, pack([good] * kind.states))
  specs = [tf.TensorSpec(None)] * (1 + kind.states)

  @tf.function(input_signature=specs)
  def unknown(x, *states):
    return cell(tf.ensure_shape(x, [None, DEPTH]), pack(states))

  unknown(x, *[good] * kind.states)
  with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
    unknown(x, *[bad] * kind.states)


def test_states_that_are_no_pairs():
  cell = tf_contrib_rnn.LSTMBlockCell(UNITS)
  x, state = tf.ones([BATCH, DEPTH]), tf.ones([BATCH, UNITS])
  with pytest.raises(ValueError, match="tuple with length 2"):
    cell(x, (state,) * 3)
  with pytest.raises(TypeError, match=r"expected a tuple \(c, h\)"):
    cell(x, tf.ones([2, BATCH, UNITS]))
  helpers.assert_close(cell(x, [state] * 2), cell(x, (state.numpy(),) * 2), 0)


@every_name
def test_inputs_of_other_shapes(graph, name):
  kind = MAKERS[name]()
  state = pack([tf.ones([BATCH, UNITS])] * kind.states)
  for shape in ([BATCH, None], None, [BATCH], [BATCH, DEPTH, 1]):
    with pytest.raises(ValueError, match="depth|ndim|rank"):
      kind.make()(v1.placeholder(tf.float32, shape), state)


@every_name
def test_unknown_arguments(name):
  for keyword in ({"activation": tf.tanh}, {"initializer": None}):
    with pytest.raises(TypeError, match="unexpected keyword"):
      MAKERS[name]().make(**keyword)


@pytest.mark.parametrize("name", ["GRUBlockCell", "GRUBlockCellV2"])
def test_cell_size(name, caplog):
  make = getattr(tf_contrib_rnn, name)
  for arguments in ((), (4, 4)):
    with pytest.raises(ValueError, match="Exactly one of num_units or cell_s"):
      make(*arguments)
  make(4)
  assert "cell_size" not in caplog.text
  assert make(cell_size=4).output_size == 4
  assert "cell_size is deprecated, use num_units instead" in caplog.text


def test_sizes_that_are_no_numbers():
  with pytest.raises(TypeError):
    step(tf_contrib_rnn.LSTMBlockCell(2.5))
  with pytest.raises(ValueError):
    x, state = tf.ones([2, 3]), tf.ones([2, 2])
    tf_contrib_rnn.LSTMBlockCell(-2)(x, (state, state))
  with pytest.raises((TypeError, ValueError)):
    step(tf_contrib_rnn.LSTMBlockCell(UNITS, forget_bias="much"))
