"""What checkpoints hold, recognised by names and shapes."""

import glob
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tf_contrib_rnn.checkpoints import contents
from tf_contrib_rnn.checkpoints import libraries

HERE = os.path.dirname(os.path.abspath(__file__))
v1 = tf.compat.v1

# What neither names nor shapes tell apart.
ALIKE = (
  {"LSTMCell", "LSTMBlockCell"},
  {"GRUCell", "GRUBlockCellV2"},
  {"IndRNNCell", "IndyLSTMCell"},
)
WITHOUT_VARIABLES = (
  *("CompiledWrapper", "FusedRNNCellAdaptor", "TimeReversedFusedRNN"),
  *("MultiRNNCell", "Sub:FusedRNNCell", "Sub:LSTMBlockWrapper"),
)


def read_scenarios():
  """Each recording: its name, its cells' descriptions, and its variables."""
  paths = glob.glob(os.path.join(HERE, "golden*", "*", "meta.json"))
  for path in sorted(paths):
    with open(path, encoding="utf-8") as file:
      meta = json.load(file)
    if "variables" in meta and meta["variables"]:
      name = os.path.basename(os.path.dirname(path))
      scenario = meta["scenario"]
      specs = scenario["cell"].get("multi", scenario["cell"])
      arrays = {
        name.partition(":")[0]: np.zeros(shape, dtype)
        for name, shape, dtype in meta["variables"]
      }
      yield name, specs, arrays


SCENARIOS = {name: rest for name, *rest in read_scenarios()}


def cells_in(spec):
  """The descriptions of a recording's cells, whatever they are nested in."""
  if isinstance(spec, list):
    return [cell for one in spec for cell in cells_in(one)]
  if not isinstance(spec, dict) or "class" not in spec:
    return []
  inner = cells_in(spec.get("args", []))
  return inner + [spec] * (spec["class"] not in WITHOUT_VARIABLES)


def units_of(spec):
  """A cell's units as it was made; None of a wrapper."""
  first = spec.get("num_units", [*spec.get("args", []), None][0])
  is_convolution = spec["class"].startswith("Conv")
  return first if isinstance(first, int) and not is_convolution else None


def kinds_of(cell):
  return {candidate.kind for candidate in cell.candidates}


def expect_cells(found, specs, alike=ALIKE):
  """Compares cells with descriptions, in any order."""
  found = list(found)
  for spec in cells_in(specs):
    kind, units = spec["class"], units_of(spec)
    fitting = [
      cell
      for cell in found
      if any(
        c.kind == kind and units in (None, c.units) for c in cell.candidates
      )
    ]
    assert fitting, (kind, units, found)
    kinds = kinds_of(fitting[0])
    assert alike is None or len(kinds) == 1 or kinds in alike, kinds
    found.remove(fitting[0])
  assert not found


def test_recordings_are_all_here():
  assert len(SCENARIOS) == 83


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recording(name):
  specs, arrays = SCENARIOS[name]
  found = contents.read(arrays)
  if name.startswith("bidirectional"):
    specs = [specs, specs]
  expect_cells(found.cells, specs)
  assert not found.unsure and not found.slots
  listed = [n for cell in found.cells for n in cell.variables]
  listed += [variable.name for variable in found.others]
  assert sorted(listed) == sorted(arrays)
  assert name == "lstm_block_wrapper_own" or not found.others
  for cell in found.cells:
    assert cell.dtype == arrays[cell.variables[0]].dtype.name


def with_other_scopes(arrays):
  """The variables with each cell's scope renamed, so that shapes decide."""
  default = {
    part
    for name in arrays
    for part in name.split("/")
    if part.endswith(("_cell", "_wrapper"))
  }
  return {
    "/".join("mine" if p in default else p for p in name.split("/")): array
    for name, array in arrays.items()
  }


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recording_without_the_default_scopes(name):
  specs, arrays = SCENARIOS[name]
  found = contents.read(with_other_scopes(arrays))
  if name.startswith("bidirectional"):
    specs = [specs, specs]
  expect_cells(found.cells + found.unsure, specs, alike=None)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_cell_that_lacks_a_variable_is_not_taken_for_whole(name):
  specs, arrays = SCENARIOS[name]
  whole = [cell.variables for cell in contents.read(arrays).cells]
  for missing in arrays:
    left = {n: a for n, a in arrays.items() if n != missing}
    for cell in contents.read(left).cells:
      assert missing not in cell.variables
      # What is left may be a smaller cell, but then of another description.
      is_one = cell.variables in whole
      is_part = any({*cell.variables} < {*names} for names in whole)
      assert is_one or is_part, cell


