"""The variables of the graph that a function of a program builds."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any
from typing import Callable

from tf_contrib_rnn.checkpoints.variables import Variable


def build(against: str) -> dict[str, Variable]:
  """Calls a function in an empty graph; returns the variables it makes.

  Modules are looked for in the current folder, too, as by `python -m`. Whether
  TensorFlow 2's behaviour is disabled is up to the caller.

  Args:
    against: MODULE:FUNCTION, as "model:build"; the function takes no arguments.

  Returns:
    The variables by the names that a `tf.train.Saver` saves them under, sorted;
    one that a partitioner split, as a whole.

  Raises:
    ValueError: if there is no such module or function, it raises an error, or
      it makes no variables.

  Example:

  >>> from tf_contrib_rnn.checkpoints import graph
  >>> graph.build("json:dumps")
  Traceback (most recent call last):
    ...
  ValueError: against is 'json:dumps', expected a function that builds a graph \
when called without arguments; it raised TypeError: dumps() missing 1 required \
positional argument: 'obj'
  """
  import tensorflow as tf

  with _as_a_program():
    function = _find_function(against)
    with tf.Graph().as_default() as graph:
      try:
        function()
      except (Exception, SystemExit) as error:
        raise ValueError(
          f"against is {against!r}, expected a function that builds a graph "
          f"when called without arguments; it raised {_describe(error)}"
        ) from error
  collection = tf.compat.v1.GraphKeys.GLOBAL_VARIABLES
  found = [_describe_variable(v) for v in graph.get_collection(collection)]
  if not found:
    raise ValueError(
      f"against is {against!r}, expected a function that builds a graph in the "
      "default graph; it made no variables there"
    )
  return {v.name: v for v in sorted(found, key=lambda v: v.name)}


@contextlib.contextmanager
def _as_a_program() -> Iterator[None]:
  """Modules are found in the current folder, and get no arguments."""
  folder, arguments = os.getcwd(), sys.argv
  sys.path.insert(0, folder)
  sys.argv = arguments[:1]
  try:
    yield
  finally:
    sys.argv = arguments
    with contextlib.suppress(ValueError):
      sys.path.remove(folder)


def _find_function(against: str) -> Callable[[], Any]:
  """The function that MODULE:FUNCTION names."""
  module_name, colon, path = against.partition(":")
  if not module_name or not colon or not path:
    raise ValueError(
      f"against is {against!r}, expected MODULE:FUNCTION, as 'model:build'"
    )
  try:
    found = importlib.import_module(module_name)
  except (Exception, SystemExit) as error:
    raise ValueError(
      f"against is {against!r}, expected the name of a module that can be "
      f"imported; importing {module_name!r} raised {_describe(error)}"
    ) from error
  for name in path.split("."):
    if not hasattr(found, name):
      raise ValueError(
        f"against is {against!r}, expected a function of the module; "
        f"{module_name!r} has no {path!r}"
      )
    found = getattr(found, name)
  if not callable(found):
    raise ValueError(
      f"against is {against!r}, expected a function; it is of the type "
      f"{type(found).__name__}"
    )
  return found


def _describe(error: BaseException) -> str:
  return f"{type(error).__name__}: {error}"


def _describe_variable(variable: Any) -> Variable:
  """A variable as a Saver sees it."""
  part = variable._get_save_slice_info()
  if part is None:
    shape = variable.shape
    sizes = None if shape.rank is None else tuple(shape.as_list())
    name = variable.op.name
  else:
    name, sizes = part.full_name, tuple(part.full_shape)
  return Variable(name, sizes, variable.dtype.base_dtype.name)
