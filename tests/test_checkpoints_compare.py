"""How checkpoints differ from others and from graphs, and likely renames."""

import os
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_contrib_rnn.checkpoints import compare
from tf_contrib_rnn.checkpoints import graph
from tf_contrib_rnn.checkpoints import renames
from tf_contrib_rnn.checkpoints.variables import list_variables
from tf_contrib_rnn.checkpoints.variables import Variable

HERE = os.path.dirname(os.path.abspath(__file__))


def golden(name):
  return os.path.join(HERE, "golden", name, "ckpt")


def arrays(*names, shape=(2,), dtype="f"):
  return {name: np.zeros(shape, dtype) for name in names}


def differ(one, other):
  return compare.compare(list_variables(one), list_variables(other))


def renamed(one, other):
  return {r.missing: r.extra for r in differ(one, other).renames}


@pytest.mark.parametrize(
  "checkpoint", [{}, arrays("a", "b/Adam"), golden("dynamic_gru")]
)
def test_the_same(checkpoint, capsys):
  for _ in range(2):
    assert compare.show(checkpoint, checkpoint) == 0
    assert capsys.readouterr().out == "the same variables\n"


def test_every_difference_is_listed(capsys):
  one = {
    **arrays("same", "shape", "dtype", "rank"),
    **arrays("only/here", shape=(3, 1)),
  }
  other = {
    **arrays("same"),
    **arrays("shape", shape=(3,)),
    **arrays("rank", shape=(2, 1)),
    **arrays("dtype", dtype="d"),
    **arrays("only/there", shape=(1, 3)),
  }
  found = differ(one, other)
  assert [v.name for v in found.missing] == ["only/there"]
  assert [v.name for v in found.extra] == ["only/here"]
  assert [v.name for v, _ in found.changed] == ["dtype", "rank", "shape"]
  assert found.renames == ()  # the shapes differ
  assert compare.show(one, other) == 1
  printed = capsys.readouterr().out.splitlines()
  assert printed[0] == "1 missing, 1 extra, 3 of another shape or dtype"
  assert "only/there  [1, 3]  float32" in printed
  assert "shape  [2]    [3]     float32  float32" in printed
  assert "dtype  [2]    [2]     float32  float64" in printed


def test_the_other_way_round():
  one, other = arrays("a", "b"), arrays("b", "c")
  there, back = differ(one, other), differ(other, one)
  assert (there.missing, there.extra) == (back.extra, back.missing)


@pytest.mark.parametrize(
  "old, new",
  [
    ("rnn/basic_lstm_cell/weights", "rnn/basic_lstm_cell/kernel"),
    ("rnn/basic_lstm_cell/biases/Adam", "rnn/basic_lstm_cell/bias/Adam"),
    ("rnn/basic_lstm_cell/kernel", "rnn/lstm_cell/kernel"),
    ("rnn/multi_rnn_cell/cell_0/gru_cell/w_ru", "rnn/gru_cell/gates/kernel"),
    ("RNN/BasicLSTMCell/Linear/Matrix", "rnn/basic_lstm_cell/kernel"),
    (
      "RNN/MultiRNNCell/Cell2/GRUCell/Gates/Linear/Bias",
      "rnn/multi_rnn_cell/cell_2/gru_cell/gates/bias",
    ),
    ("nas_rnn/recurrent_weights", "nas_cell/recurrent_kernel"),
  ],
)
def test_what_tensorflow_renamed_comes_first(old, new, capsys):
  # Beside one whose name is more alike, letter by letter.
  one = arrays(old, new + "x")
  assert renamed(one, arrays(new))[new] == old
  assert compare.show(one, arrays(new)) == 1
  assert f"{old}  known" in capsys.readouterr().out


def test_parts_of_names_are_whole():
  assert renames.likeness("a/weights_2", "a/kernel_2") < 1
  assert renames.likeness("my_weights", "my_kernel") < 1


SUFFIXES = [
  f"{variable}{slot}"
  for variable in ("kernel", "bias")
  for slot in ("", "/Adam", "/Adam_1")
]


