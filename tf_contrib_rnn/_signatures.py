"""Signatures that show the arguments which a function passes on by **keywords.

The arguments of a cell stand in one place, the cell. A layer takes them by
**keywords, which would hide them from help() and from completion. For type
checkers, which run nothing, the same arguments stand in a TypedDict.
"""

import inspect
from typing import Any
from typing import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable)


def _keywords_of(function: Callable) -> list[inspect.Parameter]:
  """All parameters of a function or class that can be given by name."""
  return [
    parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for parameter in inspect.signature(function).parameters.values()
    if parameter.kind
    in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
  ]


def with_arguments_of(
  *functions: Callable,
) -> Callable[[Function], Function]:
  """Makes a function show, in place of its **keywords, what others take.

  Args:
    *functions: functions or classes whose arguments it passes on.

  Returns:
    A decorator, which changes nothing but the signature.
  """

  def decorate(function: Function) -> Function:
    signature = inspect.signature(function)
    own = [
      parameter
      for parameter in signature.parameters.values()
      if parameter.kind is not parameter.VAR_KEYWORD
    ]
    shown = {parameter.name: parameter for parameter in own}
    for other in functions:
      for parameter in _keywords_of(other):
        shown.setdefault(parameter.name, parameter)
    shown_signature = signature.replace(parameters=[*shown.values()])
    setattr(function, "__signature__", shown_signature)  # noqa: B010
    return function

  return decorate


class OfInit:
  """A class's `__signature__`: that of its `__init__`.

  For classes whose metaclass hides it, as flax.nnx's does. A subclass shows
  its own.
  """

  def __get__(self, instance: Any, owner: type) -> inspect.Signature:
    signature = inspect.signature(owner.__init__)  # type: ignore[misc]
    _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters)
