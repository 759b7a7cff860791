"""The bound on recurrent weights for flax: trees of parameters, nnx modules."""

import doctest
import functools

import numpy as np
import pytest

pytest.importorskip("flax", reason="flax is not installed")

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import nnx
from flax.training import train_state

from tf_contrib_rnn import flax as indy
from tf_contrib_rnn.flax import bound
from tf_contrib_rnn.flax import nnx as indy_nnx
from tf_contrib_rnn.flax.nnx import bound as nnx_bound

BATCH, TIME, DEPTH, UNITS = 2, 5, 3, 2
GAMMA = 1.5
LIMIT = np.float32(GAMMA ** (1 / TIME))
VALUES = (9, 99)  # far outside: the second update is bounded like the first

bound_tree = indy.bound_recurrent_kernels
bound_module = indy_nnx.bound_recurrent_kernels


@pytest.mark.parametrize("module", [bound, nnx_bound])
def test_docstrings(module):
  result = doctest.testmod(module)
  assert result.attempted and not result.failed


# Models with every cell, and one of flax's with matrices.


class Linen(nn.Module):
  @nn.compact
  def __call__(self, x):
    x = nn.Bidirectional(indy.IndyGRU(UNITS), indy.IndyGRU(UNITS))(x)
    x = nn.RNN(indy.IndyLSTMCell(UNITS))(x)
    x = nn.RNN(nn.OptimizedLSTMCell(UNITS))(indy.IndRNN(UNITS)(x))
    return nn.Dense(1)(x)


class Nnx(nnx.Module):
  def __init__(self):
    rngs = nnx.Rngs(0)
    gru = lambda: indy_nnx.IndyGRU(DEPTH, UNITS, rngs=rngs)
    self.both = nnx.Bidirectional(gru(), gru())
    self.layers = nnx.List(
      [
        nnx.RNN(indy_nnx.IndyLSTMCell(2 * UNITS, UNITS, rngs=rngs)),
        indy_nnx.IndRNN(UNITS, UNITS, rngs=rngs),
        nnx.RNN(nnx.OptimizedLSTMCell(UNITS, UNITS, rngs=rngs)),
        nnx.Linear(UNITS, 1, rngs=rngs),
      ]
    )


KERNELS = 4  # in each of the models


def initial(module):
  """A linen module's parameters, all ones: what is drawn takes long."""
  inputs = jnp.ones([BATCH, TIME, DEPTH])
  shapes = jax.eval_shape(module.init, jax.random.key(0), inputs)["params"]
  return jax.tree.map(lambda a: jnp.ones(a.shape, a.dtype), shapes)


def linen_params():
  return initial(Linen())


@functools.lru_cache
def split_model():
  return nnx.split(Nnx())


def nnx_model():
  return nnx.merge(*split_model())


def nnx_state():
  return nnx.state(nnx_model(), nnx.Param)


def nnx_dict():
  return nnx.to_pure_dict(nnx_state())


every_tree = pytest.mark.parametrize(
  "make_tree",
  [linen_params, lambda: flax.core.freeze(linen_params()), nnx_state, nnx_dict],
  ids=["linen", "FrozenDict", "State", "pure dict"],
)


def filled(tree, value):
  """The tree with a value in place of all numbers, of both signs."""

  def fill(array):
    numbers = value * (-1.0) ** np.arange(array.size)
    return jnp.asarray(numbers.reshape(array.shape), array.dtype)

  return jax.tree.map(fill, tree)


def assert_bounded(got, old, kernels=KERNELS):
  """That the recurrent kernels, and nothing else, are the old ones clipped."""
  assert jax.tree.structure(got) == jax.tree.structure(old)
  leaves = jax.tree_util.tree_leaves_with_path(got)
  found = 0
  for (path, array), before in zip(leaves, jax.tree.leaves(old)):
    assert array.dtype == before.dtype
    limit = np.inf
    if "recurrent_kernel" in jax.tree_util.keystr(path):
      found += 1
      limit = float(jnp.asarray(LIMIT, array.dtype))
    array, before = (np.asarray(a, "float64") for a in (array, before))
    np.testing.assert_array_equal(array, np.clip(before, -limit, limit))
    assert np.abs(before).min() > 8
  assert found == kernels


# Trees.


@every_tree
def test_a_tree_after_an_update_in_jit(make_tree):
  params = make_tree()
  optimizer = optax.sgd(1e-3)
  state = optimizer.init(params)

  @jax.jit
  def train(params, state):
    gradients = jax.tree.map(jnp.ones_like, params)
    updates, state = optimizer.update(gradients, state)
    params = optax.apply_updates(params, updates)
    return bound_tree(params, TIME, GAMMA), params, state

  for value in VALUES:
    params = filled(params, value)
    bounded, updated, state = train(params, state)
    assert_bounded(bounded, updated)
    assert jnp.all(jax.tree.leaves(updated)[0] != jax.tree.leaves(params)[0])


@every_tree
def test_what_is_inside_the_bound_stays(make_tree):
  params = filled(make_tree(), 1)
  for got, before in zip(
    jax.tree.leaves(bound_tree(params, TIME)), jax.tree.leaves(params)
  ):
    np.testing.assert_array_equal(got, before)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtypes(dtype):
  params = filled(linen_params(), 9)
  params = jax.tree.map(lambda array: array.astype(dtype), params)
  assert_bounded(bound_tree(params, TIME, GAMMA), params)


