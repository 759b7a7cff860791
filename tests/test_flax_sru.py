"""The SRU for flax.linen and flax.nnx: against a loop in NumPy, and against
what TensorFlow 1.15 recorded. What it shares with the other cells is tested
with them, in test_flax*.py."""

import inspect
import json
import os
import zlib

import numpy as np
import pytest

pytest.importorskip("flax", reason="flax is not installed")

import flax.linen as nn
import flax_helpers
import helpers
import jax
import jax.numpy as jnp
from flax import nnx
from flax_helpers import assert_close
from flax_helpers import FEATURES
from flax_helpers import LENGTHS
from flax_helpers import TIME
from flax_helpers import UNITS

from tf_contrib_rnn import flax as indy
from tf_contrib_rnn.flax import nnx as indy_nnx

FOLDER = os.path.join(os.path.dirname(__file__), "golden_rest")
KIND = flax_helpers.ALL_KINDS["SRU"]
ORDERS = [{}, {"reverse": True}, {"reverse": True, "keep_order": True}]
every_order = pytest.mark.parametrize(
  "order", ORDERS, ids=["forward", "reverse", "keep_order"]
)
each_package = pytest.mark.parametrize("package", ["linen", "nnx"])


def run(package, params, x, options=None, **call):
  """A layer's results, with these parameters of its cell."""
  options = {"param_dtype": x.dtype, **(options or {})}
  if package == "linen":
    variables = {"params": {"cell": params}}
    return indy.SRU(UNITS, **options).apply(variables, x, **call)
  layer = indy_nnx.SRU(FEATURES, UNITS, rngs=nnx.Rngs(0), **options)
  nnx.update(layer, nnx.State({"cell": params}))
  return layer(x, **call)


def step(params, c, x, gate_fn, activation):
  s, f, r, t = np.split(x @ params["kernel"], 4, -1)
  b_f, b_r = np.split(params["bias"], 2)
  f, r = gate_fn(f + b_f), gate_fn(r + b_r)
  c = f * c + (1 - f) * s
  return c, r * activation(c) + (1 - r) * t


def loop(
  params,
  x,
  c,
  lengths=None,
  reverse=False,
  keep_order=False,
  gate_fn=helpers.sigmoid,
  activation=np.tanh,
):
  """The carry and the outputs of nn.RNN, row by row."""
  params = {name: np.asarray(array) for name, array in params.items()}
  batch, time, _ = x.shape
  carries, outputs = np.array(c), np.zeros([batch, time, UNITS])
  lengths = np.full(batch, time) if lengths is None else lengths
  for row, length in enumerate(lengths):
    state, states = carries[row], []
    steps = np.arange(time)
    if reverse:  # of the sequence; what is past its end, from there
      steps = (steps[::-1] + length) % time
    for n, t in enumerate(steps):
      state, output = step(params, state, x[row, t], gate_fn, activation)
      outputs[row, t if keep_order else n] = output
      states.append(state)
    carries[row] = states[length - 1]
  return carries, outputs


@each_package
@every_order
@pytest.mark.parametrize("has_lengths", [False, True])
def test_follows_the_equations(package, order, has_lengths):
  lengths = np.minimum(LENGTHS, TIME) if has_lengths else None
  with jax.enable_x64(True):
    params, x = KIND.params("float64"), flax_helpers.inputs("float64")
    c = KIND.carry("float64")
    got = run(
      package,
      params,
      x,
      initial_carry=c,
      seq_lengths=lengths,
      return_carry=True,
      **order,
    )
    want = loop(params, np.array(x), c, lengths, **order)
    assert_close(got, want, 1e-12)


@each_package
@every_order
def test_functions(package, order):
  options = {"gate_fn": jax.nn.hard_sigmoid, "activation_fn": jax.nn.softplus}
  params, x, c = KIND.params(), flax_helpers.inputs(), KIND.carry()
  lengths = np.minimum(LENGTHS, TIME)
  call = {"initial_carry": c, "return_carry": True, **order}
  got = run(package, params, x, options, seq_lengths=lengths, **call)
  want = loop(
    params,
    np.array(x),
    c,
    lengths,
    **order,
    gate_fn=lambda x: np.clip(x / 6 + 0.5, 0, 1),
    activation=lambda x: np.log1p(np.exp(x)),
  )
  assert_close(got, want)


