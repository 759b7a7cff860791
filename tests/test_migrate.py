"""The weights of TensorFlow 1 checkpoints, read and written."""

import doctest
import glob
import math
import os
import sys

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from tf_contrib_rnn import migrate
from tf_contrib_rnn.migrate import weights as migrate_weights

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


def test_a_cell_called_gates():
  variables = {
    "rnn/gates/kernel_w": np.ones([3, 5]),
    "rnn/gates/kernel_u": np.ones([1, 5]),
    "rnn/gates/bias": np.zeros([5]),
  }
  assert migrate.list_scopes("IndRNNCell", variables) == {"rnn/gates": 5}
  assert migrate.read_weights("IndRNNCell", variables).units == 5


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


def an_sru(depth=3, units=4, scope="rnn/sru_cell/"):
  rng = np.random.RandomState(1)
  return {
    scope + "kernel": rng.standard_normal([depth, 4 * units]),
    scope + "bias": rng.standard_normal([2 * units]),
  }


def layers_of_the_same_names():
  """Dense, LSTMCell, UGRNNCell and GRUCell, each with kernels and biases."""
  shapes = {
    "dense": ([4, 8], [8]),
    "rnn/lstm_cell": ([7, 16], [16]),
    "rnn/ugrnn_cell": ([7, 8], [8]),
    "rnn/gru_cell/gates": ([7, 8], [8]),
    "rnn/gru_cell/candidate": ([7, 4], [4]),
    "flat": ([8], [4]),
  }
  return {
    f"{scope}/{name}": np.ones(shape)
    for scope, both in shapes.items()
    for name, shape in zip(("kernel", "bias"), both)
  }


@pytest.mark.parametrize("in_files", [False, True])
def test_sru_is_known_by_its_shapes(in_files, tmp_path):
  checkpoint = {**an_sru(), **layers_of_the_same_names()}
  if in_files:
    checkpoint = migrate.write_checkpoint(checkpoint, tmp_path / "model.ckpt")
  assert migrate.list_scopes("SRUCell", checkpoint) == {"rnn/sru_cell": 4}
  weights = migrate.read_weights("SRUCell", checkpoint)
  assert (weights.depth, weights.units) == (3, 4)
  assert weights.recurrent_kernel.shape == (1, 0)
  assert weights.recurrent_kernel.dtype == weights.kernel.dtype
  variables = migrate.to_variables(weights, "rnn/sru_cell")
  assert list(variables) == list(an_sru())
  for name, array in an_sru().items():
    np.testing.assert_array_equal(variables[name], array)


@pytest.mark.parametrize(
  "scope, message",
  [
    ("rnn/lstm_cell", r"'rnn/lstm_cell/bias' has shape \[16\], expected \[8\]"),
    ("flat", r"'flat/kernel' has shape \[8\], expected \[depth, 4 \* units\]"),
    ("rnn/gru_cell", "of one SRUCell; below it .* has none, but candidate/bia"),
    ("rnn", "one SRUCell; below it the checkpoint has none, but gru_cell/c"),
  ],
)
def test_no_sru_is_named(scope, message):
  with pytest.raises(ValueError, match=message):
    migrate.read_weights("SRUCell", layers_of_the_same_names(), scope)


def test_gates_of_an_sru():
  weights = migrate.read_weights("SRUCell", an_sru())
  taken = weights.take_gates([3, 2, 1, 0])
  np.testing.assert_array_equal(taken.kernel[:, :4], weights.kernel[:, 12:])
  np.testing.assert_array_equal(taken.bias[:4], weights.bias[4:])
  assert taken.recurrent_kernel.shape == (1, 0)
  assert weights.shift_forget_gate(1.0) is weights
  cast = weights.cast(["float16"] * 3)
  assert cast.bias.dtype == np.float16
  arrays = [np.zeros([3, 8]), np.zeros([1, 0]), np.zeros(8)]
  with pytest.raises(ValueError, match=r"bias has shape \[8\], expected \[4\]"):
    migrate.CellWeights("SRUCell", *arrays)


GRU = "rnn/indy_gru_cell/"
INDEX = ".index"
DATA = ".data-00000-of-00001"


def write(prefix, value=1.0, **options):
  return migrate.write_checkpoint({"a": np.full([3], value)}, prefix, **options)


def contents_of(folder):
  return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("times", [1, 2])
