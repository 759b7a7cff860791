"""How the cells run, and how to choose it: by which implementation, and whether
whole sequences have their gradient in chunks."""

import contextlib
import contextvars
import dataclasses
import functools
import os
import sys
import types
import warnings
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Literal
from typing import Optional

import tensorflow as tf
from tensorflow.python.distribute import mirrored_run
from tensorflow.python.framework import ops
from tensorflow.python.ops import control_flow_util

from tf_contrib_rnn._chunk_steps import check_steps
from tf_contrib_rnn.ops import library

ENVIRONMENT_VARIABLE = "TF_CONTRIB_RNN_IMPLEMENTATION"
_IMPLEMENTATIONS = ("auto", "fused", "composed")

# What the innermost open `with` blocks of this thread or task chose.
_choice: contextvars.ContextVar[Optional[str]]
_choice = contextvars.ContextVar("implementation", default=None)
_chunk_steps: contextvars.ContextVar[Optional[int]]
_chunk_steps = contextvars.ContextVar("gradient_in_chunks", default=None)
_has_warned = False


@dataclasses.dataclass(frozen=True)
class Availability:
  """Whether the fused ops can run. True or false in a condition.

  Attributes:
    available: Whether the op library is loaded.
    reason: A sentence that says why it is not loaded. None if it is.
    gpu_architectures: The architectures that the GPU kernels in the library are
      compiled for, such as ("sm_75", "sm_80", "sm_90", "compute_90"). The last
      one serves all later GPUs. Empty if there are no GPU kernels.
    gpu_reason: A sentence that says why the ops cannot run on the GPUs of this
      machine. None if they can, or if there are kernels and TensorFlow sees no
      GPU.
  """

  available: bool
  reason: Optional[str] = None
  gpu_architectures: tuple[str, ...] = ()
  gpu_reason: Optional[str] = None

  def __bool__(self) -> bool:
    return self.available


def fused_ops_available() -> Availability:
  """Says whether the fused ops can run here, and why not.

  Returns:
    An `Availability`. It is true if the op library for the running TensorFlow
    is loaded. If it is false, `reason` is a sentence that says why. It also
    says which GPUs there are kernels for.

  Example:

  >>> import tf_contrib_rnn
  >>> if tf_contrib_rnn.fused_ops_available():
  ...   print("fused")
  fused
  """
  return Availability(
    library.ops is not None,
    library.why_not,
    library.gpu_architectures,
    _why_not_on_gpus(_visible_gpus()),
  )


def _check_implementation(name: str, source: str) -> str:
  if name not in _IMPLEMENTATIONS:
    raise ValueError(
      f"{source} is {name!r}, expected one of "
      f"{', '.join(map(repr, _IMPLEMENTATIONS))}"
    )
  return name


@contextlib.contextmanager
def implementation(
  name: Literal["auto", "fused", "composed"],
) -> Iterator[None]:
  """Chooses the implementation of the cells that are called inside a block.

  The choice applies to graphs that are built inside the block. A tf.function
  that was traced before is not changed.

  The choice holds in the thread or asyncio task that makes it, and in the
  replicas that a tf.distribute strategy builds from there. Other threads follow
  the environment variable TF_CONTRIB_RNN_IMPLEMENTATION, which takes the same
  values. To pass a choice on to a thread of your own, run its function with
  `contextvars.copy_context().run`.

  Args:
    name: One of three values.

      - "fused" requires the op library. Some calls are still composed: those
        with an activation that no op has, calls that XLA compiles, and dtypes
        other than float16, bfloat16, float32 and float64.
      - "composed" uses TensorFlow's own operations only. Use it for a model
        that has to run without the op library.
      - "auto", the default, uses fused ops if they can run. If TensorFlow sees
        a GPU, the library has to have kernels that run on it.

  Yields:
    Nothing.

  Raises:
    ValueError: If `name` is none of these.
    RuntimeError: From a call of a cell, if `name` is "fused" and the op library
      cannot be loaded.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IndRNNCell(4)
  >>> with tf_contrib_rnn.implementation("composed"):
  ...   output, state = cell(tf.ones([2, 3]), tf.zeros([2, 4]))
  >>> output.shape
  TensorShape([2, 4])
  """
  token = _choice.set(_check_implementation(name, "implementation"))
  try:
    yield
  finally:
    _choice.reset(token)