def test_a_cells_step():
  params, x, c = KIND.params(), flax_helpers.inputs()[:, 0], KIND.carry()
  cell = indy_nnx.SRUCell(FEATURES, UNITS, rngs=nnx.Rngs(0))
  nnx.update(cell, nnx.State(params))
  want = step(
    jax.tree.map(np.array, params), c, np.array(x), helpers.sigmoid, np.tanh
  )
  for got in (
    indy.SRUCell(UNITS).apply({"params": params}, c, x),
    cell(c, x),
  ):
    assert_close(got, want)


@every_order
def test_gradients_are_those_of_rnn_of_the_cell(order):
  lengths = np.minimum(LENGTHS, TIME)

  def differentiate(module):
    def loss(params, c, x):
      results = module.apply(
        {"params": {"cell": params}},
        x,
        initial_carry=c,
        seq_lengths=lengths,
        return_carry=True,
        **order,
      )
      return flax_helpers.loss(results)

    return jax.jit(jax.grad(loss, (0, 1, 2)))(
      KIND.params(), KIND.carry(), flax_helpers.inputs()
    )

  got = differentiate(indy.SRU(UNITS))
  assert_close(got, differentiate(nn.RNN(indy.SRUCell(UNITS))), 5e-6)


def test_vmap_over_weights():
  x, c = flax_helpers.inputs(), KIND.carry()
  params = [KIND.params(), jax.tree.map(jnp.cos, KIND.params())]
  stacked = jax.tree.map(lambda *arrays: jnp.stack(arrays), *params)

  def loss_and_gradient(params):
    def loss(params):
      results = run("linen", params, x, initial_carry=c, return_carry=True)
      return flax_helpers.loss(results)

    return jax.value_and_grad(loss)(params)

  want = [loss_and_gradient(of_one) for of_one in params]
  want = jax.tree.map(lambda *arrays: jnp.stack(arrays), *want)
  assert_close(jax.vmap(loss_and_gradient)(stacked), want, 5e-6)


@each_package
@pytest.mark.parametrize("return_carry", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_the_carry_with_lengths_takes_a_second_recurrence(
  package, return_carry, lengths
):
  call = {"seq_lengths": lengths, "return_carry": return_carry}
  traced = jax.make_jaxpr(lambda params, x: run(package, params, x, **call))(
    KIND.params(), flax_helpers.inputs()
  )
  equations = flax_helpers.equations_of(traced.jaxpr)
  names = [equation.primitive.name for equation in equations]
  assert names.count("dot_general") == 1
  recurrences = 1 + (lengths is not None and return_carry)
  assert names.count("tf_contrib_rnn_forward") == recurrences


@each_package
@pytest.mark.parametrize("name", ["sru_step", "sru_dynamic"])
def test_recording(name, package):
  """Weights by their names, results and gradients of TensorFlow 1.15."""
  with open(os.path.join(FOLDER, name, "meta.json")) as file:
    meta = json.load(file)
  golden = np.load(os.path.join(FOLDER, name, "golden.npz"))
  variables = {
    name[:-2]: 0.7 * random_of(name).uniform(-1, 1, shape)
    for name, shape, _ in meta["variables"]
  }
  scope = os.path.dirname(meta["trainable"][0])
  lengths = meta["scenario"].get("sequence_length")
  units = meta["scenario"]["cell"]["args"][0]
  with jax.enable_x64(True):
    x = jnp.asarray(golden["x0"])
    state = golden["i0"] if "i0" in golden else np.zeros([len(x), units])
    apply, params, to_variables = loaded(
      package, x, units, variables, lengths is None
    )

    def compute(params, c, x):
      if lengths is None:
        c, outputs = apply(params, c, x)
      else:
        c, outputs = as_dynamic_rnn(apply, lengths, params, c, x)
      return recorded_loss([outputs, c]), (outputs, c)

    gradients, (outputs, c) = jax.jit(
      jax.grad(compute, (0, 1, 2), has_aux=True)
    )(params, jnp.asarray(state), x)
    of_weights = to_variables(gradients[0], scope)
  assert_close([outputs, c], [golden["y0"], golden["s0"]], 1e-12)
  assert_close(gradients[2], golden["gx0"], 1e-12)
  for number, variable in enumerate(meta["trainable"]):
    assert_close(of_weights[variable[:-2]], golden[f"gv{number}"], 1e-12)
  if "gi0" in golden:
    assert_close(gradients[1], golden["gi0"], 1e-12)


def random_of(name):
  return np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF)


