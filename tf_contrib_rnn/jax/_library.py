"""Finds the library of handlers and gives them to XLA, or says why not."""

import ctypes
import dataclasses
import functools
import os
import re
from typing import Optional

import jax

from tf_contrib_rnn.ops import elf

# The variable is for a library that was built elsewhere: make gpu-test's.
_PATH = os.path.abspath(
  os.environ.get("TF_CONTRIB_RNN_JAX_LIBRARY")
  or os.path.join(os.path.dirname(__file__), "libtf_contrib_rnn_xla.so")
)
_TARGET = "tf_contrib_rnn_{}"
_HANDLER = "tf_contrib_rnn_{}_on_{}"
_DIRECTIONS = ("forward", "gradient")
_INTERFACE = "tf_contrib_rnn_xla_interface"
_CHECK_DRIVER = "tf_contrib_rnn_check_gpu_driver"


@dataclasses.dataclass(frozen=True)
class Availability:
  """Where the fused recurrences run. True in a condition if they run anywhere.

  Attributes:
    platforms: The platforms that the library has kernels for, by JAX's names:
      "cpu" and "cuda". On other platforms the recurrences are composed of JAX's
      own operations.
    reason: A sentence that says why "cpu" is missing. None if it is there.
    gpu_reason: A sentence that says why "cuda" is missing. None if it is there.
  """

  platforms: tuple[str, ...]
  reason: Optional[str] = None
  gpu_reason: Optional[str] = None

  def __bool__(self) -> bool:
    return bool(self.platforms)


def target(direction: str) -> str:
  """The name under which XLA knows "forward" or "gradient"."""
  return _TARGET.format(direction)


def _check_symbols(library: ctypes.CDLL, names: list[str]) -> None:
  """Refuses a library that is another than this package's.

  Raises:
    RuntimeError: if it lacks one of these functions.
  """
  for name in names:
    if not hasattr(library, name):
      raise RuntimeError(
        "it is not the library for JAX of this version of tf_contrib_rnn: it "
        f"has no function {name}"
      )


def _register(library: ctypes.CDLL, device: str, platform: str) -> None:
  """Gives XLA the handlers for a device.

  Raises:
    RuntimeError: if the library lacks one.
  """
  names = [_HANDLER.format(direction, device) for direction in _DIRECTIONS]
  _check_symbols(library, names)
  for direction, name in zip(_DIRECTIONS, names):
    jax.ffi.register_ffi_target(
      target(direction),
      jax.ffi.pycapsule(getattr(library, name)),
      platform=platform,
    )


def _read_interface() -> tuple[int, int]:
  """The version of XLA's interface in this jaxlib, as its header has it."""
  header = os.path.join(jax.ffi.include_dir(), "xla", "ffi", "api", "c_api.h")
  with open(header, encoding="utf-8") as file:
    text = file.read()
  major, minor = (
    int(re.findall(rf"#define XLA_FFI_API_{part} (\d+)", text)[0])
    for part in ("MAJOR", "MINOR")
  )
  return major, minor


def _check_interface(library: ctypes.CDLL) -> None:
  """Refuses handlers with which XLA would not start.

  Raises:
    RuntimeError: if this jaxlib's XLA is too old for them.
  """
  _check_symbols(library, [_INTERFACE])
  built = divmod(getattr(library, _INTERFACE)(), 1000)
  here = _read_interface()
  if built[0] != here[0] or built[1] > here[1]:
    raise RuntimeError(
      "it was built for version {}.{} of XLA's foreign function interface, and "
      "this jaxlib has {}.{}: build it again for this one".format(*built, *here)
    )


def load(path: str = _PATH) -> Availability:
  """Loads the library and registers its handlers.

  Args:
    path: where it lies.

  Returns:
    What can be run with it.
  """
  why_not: Optional[str]
  if not os.path.lexists(path):  # a link that leads nowhere is there
    why_not = (
      "tf_contrib_rnn was installed without a library for JAX: there is no "
      f"{os.path.basename(path)} in {os.path.dirname(path)}"
    )
  else:
    why_not = elf.why_not_loadable(path)
  if why_not is not None:
    return Availability((), why_not, why_not)
  try:
    library = ctypes.CDLL(path)
    _check_interface(library)
    _register(library, "cpu", "cpu")
  except Exception as error:  # of the loader, or of XLA's about its version
    why_not = f"{path} could not be loaded: {error}"
    return Availability((), why_not, why_not)
  if not hasattr(library, _CHECK_DRIVER):
    why_not = "the library was built without CUDA: it has no GPU kernels"
    return Availability(("cpu",), None, why_not)
  try:
    _register(library, "gpu", "CUDA")
  except Exception as error:
    why_not = f"the GPU kernels of {path} could not be loaded: {error}"
    return Availability(("cpu",), None, why_not)
  return Availability(("cpu", "cuda"))


@functools.cache
def check_gpu_driver() -> Optional[str]:
  """Why this machine's driver can't run the GPU kernels, or None.

  Asking initialises CUDA: only for where JAX has done so already.
  """
  check = getattr(ctypes.CDLL(_PATH), _CHECK_DRIVER)
  check.restype = ctypes.c_char_p
  return check().decode() or None


_availability = load()


def fused_available() -> Availability:
  """Says where the fused recurrences run, and why not elsewhere.

  Returns:
    An `Availability`. It is true if the library is loaded. If it is false,
    `reason` is a sentence that says why. `platforms` lists where the fused
    recurrences run.

  Example:

  >>> import tf_contrib_rnn.jax
  >>> tf_contrib_rnn.jax.fused_available().platforms[0]
  'cpu'
  """
  return _availability