def scenario_of_folder(path):
  return SCENARIOS[os.path.basename(os.path.dirname(path))]


@pytest.mark.parametrize(
  "path", sorted(glob.glob(os.path.join(HERE, "golden", "*", "ckpt.index")))
)
def test_recorded_files(path):
  # The same from files as from the recorded names and shapes.
  _, arrays = scenario_of_folder(path)
  expected = contents.read(arrays)
  assert contents.read(path) == expected
  assert contents.read(path[: -len(".index")]) == expected


def lstm(scope, depth=5, units=4, kernel="kernel", bias="bias"):
  return {
    f"{scope}/{kernel}": np.zeros([depth + units, 4 * units], "f"),
    f"{scope}/{bias}": np.zeros([4 * units], "f"),
  }


@pytest.mark.parametrize(
  "scope, kind",
  [
    ("rnn/basic_lstm_cell", "BasicLSTMCell"),
    ("rnn/basic_lstm_cell_1", "BasicLSTMCell"),
    ("rnn/lstm_cell", "LSTMCell or LSTMBlockCell"),
    ("lstm_fused_cell", "LSTMBlockFusedCell"),
    ("layer_norm_basic_lstm_cell", "LayerNormBasicLSTMCell"),
    (
      "rnn/my_lstm",
      "BasicLSTMCell, LSTMCell, LSTMBlockCell, LSTMBlockFusedCell or "
      "LayerNormBasicLSTMCell",
    ),
  ],
)
def test_names_of_lstms(scope, kind):
  (cell,) = contents.read(lstm(scope)).cells
  assert (cell.kind, cell.scope) == (kind, scope)
  assert (cell.inputs, cell.units) == (5, 4)


def test_scopes_that_say_nothing_may_be_dense_layers():
  found = contents.read(lstm("encoder/out"))
  assert not found.cells and not found.others
  assert {"LSTMCell", "a dense layer"} <= kinds_of(found.unsure[0])
  assert found.unsure[0].units is None


@pytest.mark.parametrize("scope", ["dense", "dense_3", "fc1", "a/logits"])
def test_layers_that_are_no_cells(scope):
  found = contents.read(lstm(scope))
  assert not found.cells and not found.unsure
  assert [v.name for v in found.others] == sorted(lstm(scope))


def test_a_bias_that_no_dense_layer_has():
  sru = {"a/mine/kernel": np.zeros([3, 16]), "a/mine/bias": np.zeros([8])}
  found = contents.read(sru)
  assert [cell.kind for cell in found.cells] == ["SRUCell"]


def test_a_model_with_other_layers():
  def layer(scope, *shapes, names=("kernel", "bias")):
    return {f"{scope}/{n}": np.zeros(s) for n, s in zip(names, shapes)}

  other = {
    "embedding": np.zeros([1000, 8]),
    **layer("conv2d", [3, 3, 64, 64], [64]),
    **layer("conv1d_1", [3, 8, 16]),
    **layer("Conv/a", [3, 3, 8, 16], [16], names=("weights", "biases")),
    **layer(
      "keras_lstm", [5, 16], [4, 16], [16], names=("kernel", "r", "bias")
    ),
    **layer("gru/gru_cell/gates", [12, 16], [16]),
    **layer("gru/gru_cell/candidate/input_projection", [4, 8]),
    **layer("decoder/attention_wrapper/attention_layer", [8, 4]),
    **layer("norm", [16], [16], names=("gamma", "beta")),
    "decoder/memory_layer/kernel": np.zeros([8, 4]),
    "opaque_kernel": np.zeros([500]),
  }
  decoder = "decoder/attention_wrapper/multi_rnn_cell/cell_0/basic_lstm_cell"
  found = contents.read({**other, **lstm(decoder)})
  assert [(c.kind, c.scope) for c in found.cells] == [
    ("BasicLSTMCell", decoder)
  ]
  assert not found.unsure
  assert {v.name for v in found.others} == {*other}


def test_a_scope_that_has_more_is_no_lstm():
  found = contents.read({**lstm("my_lstm"), "my_lstm/gain": np.zeros([4])})
  assert not found.cells and len(found.others) == 3
  named = {**lstm("lstm_cell"), "lstm_cell/gain": np.zeros([4])}
  assert contents.read(named).cells[0].kind == "LSTMCell or LSTMBlockCell"