def test_existing_checkpoint_stays_unless_told_otherwise(times, tmp_path):
  prefix = tmp_path / "model.ckpt"
  write(prefix)
  before = contents_of(tmp_path)
  for _ in range(times):
    with pytest.raises(FileExistsError, match="prefix is .*model.ckpt.index"):
      write(prefix, 2.0)
  assert contents_of(tmp_path) == before
  for value in range(times):
    write(prefix, value, overwrite=True)
    np.testing.assert_array_equal(variables_of(prefix)["a"], [value] * 3)


@pytest.mark.parametrize(
  "ending", [INDEX, DATA, ".data-00001-of-00002", ".meta"]
)
def test_any_file_of_a_checkpoint_keeps_its_path(ending, tmp_path):
  left = tmp_path / ("model.ckpt" + ending)
  left.write_bytes(b"of somebody")
  with pytest.raises(FileExistsError, match=left.name):
    write(tmp_path / "model.ckpt")
  assert contents_of(tmp_path) == {left.name: b"of somebody"}
  write(tmp_path / "model.ckpt", overwrite=True)
  assert "a" in variables_of(tmp_path / "model.ckpt")


def test_files_of_other_paths_do_not_count(tmp_path):
  prefix = tmp_path / "model[1].ckpt"
  for name in ("model1.ckpt", "model[1].ckpt-1", "a.model[1].ckpt"):
    write(tmp_path / name)
  write(prefix)
  with pytest.raises(FileExistsError):
    write(prefix)


