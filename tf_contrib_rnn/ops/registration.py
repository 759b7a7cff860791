"""Sees to it that TensorFlow knows the ops as soon as both are imported.

A SavedModel or a graph that holds the ops can be read only after that, and who
reads one may use nothing else of this package.
"""

import contextlib
import importlib
import importlib.abc
import sys

# Loads the op library and registers the ops' gradients.
_MODULE = "tf_contrib_rnn.ops.fused"


def register_ops() -> None:
  """Registers the ops: at once, or when TensorFlow will be imported."""
  if sys.modules.get("tensorflow") is not None:  # None forbids its import
    importlib.import_module(_MODULE)
  elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
    sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
  """Finds TensorFlow as the other finders do, and registers the ops after it.

  Python asks the finders in sys.meta_path for every module that is imported.
  """

  def find_spec(self, fullname, path=None, target=None):
    if fullname != "tensorflow":
      return None
    for finder in sys.meta_path:
      find_spec = getattr(finder, "find_spec", None)
      if find_spec is None or finder is self:
        continue
      spec = find_spec(fullname, path, target)
      if spec is not None:
        _register_after(spec.loader)
        return spec
    return None


def _register_after(loader) -> None:
  """Makes a loader register the ops when it has executed its module."""
  execute = getattr(loader, "exec_module", None)
  if execute is None:  # no package but a folder of that name
    return

  def exec_module(module):
    execute(module)
    # TensorFlow is there all the same; the first cell will say what is wrong.
    with contextlib.suppress(Exception):
      importlib.import_module(_MODULE)

  loader.exec_module = exec_module