def recorded_loss(results):
  total = 0.0
  for result in results:
    weights = np.sin(np.arange(result.size) * 0.37 + 0.2)
    total += jnp.sum(result * weights.reshape(result.shape))
  return total


def loaded(package, x, units, variables, is_step):
  """A module's function, its parameters, and what makes variables of these."""
  name = "SRUCell" if is_step else "SRU"
  options = {"param_dtype": jnp.float64}
  if package == "linen":
    module = getattr(indy, name)(units, **options)
    start = (jnp.zeros([1, units]), x[:1]) if is_step else (x[:1],)
    params = module.init(jax.random.key(0), *start)["params"]
    return (
      lambda params, *a, **k: module.apply({"params": params}, *a, **k),
      indy.load_contrib_variables(module, params, variables),
      lambda params, scope: indy.contrib_variables(module, params, scope),
    )
  module = getattr(indy_nnx, name)(
    x.shape[-1], units, rngs=nnx.Rngs(0), **options
  )
  indy_nnx.load_contrib_variables(module, variables)
  graph, params = nnx.split(module)
  return (
    lambda params, *a, **k: nnx.merge(graph, params)(*a, **k),
    params,
    lambda params, scope: indy_nnx.contrib_variables(
      nnx.merge(graph, params), scope
    ),
  )


def as_dynamic_rnn(apply, lengths, params, c, x):
  """The carry and the outputs, which end where a sequence does."""
  lengths = np.array(lengths)[:, np.newaxis]
  new, outputs = apply(
    params, x, initial_carry=c, seq_lengths=lengths[:, 0], return_carry=True
  )
  is_running = np.arange(x.shape[1]) < lengths
  outputs = jnp.where(is_running[..., np.newaxis], outputs, 0)
  return jnp.where(lengths == 0, c, new), outputs


def test_attributes_are_those_of_a_gru():
  for ours, theirs in (
    (indy.SRUCell, nn.GRUCell),
    (indy.SRU, indy.IndyGRU),
    (indy_nnx.SRUCell, indy_nnx.IndyGRUCell),
    (indy_nnx.SRU, indy_nnx.IndyGRU),
  ):
    ours, theirs = (
      {n: p.default for n, p in inspect.signature(c).parameters.items()}
      for c in (ours, theirs)
    )
    lacks = {"recurrent_kernel_init", "recurrent_kernel_metadata"}
    assert set(theirs) - set(ours) == lacks & set(theirs)
    for name in ("gate_fn", "activation_fn", "param_dtype", "dtype"):
      assert ours[name] is theirs[name]
  with pytest.raises(TypeError, match="recurrent_kernel_init"):
    indy_nnx.SRU(
      FEATURES, UNITS, rngs=nnx.Rngs(0), recurrent_kernel_init=nnx.tanh
    )


def test_weights_of_another_cell_are_refused():
  cell, params = indy.SRUCell(UNITS), KIND.params()
  shapes = {"kernel": (FEATURES, 4 * UNITS), "bias": (4 * UNITS,)}
  variables = {"sru_cell/" + n: np.ones(s) for n, s in shapes.items()}
  with pytest.raises(
    ValueError, match=r"'sru_cell/bias' has shape \[28\], expected \[14\]"
  ):
    indy.load_contrib_variables(cell, params, variables, "sru_cell")
  params["recurrent_kernel"] = jnp.ones([1, 4 * UNITS])
  with pytest.raises(ValueError, match="one SRUCell: 'kernel', 'bias'"):
    indy.load_contrib_variables(cell, params, variables, "sru_cell")


def test_there_is_nothing_to_bound():
  with pytest.raises(ValueError, match="expected a tree of dicts"):
    indy.bound_recurrent_kernels({"cell": KIND.params()}, TIME)
  layer = indy_nnx.SRU(FEATURES, UNITS, rngs=nnx.Rngs(0))
  with pytest.raises(ValueError, match="expected an nnx module"):
    indy_nnx.bound_recurrent_kernels(layer, TIME)
