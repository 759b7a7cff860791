"""What the tests of the flax cells and layers share."""

import dataclasses
from typing import Any

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import nnx

from tf_contrib_rnn import flax as indy
from tf_contrib_rnn.flax import nnx as indy_nnx

BATCH, TIME, FEATURES, UNITS = 5, 6, 3, 7
LENGTHS = np.array([TIME, 3, 0, 1, TIME + 2])


@dataclasses.dataclass(frozen=True)
class Kind:
  """A cell, and flax's with recurrent matrices.

  Attributes:
    name: the layer's name; the cell's ends in "Cell".
    matrix_cell: flax's name of the cell with matrices.
    linen_gates: linen's names of the gates' parameters there: of the inputs'
      and the recurrent part, and where the bias is; in our order of gates.
    nnx_order: our number of each of nnx's gates.
    nnx_bias: which of nnx's two products has the bias.
  """

  name: str
  matrix_cell: str
  linen_gates: tuple
  nnx_order: tuple
  nnx_bias: str
  states: int = 1

  @property
  def cell(self):
    return getattr(indy, self.name + "Cell")

  @property
  def layer(self):
    return getattr(indy, self.name)

  @property
  def linen_cell(self):
    return getattr(nn, self.matrix_cell)

  @property
  def nnx_cell(self):
    return getattr(indy_nnx, self.name + "Cell")

  @property
  def nnx_layer(self):
    return getattr(indy_nnx, self.name)

  @property
  def nnx_matrix_cell(self):
    return getattr(nnx, self.matrix_cell)

  @property
  def gates(self):
    return len(self.linen_gates)

  def shapes(self):
    width = self.gates * UNITS
    return {
      "kernel": (FEATURES, width),
      "recurrent_kernel": (1, width),
      "bias": (width,),
    }

  def params(self, dtype="float32"):
    """A cell's parameters, none of them zero."""
    rng = np.random.RandomState(1)
    return {n: draw(rng, shape, dtype) for n, shape in self.shapes().items()}

  def carry(self, dtype="float32", shape=(BATCH,)):
    rng = np.random.RandomState(2)
    states = [draw(rng, (*shape, UNITS), dtype) for _ in range(self.states)]
    return states[0] if self.states == 1 else tuple(states)

  def linen_matrices(self, params):
    """Parameters of linen's cell that computes the same."""
    tree = {}
    for gate, (of_input, recurrent, with_bias) in enumerate(self.linen_gates):
      part = slice(gate * UNITS, (gate + 1) * UNITS)
      tree[of_input] = {"kernel": params["kernel"][:, part]}
      tree[recurrent] = {
        "kernel": jnp.diag(params["recurrent_kernel"][0, part])
      }
      tree[with_bias]["bias"] = params["bias"][part]
    if "hn" in tree:  # the GRU's second bias of the candidate
      tree["hn"]["bias"] = jnp.zeros_like(tree["in"]["bias"])
    return tree

  def of_linen_matrices(self, tree):
    """`linen_matrices` the other way, for gradients."""

    def side_by_side(arrays):
      return jnp.concatenate(list(arrays), -1)

    gates = self.linen_gates
    return {
      "kernel": side_by_side(tree[x]["kernel"] for x, _, _ in gates),
      "recurrent_kernel": side_by_side(
        jnp.diag(tree[h]["kernel"])[jnp.newaxis] for _, h, _ in gates
      ),
      "bias": side_by_side(tree[bias]["bias"] for _, _, bias in gates),
    }

  def nnx_matrices(self, params):
    """State of nnx's cell that computes the same, as a dict."""
    by_gate = {
      name: [np.split(np.array(a), self.gates, -1)[g] for g in self.nnx_order]
      for name, a in params.items()
    }
    tree = {
      "dense_i": {"kernel": np.concatenate(by_gate["kernel"], -1)},
      "dense_h": {
        "kernel": np.concatenate(
          [np.diag(u[0]) for u in by_gate["recurrent_kernel"]], -1
        )
      },
    }
    tree[self.nnx_bias]["bias"] = np.concatenate(by_gate["bias"])
    return tree


class SruKind(Kind):
  """The SRU, beside which flax has no cell with recurrent matrices."""

  gates = 4

  def __init__(self):
    super().__init__("SRU", "", (), (), "")

  def shapes(self):
    return {"kernel": (FEATURES, 4 * UNITS), "bias": (2 * UNITS,)}


KINDS = {
  kind.name: kind
  for kind in (
    Kind("IndRNN", "SimpleCell", (("i", "h", "i"),), (0,), "dense_i"),
    Kind(
      "IndyGRU",
      "GRUCell",
      (("ir", "hr", "ir"), ("iz", "hz", "iz"), ("in", "hn", "in")),
      (0, 1, 2),
      "dense_i",
    ),
    Kind(
      "IndyLSTM",
      "OptimizedLSTMCell",
      (
        ("ii", "hi", "hi"),
        ("ig", "hg", "hg"),
        ("if", "hf", "hf"),
        ("io", "ho", "ho"),
      ),
      (0, 2, 1, 3),
      "dense_h",
      states=2,
    ),
  )
}


ALL_KINDS = {**KINDS, "SRU": SruKind()}


def draw(rng, shape, dtype="float32"):
  return jnp.asarray(rng.uniform(-1, 1, shape), dtype)


def inputs(dtype="float32", shape=(BATCH, TIME)):
  return draw(np.random.RandomState(0), (*shape, FEATURES), dtype)


def assert_close(got, want, tolerance=2e-6):
  """Compares trees leaf by leaf, relative to the largest value."""
  assert jax.tree.structure(got) == jax.tree.structure(want)
  for g, w in zip(jax.tree.leaves(got), jax.tree.leaves(want)):
    g, w = np.asarray(g, np.float64), np.asarray(w, np.float64)
    assert g.shape == w.shape
    assert np.all(np.isfinite(g))
    largest = max(1, np.max(np.abs(w), initial=0))
    np.testing.assert_allclose(g, w, rtol=0, atol=tolerance * largest)


def equations_of(jaxpr):
  """All equations of a jaxpr, those of loops and calls included."""
  for equation in jaxpr.eqns:
    yield equation
    for inner in jax.extend.core.jaxprs_in_params(equation.params):
      yield from equations_of(inner)


def loss(results):
  """Weighted, so that no two elements count alike."""
  total = 0.0
  for result in jax.tree.leaves(results):
    weights = jnp.cos(jnp.arange(result.size, dtype=result.dtype))
    total = total + jnp.sum(result * weights.reshape(result.shape))
  return total


def to_time_major(sequences: Any) -> Any:
  return jnp.swapaxes(sequences, 0, 1)