def test_names_of_old_tensorflow():
  (cell,) = contents.read(
    lstm("rnn/basic_lstm_cell", kernel="weights", bias="biases")
  ).cells
  assert cell.kind == "BasicLSTMCell"
  assert cell.variables == (
    "rnn/basic_lstm_cell/weights",
    "rnn/basic_lstm_cell/biases",
  )


def test_the_default_name_of_another_class_gives_way_to_shapes():
  gru = SCENARIOS["gru_block_v2_step"][1]
  renamed = {n.replace("gru_cell", "lstm_cell"): a for n, a in gru.items()}
  (cell,) = contents.read(renamed).cells
  assert cell.kind == "GRUCell or GRUBlockCellV2"


def indy(scope, depth, units):
  return {
    f"{scope}/kernel_w": np.zeros([depth, units]),
    f"{scope}/kernel_u": np.zeros([1, units]),
    f"{scope}/bias": np.zeros([units]),
  }


def test_a_stack_tells_what_its_cells_are():
  stack = "rnn/multi_rnn_cell/cell_"
  two = {**indy(stack + "0/mine", 3, 16), **indy(stack + "1/mine", 4, 8)}
  first, second = contents.read(two).cells
  assert (first.kind, first.units) == ("IndyLSTMCell", 4)
  assert (second.kind, second.units) == ("IndRNNCell or IndyLSTMCell", None)


def test_ten_cells_of_a_stack():
  stack = "rnn/multi_rnn_cell/cell_"
  many = {}
  for number in range(12):
    many.update(indy(f"{stack}{number}/ind_rnn_cell", 4, 4))
  assert len(contents.read(many).cells) == 12


def split(name, array, axis=0):
  return {
    f"{name}/part_{number}": part
    for number, part in enumerate(np.array_split(array, 3, axis))
  }


@pytest.mark.parametrize("axis", [0, 1])
def test_parts_that_a_partitioner_made(axis):
  kernel = np.zeros([9, 16], "f")
  parts = split("rnn/lstm_cell/kernel", kernel, axis)
  slots = {f"{name}/Adam": array for name, array in parts.items()}
  bias = {"rnn/lstm_cell/bias": np.zeros([16], "f")}
  found = contents.read({**parts, **slots, **bias})
  (cell,) = found.cells
  assert (cell.kind, cell.units) == ("LSTMCell or LSTMBlockCell", 4)
  assert {*cell.variables} == {*parts, *bias}
  assert {*found.slots["Adam"]} == {*slots}
  assert not found.others


def test_parts_that_are_not_all_there():
  parts = split("a/kernel", np.zeros([9, 4]))
  del parts["a/kernel/part_1"]
  assert {v.name for v in contents.read(parts).others} == {*parts}


OPTIMIZERS = {
  "Adam": lambda: v1.train.AdamOptimizer(),
  "Momentum": lambda: v1.train.MomentumOptimizer(0.1, 0.9),
  "RMSProp": lambda: v1.train.RMSPropOptimizer(0.1, centered=True),
  "Adagrad": lambda: v1.train.AdagradOptimizer(0.1),
  "Ftrl": lambda: v1.train.FtrlOptimizer(0.1),
  "Adadelta": lambda: v1.train.AdadeltaOptimizer(0.1),
  "ProximalAdagrad": lambda: v1.train.ProximalAdagradOptimizer(0.1),
  "my_optimizer": lambda: v1.train.AdagradOptimizer(0.1, name="my_optimizer"),
}


@pytest.mark.parametrize(
  "name, scope",
  # In a scope, a name that is not TensorFlow's tells nothing.
  [(name, "") for name in OPTIMIZERS]
  + [(name, "OptimizeLoss") for name in OPTIMIZERS if name != "my_optimizer"],
)
def test_slots_of_optimizers(name, scope, tmp_path):
  prefix = str(tmp_path / "model.ckpt")
  with tf.Graph().as_default(), v1.Session() as session:
    own = [
      v1.get_variable("rnn/lstm_cell/" + n, s)
      for n, s in (("kernel", [9, 16]), ("bias", [16]))
    ]
    step = v1.train.get_or_create_global_step()
    loss = tf.add_n([tf.reduce_sum(tf.square(v)) for v in own])
    if scope:
      with v1.variable_scope(scope):
        OPTIMIZERS[name]().minimize(loss, step)
    else:
      OPTIMIZERS[name]().minimize(loss, step)
    tf.train.ExponentialMovingAverage(0.9).apply(own)
    session.run(v1.global_variables_initializer())
    v1.train.Saver().save(session, prefix)
  found = contents.read(prefix)
  assert [cell.units for cell in found.cells] == [4]
  assert not found.others
  assert {*found.slots} == {name, "ExponentialMovingAverage", "global_step"}
  assert len(found.slots["ExponentialMovingAverage"]) == 2
  assert len(found.slots[name]) >= 2


