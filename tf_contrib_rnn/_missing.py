"""Where to turn for the names of tf.contrib.rnn that are not here."""

import importlib.abc
import sys

_OWN_CELL = "a cell of your own, a subclass of LayerRNNCell"

# What tf.contrib.rnn had and this package has not (yet): what to use instead.
MISSING = {
}


def explain_missing(name: str) -> str:
  """The message of the AttributeError for a name that is not here."""
  if name in MISSING:
    return (
      f"tf.contrib.rnn.{name} is not in tf_contrib_rnn; "
      f"meanwhile use {MISSING[name]}"
    )
  return f"module 'tf_contrib_rnn' has no attribute '{name}'"


class _Adviser(importlib.abc.MetaPathFinder):
  """Finds nothing, and says why.

  For `from tf_contrib_rnn import X` Python looks for a module X where the
  package has no such name, and drops the AttributeError that said why.
  """

  def find_spec(self, fullname, path=None, target=None):
    package, _, name = fullname.rpartition(".")
    if package == "tf_contrib_rnn" and name in MISSING:
      raise ImportError(explain_missing(name), name=fullname)
    return None


def advise_on_missing_names() -> None:
  """Makes both forms of import say what to use instead."""
  if not any(isinstance(finder, _Adviser) for finder in sys.meta_path):
    sys.meta_path.append(_Adviser())
