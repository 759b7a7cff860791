"""Proves the recurrences inside JAX on a GPU: part of make gpu-test.

  python tests/gpu/check_jax.py             on a GPU
  python tests/gpu/check_jax.py --on-host   on the CPU: shows that it runs

Each cell, type of number, attribute and odd size, forward and gradient, by the
handlers and by the composition in float64; twice, for the same bits; the second
derivatives; and under vmap, scan and grad of a jitted function. Prints a table,
row by row. Where JAX is not installed, or has no CUDA, it says so, and leaves
all out.
"""

import argparse
import concurrent.futures
import dataclasses
import functools
import itertools
import os
import sys
import traceback
from collections.abc import Iterator

import jax_on_gpu
import numpy as np

PROGRAM = "check_jax.py"
DTYPES = ("float16", "bfloat16", "float32", "float64")
# Time, batch and units.
SIZES = [
  (1, 1, 1),
  (0, 5, 129),
  (7, 0, 5),
  (7, 3, 0),
  (9, 5, 2),
  (17, 33, 31),
  (5, 4, 33),
  (3, 5, 1134),
  (300, 2, 151),
]
# As the composition has them: none is a function that the library knows.
ACTIVATIONS = {
  "tanh": lambda jnp, x: jnp.tanh(x),
  "sigmoid": lambda jnp, x: 1 / (1 + jnp.exp(-x)),
  "relu": lambda jnp, x: jnp.where(x > 0, x, 0),
  "identity": lambda jnp, x: x * 1,
  "elu": lambda jnp, x: jnp.where(x > 0, x, jnp.expm1(jnp.minimum(x, 0))),
  "softsign": lambda jnp, x: x / (1 + jnp.abs(x)),
}
_HALF_ULP = {"float16": 2.0**-11, "bfloat16": 2.0**-8}


@dataclasses.dataclass(frozen=True)
class Case:
  """One call."""

  cell: str
  dtype: str
  time: int
  batch: int
  units: int
  activation: str = "tanh"
  time_major: bool = False
  reverse: bool = False
  has_lengths: bool = False
  is_second_order: bool = False


def list_cases(cell: str, dtype: str) -> Iterator[Case]:
  flags = itertools.cycle(itertools.product([False, True], repeat=3))
  for size in SIZES:
    yield Case(cell, dtype, *size, "tanh", *next(flags))
  for chosen in itertools.islice(flags, 8):
    yield Case(cell, dtype, 7, 5, 17, "tanh", *chosen)
  for activation in ACTIVATIONS:
    yield Case(cell, dtype, 4, 3, 5, activation)
  if dtype not in _HALF_ULP:
    for activation in ("tanh", "softsign"):
      for chosen in ((False, False, False), (True, True, True)):
        yield Case(cell, dtype, 6, 5, 17, activation, *chosen, True)


@dataclasses.dataclass
class Row:
  """What was found of one cell and dtype."""

  cases: int = 0
  passed: int = 0
  error: float = 0.0
  same_bits: bool = True

  def add(self, case: Case, error: float, same_bits: bool) -> None:
    self.cases += 1
    self.error = max(self.error, error)
    self.same_bits &= same_bits
    if error <= 1 and same_bits:
      self.passed += 1
    else:
      print(f"FAILED: {case}: {error:.3g}, same bits: {same_bits}", flush=True)


