"""Libraries that only some of the commands need."""

import importlib
from typing import Any


def load(module: str, purpose: str) -> Any:
  """Imports a module of a library that may not be installed.

  Args:
    module: its name, "safetensors.numpy".
    purpose: what needs it, for the error.

  Raises:
    ModuleNotFoundError: if it is not installed; what to install is said.

  Example:

  >>> from tf_contrib_rnn.checkpoints import libraries
  >>> libraries.load("json", "JSON").dumps([1])
  '[1]'
  """
  library = module.partition(".")[0]
  try:
    return importlib.import_module(module)
  except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != library:
      raise  # something that the library needs
    raise ModuleNotFoundError(
      f"{purpose} needs {library}: pip install {library}", name=library
    ) from error
