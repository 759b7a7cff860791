"""Finds and loads the op library, or says why it can't be."""

import ctypes
import glob
import inspect
import os
import types
from collections.abc import Iterator
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.ops import elf

_NAME = "libtf_contrib_rnn_ops-tf{}.so"


def tensorflow_minor(version: str = tf.__version__) -> str:
  """ "2.21" for "2.21.0": an op library works with one TensorFlow minor."""
  return ".".join(version.split(".")[:2])


def library_name(minor: str) -> str:
  """The file name of the op library for a TensorFlow minor."""
  return _NAME.format(minor)


_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _path(folder: str) -> str:
  return os.path.join(folder, library_name(tensorflow_minor()))


def _why_missing(folder: str) -> str:
  minors = sorted(
    os.path.basename(path)[len(_NAME.split("{")[0]) : -len(".so")]
    for path in glob.glob(os.path.join(glob.escape(folder), _NAME.format("*")))
  )
  if minors:
    return (
      f"tf_contrib_rnn was built for TensorFlow {', '.join(minors)}, and "
      f"this is TensorFlow {tf.__version__}: install a later release, or build "
      "it for this one"
    )
  return (
    f"tf_contrib_rnn was installed without an op library: there is no "
    f"{library_name(tensorflow_minor())} in {folder}"
  )


def op_function(kind: cell_kinds.CellKind) -> str:
  """What TensorFlow calls a cell's op in Python; the gradient's has _grad."""
  return "contrib_rnn_" + kind.function


def _list_calls() -> Iterator[tuple[str, int, list[str]]]:
  """How `fused` calls the ops: (function, number of inputs, attributes)."""
  for kind in cell_kinds.CELL_KINDS:
    attributes = ["activation", "gate_order", "time_major", "reverse"]
    if kind is cell_kinds.INDY_LSTM:
      attributes += ["forget_bias", "forget_bias_rest"]
    function, states = op_function(kind), len(kind.states)
    yield function, 6 + states, attributes
    yield function + "_grad", 6 + 4 * states, attributes


def _why_not_ours(ops: types.ModuleType) -> Optional[str]:
  """Why a library's ops are not those that `fused` calls, or None.

  TensorFlow loads any library, and that of another version of this package has
  ops of the same names, which may have other arguments.
  """
  for name, inputs, attributes in _list_calls():
    if not hasattr(ops, name):
      return f"it has no op {name}"
    signature = inspect.signature(getattr(ops, name))
    try:
      signature.bind(*[None] * inputs, **dict.fromkeys(attributes))
    except TypeError as error:
      return f"its op {name} takes other arguments: {error}"
  return None


def load(
  folder: str = _FOLDER,
) -> tuple[Optional[types.ModuleType], Optional[str]]:
  """Loads the op library for the TensorFlow that runs.

  Args:
    folder: where the library lies.

  Returns:
    The module of its ops and None; or None and the reason, a sentence.
  """
  path = _path(folder)
  if not os.path.lexists(path):  # a link that leads nowhere is there
    return None, _why_missing(folder)
  reason = elf.why_not_loadable(path)
  if reason is not None:
    return None, reason
  try:
    ops = tf.load_op_library(path)
  except Exception as error:  # the import must not fail, whatever is in there
    return None, f"{path} could not be loaded: {error}"
  reason = _why_not_ours(ops)
  if reason is not None:
    return None, (
      f"{path} is not the op library of this version of tf_contrib_rnn: "
      f"{reason}"
    )
  return ops, None


def _ask(name: str) -> Optional[str]:
  """What a function of the loaded library says; None if it has none such."""
  try:
    function = getattr(ctypes.CDLL(_path(_FOLDER)), name)
  except (AttributeError, OSError):
    return None
  function.restype = ctypes.c_char_p
  return function().decode()


def list_gpu_architectures() -> tuple[str, ...]:
  """What the library's GPU kernels are compiled for; none without CUDA."""
  names = _ask("tf_contrib_rnn_gpu_architectures")
  return tuple(names.split(",")) if names else ()


def check_gpu_driver() -> Optional[str]:
  """Why this machine's driver can't run the GPU kernels, or None.

  Asking initialises CUDA: only for where TensorFlow has found a GPU already.
  """
  return _ask("tf_contrib_rnn_check_gpu_driver") or None


# Loaded at import: a SavedModel or a graph that holds the ops needs them
# registered before it is read.
ops, why_not = load()
gpu_architectures = () if ops is None else list_gpu_architectures()
