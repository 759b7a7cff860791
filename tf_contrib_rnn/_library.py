"""Finds and loads the op library, or says why it can't be."""

import ctypes
import glob
import os
import types
from typing import Optional

import tensorflow as tf

_NAME = "libtf_contrib_rnn_ops-tf{}.so"


def tensorflow_minor(version: str = tf.__version__) -> str:
  """ "2.21" for "2.21.0": an op library works with one TensorFlow minor."""
  return ".".join(version.split(".")[:2])


def library_name(minor: str) -> str:
  """The file name of the op library for a TensorFlow minor."""
  return _NAME.format(minor)


_FOLDER = os.path.dirname(os.path.abspath(__file__))


def _path(folder: str) -> str:
  return os.path.join(folder, library_name(tensorflow_minor()))


def _why_missing(folder: str) -> str:
  minors = sorted(
    os.path.basename(path)[len(_NAME.split("{")[0]) : -len(".so")]
    for path in glob.glob(os.path.join(folder, _NAME.format("*")))
  )
  if minors:
    return (
      f"tf_contrib_rnn was built for TensorFlow {', '.join(minors)}, and "
      f"this is TensorFlow {tf.__version__}: build it again for this one"
    )
  return (
    f"tf_contrib_rnn was installed without an op library: there is no "
    f"{library_name(tensorflow_minor())} in {folder}"
  )


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
  if not os.path.exists(path):
    return None, _why_missing(folder)
  try:
    return tf.load_op_library(path), None
  except (tf.errors.OpError, OSError, RuntimeError) as error:
    return None, f"{path} could not be loaded: {error}"


def ask_about_gpu(
  folder: str = _FOLDER,
) -> tuple[tuple[str, ...], Optional[str]]:
  """Asks the library that `load` loads for which GPUs it has kernels.

  Args:
    folder: where the library lies.

  Returns:
    The architectures, such as ("sm_75", "sm_80", "sm_90", "compute_90"), none
    if it was built without CUDA; and why the kernels can't run on this machine
    whatever its GPU, a sentence, or None.
  """
  library = ctypes.CDLL(_path(folder))
  try:
    architectures = library.tf_contrib_rnn_gpu_architectures
    check_driver = library.tf_contrib_rnn_check_gpu_driver
  except AttributeError:
    return (), "the op library was built without CUDA: it has no GPU kernels"
  architectures.restype = check_driver.restype = ctypes.c_char_p
  names = tuple(architectures().decode().split(","))
  return names, check_driver().decode() or None


# Loaded at import: a SavedModel or a graph that holds the ops needs them
# registered before it is read.
ops, why_not = load()
gpu_architectures, why_no_gpu = (
  ((), why_not) if ops is None else ask_about_gpu()
)
