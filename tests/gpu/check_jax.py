"""Proves tf_contrib_rnn.jax on a GPU: its kernels against the composition.

  python tests/gpu/check_jax.py        on a GPU, as make gpu-test does
  python tests/gpu/check_jax.py cpu    the same calls on the CPU

Needs JAX with CUDA and this package with its library for JAX, built with CUDA.
Where one of them is missing it says so, and proves nothing.
"""

import importlib.util
import itertools
import sys

for _package in ("jax", "tf_contrib_rnn"):
  if importlib.util.find_spec(_package) is None:
    print(f"tf_contrib_rnn.jax was not checked: {_package} is not installed")
    sys.exit()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import tf_contrib_rnn.jax  # noqa: E402

GATES = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4}
# By how much results may differ, as a part of the largest.
TOLERANCES = {
  "float16": 4e-3,
  "bfloat16": 3e-2,
  "float32": 5e-6,
  "float64": 1e-12,
}
# Time, batch and units about the edges of warps, blocks and vectors.
SIZES = [(1, 1, 1), (7, 2, 33), (5, 17, 129), (151, 3, 2), (512, 50, 128)]
OPTIONS = [
  {},
  {"time_major": True},
  {"reverse": True, "has_lengths": True},
  {"time_major": True, "has_lengths": True},
]


def why_not(platform: str):
  """Why nothing can be proven here, or None."""
  try:
    jax.devices(platform)
  except RuntimeError as error:
    return f"JAX has no {platform} here: {error}"
  availability = tf_contrib_rnn.jax.fused_available()
  if platform in availability.platforms:
    return None
  return availability.reason or availability.gpu_reason


def draw(cell, size, dtype, time_major):
  """Random arguments, the initial states last."""
  time, batch, units = size
  rng = np.random.RandomState(sum(size))
  make = lambda *shape: jnp.asarray(rng.uniform(-1, 1, shape), dtype)
  width = GATES[cell] * units
  leading = (time, batch) if time_major else (batch, time)
  states = [make(batch, units) for _ in range(2 if cell == "indy_lstm" else 1)]
  return [make(*leading, width), make(1, width), make(width), *states]


def compute(cell, arguments, lengths, activation, **options):
  """Outputs, states, and the gradients of all arguments."""

  def call(inputs, recurrent_kernel, bias, *states):
    state = states if len(states) == 2 else states[0]
    return getattr(tf_contrib_rnn.jax, cell)(
      inputs,
      recurrent_kernel,
      bias,
      state,
      activation=activation,
      sequence_length=lengths,
      **options,
    )

  def both(*arguments):
    results, pull_back = jax.vjp(call, *arguments)
    return results, pull_back(jax.tree.map(jnp.cos, results))

  return jax.tree.leaves(jax.jit(both)(*arguments))


def largest_error(got, want):
  """Of some arrays, as a part of each one's largest number."""
  pairs = [[np.asarray(a, "float64") for a in pair] for pair in zip(got, want)]
  return max(
    np.max(np.abs(a - b), initial=0) / max(1, np.max(np.abs(b), initial=0))
    for a, b in pairs
  )


def check(
  cell, dtype, size, time_major=False, has_lengths=False, reverse=False
):
  """Compares with float64 and with itself; returns what part of the tolerance
  the error is."""
  arguments = draw(cell, size, dtype, time_major)
  lengths = np.arange(size[1]) * 3 if has_lengths else None
  options = {"time_major": time_major, "reverse": reverse}
  got, again = (
    compute(cell, arguments, lengths, "tanh", **options) for _ in range(2)
  )
  exact = [argument.astype("float64") for argument in arguments]
  composed = lambda x: jnp.tanh(x)
  want = compute(cell, exact, lengths, composed, **options)
  case = f"{cell}, {dtype}, time, batch and units {size}, {options}"
  if any(a.tobytes() != b.tobytes() for a, b in zip(got, again)):
    sys.exit(f"FAILED: {case}: other bits at the second run")
  error = largest_error(got, want) / TOLERANCES[dtype]
  if not error <= 1:
    sys.exit(f"FAILED: {case}: {error} times the tolerance")
  return error


def main():
  platform = sys.argv[1] if len(sys.argv) > 1 else "cuda"
  reason = why_not(platform)
  if reason is not None:
    print(f"tf_contrib_rnn.jax was not checked: {reason}")
    return
  jax.config.update("jax_enable_x64", True)
  print("largest errors as parts of the tolerance\n")
  with jax.default_device(jax.devices(platform)[0]):
    for cell, dtype in itertools.product(GATES, TOLERANCES):
      errors = [
        check(cell, dtype, size, **options)
        for size, options in itertools.product(SIZES, OPTIONS)
      ]
      print(f"{cell}, {dtype}: {max(errors):.2f} in {len(errors)} cases")


if __name__ == "__main__":
  main()
