"""The flax layers beside nn.RNN of the same cell and of flax's own, all jitted.

  python benchmarks/flax_layers.py

Prints a table: milliseconds, forward and training with all gradients, the best
median of some rounds; and the layer's with seq_lengths and the carry.
"""

import statistics

import flax.linen as nn
import jax
import jax.numpy as jnp
import measure
import tqdm
from problems import INDY_CELLS
from problems import Problem
from problems import SHAPES

from tf_contrib_rnn import flax as indy

ROUNDS = 3
MATRIX_CELLS = {
  "IndRNN": nn.SimpleCell,
  "IndyGRU": nn.GRUCell,
  "IndyLSTM": nn.OptimizedLSTMCell,
}


def make_functions(problem, module, **call):
  """Forward and training, as functions without arguments."""
  x = jnp.asarray(problem.x())
  variables = module.init(jax.random.key(0), x)
  dy = jnp.asarray(problem.output_gradients())

  def forward(variables, x):
    return module.apply(variables, x, **call)

  def train(variables, x, dy):
    results, pull_back = jax.vjp(forward, variables, x)
    if not call.get("return_carry"):
      return pull_back(dy)
    return pull_back((jax.tree.map(jnp.ones_like, results[0]), dy))

  forward_jit, train_jit = jax.jit(forward), jax.jit(train)
  return (
    lambda: jax.block_until_ready(forward_jit(variables, x)),
    lambda: jax.block_until_ready(train_jit(variables, x, dy)),
  )


def time_functions(functions):
  """The best median milliseconds of each, a block of each in turn."""
  stopwatches = [measure.Stopwatch(call, 0.1, 5) for call in functions]
  rounds = [
    [statistics.median(stopwatch.block()) for stopwatch in stopwatches]
    for _ in range(ROUNDS)
  ]
  return [1e3 * min(times) for times in zip(*rounds)]


def main():
  rows = []
  problems = [Problem(cell, *shape) for shape in SHAPES for cell in INDY_CELLS]
  for problem in tqdm.tqdm(problems, disable=None):
    layer = getattr(indy, problem.cell)(problem.units)
    cell = getattr(indy, problem.cell + "Cell")(problem.units)
    lengths = jnp.arange(problem.batch) % problem.time + 1
    times = time_functions(
      [
        *make_functions(problem, layer),
        *make_functions(problem, layer, seq_lengths=lengths, return_carry=True),
        *make_functions(problem, nn.RNN(cell)),
        *make_functions(
          problem, nn.RNN(MATRIX_CELLS[problem.cell](problem.units))
        ),
      ]
    )
    shown = [f"{a:.3g}, {b:.3g}" for a, b in zip(times[::2], times[1::2])]
    rows.append(
      f"| {problem.cell}, {', '.join(map(str, problem.shape))} | "
      f"{' | '.join(shown)} |"
    )
  print(
    "| layer, batch, time, features, units | layer | with seq_lengths and the "
    "carry | nn.RNN of the cell | flax's cell with matrices |"
  )
  print("|---|---|---|---|---|")
  print("\n".join(rows))


if __name__ == "__main__":
  main()
