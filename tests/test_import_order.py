"""What is imported when: TensorFlow with the first name that needs it, and the
ops with TensorFlow, whichever comes first."""

import ast
import importlib
import inspect

import helpers
import pytest
import tensorflow as tf

import tf_contrib_rnn

WITHOUT_TENSORFLOW = ["", ".bound", ".cell_kinds", ".migrate", ".version"]
WITH_JAX = [".jax"]

USED = """
  import importlib, sys
  for module in sys.argv[1:]:
    importlib.import_module("tf_contrib_rnn" + module)
  import tf_contrib_rnn
  assert "tensorflow" not in sys.modules
  assert not hasattr(tf_contrib_rnn, "foo")
  assert "IndyGRUCell" in dir(tf_contrib_rnn)
  assert "tensorflow" not in sys.modules
  tf_contrib_rnn.IndyGRUCell(4)
  assert "tensorflow" in sys.modules
"""


@pytest.mark.parametrize("modules", [WITHOUT_TENSORFLOW, WITH_JAX])
def test_tensorflow_is_imported_with_the_first_name_that_needs_it(modules):
  if modules == WITH_JAX:
    pytest.importorskip("jax", reason="JAX is not installed")
  helpers.run_fresh_script(USED, *modules)


@pytest.fixture(scope="module", name="model")
def fixture_model(tmp_path_factory):
  """The path of a SavedModel with an op of this package in it."""
  cell = tf_contrib_rnn.IndyGRUCell(4)
  cell(tf.ones([2, 3]), tf.ones([2, 4]))
  module = tf.Module()
  module.variables_of_cell = cell.variables

  @tf.function(input_signature=[tf.TensorSpec([2, 3])])
  def call(inputs):
    with tf_contrib_rnn.implementation("fused"):
      return cell(inputs, tf.ones([2, 4]))[0]

  module.call = call
  path = str(tmp_path_factory.mktemp("model"))
  tf.saved_model.save(module, path)
  return path


LOADED = """
  import sys
  {}
  model = tf.saved_model.load(sys.argv[1])
  print(model.call(tf.ones([2, 3])).shape)
"""


@pytest.mark.parametrize(
  "imports",
  [
    "import tensorflow as tf, tf_contrib_rnn",
    "import tf_contrib_rnn, tensorflow as tf",
    pytest.param(
      "import tf_contrib_rnn.migrate; import tensorflow as tf",
      marks=pytest.mark.long,
    ),
    pytest.param(
      "import tf_contrib_rnn; import tensorflow.compat.v2 as tf",
      marks=pytest.mark.long,
    ),
    "import tf_contrib_rnn; from tensorflow.python.ops import rnn;"
    " import tensorflow as tf",
    "from tf_contrib_rnn import IndyGRUCell; import tensorflow as tf",
  ],
)
def test_a_saved_model_finds_the_ops(model, imports):
  assert "(2, 4)" in helpers.run_fresh_script(LOADED.format(imports), model)


def test_no_ops_without_this_package(model):
  with pytest.raises(AssertionError, match="ContribRnn>IndyGRU"):
    helpers.run_fresh_script(LOADED.format("import tensorflow as tf"), model)


def test_without_tensorflow_the_import_fails_as_ever():
  helpers.run_fresh_script(
    """
    import sys, tf_contrib_rnn
    for finder in sys.meta_path[1:]:
      sys.meta_path.remove(finder)  # none of these finds it
    try:
      import tensorflow
    except ModuleNotFoundError as error:
      assert str(error) == "No module named 'tensorflow'", error
    else:
      raise AssertionError
    """
  )


def test_type_checkers_see_every_name():
  tree = ast.parse(inspect.getsource(tf_contrib_rnn))
  block = next(
    node
    for node in tree.body
    if isinstance(node, ast.If) and node.test.id == "TYPE_CHECKING"
  )
  seen = {}
  for node in block.body:
    if node.module != "tf_contrib_rnn":  # those are submodules
      seen.update({alias.asname: node.module for alias in node.names})
  assert {"__version__", *seen} == set(tf_contrib_rnn.__all__)
  for name, module in seen.items():
    value = getattr(importlib.import_module(module), name)
    assert getattr(tf_contrib_rnn, name) is value
