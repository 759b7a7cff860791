"""Which implementation runs: what shows it, and what sets it."""

import contextlib
import dataclasses
import functools
import os
import warnings
from collections.abc import Iterator
from typing import Optional

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import control_flow_util

from tf_contrib_rnn import _library

ENVIRONMENT_VARIABLE = "TF_CONTRIB_RNN_IMPLEMENTATION"
_IMPLEMENTATIONS = ("auto", "fused", "composed")

# The choices of the `with` blocks that are open, the innermost last. They hold
# for every thread: distribution strategies build replicas in threads.
_choices: list["_Choice"] = []
_has_warned = False


@dataclasses.dataclass(frozen=True)
class Availability:
  """Whether the fused ops are there; true or false in a condition.

  Attributes:
    available: whether the op library is loaded.
    reason: why it is not, a sentence; None where it is.
  """

  available: bool
  reason: Optional[str] = None

  def __bool__(self) -> bool:
    return self.available


def fused_ops_available() -> Availability:
  """Says whether the fused ops can run here, and why if they can't.

  Returns:
    An object that is true where the op library for the running TensorFlow is
    loaded; elsewhere it is false, and its `reason` is a sentence.

  Example:

  >>> import tf_contrib_rnn
  >>> if tf_contrib_rnn.fused_ops_available():
  ...   print("fused")
  fused
  """
  return Availability(_library.ops is not None, _library.why_not)


def _check_implementation(name: str, source: str) -> str:
  if name not in _IMPLEMENTATIONS:
    raise ValueError(
      f"{source} is {name!r}, expected one of "
      f"{', '.join(map(repr, _IMPLEMENTATIONS))}"
    )
  return name


@dataclasses.dataclass(eq=False)
class _Choice:
  """What one `with` block chose; two of the same name are still two."""

  name: str


@contextlib.contextmanager
def implementation(name: str) -> Iterator[None]:
  """Chooses which implementation the cells called inside are built with.

  What counts is when a graph is built: a tf.function that was traced before
  keeps what it has. The choice holds for all threads, and goes before the
  environment variable TF_CONTRIB_RNN_IMPLEMENTATION, which takes the same
  values.

  Args:
    name: "fused": the op library has to be there; an activation that no op
      knows, a call compiled by XLA and a dtype other than float16, bfloat16,
      float32 and float64 are still composed. "composed": TensorFlow's own ops
      only, for a model that has to run where the library is not. "auto", the
      default: fused where it can be, and where TensorFlow sees no GPU: the
      fused ops run on the CPU.

  Yields:
    Nothing.

  Raises:
    ValueError: if `name` is none of these.
    RuntimeError: from a cell's call, if `name` is "fused" and the op library
      can't be loaded.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IndRNNCell(4)
  >>> with tf_contrib_rnn.implementation("composed"):
  ...   output, state = cell(tf.ones([2, 3]), tf.zeros([2, 4]))
  >>> output.shape
  TensorShape([2, 4])
  """
  choice = _Choice(_check_implementation(name, "implementation"))
  _choices.append(choice)
  try:
    yield
  finally:
    _choices.remove(choice)


def _wanted_implementation() -> str:
  if _choices:
    return _choices[-1].name
  return _check_implementation(
    os.environ.get(ENVIRONMENT_VARIABLE) or "auto", ENVIRONMENT_VARIABLE
  )


def _in_xla_context() -> bool:
  """Whether what is built now will be compiled by XLA, which has no such op."""
  return (
    not tf.executing_eagerly()
    and control_flow_util.GraphOrParentsInXlaContext(ops.get_default_graph())
  )


@functools.cache
def _sees_gpu() -> bool:
  """Whether a model runs on a GPU, where there are no fused ops."""
  return bool(tf.config.list_physical_devices("GPU"))


def can_fuse() -> bool:
  """Whether a call that an op can do runs as that op, here and now.

  Raises:
    RuntimeError: if the fused implementation was asked for and is not there.
  """
  global _has_warned
  wanted = _wanted_implementation()
  if wanted == "composed" or _in_xla_context():
    return False
  if wanted == "auto" and _sees_gpu():
    return False
  if _library.ops is not None:
    return True
  if wanted == "fused":
    raise RuntimeError(
      f"The fused implementation was asked for, but {_library.why_not}"
    )
  if not _has_warned:
    _has_warned = True
    warnings.warn(
      "The cells run as compositions of TensorFlow's ops, with the same "
      f"results but slower: {_library.why_not}",
      RuntimeWarning,
      stacklevel=2,
    )
  return False