@pytest.mark.parametrize(
  "old, new",
  [
    ("encoder/rnn/lstm_cell/", "enc/rnn/lstm_cell/"),
    ("rnn/lstm_cell/", "model/rnn/lstm_cell/"),
    ("model/rnn/my_lstm/", "rnn/multi_rnn_cell/cell_0/lstm_cell/"),
    ("a/", "b/"),
  ],
)
def test_a_scope_that_was_renamed(old, new):
  # All of one shape, so that the names alone decide.
  found = renamed(
    arrays(*(old + s for s in SUFFIXES)), arrays(*(new + s for s in SUFFIXES))
  )
  assert found == {new + s: old + s for s in SUFFIXES}


def test_the_cells_of_a_stack_keep_their_order():
  def names(scope):
    return [
      f"{scope}/multi_rnn_cell/cell_{n}/lstm_cell/{v}"
      for n in range(12)
      for v in SUFFIXES
    ]

  found = renamed(arrays(*names("rnn")), arrays(*names("decoder/rnn")))
  assert found == dict(zip(names("decoder/rnn"), names("rnn")))


def test_directions_are_not_exchanged():
  old = [f"bidirectional_rnn/{d}/gru_cell/w" for d in ("fw", "bw")]
  new = [f"enc/bidirectional_rnn/{d}/gru_cell/w" for d in ("fw", "bw")]
  assert renamed(arrays(*old), arrays(*new)) == dict(zip(new, old))


def test_each_variable_is_in_one_rename():
  found = renamed(arrays("a/kernel"), arrays("b/kernel", "c/kernel"))
  assert len(found) == 1
  found = renamed(arrays("b/kernel", "c/kernel"), arrays("a/kernel"))
  assert len(found) == 1


def test_names_without_likeness_are_no_rename():
  assert renamed(arrays("global_step"), arrays("x/y")) == {}


def test_the_same_dtype_comes_first():
  one = {**arrays("a/kernel", dtype="d"), **arrays("b/other_kernel")}
  assert renamed(one, arrays("b/kernel"))["b/kernel"] == "b/other_kernel"
  assert renamed(arrays("a/w", dtype="d"), arrays("b/w")) == {"b/w": "a/w"}


def test_odd_names():
  names = ["/", "//", "文字/重み", "[red]", "a b"]
  found = differ(arrays(*names), {})
  assert [v.name for v in found.extra] == sorted(names)
  assert renamed(arrays("文字/重み"), arrays("文/重み")) == {
    "文/重み": "文字/重み"
  }


def test_an_object_based_checkpoint_is_named(tmp_path, capsys):
  checkpoint = tf.train.Checkpoint(kernel=tf.Variable([1.0]))
  path = checkpoint.save(str(tmp_path / "ckpt"))
  assert compare.show(golden("step_rnn"), path) == 1
  printed = capsys.readouterr().out
  assert printed.startswith("Only the other is an object-based checkpoint")


MODULE = """
import tensorflow.compat.v1 as tf
import tf_contrib_rnn

def build():
  inputs = tf.placeholder(tf.float32, [None, None, 5])
  tf_contrib_rnn.dynamic_rnn(
    tf_contrib_rnn.IndyGRUCell(4), inputs, dtype=tf.float32
  )

def build_larger():
  with tf.variable_scope("model"):
    build()
    tf.train.get_or_create_global_step()

def build_other_size():
  inputs = tf.placeholder(tf.float32, [None, None, 5])
  tf_contrib_rnn.dynamic_rnn(
    tf_contrib_rnn.IndyGRUCell(3), inputs, dtype=tf.float32
  )

def build_parts():
  with tf.variable_scope(
    "", partitioner=tf.fixed_size_partitioner(2), use_resource=False
  ):
    build()

def build_open():
  tf.Variable(tf.placeholder(tf.float32), validate_shape=False, name="open")
  tf.Variable(
    tf.placeholder(tf.float32, [None, 2]), validate_shape=False, name="rows"
  )

def build_elsewhere():
  with tf.Graph().as_default():
    build()

def build_nothing():
  pass

def exits():
  raise SystemExit(3)

def takes(argument):
  pass

class Model:
  @staticmethod
  def build():
    build()

number = 3
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
  """A program's module in the current folder."""
  name = "program_to_compare"
  (tmp_path / f"{name}.py").write_text(MODULE)
  (tmp_path / "broken_program.py").write_text("import a_module_nobody_has")
  (tmp_path / "exiting_program.py").write_text("raise SystemExit(1)")
  monkeypatch.chdir(tmp_path)
  monkeypatch.delitem(sys.modules, name, raising=False)
  yield name
  sys.modules.pop(name, None)


