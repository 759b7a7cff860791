"""What the project wants to reach, and whether a run did."""

import dataclasses
from typing import Optional

from candidates import CANDIDATES
from figures import needed_bytes
from problems import CELLS
from problems import INDY_CELLS
from problems import LARGE
from problems import SHAPES
from problems import SMALL
from problems import SWEEP

_BOTH = ("forward", "train")


@dataclasses.dataclass
class Target:
  """A limit on the largest of some values.

  Attributes:
    text: what is to be small (or large, if `is_least`).
    limit: the limit.
    values: [(value, where it was measured)]; the value None: not measured.
    is_least: whether the limit is a least, on the smallest value.
  """

  text: str
  limit: float
  values: list[tuple[Optional[float], str]]
  is_least: bool = False

  @property
  def worst(self):
    measured = [pair for pair in self.values if pair[0] is not None]
    pick = min if self.is_least else max
    return pick(measured, default=(None, ""), key=lambda pair: pair[0])

  @property
  def verdict(self) -> str:
    value = self.worst[0]
    if value is None:
      return "not measured"
    met = value >= self.limit if self.is_least else value <= self.limit
    if met and any(value is None for value, _ in self.values):
      return "reached where measured"
    return "reached" if met else "**not reached**"


def _ratios(figures, candidate, to, shapes, directions, cells=CELLS):
  values = []
  for shape in shapes:
    for cell in cells:
      for direction in directions:
        if cell in CANDIDATES[to].cells:
          ratio = figures.ratio(candidate, to, shape, cell, direction)
          where = f"{cell}, {shape}, {direction}"
          values.append((ratio, where))
  return values


def _ahead(figures, is_wanted):
  values = []
  for name, candidate in CANDIDATES.items():
    if candidate.is_own or candidate.is_floor:
      continue
    if is_wanted(candidate):
      for value, where in _ratios(figures, "whole", name, SHAPES, _BOTH):
        values.append((value, f"{where}, to {candidate.label}"))
  return values


def _exponents(figures):
  return [
    (
      figures.exponent(axis, cell, "whole", direction),
      f"{cell}, {axis}, {direction}",
    )
    for axis in SWEEP
    for cell in CELLS
    for direction in _BOTH
  ]


def _memory(figures):
  values = []
  for record in figures.results["memory"]:
    if record["candidate"] == "whole":
      peak = record.get("peak_bytes")
      ratio = peak and peak / needed_bytes(record)
      values.append((ratio, record["cell"]))
  return values or [(None, "")]


def _in_dtype(figures, dtype, direction):
  return [
    (
      figures.ratio_to_floor(shape, cell, direction, dtype),
      f"{cell}, {shape}, {direction}",
    )
    for shape in LARGE
    for cell in INDY_CELLS
  ]


def _dtypes(figures):
  """Layers in 16 bits, and models with policies of mixed precision."""
  listed = []
  for dtype, limits in (("bfloat16", (1.3, 1.6)), ("float16", (1.15, 1.25))):
    for direction, limit in zip(_BOTH, limits):
      text = f"{dtype}, {direction}, large shapes: times the {dtype} floor"
      listed.append(Target(text, limit, _in_dtype(figures, dtype, direction)))
  of_policy = figures.policies.get("train", {})
  policy, usual = of_policy.get("mixed_bfloat16"), of_policy.get("float32")
  ratio = policy / usual if policy and usual else None
  text = "mixed_bfloat16 of Keras, training: times the float32 policy"
  return [*listed, Target(text, 0.5, [(ratio, "IndyGRU")])]


def check(figures) -> list[Target]:
  def whole(to, shapes, direction, cells=CELLS):
    return _ratios(figures, "whole", to, shapes, [direction], cells)

  def jax(shapes, to, direction):
    return _ratios(figures, "jax_ffi", to, shapes, [direction])

  def speedup(to, shapes, direction):
    return _ratios(figures, to, "whole", shapes, [direction])

  composition = "the composition under dynamic_rnn"
  return [
    Target(
      "forward, large shapes, Indy cells: times the floor",
      1.15,
      whole("floor", LARGE, "forward", INDY_CELLS),
    ),
    Target(
      "training, large shapes, Indy cells: times the floor",
      1.25,
      whole("floor", LARGE, "train", INDY_CELLS),
    ),
    Target(
      "forward, large shapes, SRU: times the floor",
      1.25,
      whole("floor", LARGE, "forward", ("SRU",)),
    ),
    Target(
      "training, large shapes, SRU: times the floor",
      1.35,
      whole("floor", LARGE, "train", ("SRU",)),
    ),
    Target(
      "forward, small shapes, Indy cells: times the floor",
      1.5,
      whole("floor", SMALL, "forward", INDY_CELLS),
    ),
    Target(
      "training, small shapes, Indy cells: times the floor",
      1.6,
      whole("floor", SMALL, "train", INDY_CELLS),
    ),
    Target(
      f"forward, small shapes: times faster than {composition}",
      4,
      speedup("composition", SMALL, "forward"),
      is_least=True,
    ),
    Target(
      f"training, small shapes: times faster than {composition}",
      8,
      speedup("composition", SMALL, "train"),
      is_least=True,
    ),
    Target(
      "training, small shapes: times the jitted lax.scan",
      1,
      whole("lax_scan", SMALL, "train"),
    ),
    Target(
      "JAX, every shape: times the jitted lax.scan",
      1,
      [
        pair
        for direction in _BOTH
        for pair in jax(SHAPES, "lax_scan", direction)
      ],
    ),
    Target(
      "JAX, forward, large shapes: times jax's dots alone",
      1.15,
      jax(LARGE, "jax_floor", "forward"),
    ),
    Target(
      "JAX, training, large shapes: times jax's dots alone",
      1.25,
      jax(LARGE, "jax_floor", "train"),
    ),
    Target(
      "every shape: times each candidate of the same function",
      1,
      _ahead(figures, lambda candidate: candidate.is_same),
    ),
    Target(
      "every shape: times each candidate with recurrent matrices",
      1,
      _ahead(figures, lambda candidate: not candidate.is_same),
    ),
    Target(
      f"stepwise, every shape: times {composition}",
      1,
      _ratios(figures, "stepwise", "composition", SHAPES, _BOTH),
    ),
    Target(
      "growth, the exponent of time, batch and units",
      1.1,
      _exponents(figures),
    ),
    Target(
      "peak memory of a training step: times projected inputs, outputs and "
      "their gradients",
      1.3,
      _memory(figures),
    ),
    *_dtypes(figures),
  ]
