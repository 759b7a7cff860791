"""What there is on this machine, in a form to paste into an issue."""

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterator
from typing import Any
from typing import Optional

from tf_contrib_rnn.version import __version__

_PACKAGES = (
  ("TensorFlow", ("tensorflow", "tensorflow-cpu", "tf-nightly")),
  ("Keras", ("keras",)),
  ("tf_keras", ("tf_keras",)),
  ("JAX", ("jax",)),
  ("flax", ("flax",)),
  ("NumPy", ("numpy",)),
)


def _version_of(distributions: tuple[str, ...]) -> Optional[str]:
  for name in distributions:
    try:
      return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
      pass
  return None


def _list_fused() -> Iterator[str]:
  """What can run as fused ops, and why not, a line for each framework."""
  if importlib.util.find_spec("tensorflow"):
    import tf_contrib_rnn

    yield _say("TensorFlow", tf_contrib_rnn.fused_ops_available())
  if importlib.util.find_spec("jax"):
    from tf_contrib_rnn import jax

    yield _say("JAX", jax.fused_available())


def _say(framework: str, fused: Any) -> str:
  return f"fused in {framework}: {'yes' if fused else f'no, {fused.reason}'}"


def describe() -> str:
  """Versions, what can run as fused ops or why not, and what was chosen.

  Example:

  >>> from tf_contrib_rnn import about
  >>> about.describe().splitlines()[0].startswith("tf_contrib_rnn ")
  True
  """
  found = {name: _version_of(names) for name, names in _PACKAGES}
  lines = [
    f"tf_contrib_rnn {__version__}",
    f"Python {platform.python_version()}, {platform.platform()}",
    ", ".join(f"{name} {version or '-'}" for name, version in found.items()),
    *_list_fused(),
  ]
  chosen = os.environ.get("TF_CONTRIB_RNN_IMPLEMENTATION")
  if chosen:
    lines.append(f"TF_CONTRIB_RNN_IMPLEMENTATION={chosen}")
  return "\n".join(lines)