def test_gamma_is_2_by_default():
  params = filled(linen_params(), 9)
  got = bound_tree(params, 1)["IndRNN_0"]["cell"]["recurrent_kernel"]
  assert got.tolist() == [[2, -2]]


def test_a_state_goes_back_into_the_module():
  model = nnx_model()
  state = filled(nnx.state(model, nnx.Param), 9)
  nnx.update(model, bound_tree(state, TIME, GAMMA))
  assert_bounded(nnx.state(model, nnx.Param), state)


def test_boxes_survive():
  names = {"recurrent_kernel": (None, "model"), "bias": ("model",)}
  draw = nn.initializers.ones_init()
  layer = indy.IndRNN(
    UNITS,
    **{f"{n}_init": nn.with_partitioning(draw, names[n]) for n in names},
  )
  params = filled(initial(layer), 9)
  got = jax.jit(lambda params: bound_tree(params, TIME, GAMMA))(params)
  assert_bounded(got, params, 1)
  for name in names:
    assert isinstance(got["cell"][name], nn.Partitioned)
    assert got["cell"][name].names == names[name]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_stacked_parameters(axis):
  stack = nn.vmap(
    indy.IndyGRU,
    in_axes=None,
    axis_size=3,
    variable_axes={"params": axis},
    split_rngs={"params": True},
  )(UNITS)
  params = filled(initial(stack), 9)
  assert params["cell"]["recurrent_kernel"].ndim == 3
  assert_bounded(bound_tree(params, TIME, GAMMA), params, 1)


MATRICES = {
  "SimpleRNN": ((3, 2), (2, 2), (2,)),
  "LSTM": ((3, 8), (2, 8), (8,)),
  "GRU, reset_after": ((3, 6), (2, 6), (2, 6)),
  "ConvLSTM": ((1, 1, 3, 8), (1, 1, 2, 8), (8,)),
}


def matrices(name):
  shapes = zip(("kernel", "recurrent_kernel", "bias"), MATRICES[name])
  return {name: jnp.full(shape, 9.0) for name, shape in shapes}


@pytest.mark.parametrize("name", MATRICES)
def test_recurrent_kernels_of_others_stay(name):
  ours = filled(linen_params(), 9)
  others = matrices(name)
  got = bound_tree({"ours": ours, "others": others}, TIME, GAMMA)
  assert_bounded(got["ours"], ours)
  assert jax.tree.map(jnp.array_equal, got["others"], others) == dict.fromkeys(
    others, True
  )


def of_a_train_state():
  """What holds parameters is no tree of them: Adam's moments look alike."""
  return train_state.TrainState.create(
    apply_fn=None, params=linen_params(), tx=optax.adam(1e-3)
  )


@pytest.mark.parametrize(
  "make_params, shown",
  [
    (dict, "dict with nothing in it;"),
    (lambda: None, "NoneType with nothing in it;"),
    (lambda: jnp.ones([1, 2]), "nothing in it;"),
    (lambda: {"a": {"bias": 0.0}}, r"dict with \['a'\]\['bias'\];"),
    (lambda: matrices("LSTM"), r"dict with \['bias'\], \['kernel'\], "),
    (
      lambda: {"recurrent_kernel": jnp.ones([1, 2])},
      r"\['recurrent_kernel'\];",
    ),
    (of_a_train_state, r"TrainState with \.step, .*, …;"),
    (nnx_model, r"Nnx with \.both\."),
  ],
)
def test_a_tree_without_recurrent_kernels(make_params, shown):
  with pytest.raises(ValueError, match=f"^params is .*{shown}.* expected a"):
    bound_tree(make_params(), TIME)


# Modules.


def test_a_module_after_an_update_in_jit():
  model = nnx_model()
  optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)

  @nnx.jit
  def train(model, optimizer):
    gradients = jax.tree.map(jnp.ones_like, nnx.state(model, nnx.Param))
    optimizer.update(model, gradients)
    updated = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    assert bound_module(model, TIME, GAMMA) is None
    return updated

  for value in VALUES:
    nnx.update(model, filled(nnx.state(model, nnx.Param), value))
    updated = train(model, optimizer)
    assert_bounded(nnx.to_pure_dict(nnx.state(model, nnx.Param)), updated)


@pytest.mark.parametrize("name", ["IndRNNCell", "IndyGRU", "IndyLSTM"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_cell_or_layer_alone(name, dtype):
  module = getattr(indy_nnx, name)(
    DEPTH, UNITS, param_dtype=dtype, rngs=nnx.Rngs(0)
  )
  params = filled(nnx.state(module, nnx.Param), 9)
  nnx.update(module, params)
  bound_module(module, TIME, GAMMA)
  assert_bounded(nnx.state(module, nnx.Param), params, 1)


@pytest.mark.parametrize(
  "make_module",
  [lambda: nnx.Linear(1, 1, rngs=nnx.Rngs(0)), nnx_state, nnx_dict],
)
def test_a_module_without_recurrent_kernels(make_module):
  with pytest.raises(ValueError, match="^module is of the type .* expected an"):
    bound_module(make_module(), TIME)


# Both.


@pytest.mark.parametrize(
  "call, make", [(bound_tree, linen_params), (bound_module, nnx_model)]
)
def test_bad_arguments(call, make):
  with pytest.raises(ValueError, match="^time is 1.5, expected a whole number"):
    call(make(), 1.5)
  with pytest.raises(ValueError, match="^gamma is -1, expected a finite"):
    call(make(), TIME, gamma=-1)
