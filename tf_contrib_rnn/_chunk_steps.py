"""How many steps a chunk of a long sequence has, for every framework."""

import operator
from typing import Any


def check_steps(name: str, steps: Any) -> int:
  """Returns a number of steps.

  Raises:
    ValueError: If it is not a whole number of 1 or more. It names the argument.
  """
  try:
    whole = operator.index(steps)
  except TypeError:
    whole = 0
  if whole < 1 or isinstance(steps, bool):
    raise ValueError(f"{name} is {steps!r}, expected a whole number, 1 or more")
  return whole
