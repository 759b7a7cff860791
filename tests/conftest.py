"""Which tests run: all, the usual ones, or the quick ones.

`make test` runs of each product of parameters a part, in which every pair of
values comes up, and no test that is marked as long. `make test-all` (pytest
--all) runs everything. `make test-quick` (pytest --quick) leaves out the files
that start processes or compile for long.
"""

import itertools
import os
import pathlib

# What starts processes, or compiles for JAX.
SLOW = """adding_problem benchmarks documentation flax flax_bound flax_nnx
flax_weights fuzz gpu import_order jax jax_library jax_transformations
keras_bound keras_families keras_lite keras_saving keras_weights library
wheel""".split()


def pytest_addoption(parser):
  group = parser.getgroup("which tests run")
  group.addoption(
    "--all", action="store_true", help="all products of parameters, whole"
  )
  group.addoption(
    "--quick", action="store_true", help="only files that take seconds"
  )


def pytest_ignore_collect(collection_path, config):
  name = collection_path.stem.removeprefix("test_")
  return True if config.option.quick and name in SLOW else None


def pytest_configure(config):
  """What all interpreters share that the tests start."""
  cache = pathlib.Path(config.rootpath) / ".pytest_cache" / "jax"
  os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache))
  os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")
  if config.option.all:
    os.environ.setdefault("TF_CONTRIB_RNN_FUZZ_CALLS", "1000000")


def values_of(item):
  """The test's parameters as (name, identity of the value)."""
  return [(name, id(value)) for name, value in item.callspec.params.items()]


def choose_pairwise(items):
  """Some of one test's items, in which each pair of parameters' values is.

  In their order, which is the same in every process: xdist asks for that.
  """
  seen = set()
  for item in items:
    values = values_of(item)
    new = {values[0]} if len(values) == 1 else set()
    new.update(itertools.combinations(values, 2))
    if not new <= seen:
      seen |= new
      yield item


def pytest_collection_modifyitems(config, items):
  if config.option.all or any("::" in argument for argument in config.args):
    return
  products = {}
  for item in items:
    if hasattr(item, "callspec"):
      test = (item.path, item.originalname)
      products.setdefault(test, []).append(item)
  chosen = {
    item for product in products.values() for item in choose_pairwise(product)
  }
  left_out = [
    item
    for item in items
    if item.get_closest_marker("long")
    or (hasattr(item, "callspec") and item not in chosen)
  ]
  items[:] = [item for item in items if item not in {*left_out}]
  config.hook.pytest_deselected(items=left_out)