@pytest.mark.parametrize(
  "prefix", ["", "folder/", ".", "folder", "model.ckpt.index", "a/b" + DATA]
)
def test_prefix_without_a_name_of_its_own(prefix, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / "folder").mkdir()
  with pytest.raises(ValueError, match=f"prefix is '{prefix}', expected"):
    write(prefix)
  assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_folder_of_a_checkpoint_is_made(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  assert "a" in variables_of(write("new/folder/model.ckpt"))
  assert "a" in variables_of(write("model.ckpt"))
  with pytest.raises(NotADirectoryError, match="'model.ckpt.index/folder'"):
    write("model.ckpt.index/folder/model.ckpt")


def test_checkpoint_has_no_graph(tmp_path):
  write(tmp_path / "model.ckpt")
  assert set(contents_of(tmp_path)) == {"model.ckpt" + e for e in (INDEX, DATA)}


def test_names_and_dtypes_are_written_as_they_are(tmp_path):
  variables = {
    "a": np.float64(3.0),
    "A": np.ones([2], ml_dtypes.bfloat16),  # TensorFlow's graphs ignore case
    "a/read": np.ones([0, 3], np.float16),
    "a b": [1.0, 2.0],
    "global_step": np.int64(7),
    "is_trained": True,
    "swapped": np.arange(3, dtype=">f4"),
  }
  written = variables_of(
    migrate.write_checkpoint(variables, tmp_path / "model.ckpt")
  )
  assert set(written) == set(variables)
  for name, value in variables.items():
    assert written[name].dtype == np.asarray(value).dtype.newbyteorder("=")
    np.testing.assert_array_equal(written[name], value)


@pytest.mark.parametrize(
  "variables, message",
  [
    ({}, "variables is {}, expected a mapping"),
    ([("a", np.ones(3))], "variables is .*, expected a mapping"),
    ({"a": np.ones(3), 7: np.ones(3)}, "variables has the key 7, expected"),
    ({"": np.ones(3)}, "variables has the key '', expected"),
    ({"a": np.ones(3), "b/c": "text"}, "variable 'b/c' has dtype <U4"),
    ({"a": np.array([b"text"])}, "variable 'a' has dtype .S4"),
    ({"a": None}, "variable 'a' has dtype object"),
    ({"a": np.array(["a", 1], object)}, "variable 'a' has dtype object"),
    ({"a": np.zeros(2, "V2")}, "variable 'a' has dtype .V2"),
    ({"a": [[1.0], [1.0, 2.0]]}, "variable 'a' is of the type list, expected"),
  ],
)
def test_what_no_checkpoint_holds(variables, message, tmp_path):
  with pytest.raises(ValueError, match=message):
    migrate.write_checkpoint(variables, tmp_path / "new" / "model.ckpt")
  assert not contents_of(tmp_path)


def test_what_is_wrong_replaces_nothing(tmp_path):
  write(tmp_path / "model.ckpt")
  before = contents_of(tmp_path)
  with pytest.raises(ValueError, match="variable 'a' has dtype object"):
    migrate.write_checkpoint(
      {"a": None}, tmp_path / "model.ckpt", overwrite=True
    )
  assert contents_of(tmp_path) == before


@pytest.mark.parametrize(
  "dtype", ["float16", ml_dtypes.bfloat16, "float32", "float64", ">f8"]
)
def test_dtypes_of_weights_without_tensorflow(dtype, monkeypatch):
  monkeypatch.setitem(sys.modules, "tensorflow", None)  # an import would fail
  variables = {name: a.astype(dtype) for name, a in an_indy_gru().items()}
  weights = migrate.read_weights("IndyGRUCell", variables)
  for array in (weights.kernel, weights.recurrent_kernel, weights.bias):
    assert array.dtype == np.dtype(dtype).newbyteorder("=")
  for name, array in migrate.to_variables(weights, GRU[:-1]).items():
    np.testing.assert_array_equal(array, variables[name])


def test_dtype_that_holds_the_numbers_of_two():
  variables = an_indy_gru()
  for name in variables:
    of_gates = "/gates/" in name
    dtype = np.float16 if of_gates else ml_dtypes.bfloat16
    variables[name] = variables[name].astype(dtype)
  weights = migrate.read_weights("IndyGRUCell", variables)
  assert weights.kernel.dtype == np.float32
  for name, array in migrate.to_variables(weights, GRU[:-1]).items():
    np.testing.assert_array_equal(array, variables[name].astype("float32"))


@pytest.mark.parametrize(
  "value, dtype",
  [
    (np.zeros([4], np.int32), "int32"),
    ([0, 0, 0, 0], "int64"),
    (np.zeros([4], bool), "bool"),
    (np.zeros([4], np.complex64), "complex64"),
    (np.zeros([4], np.longdouble), "float128"),
    (np.zeros([4], ml_dtypes.float8_e5m2), "float8_e5m2"),
    (np.zeros([4], "V2"), ".V2"),  # what np.load makes of bfloat16
    (np.array(["0"] * 4), "<U1"),
    (np.array([b"0"] * 4), ".S1"),
    (np.array([0.0] * 4, object), "object"),
    (None, "object"),
  ],
)
def test_dtype_that_no_weight_has_is_named(value, dtype):
  variables = {**an_indy_gru(), GRU + "candidate/bias": value}
  message = (
    f"variable '{GRU}candidate/bias' has dtype {dtype}, expected float16, "
    "bfloat16, float32 or float64"
  )
  with pytest.raises(ValueError, match=message):
    migrate.read_weights("IndyGRUCell", variables)


@pytest.mark.parametrize("name", ["candidate/bias", "gates/kernel_u"])
def test_value_that_is_no_array_is_named(name):
  variables = {**an_indy_gru(), GRU + name: [[1.0], [1.0, 2.0]]}
  message = f"variable '{GRU}{name}' is of the type list, expected an array"
  with pytest.raises(ValueError, match=message):
    migrate.read_weights("IndyGRUCell", variables)


def test_dtypes_of_other_variables_do_not_count():
  variables = {
    **an_indy_gru(),
    "global_step": np.int64(3),
    "words": np.array(["a"]),
    "other/kernel_u": None,
  }
  assert migrate.read_weights("IndyGRUCell", variables).units == 4


@pytest.mark.parametrize("key", [7, b"rnn/bias", None, ("rnn", "bias"), ""])
def test_key_that_is_no_name(key):
  variables = {**an_indy_gru(), key: np.zeros(3)}
  for read in (migrate.read_weights, migrate.list_scopes):
    with pytest.raises(ValueError, match="checkpoint has the key .*, expected"):
      read("IndyGRUCell", variables)


def test_number_too_large_for_a_dtype_is_named():
  variables = an_indy_gru()
  variables[GRU + "candidate/kernel"][1, 2] = -1e300
  weights = migrate.read_weights("IndyGRUCell", variables)
  for dtype in ("float16", ml_dtypes.bfloat16, "float32"):
    message = (
      rf"variable '{GRU}candidate/kernel' has -1e\+300 \(float64\), expected "
      f"numbers that are finite in {np.dtype(dtype)}"
    )
    for dtypes in ([dtype] * 3, [dtype, "float64", "float64"]):
      with pytest.raises(ValueError, match=message):
        weights.cast(dtypes)
  assert weights.cast(["float64"] * 3).kernel[1, 10] == -1e300
  assert weights.cast(["float64", "float32", "float16"]).bias.dtype == "float16"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16, "float32"])
