"""tf_contrib_rnn.jax with the library that `build_kernels.build` makes, for the
programs that prove and measure it on a GPU."""

import importlib.util
import os
import sys

import build_kernels

GATES = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4, "sru": 4}


def import_or_exit(program: str, on_host: bool):
  """Builds the library and imports what runs on it.

  Args:
    program: for messages.
    on_host: whether the CPU's handlers are to run.

  Returns:
    The module tf_contrib_rnn.jax, and the device. The program ends here, with a
    word, where JAX is not installed or sees no GPU: it is asked for only where
    there is one.
  """
  if importlib.util.find_spec("jax") is None:
    sys.exit(_leave_out(program, "JAX is not installed"))
  try:
    path = build_kernels.build()
  except build_kernels.BuildError as error:
    sys.exit(f"{program}: {error}")
  os.environ["TF_CONTRIB_RNN_JAX_LIBRARY"] = str(
    path.with_name(build_kernels.JAX_LIBRARY)
  )
  sys.path.insert(0, str(build_kernels.ROOT))
  import jax

  import tf_contrib_rnn.jax

  try:
    device = jax.devices("cpu" if on_host else "cuda")[0]
  except RuntimeError as error:
    sys.exit(_leave_out(program, f"JAX sees no GPU ({error})"))
  available = tf_contrib_rnn.jax.fused_available()
  if device.platform == "gpu" and "cuda" not in available.platforms:
    sys.exit(f"{program}: {available.gpu_reason}")
  return tf_contrib_rnn.jax, device


def _leave_out(program, reason):
  print(f"{program}: left out, {reason}")
  return 0
