"""Reading the figures of a run."""

import collections
import math

import numpy as np
from problems import GATES

_AXES = ("batch", "time", "inputs", "units")


class Figures:
  """Medians by what they are of.

  Attributes:
    shapes: the shapes that were measured, in order.
    dtypes: (shape, cell, candidate, direction) -> milliseconds by dtype.
    policies: direction -> milliseconds by policy, of the model of Keras.
    cells: the cells that were measured, in order.
    reasons: (candidate, shape, cell, direction) -> why there is no figure.
  """

  def __init__(self, results):
    self.results = results
    self._medians = {}
    self.reasons = {}
    self.growths = collections.defaultdict(list)
    self.dtypes = collections.defaultdict(dict)
    self.policies = collections.defaultdict(dict)
    for record in results["timings"]:
      for direction in ("forward", "train"):
        self._add(record, direction)
    timed = [r for r in results["timings"] if r["part"] == "shapes"]
    self.shapes = list(dict.fromkeys(shape_of(r) for r in timed))
    self.cells = list(dict.fromkeys(r["cell"] for r in results["timings"]))

  def _add(self, record, direction):
    name, cell = record["candidate"], record["cell"]
    figure = record[direction]
    key = name, shape_of(record), cell, direction
    if "reason" in figure:
      self.reasons[key] = figure["reason"]
    elif record["part"] == "shapes":
      self._medians[key] = figure["median"]
    elif record["part"] == "dtypes":
      layer = shape_of(record), cell, name, direction
      self.dtypes[layer][record["dtype"]] = figure["median"]
    elif record["part"] == "policies":
      self.policies[direction][record["dtype"]] = figure["median"]
    else:
      axis = record["axis"]
      point = record[axis], figure["median"]
      self.growths[axis, cell, name, direction].append(point)

  def median(self, candidate, shape, cell, direction):
    """Milliseconds, or None."""
    return self._medians.get((candidate, tuple(shape), cell, direction))

  def ratio(self, candidate, to, shape, cell, direction):
    """How many times as long as another it takes, or None."""
    figures = [self.median(c, shape, cell, direction) for c in (candidate, to)]
    return None if None in figures else figures[0] / figures[1]

  def candidates(self):
    """Those that are compared as layers, in order."""
    timed = [r for r in self.results["timings"] if r["part"] == "shapes"]
    return list(dict.fromkeys(r["candidate"] for r in timed))

  def ratio_to_floor(self, shape, cell, direction, dtype):
    """A layer's time in a dtype, times that of its products, or None."""
    whole, floor = (
      self.dtypes.get((tuple(shape), cell, name, direction), {}).get(dtype)
      for name in ("whole", "floor")
    )
    return None if None in (whole, floor) else whole / floor

  def exponent(self, axis, cell, candidate, direction):
    """p of cost ~ size^p, over the three largest sizes; None of fewer."""
    points = sorted(self.growths.get((axis, cell, candidate, direction), []))
    if len(points) < 3:
      return None
    sizes, costs = np.log(np.array(points[-3:])).T
    return float(np.polyfit(sizes, costs, 1)[0])


def shape_of(record):
  return tuple(record[axis] for axis in _AXES)


def needed_bytes(record):
  """Projected inputs, outputs, and the gradients of both, in float32."""
  numbers = (GATES[record["cell"]] + 1) * record["units"]
  return 2 * 4 * math.prod((record["batch"], record["time"], numbers))