def test_what_is_not_finite_stays(value, dtype):
  variables = an_indy_gru()
  variables[GRU + "gates/bias"][5] = value
  weights = migrate.read_weights("IndyGRUCell", variables).cast([dtype] * 3)
  np.testing.assert_array_equal(weights.bias[5].astype("float64"), value)
  assert np.isfinite(np.delete(weights.bias, 5).astype("float64")).all()


def an_indy_lstm(dtype):
  return migrate.CellWeights(
    "IndyLSTMCell",
    np.ones([3, 8], dtype),
    np.ones([1, 8], dtype),
    np.array([0, 1, 2, 3, np.nan, 5, 6, 7], dtype),
  )


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16, "float64"])
def test_number_added_to_the_forget_gate(dtype):
  weights = an_indy_lstm(dtype)
  for _ in range(2):
    shifted = weights.shift_forget_gate(0.5)
    assert shifted.bias.dtype == dtype
    np.testing.assert_array_equal(
      shifted.bias.astype("float64"), [0, 1, 2, 3, np.nan, 5.5, 6, 7]
    )
  for number in (math.inf, -math.inf, math.nan):
    with pytest.raises(ValueError, match="forget_bias changes .* expected"):
      weights.shift_forget_gate(number)


def test_number_too_large_for_the_forget_gate():
  with pytest.raises(ValueError, match="by -1e.300, expected .* float32"):
    an_indy_lstm("float32").shift_forget_gate(-1e300)


@pytest.fixture(name="saved")
def fixture_saved(tmp_path):
  """The prefix of a checkpoint of an IndyGRU."""
  return migrate.write_checkpoint(an_indy_gru(), tmp_path / "model.ckpt")


def expect_damage(path):
  for read in (migrate.read_weights, migrate.list_scopes):
    with pytest.raises(ValueError, match="model.ckpt', whose files are cut"):
      read("IndyGRUCell", path)


@pytest.mark.parametrize("ending", [INDEX, DATA])
@pytest.mark.parametrize("part", [0, 1, 0.1, 0.5, 0.9, -48, -1])
def test_file_that_is_cut_short(ending, part, saved):
  with open(saved + ending, "rb") as file:
    content = file.read()
  length = int(part * len(content)) if isinstance(part, float) else part
  with open(saved + ending, "wb") as file:
    file.write(content[:length])
  with pytest.raises(ValueError, match="model.ckpt', whose files are cut"):
    migrate.read_weights("IndyGRUCell", saved)
  with open(saved + ending, "wb") as file:
    file.write(content)
  assert migrate.read_weights("IndyGRUCell", saved).units == 4


@pytest.mark.parametrize("ending", [INDEX, DATA])
def test_file_with_another_byte(ending, saved):
  with open(saved + ending, "r+b") as file:
    content = file.read()
    file.seek(0)
    file.write(bytes([content[0] ^ 1]))
  with pytest.raises(ValueError, match="model.ckpt', whose files are cut"):
    migrate.read_weights("IndyGRUCell", saved)


@pytest.mark.parametrize("ending", [INDEX, DATA])
def test_file_that_is_missing(ending, saved):
  os.remove(saved + ending)
  for path in (saved, saved + INDEX, saved + DATA):
    expect_damage(path)


def test_data_missing_of_a_folder_s_checkpoint(saved, tmp_path):
  state = tmp_path / "checkpoint"
  state.write_text('model_checkpoint_path: "model.ckpt"')
  assert migrate.read_weights("IndyGRUCell", tmp_path).units == 4
  os.remove(saved + DATA)
  message = f"checkpoint is .*{tmp_path.name}', whose files are cut"
  with pytest.raises(ValueError, match=message):
    migrate.read_weights("IndyGRUCell", tmp_path)
  state.write_bytes(b"\xff\xfe")
  with pytest.raises(ValueError, match=message):
    migrate.read_weights("IndyGRUCell", tmp_path)


def test_no_file_at_all_is_not_damage(saved, tmp_path):
  for path in (tmp_path / "model", tmp_path / "none" / "model.ckpt"):
    with pytest.raises(tf.errors.NotFoundError, match=str(path)):
      migrate.read_weights("IndyGRUCell", path)
  for ending in (INDEX, DATA):
    os.remove(saved + ending)
  with pytest.raises(tf.errors.NotFoundError, match=saved):
    migrate.read_weights("IndyGRUCell", saved)


def test_examples_of_docstrings():
  assert doctest.testmod(migrate_weights).failed == 0


@pytest.mark.parametrize("name", migrate.__all__)
def test_everything_has_an_example(name):
  tests = doctest.DocTestFinder().find(getattr(migrate, name), name)
  assert any(test.examples for test in tests)
