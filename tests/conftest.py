"""Which tests run: all, the usual ones, or the quick ones.

`make test` runs of each product of parameters a part, in which every value
comes up, or every pair of values or one alone where a test is marked so, and no
test that is marked as long. `make test-all` (pytest
--all) runs everything. `make test-quick` (pytest --quick) leaves out the files
that start processes or compile for long.
"""

import gc
import itertools
import logging
import os
import pathlib
import sys
import zlib

import pytest

# What starts processes, compiles for JAX or has many cases; the longest first.
SLOW = """distributed keras_families rnn_dynamic rnn_wrappers
jax_transformations flax keras_saving jax jax_sharding flax_weights benchmarks
examples documentation chunks flax_chunks golden golden_rest import_order
adding_problem cells_grid contrib_wrappers contrib_wrappers_variables
contrib_wrappers_sequences
cells_lstm keras_sru fused_rnn_block cells_block flax_nnx flax_sru jax_library
fuzz keras_bound cells_grid_variables fused_rnn_adaptors checkpoints
cells_simple_recurrent cells_gated cells_convolutional cells_frequency
cells_block_variables keras_lite keras_weights rnn_static_and_stack
fused_rnn_subclasses flax_bound namespace notebooks gpu run_on_gpu library wheel
upgrade_programs functions_of_eager_mode checkpoints_contents
checkpoints_convert checkpoints_compare command keras_fused keras_layers
malformed""".split()


def pytest_addoption(parser):
  group = parser.getgroup("which tests run")
  group.addoption(
    "--all", action="store_true", help="all products of parameters, whole"
  )
  group.addoption(
    "--quick", action="store_true", help="only files that take seconds"
  )
  group.addoption(
    "--one-value", action="store_true", help="of all products one item"
  )


def pytest_ignore_collect(collection_path, config):
  is_slow = rank(collection_path) < len(SLOW)
  return True if config.option.quick and is_slow else None


def rank(path):
  """The place of a file in `SLOW`, or one behind it."""
  name = path.stem.removeprefix("test_")
  return SLOW.index(name) if name in SLOW else len(SLOW)


def pytest_configure(config):
  """What all interpreters share that the tests start."""
  # Compiling takes most of the time, and running next to none.
  flags = [
    os.environ.get("XLA_FLAGS", ""),
    "--xla_backend_optimization_level=0",
  ]
  os.environ["XLA_FLAGS"] = " ".join(flags)
  cache = pathlib.Path(config.rootpath) / ".pytest_cache" / "jax"
  os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache))
  os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")
  if config.option.all:
    os.environ.setdefault("TF_CONTRIB_RNN_FUZZ_CALLS", "1000000")


@pytest.fixture(autouse=True)
def no_variables_of_other_tests():
  """An empty default graph: each tf.function finds the variables in there."""
  tensorflow = sys.modules.get("tensorflow")
  if hasattr(tensorflow, "compat"):
    tensorflow.compat.v1.reset_default_graph()


# What graph-mode programs call. Keras 3 has no graph mode.
OF_GRAPHS = ("cells_", "chunks", "contrib_", "fused_rnn_", "golden", "rnn_")
if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
  OF_GRAPHS += ("keras_",)


@pytest.fixture(autouse=True)
def shapes_of_tensorflow_1(request):
  """Gives half of the tests of graph mode shapes that hold Dimensions.

  Programs have these after `tf.compat.v1.disable_v2_behavior()`. The half
  depends on the test's name, unless it has a parameter `has_dimensions`.
  """
  node = request.node
  params = node.callspec.params if hasattr(node, "callspec") else {}
  is_of_graphs = node.path.stem.removeprefix("test_").startswith(OF_GRAPHS)
  is_chosen = is_of_graphs and zlib.crc32(node.nodeid.encode()) % 2
  if not params.get("has_dimensions", is_chosen):
    yield
    return
  import tensorflow as tf

  print("This test runs after tf.compat.v1.disable_v2_tensorshape().")
  tf.compat.v1.disable_v2_tensorshape()
  yield
  tf.compat.v1.enable_v2_tensorshape()


def values_of(item):
  """The test's parameters as (name, identity of the value)."""
  return [(name, id(value)) for name, value in item.callspec.params.items()]


def choose(items, only_one):
  """Some of one test's items, in which each value of its parameters is.

  With the mark every_pair, each pair of values; with one_value, one item. The
  choice depends on the names alone: xdist asks for the same in every process.
  """
  size = 2 if items[0].get_closest_marker("every_pair") else 1
  if only_one or items[0].get_closest_marker("one_value"):
    yield min(items, key=lambda item: zlib.crc32(item.nodeid.encode()))
    return
  seen = set()
  # As if drawn by lot, so that other values come up with each.
  for item in sorted(items, key=lambda item: zlib.crc32(item.nodeid.encode())):
    values = values_of(item)
    new = {*itertools.combinations(values, min(size, len(values)))}
    if not new <= seen:
      seen |= new
      yield item


@pytest.hookimpl(trylast=True)  # of what -k leaves
def pytest_collection_modifyitems(config, items):
  # A worker that begins with them does not end with them, alone.
  items.sort(key=lambda item: rank(item.path))
  if config.option.all or any("::" in argument for argument in config.args):
    return
  products = {}
  for item in items:
    if hasattr(item, "callspec"):
      test = (item.path, item.originalname)
      products.setdefault(test, []).append(item)
  chosen = {
    item
    for product in products.values()
    for item in choose(product, config.option.one_value)
  }
  kept, left_out = [], []
  for item in items:
    is_product = hasattr(item, "callspec")
    runs = not item.get_closest_marker("long") and (
      not is_product or item in chosen
    )
    (kept if runs else left_out).append(item)
  items[:] = kept
  config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish():
  """Spares the garbage collector what all tests use."""
  gc.collect()
  gc.freeze()


@pytest.fixture
def layers(caplog):
  """Says how the calls of a test ran: a line each layer or function."""
  caplog.set_level(logging.DEBUG, "tf_contrib_rnn")
  return lambda: [
    record.getMessage()
    for record in caplog.records
    if record.name.startswith("tf_contrib_rnn.rnn")
  ]


@pytest.fixture
def graph():
  """A graph of the test's own, in which the same numbers are drawn."""
  import tensorflow as tf

  with tf.Graph().as_default() as graph:
    tf.compat.v1.set_random_seed(1)
    yield graph