class Checker:
  """Runs cases on a device.

  Args:
    indy: the module tf_contrib_rnn.jax.
    device: of JAX's.
  """

  def __init__(self, indy, device):
    import jax

    self._jax, self._jnp = jax, jax.numpy
    self._indy, self._device = indy, device
    self._references = {}

  def draw(self, case: Case) -> list:
    """Arrays, exactly in the case's dtype.

    They are the inputs, recurrent kernel, bias, state, and the gradients that
    come for the outputs and each state.
    """
    rng = np.random.RandomState(1)
    width = jax_on_gpu.GATES[case.cell] * case.units
    leading = (case.batch, case.time)
    leading = leading[::-1] if case.time_major else leading
    dtype = self._jnp.dtype(case.dtype)
    make = lambda *shape: rng.uniform(-1, 1, shape).astype(dtype)
    states = 2 if case.cell == "indy_lstm" else 1
    state, of_state = (
      tuple(make(case.batch, case.units) for _ in range(states))
      for _ in range(2)
    )
    biases = width // 2 if case.cell == "sru" else width
    return [
      *(dtype.type(1.5) * make(*leading, width), make(1, width), make(biases)),
      state if states == 2 else state[0],
      (make(*leading, case.units), *of_state),
    ]

  def function(self, case: Case, activation):
    """The recurrence as a function of its arrays."""
    lengths = None
    if case.has_lengths:
      lengths = np.resize([3, 0, case.time, -2, case.time + 5, 1], case.batch)
    cell = getattr(self._indy, case.cell)
    if case.cell == "sru":  # which has no recurrent kernel
      cell = lambda x, _, *others, **options: self._indy.sru(
        x, *others, **options
      )
    return functools.partial(
      cell,
      activation=activation,
      sequence_length=lengths,
      time_major=case.time_major,
      reverse=case.reverse,
    )

  def derive(self, call, case: Case):
    """A jitted function of what `draw` gives: results, and all gradients.

    Second derivatives are the gradients of the sum of the gradients' squares.
    """
    jax, jnp = self._jax, self._jnp

    def loss(*arrays):
      *arrays, incoming = arrays
      results = jax.tree.leaves(call(*arrays))
      return sum(
        jnp.sum((result * weights).astype(jnp.float64))
        for result, weights in zip(results, incoming)
      )

    def penalty(*arrays):
      leaves = jax.tree.leaves(first(*arrays))
      return sum(jnp.sum(leaf.astype(jnp.float64) ** 2) for leaf in leaves)

    first = jax.grad(loss, (0, 1, 2, 3))
    second = jax.grad(penalty, (0, 1, 2, 3))
    gradient = second if case.is_second_order else first
    return jax.jit(lambda *arrays: (call(*arrays[:4]), gradient(*arrays)))

  def compile(self, cases: list[Case], drawn: list) -> list:
    """What runs them by the handlers, on the device; compiled side by side.

    Raises:
      RuntimeError: if one does not call the handlers.
    """
    lowered = [
      self.derive(self.function(case, case.activation), case).lower(
        *self._jax.device_put(arrays, self._device)
      )
      for case, arrays in zip(cases, drawn)
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
      compiled = [*pool.map(lambda lowered: lowered.compile(), lowered)]
    for case, function in zip(cases, compiled):
      has_numbers = case.time * case.batch * case.units > 0
      for direction in ("forward", "gradient"):
        is_called = f"tf_contrib_rnn_{direction}" in function.as_text()
        if has_numbers and not is_called:  # without any, XLA calls none
          raise RuntimeError(f"{case}: {direction} is not the library's")
    return compiled

  def run(self, function, arrays) -> list[np.ndarray]:
    return self._to_numpy(function(*self._jax.device_put(arrays, self._device)))

  def check(self, cell: str, dtype: str) -> Row:
    """Compares every case of a cell and dtype."""
    cases = [*list_cases(cell, dtype)]
    drawn = [self.draw(case) for case in cases]
    row = Row()
    for case, arrays, function in zip(cases, drawn, self.compile(cases, drawn)):
      got, again = (self.run(function, arrays) for _ in range(2))
      row.add(
        case,
        error(case, got, self.reference(case, arrays)),
        all(a.tobytes() == b.tobytes() for a, b in zip(got, again)),
      )
    return row

  def reference(self, case: Case, arrays) -> list[np.ndarray]:
    """The same composed, in float64, on the CPU."""
    jax, jnp = self._jax, self._jnp
    wide_case = dataclasses.replace(case, dtype="float64")
    if wide_case not in self._references:  # it takes long to compile
      activation = functools.partial(ACTIVATIONS[case.activation], jnp)
      call = self.function(wide_case, activation)
      self._references[wide_case] = self.derive(call, wide_case)
    wide = jax.tree.map(lambda array: np.asarray(array, np.float64), arrays)
    cpu = jax.devices("cpu")[0]
    derived = self._references[wide_case]
    return self._to_numpy(derived(*jax.device_put(wide, cpu)))

  def _to_numpy(self, tree):
    return [np.asarray(leaf) for leaf in self._jax.tree.leaves(tree)]

  def check_transformations(self) -> None:
    """Under vmap and inside a scan.

    Raises:
      AssertionError: if the results are others.
    """
    jax, jnp = self._jax, self._jnp
    case = Case("indy_gru", "float32", 6, 4, 33)
    call = self.function(case, "tanh")
    arrays = jax.device_put(self.draw(case), self._device)
    x, *weights, state, _ = arrays
    members = jnp.stack([x, -x, 2 * x])
    mapped = jax.jit(jax.vmap(lambda x: call(x, *weights, state)[0]))(members)
    single = jnp.stack([call(x, *weights, state)[0] for x in members])
    np.testing.assert_allclose(mapped, single, rtol=0, atol=1e-6)
    step = lambda h, x: call(x, *weights, h)[::-1]
    _, scanned = jax.jit(lambda h: jax.lax.scan(step, h, members))(state)
    np.testing.assert_allclose(scanned[0], single[0], rtol=0, atol=1e-6)


def error(case: Case, got, want) -> float:
  """The largest error, as a part of what is tolerated; NaN is infinite."""
  half_ulp = _HALF_ULP.get(case.dtype, 0.0)
  results = 3 if case.cell == "indy_lstm" else 2
  worst = 0.0
  for number, (g, w) in enumerate(zip(got, want)):
    if g.shape != w.shape:
      return float("inf")
    if not g.size:
      continue
    g = g.astype(np.float64)
    if number < results:
      tolerance = half_ulp * np.abs(w) + (
        1e-12 if case.dtype == "float64" else 5e-6
      )
    else:
      relative = 1e-11 if case.dtype == "float64" else 2e-5 + 8 * half_ulp
      tolerance = relative * max(np.abs(w).max(), 1)
    worst = max(worst, np.nan_to_num(np.abs(g - w) / tolerance, nan=1e9).max())
  return worst


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--on-host", action="store_true")
  arguments = parser.parse_args()
  indy, device = jax_on_gpu.import_or_exit(PROGRAM, arguments.on_host)
  import jax

  jax.config.update("jax_enable_x64", True)
  checker = Checker(indy, device)
  print("largest error, as a part of the tolerance\n")
  print("| cell | dtype | cases | from float64 | same bits |")
  print("|---|---|---|---|---|", flush=True)
  rows, failures = [], 0
  for cell, dtype in itertools.product(jax_on_gpu.GATES, DTYPES):
    try:
      row = checker.check(cell, dtype)
    except Exception:  # the others can be checked
      traceback.print_exc()
      failures += 1
      continue
    rows.append(row)
    bits = "yes" if row.same_bits else "NO"
    print(
      f"| {cell} | {dtype} | {row.cases} | {row.error:.2f} | {bits} |",
      flush=True,
    )
  try:
    checker.check_transformations()
  except Exception:
    traceback.print_exc()
    failures += 1
  passed, total = (
    sum(getattr(row, name) for row in rows) for name in ("passed", "cases")
  )
  if failures:
    print(f"FAILED: {failures} of the parts above ended with an error")
  print(f"{passed} of {total} cases passed in JAX on {device}")
  return int(failures > 0 or passed < total)


if __name__ == "__main__":
  sys.exit(main())