@pytest.mark.parametrize("function", ["build", "Model.build", "build_parts"])
def test_the_graph_that_fits(function, program, capsys):
  path = list(sys.path)
  for _ in range(2):
    against = f"{program}:{function}"
    assert compare.show(golden("dynamic_gru"), against=against) == 0
    assert capsys.readouterr().out == "the same variables\n"
  assert sys.path == path
  assert not tf.compat.v1.get_default_graph().get_operations()


def test_a_graph_in_another_scope(program, capsys):
  against = program + ":build_larger"
  assert compare.show(golden("dynamic_gru"), against=against) == 1
  printed = capsys.readouterr().out.splitlines()
  assert printed[0] == "7 missing, 6 extra, 0 of another shape or dtype"
  (line,) = (s for s in printed if s.startswith("model/rnn/") and "_w" in s)
  assert "  rnn/indy_gru_cell/gates/kernel_w  " in line
  (line,) = (s for s in printed if s.startswith("model/global_step"))
  assert line.split() == ["model/global_step", "[]", "int64"]


def test_a_graph_of_another_size(program, capsys):
  against = program + ":build_other_size"
  assert compare.show(golden("dynamic_gru"), against=against) == 1
  printed = capsys.readouterr().out
  assert printed.startswith("0 missing, 0 extra, 6 of another shape or dtype")
  assert "[5, 8]  [5, 6]" in printed


@pytest.mark.parametrize(
  "shape, rows_fit", [((3, 2), True), ((3, 3), False), ((2,), False)]
)
def test_shapes_that_a_graph_leaves_open(shape, rows_fit, program, capsys):
  one = {**arrays("open", shape=(7,)), **arrays("rows", shape=shape)}
  against = program + ":build_open"
  assert compare.show(one, against=against) == (0 if rows_fit else 1)
  assert rows_fit or "[?, 2]" in capsys.readouterr().out


@pytest.mark.parametrize(
  "against, message",
  [
    ("", "against is '', expected MODULE:FUNCTION"),
    ("program", "against is 'program', expected MODULE:FUNCTION"),
    (":build", "against is ':build', expected MODULE:FUNCTION"),
    ("program:", "against is 'program:', expected MODULE:FUNCTION"),
    (
      "no_such_module_x:build",
      "expected the name of a module that can be imported; importing "
      "'no_such_module_x' raised ModuleNotFoundError",
    ),
    ("broken_program:build", "No module named 'a_module_nobody_has'"),
    ("exiting_program:build", "raised SystemExit: 1"),
    ("..relative:build", "importing '..relative' raised"),
    ("PROGRAM:other", "'program_to_compare' has no 'other'"),
    ("PROGRAM:Model.other", "'program_to_compare' has no 'Model.other'"),
    ("PROGRAM:number", "expected a function; it is of the type int"),
    ("PROGRAM:takes", "it raised TypeError: takes() missing 1 required"),
    ("PROGRAM:exits", "it raised SystemExit: 3"),
    ("PROGRAM:build_nothing", "it made no variables there"),
    ("PROGRAM:build_elsewhere", "it made no variables there"),
  ],
)
def test_what_builds_no_graph(against, message, program):
  against = against.replace("PROGRAM", program)
  with pytest.raises(ValueError) as error:
    compare.show(golden("dynamic_gru"), against=against)
  assert f"against is {against!r}, expected" in str(error.value)
  assert message in str(error.value)


@pytest.mark.parametrize("other, against", [(None, None), ({}, "json:dumps")])
def test_one_thing_to_compare_with(other, against):
  with pytest.raises(ValueError, match="expected one of the two"):
    compare.show({}, other, against)


def test_variables_of_a_graph_by_name(program):
  found = graph.build(program + ":build_parts")
  assert found["rnn/indy_gru_cell/gates/kernel_w"] == Variable(
    "rnn/indy_gru_cell/gates/kernel_w", (5, 8), "float32"
  )
