"""The weights of TensorFlow 1 checkpoints, read and written."""

import glob
import os

import numpy as np
import pytest
import tensorflow as tf

from tf_contrib_rnn import migrate

HERE = os.path.dirname(os.path.abspath(__file__))
CELLS = {
  "ind_rnn_cell": "IndRNNCell",
  "indy_gru_cell": "IndyGRUCell",
  "indy_lstm_cell": "IndyLSTMCell",
}
CHECKPOINTS = sorted(
  path[: -len(".index")]
  for path in glob.glob(os.path.join(HERE, "golden", "*", "ckpt.index"))
)


def cell_of(scope):
  return CELLS.get(scope.split("/")[-1])


def variables_of(checkpoint):
  return {
    name: tf.train.load_variable(checkpoint, name)
    for name, _ in tf.train.list_variables(checkpoint)
  }


def an_indy_gru(depth=3, units=4, scope="rnn/indy_gru_cell/"):
  rng = np.random.RandomState(1)
  shapes = {
    "gates/kernel_w": [depth, 2 * units],
    "gates/kernel_u": [1, 2 * units],
    "gates/bias": [2 * units],
    "candidate/kernel": [depth, units],
    "candidate/kernel_u": [1, units],
    "candidate/bias": [units],
  }
  return {scope + n: rng.standard_normal(s) for n, s in shapes.items()}


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_every_recorded_checkpoint_there_and_back(checkpoint, tmp_path):
  expected = variables_of(checkpoint)
  written = {}
  for cell in CELLS.values():
    for scope in migrate.list_scopes(cell, checkpoint):
      if (cell_of(scope) or cell) != cell:
        continue
      weights = migrate.read_weights(cell, checkpoint, scope)
      assert weights.kernel.dtype == expected[next(iter(expected))].dtype
      written.update(migrate.to_variables(weights, scope))
  assert set(written) == set(expected)
  prefix = migrate.write_checkpoint(written, tmp_path / "model.ckpt")
  restored = variables_of(prefix)
  assert set(restored) == set(expected)
  for name, array in expected.items():
    np.testing.assert_array_equal(restored[name], array)


def test_gates_lie_in_the_order_of_the_file():
  variables = an_indy_gru()
  weights = migrate.read_weights("IndyGRUCell", variables)
  assert (weights.depth, weights.units) == (3, 4)
  np.testing.assert_array_equal(
    weights.kernel[:, 8:], variables["rnn/indy_gru_cell/candidate/kernel"]
  )
  swapped = weights.take_gates([1, 0, 2])
  np.testing.assert_array_equal(swapped.kernel[:, :4], weights.kernel[:, 4:8])
  np.testing.assert_array_equal(swapped.bias[8:], weights.bias[8:])


@pytest.mark.parametrize("scope", [None, "", "rnn", "/rnn/indy_gru_cell/"])
def test_scope_around_the_only_cell_will_do(scope):
  weights = migrate.read_weights("IndyGRUCell", an_indy_gru(), scope)
  assert weights.units == 4


def test_variables_without_a_scope():
  weights = migrate.read_weights("IndyGRUCell", an_indy_gru(scope=""), "")
  assert set(migrate.to_variables(weights, "")) == set(an_indy_gru(scope=""))


def test_what_an_optimizer_keeps_does_not_count():
  variables = an_indy_gru()
  for name in list(variables):
    variables[name + "/Adam"] = variables[name]
    variables[name + "/Adam_1"] = variables[name]
  assert migrate.read_weights("IndyGRUCell", variables, "rnn").units == 4


def two_cells():
  return {**an_indy_gru(scope="a/cell/"), **an_indy_gru(scope="b/cell/")}


@pytest.mark.parametrize(
  "scope, message",
  [
    (None, "scope is None, expected that of one IndyGRUCell; below it the"),
    (None, r"'a/cell' \(4 units\), 'b/cell' \(4 units\)"),
    ("c", "scope is 'c', .* below it the checkpoint has none"),
  ],
)
def test_scope_that_does_not_say_which(scope, message):
  with pytest.raises(ValueError, match=message):
    migrate.read_weights("IndyGRUCell", two_cells(), scope)


def test_units_tell_cells_of_a_scope_apart():
  variables = {**an_indy_gru(scope="a/"), **an_indy_gru(units=5, scope="b/")}
  assert migrate.read_weights("IndyGRUCell", variables, units=5).units == 5
  with pytest.raises(ValueError, match="expected that of one IndyGRUCell of 6"):
    migrate.read_weights("IndyGRUCell", variables, units=6)
  with pytest.raises(ValueError, match="units is 5, and .* 'a' has 4"):
    migrate.read_weights("IndyGRUCell", variables, "a", units=5)


def test_gates_of_an_indy_gru_are_no_cell():
  assert migrate.list_scopes("IndyLSTMCell", an_indy_gru()) == {}
  assert migrate.list_scopes("IndyGRUCell", an_indy_gru()) == {
    "rnn/indy_gru_cell": 4
  }


def test_missing_variable_is_named():
  variables = an_indy_gru()
  del variables["rnn/indy_gru_cell/candidate/bias"]
  with pytest.raises(
    ValueError, match="missing: 'rnn/indy_gru_cell/candidate/bias'"
  ):
    migrate.read_weights("IndyGRUCell", variables, "rnn/indy_gru_cell")


def test_extra_variable_is_named():
  variables = an_indy_gru()
  variables["rnn/indy_gru_cell/peephole"] = np.zeros(4)
  with pytest.raises(
    ValueError, match="not of such a cell: 'rnn/indy_gru_cell/peephole'"
  ):
    migrate.read_weights("IndyGRUCell", variables)


@pytest.mark.parametrize(
  "name, shape",
  [
    ("gates/kernel_w", [3, 7]),
    ("gates/kernel_w", [8]),
    ("gates/kernel_u", [8]),
    ("candidate/kernel", [2, 4]),
    ("candidate/bias", [3]),
  ],
)
def test_misshapen_variable_is_named(name, shape):
  variables = an_indy_gru()
  variables["rnn/indy_gru_cell/" + name] = np.zeros(shape)
  message = f"variable 'rnn/indy_gru_cell/{name}' has shape \\[{shape[0]}"
  with pytest.raises(ValueError, match=message):
    migrate.read_weights("IndyGRUCell", variables)


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001"])
def test_any_file_of_a_checkpoint_names_it(ending):
  path = os.path.join(HERE, "golden", "dynamic_gru", "ckpt" + ending)
  assert migrate.read_weights("IndyGRUCell", path).units == 4


def test_cell_of_another_kind_is_shown():
  with pytest.raises(ValueError, match="has none, but candidate/bias, cand"):
    migrate.read_weights("IndRNNCell", an_indy_gru(), "rnn/indy_gru_cell")


def test_unknown_cell_is_named():
  with pytest.raises(ValueError, match="cell is 'GRUCell', expected one of"):
    migrate.read_weights("GRUCell", an_indy_gru())


def test_missing_checkpoint_is_named(tmp_path):
  with pytest.raises((ValueError, tf.errors.OpError), match="nothing"):
    migrate.read_weights("IndyGRUCell", tmp_path / "nothing")


def test_weights_that_do_not_fit_each_other():
  with pytest.raises(ValueError, match="bias has shape .3., expected .4."):
    migrate.CellWeights(
      "IndyLSTMCell", np.zeros([2, 4]), np.zeros([1, 4]), np.zeros(3)
    )