@contextlib.contextmanager
def gradient_in_chunks(steps: int) -> Iterator[None]:
  """Lets layers that are called inside a block need less memory in training.

  The gradient of a layer needs x W of all steps, [batch, time, gates * units].
  Inside the block, the forward pass computes the layer in chunks of `steps`
  steps, and keeps only the states h[0], h[steps], h[2 steps] ... between them.
  The backward pass goes from the last chunk to the first. It computes x W and
  the outputs of a chunk again from the state before the chunk:

      outputs[k], h[k + 1] = layer(x[k], h[k], W, u, b)
      dx[k], dh[k], dW[k], du[k], db[k] = gradient(doutputs[k], dh[k + 1])
      dW, du, db = sum of dW[k], du[k], db[k] over all chunks k

  Results and gradients are those without chunks, up to rounding. The product x
  W is computed twice. docs/long_sequences.md says how to choose `steps`.

  This applies to layers that run as whole sequences: `dynamic_rnn`,
  `bidirectional_dynamic_rnn` and the functions that use them, with a cell that
  they run so, and the layers of `tf_contrib_rnn.keras` on TensorFlow. Cells
  that run step by step do not change, and neither do sequences of `steps` steps
  or fewer.

  The choice applies to graphs that are built inside the block, for the
  gradient as well. A tf.function that was traced before is not changed. The
  choice holds in the thread or asyncio task that makes it, and in replicas, as
  that of `implementation` does.

  The gradient of the gradient is computed at once, with the memory that this
  needs without chunks.

  Args:
    steps: Int, the number of steps of a chunk. The last chunk may be shorter.

  Yields:
    Nothing.

  Raises:
    ValueError: If `steps` is not a whole number of 1 or more. The gradient of a
      layer whose activation reads variables, or other tensors from outside
      that aren't tf.stop_gradient of something, raises it too.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.IndyGRUCell(4)
  >>> x = tf.ones([2, 1000, 3])
  >>> with tf.GradientTape() as tape, tf_contrib_rnn.gradient_in_chunks(100):
  ...   tape.watch(x)
  ...   outputs, state = tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)
  >>> tape.gradient(outputs, x).shape
  TensorShape([2, 1000, 3])
  """
  # Steps are compared with int32 where the time is unknown.
  token = _chunk_steps.set(min(check_steps("steps", steps), tf.int32.max))
  try:
    yield
  finally:
    _chunk_steps.reset(token)


def steps_of_chunks() -> Optional[int]:
  """The steps of a chunk, or None if the gradient is not in chunks."""
  return _chunk_steps.get()


def _wanted_implementation() -> str:
  return _choice.get() or _check_implementation(
    os.environ.get(ENVIRONMENT_VARIABLE) or "auto", ENVIRONMENT_VARIABLE
  )


def _pass_on_to_replicas() -> None:
  """Lets replicas follow the thread that starts them.

  A mirrored strategy builds each replica in a thread of its own. It has a
  function that lists, in the thread that starts them, what each is to call
  first. Without that function replicas follow the environment variable.
  """
  name = "_get_thread_local_configuration_callable"
  list_calls = getattr(mirrored_run, name, None)
  if list_calls is None:
    return

  @functools.wraps(list_calls)
  def list_calls_and_choices():
    set_choices = [
      functools.partial(variable.set, variable.get())
      for variable in (_choice, _chunk_steps)
    ]
    return {*list_calls(), *set_choices}

  setattr(mirrored_run, name, list_calls_and_choices)


_pass_on_to_replicas()


def _in_xla_context() -> bool:
  """Whether what is built now will be compiled by XLA, which has no such op."""
  return (
    not tf.executing_eagerly()
    and control_flow_util.GraphOrParentsInXlaContext(ops.get_default_graph())
  )


def _in_lite_conversion() -> bool:
  """Whether TensorFlow Lite's converter, which has no such op, builds this.

  The converter tells the model that it converts nothing; but it is on the stack
  while it traces one.
  """
  if tf.executing_eagerly():
    return False
  frame: Optional[types.FrameType] = sys._getframe()
  while frame is not None:
    if frame.f_globals.get("__name__") == "tensorflow.lite.python.lite":
      return True
    frame = frame.f_back
  return False


def _runs_on(capability: tuple[int, int], architectures: Sequence[str]) -> bool:
  """Whether a GPU of a compute capability runs code for these architectures.

  Machine code (sm_75) is for GPUs of the same first number and no lower second
  one; compute_90 for all from there on.
  """
  for name in architectures:
    kind, _, number = name.partition("_")
    version = divmod(int(number), 10)
    if version <= capability and (
      kind == "compute" or version[0] == capability[0]
    ):
      return True
  return False


def _visible_gpus() -> tuple:
  return tuple(tf.config.get_visible_devices("GPU"))


@functools.cache
def _why_not_on_gpus(gpus: tuple) -> Optional[str]:
  """Why the ops can't run on GPUs that TensorFlow uses, or None."""
  if library.ops is None:
    return library.why_not
  architectures = library.gpu_architectures
  if not architectures:
    return "the op library was built without CUDA: it has no GPU kernels"
  for gpu in gpus:
    details = tf.config.experimental.get_device_details(gpu)
    capability = details.get("compute_capability")
    if capability and not _runs_on(capability, architectures):
      return (
        f"the GPU kernels are for {', '.join(architectures)}, and "
        f"{details.get('device_name', gpu.name)} has compute capability "
        f"{capability[0]}.{capability[1]}"
      )
  return library.check_gpu_driver() if gpus else None


def _warn_once(reason: Optional[str]) -> None:
  global _has_warned
  if _has_warned:
    return
  _has_warned = True
  warnings.warn(
    "The cells run as compositions of TensorFlow's ops, with the same "
    f"results but slower: {reason}",
    RuntimeWarning,
    stacklevel=3,
  )


def can_fuse() -> bool:
  """Whether a call that an op can do runs as that op, here and now.

  Raises:
    RuntimeError: if the fused implementation was asked for and is not there.
  """
  wanted = _wanted_implementation()
  if wanted == "composed" or _in_xla_context():
    return False
  if wanted == "auto" and _in_lite_conversion():
    return False
  if library.ops is None:
    if wanted == "fused":
      raise RuntimeError(
        f"The fused implementation was asked for, but {library.why_not}"
      )
    _warn_once(library.why_not)
    return False
  gpus = _visible_gpus() if wanted == "auto" else ()
  reason = _why_not_on_gpus(gpus) if gpus else None
  if reason is not None:
    _warn_once(reason)
    return False
  return True