def test_averages_without_their_variables():
  found = contents.read({"a/ExponentialMovingAverage": np.zeros([2])})
  assert {*found.slots} == {"ExponentialMovingAverage"}


def test_object_based_checkpoint(tmp_path, capsys):
  checkpoint = tf.train.Checkpoint(kernel=tf.Variable([1.0]))
  path = checkpoint.save(str(tmp_path / "ckpt"))
  found = contents.read(path)
  assert found.is_object_based and not found.cells
  assert "kernel/.ATTRIBUTES/VARIABLE_VALUE" in {v.name for v in found.others}
  assert {v.dtype for v in found.others} == {"float32", "int64", "string"}
  assert contents.show(path) == 0
  printed = capsys.readouterr().out
  assert "This is an object-based checkpoint" in printed
  assert "kernel/.ATTRIBUTES/VARIABLE_VALUE" in printed


@pytest.mark.parametrize(
  "arrays",
  [
    {},
    {"x": np.zeros([])},
    {"kernel": np.zeros([0, 0]), "bias": np.zeros([0])},
    {"rnn/Adam": np.zeros([1])},
    {"Adam": np.zeros([2]), "a": np.zeros([2])},
    {"/": np.zeros([1]), "a//b": np.zeros([1])},
    {"文字/重み": np.zeros([2, 0]), "[red]:smile:": np.complex64(1)},
    {"t": np.array([b"text"], object), "flag": np.array(True)},
    {"a/part_0": np.zeros([]), "b/part_1": np.zeros([2])},
  ],
)
def test_odd_checkpoints_are_listed_whole(arrays, capsys):
  found = contents.read(arrays)
  assert found == contents.read(arrays)
  listed = [v.name for v in found.others]
  listed += [n for names in found.slots.values() for n in names]
  listed += [n for c in found.cells + found.unsure for n in c.variables]
  assert sorted(listed) == sorted(arrays)
  assert contents.show(arrays) == 0
  printed = capsys.readouterr().out
  assert all(v.name in printed for v in found.others)
  assert json.loads(contents.to_json(found))["is_object_based"] is False


def test_units_of_none():
  found = contents.read(lstm("lstm_cell", units=0))
  assert (found.cells[0].inputs, found.cells[0].units) == (5, 0)


def test_names_are_printed_whole(capsys):
  long = "/".join(f"a_scope_of_some_length_{n}" for n in range(20))
  contents.show(lstm(long + "/lstm_cell"))
  printed = capsys.readouterr().out
  line = next(line for line in printed.splitlines() if long in line)
  assert line.startswith("LSTMCell or LSTMBlockCell  a_scope")
  assert line.endswith("  5       4      float32  2")


def test_json_is_the_same_twice(capsys):
  path = os.path.join(HERE, "golden", "bidirectional_gru", "ckpt")
  assert contents.show(path, json=True) == 0
  first = capsys.readouterr().out
  assert contents.show(path, json=True) == 0
  assert capsys.readouterr().out == first
  backward, forward = json.loads(first)["cells"]
  assert backward["scope"] == "bidirectional_rnn/bw/indy_gru_cell"
  assert (forward["kind"], forward["units"]) == ("IndyGRUCell", 5)


def test_damaged_and_missing_files(tmp_path):
  folder = tmp_path / "copy"
  shutil.copytree(os.path.join(HERE, "golden", "step_gru"), folder)
  index = folder / "ckpt.index"
  index.write_bytes(index.read_bytes()[:40])
  with pytest.raises(ValueError, match="whose files are cut short, damaged"):
    contents.show(str(folder / "ckpt"))
  with pytest.raises(tf.errors.NotFoundError, match="nothing"):
    contents.show(str(tmp_path / "nothing"))


@pytest.mark.parametrize("name", ["", 3])
def test_a_name_that_is_none(name):
  with pytest.raises(ValueError, match=f"checkpoint has the key {name!r}"):
    contents.read({name: np.zeros([1])})


def test_a_library_that_is_not_installed():
  with pytest.raises(ModuleNotFoundError, match="pip install no_library_x"):
    libraries.load("no_library_x.part", "a table")
