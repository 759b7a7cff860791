"""What the fuzzes of TensorFlow's ops and of XLA's handlers share: arrays, how
they are drawn and spoilt, and how results are compared."""

import dataclasses
import math

import ml_dtypes
import numpy as np
from fuzz_reference import STATES

DTYPES = ("float16", "bfloat16", "float32", "float64")
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


class Failure(Exception):
  """What a call did that it should not have done."""


@dataclasses.dataclass
class Array:
  """An argument or a result before it has numbers."""

  name: str
  dtype: str
  shape: list[int]

  @property
  def size(self):
    return math.prod(self.shape)

  @property
  def is_huge(self):
    """Whether only its lack of elements lets it be at all."""
    return max(self.shape, default=0) >= 2**16

  def __str__(self):
    return f"{self.name} {self.dtype}{self.shape}"


def name_states(cell, pattern):
  """ "initial_c", "initial_h" for "initial_{}"; or "initial_state"."""
  names = ("c", "h") if STATES[cell] == 2 else ("state",)
  return [pattern.format(name) for name in names]


def draw_sizes(rng):
  """Time, batch and units."""
  if rng.random() < 0.005:  # enough work for several threads
    return 17, rng.choice((8, 9)), 300
  time = rng.choice((0, 1, 1, 2, 2, 3, 5, 17))
  batch = rng.choice((0, 1, 1, 2, 2, 3, 5, 17))
  units = rng.choice((0, 1, 1, 2, 3, 4, 8, 17, 33))
  return time, batch, units


def draw_huge_sizes(rng):
  """The same, of which so many are 0 that even the states have no elements."""
  huge = rng.choice((2**31, 2**32 - 1, 2**40))
  time = rng.choice((0, 1, 3, 2**20, huge))
  if rng.random() < 0.5:
    return time, 0, rng.choice((0, 1, 17))
  return time, 3 if time == huge else rng.choice((0, 3, 2**20, huge)), 0


def draw_shape(rng):
  return [rng.choice((0, 1, 2, 3, 4, 12, 17)) for _ in range(rng.randint(0, 4))]


def draw_empty_shape(rng):
  shape = draw_shape(rng)
  return rng.choice(([0], [0, *shape], [*shape, 0]))


def spoil_shape(rng, shape):
  """Another shape, most often one that is almost the same."""
  spoilt = _spoil_shape(rng, shape)
  if math.prod(spoilt) < 2**20:
    return spoilt
  return draw_shape(rng)  # a huge one has got elements


def _spoil_shape(rng, shape):
  kind = rng.randrange(8)
  if kind == 0 or not shape:
    return draw_shape(rng)
  shape = list(shape)
  axis = rng.randrange(len(shape))
  if kind < 4:
    near = (shape[axis] + 1, abs(shape[axis] - 1), 2 * shape[axis])
    shape[axis] = rng.choice((0, 1, 2, 3, 17, *near))
  elif kind == 4:
    del shape[axis]
  elif kind == 5:
    shape.insert(axis, rng.choice((0, 1, 1, 2)))
  elif kind == 6:
    shape.reverse()
  else:
    shape[0] = 1
  return shape


def draw_length(rng, time):
  return rng.choice(
    (0, 1, time, time - 1, time // 2, time + 1, -1, -3, INT32_MIN, INT32_MAX)
  )


def draw_lengths(rng, shape, time, dtype="int32"):
  """Lengths of all kinds, as far as the dtype holds them."""
  time = min(time, 100)
  size = math.prod(shape)
  values = [draw_length(rng, time) for _ in range(size)]
  with np.errstate(over="ignore"):
    numbers = np.array(values, "int64").astype(numpy_dtype(dtype))
  return numbers.reshape(shape)


def numpy_dtype(dtype):
  return np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


# Such that 17 steps of no cell end beyond the largest float16.
_random = np.random.RandomState(0).uniform(-0.75, 0.75, 2**17)
_numbers = {}  # by dtype


def draw_numbers(rng, array):
  """Small numbers, for an array that is not huge.

  They are cut from a long row of them, which is faster than drawing.
  """
  dtype = numpy_dtype(array.dtype)
  if dtype not in _numbers:
    scaled = _random if dtype.kind in "fV" else 100 * _random
    _numbers[dtype] = scaled.astype(dtype)
  numbers = _numbers[dtype]
  first = rng.randrange(len(numbers) // 2)
  if array.size > len(numbers) // 2:
    return np.resize(numbers, array.shape)
  return numbers[first : first + array.size].reshape(array.shape).copy()


def is_worth_comparing(arrays, gates):
  """Whether arrays, of which the inputs are the first, are small enough for the
  reference to be fast."""
  inputs = arrays[0]
  if any(array.is_huge for array in arrays):
    return False
  return inputs.size * gates * max(inputs.shape[:-1]) < 200000


# Half a unit in the last place of a state that is kept in 16 bits; beyond that
# only the computation errs, in float32, or in float64.
HALF_UNITS = {"float16": 2.0**-11, "bfloat16": 2.0**-8}


def state_error(dtype):
  return HALF_UNITS.get(dtype, 0) + (1e-13 if dtype == "float64" else 3e-6)


def gradient_error(dtype):
  """More, because rounded states enter the gradients."""
  return 8 * HALF_UNITS.get(dtype, 0) + (1e-12 if dtype == "float64" else 1e-5)


def compare(name, got, want, error):
  """Raises Failure if some number is off by more than `error`, relative to the
  largest."""
  got, want = np.asarray(got).astype(np.float64), np.asarray(want)
  if got.shape != want.shape:
    raise Failure(f"{name}: shape {got.shape}, expected {want.shape}")
  if not got.size:
    return
  largest = max(1, np.max(np.abs(want)))
  worst = np.max(np.abs(got - want))
  if not worst <= error * largest:
    raise Failure(
      f"{name}: off by {worst} of {largest}\ngot {got}\nwant {want}"
    )
