"""Which implementation runs: what shows it, and what sets it."""

import contextlib
import contextvars
import dataclasses
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

_implementation = contextvars.ContextVar("implementation", default=None)
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


@contextlib.contextmanager
def implementation(name: str) -> Iterator[None]:
  """Chooses which implementation the cells called inside are built with.

  It goes before the environment variable TF_CONTRIB_RNN_IMPLEMENTATION, which
  takes the same values.

  Args:
    name: "fused": the op library has to be there; an activation that no op
      knows, a call compiled by XLA and a dtype other than float16, bfloat16,
      float32 and float64 are still composed. "composed": TensorFlow's own ops
      only, for a model that has to run where the library is not. "auto", the
      default: fused where it can be.

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
  token = _implementation.set(_check_implementation(name, "implementation"))
  try:
    yield
  finally:
    _implementation.reset(token)


def _wanted_implementation() -> str:
  wanted = _implementation.get()
  if wanted is not None:
    return wanted
  return _check_implementation(
    os.environ.get(ENVIRONMENT_VARIABLE) or "auto", ENVIRONMENT_VARIABLE
  )


def _in_xla_context() -> bool:
  """Whether what is built now will be compiled by XLA, which has no such op."""
  return (
    not tf.executing_eagerly()
    and control_flow_util.GraphOrParentsInXlaContext(ops.get_default_graph())
  )


def can_fuse() -> bool:
  """Whether a call that an op can do runs as that op, here and now.

  Raises:
    RuntimeError: if the fused implementation was asked for and is not there.
  """
  global _has_warned
  wanted = _wanted_implementation()
  if wanted == "composed" or _in_xla_context():
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
