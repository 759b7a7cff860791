"""What griffe does not see in the docstrings here."""

import copy
import re
from collections.abc import Iterator

import griffe

# Lines from >>> to a blank one, as often as such blocks follow each other.
_BLOCK = r">>> .*(?:\n.+)*"
_DOCTESTS = re.compile(rf"^{_BLOCK}(?:\n\n{_BLOCK})*", re.M)
# The dimensions of [*batch, time, depth], which would begin italics.
_DIMENSIONS = re.compile(r"^(?!>>>|\.\.\.)(.*[\[ ])\*(?=[a-z]+[,\]])", re.M)
_EXAMPLE = re.compile(r"^(Examples?):\n\n(?=>>> )", re.M)


def to_markdown(text: str) -> str:
  """Makes doctests code, and keeps what Markdown would read as its marks."""
  while _DIMENSIONS.search(text):  # one on each line at a time
    text = _DIMENSIONS.sub(r"\1\\*", text)
  text = _EXAMPLE.sub(r"**\1:**\n\n", text)
  return _DOCTESTS.sub(r"```pycon\n\g<0>\n```", text)


def _holders(found: griffe.Object) -> Iterator[griffe.Object]:
  """All modules and classes of a package that are defined there."""
  yield found
  for member in found.members.values():
    if not member.is_alias and (member.is_module or member.is_class):
      yield from _holders(member)


def _other_name(package: griffe.Module, member: griffe.Object) -> str:
  """The path of the function, or in a module class, that an attribute is."""
  if member.is_alias or not member.is_attribute or member.docstring:
    return ""
  if not isinstance(member.value, (griffe.ExprName, griffe.ExprAttribute)):
    return ""
  path = member.value.canonical_path
  try:
    target = package[path.removeprefix(f"{package.path}.")]
    is_shown = target.is_function or (
      target.is_class and member.parent.is_module
    )
    return path if is_shown else ""
  except (KeyError, griffe.AliasResolutionError):  # not of this package
    return ""


def _show_arguments(package: griffe.Module, function: griffe.Function) -> None:
  """Puts what a function passes on in place of its **keywords.

  As `tf_contrib_rnn._signatures.with_arguments_of` does for help().
  """
  rest = [
    parameter
    for parameter in function.parameters
    if parameter.kind is griffe.ParameterKind.var_keyword
  ]
  others = [
    package[other.canonical_path.removeprefix(f"{package.path}.")]
    for decorator in function.decorators
    if decorator.callable_path.endswith(".with_arguments_of")
    for other in decorator.value.arguments
  ]
  if not rest or not others:
    return
  del function.parameters[rest[0].name]
  for other in others:
    if other.is_class:
      other = other.all_members["__init__"]
    _show_arguments(package, other)
    for parameter in other.parameters:
      name, kind = parameter.name, parameter.kind
      if name == "self" or kind.name.startswith("var_"):
        continue
      if name not in function.parameters:
        shown = copy.copy(parameter)
        shown.kind = griffe.ParameterKind.keyword_only
        function.parameters.add(shown)


class Docstrings(griffe.Extension):
  """Shows doctests as code, other names as the thing, and all arguments."""

  def on_object(self, *, obj: griffe.Object, **_) -> None:
    if obj.docstring:
      obj.docstring.value = to_markdown(obj.docstring.value)

  def on_package(self, *, pkg: griffe.Module, **_) -> None:
    for holder in _holders(pkg):
      for name, member in [*holder.members.items()]:
        path = _other_name(pkg, member)
        if path:  # `load = weights.load` becomes a method
          holder.set_member(name, griffe.Alias(name, path, parent=holder))
    for holder in _holders(pkg):
      for member in holder.members.values():
        if not member.is_alias and member.is_function:
          _show_arguments(pkg, member)
