"""What is computed: a cell at a shape, with its numbers, and the shapes."""

import dataclasses

import numpy as np

GATES = {"IndRNN": 1, "IndyGRU": 3, "IndyLSTM": 4, "SRU": 4}
CELLS = tuple(GATES)
# Those that have a cell with recurrent matrices to be compared with.
INDY_CELLS = CELLS[:3]


@dataclasses.dataclass(frozen=True)
class Problem:
  """A layer of a cell over sequences.

  The numbers are the same in every process. Sequences are [batch, time, ...].

  Attributes:
    dtype: of a layer; of a model of Keras, its policy.
  """

  cell: str
  batch: int
  time: int
  inputs: int
  units: int
  dtype: str = "float32"

  @property
  def gates(self) -> int:
    return GATES[self.cell]

  @property
  def shape(self) -> tuple[int, int, int, int]:
    return self.batch, self.time, self.inputs, self.units

  def random(self, seed, *shape, scale=1.0):
    numbers = np.random.default_rng(seed).standard_normal(shape, np.float32)
    return numbers * np.float32(scale)

  def x(self) -> np.ndarray:
    return self.random(1, self.batch, self.time, self.inputs)

  def output_gradients(self) -> np.ndarray:
    return self.random(2, self.batch, self.time, self.units)

  def projected_gradients(self) -> np.ndarray:
    return self.random(3, self.batch * self.time, self.gates * self.units)

  def kernel(self) -> np.ndarray:
    """W [D, G * H]; of the IndyGRU: reset, update, candidate."""
    scale = self.inputs**-0.5
    return self.random(4, self.inputs, self.gates * self.units, scale=scale)

  def recurrent_kernel(self) -> np.ndarray:
    """u [1, G * H]; the SRU has none."""
    gates = 0 if self.cell == "SRU" else self.gates
    return self.random(5, 1, gates * self.units, scale=0.5)

  def bias(self) -> np.ndarray:
    """b [G * H]; the SRU's of two gates alone."""
    gates = 2 if self.cell == "SRU" else self.gates
    return self.random(6, gates * self.units, scale=0.5)

  def weights(self) -> list[np.ndarray]:
    """In the order and shapes of the variables of this package's cell."""
    if self.cell == "SRU":
      return [self.kernel(), self.bias()]
    weights = [self.kernel(), self.recurrent_kernel(), self.bias()]
    if self.cell != "IndyGRU":
      return weights
    split = 2 * self.units
    gates = [w[..., :split] for w in weights]
    return gates + [w[..., split:] for w in weights]

  def variable_bytes(self) -> int:
    """Of the inputs, the output gradients and the weights."""
    sequences = self.batch * self.time * (self.inputs + self.units)
    return 4 * (sequences + sum(w.size for w in self.weights()))


# (batch, time, inputs, units)
SMALL = ((1, 100, 128, 128), (8, 100, 64, 64))
LARGE = ((32, 100, 256, 256), (32, 200, 216, 216))
SHAPES = SMALL + LARGE

# One axis at a time from the middle; and where the slow candidates are run.
MIDDLE = {"batch": 32, "time": 100, "inputs": 128, "units": 128}
SWEEP = {
  "time": (100, 200, 500, 1000, 2000, 5000),
  "units": (16, 32, 64, 128, 256, 512, 1024, 2048),
  "batch": (1, 2, 4, 8, 16, 32, 64, 128, 256),
}
SWEEP_OF_SLOW = {"time": (100, 1000), "units": (16, 256), "batch": (1, 32)}

DTYPES = ("float32", "bfloat16", "float16")
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
POLICY_SHAPE = LARGE[0]

MEMORY_SHAPE = (32, 1000, 256, 256)
