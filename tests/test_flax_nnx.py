"""The cells and layers for flax.nnx, beside flax's own and linen's."""

import inspect

import numpy as np
import pytest

pytest.importorskip("flax", reason="flax is not installed")

import flax_helpers
import jax
import jax.numpy as jnp
from flax import nnx
from flax_helpers import ALL_KINDS
from flax_helpers import assert_close
from flax_helpers import BATCH
from flax_helpers import FEATURES
from flax_helpers import KINDS
from flax_helpers import LENGTHS
from flax_helpers import TIME
from flax_helpers import UNITS

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_cell = pytest.mark.parametrize("kind", ALL_KINDS.values(), ids=ALL_KINDS)
every_order = pytest.mark.parametrize(
  "order",
  [{}, {"reverse": True}, {"reverse": True, "keep_order": True}],
  ids=["forward", "reverse", "keep_order"],
)
some_lengths = pytest.mark.parametrize(
  "lengths", [None, LENGTHS], ids=["full", "lengths"]
)


def make(module_class, params, **options):
  """A module with these parameters, a cell's or in the tree of a layer."""
  module = module_class(FEATURES, UNITS, rngs=nnx.Rngs(0), **options)
  nnx.update(module, nnx.State(params))
  return module


def state_of(module):
  return nnx.to_pure_dict(nnx.state(module, nnx.Param))


@every_kind
def test_step_of_flaxs_cell(kind):
  params, carry = kind.params(), kind.carry()
  x = flax_helpers.inputs()[:, 0]
  ours = make(kind.nnx_cell, params)
  theirs = make(kind.nnx_matrix_cell, kind.nnx_matrices(params))
  assert_close(ours(carry, x), theirs(carry, x))


@every_kind
@every_order
@some_lengths
def test_sequences_of_flaxs_cell(kind, order, lengths):
  params, x = kind.params(), flax_helpers.inputs()
  call = {
    "initial_carry": kind.carry(),
    "seq_lengths": lengths,
    "return_carry": True,
    **order,
  }
  theirs = make(kind.nnx_matrix_cell, kind.nnx_matrices(params))
  assert_close(
    make(kind.nnx_layer, {"cell": params})(x, **call),
    nnx.RNN(theirs)(x, **call),
  )


@every_cell
@every_order
@some_lengths
def test_layer_is_rnn_of_the_cell_and_linens_layer(kind, order, lengths):
  options = {"time_major": True, "return_carry": True, **order}
  params = kind.params()
  x = flax_helpers.to_time_major(flax_helpers.inputs())
  got = make(kind.nnx_layer, {"cell": params}, **options)(
    x, seq_lengths=lengths
  )
  rnn = nnx.RNN(make(kind.nnx_cell, params), **options)
  assert_close(got, rnn(x, seq_lengths=lengths))
  linens = kind.layer(UNITS, **options)
  variables = {"params": {"cell": params}}
  assert_close(got, linens.apply(variables, x, seq_lengths=lengths), 0)


@every_kind
def test_gradients(kind):
  params, x = kind.params(), flax_helpers.inputs()
  ours = make(kind.nnx_layer, {"cell": params})
  theirs = nnx.RNN(make(kind.nnx_matrix_cell, kind.nnx_matrices(params)))

  def gradients(module):
    of_state = nnx.grad(lambda module: flax_helpers.loss(module(x)))(module)
    return nnx.to_pure_dict(of_state)["cell"]

  got, want = gradients(ours), gradients(theirs)
  bias = want[kind.nnx_bias]["bias"]
  bias = [np.split(bias, kind.gates)[g] for g in np.argsort(kind.nnx_order)]
  assert_close(got["bias"], np.concatenate(bias), 5e-6)
  matrices = np.split(want["dense_h"]["kernel"], kind.gates, -1)
  vectors = [np.diag(matrices[g]) for g in np.argsort(kind.nnx_order)]
  assert_close(got["recurrent_kernel"][0], np.concatenate(vectors), 5e-6)


@every_cell
@some_lengths
def test_bidirectional(kind, lengths):
  params, x = kind.params(), flax_helpers.inputs()
  layers = [make(kind.nnx_layer, {"cell": params}) for _ in range(2)]
  rnns = [nnx.RNN(make(kind.nnx_cell, params)) for _ in range(2)]
  call = {"seq_lengths": lengths, "return_carry": True}
  assert_close(
    nnx.Bidirectional(*layers)(x, **call), nnx.Bidirectional(*rnns)(x, **call)
  )


@every_cell
def test_jit_vmap_and_split(kind):
  params, x = kind.params(), flax_helpers.inputs()
  layer = make(kind.nnx_layer, {"cell": params}, return_carry=True)
  want = layer(x)
  assert_close(nnx.jit(lambda layer, x: layer(x))(layer, x), want)
  one_by_one = nnx.vmap(lambda layer, x: layer(x), in_axes=(None, 0))
  assert_close(one_by_one(layer, x), want)
  graph, state = nnx.split(layer)
  assert_close(nnx.merge(graph, state)(x), want)


@every_kind
def test_training(kind):
  """Learns the first step's input, which only the carry can tell later."""
  x = flax_helpers.inputs(shape=(64, 5))
  layer = kind.nnx_layer(FEATURES, UNITS, rngs=nnx.Rngs(0))

  def error(layer):
    return jnp.mean((jnp.mean(layer(x)[:, -1], 1) - 0.5 * x[:, 0, 0]) ** 2)

  @nnx.jit
  def step(layer):
    value, gradients = nnx.value_and_grad(error)(layer)
    state = nnx.state(layer, nnx.Param)
    nnx.update(layer, jax.tree.map(lambda p, g: p - 2 * g, state, gradients))
    return value

  errors = [float(step(layer)) for _ in range(200)]
  assert errors[-1] < 0.4 * errors[0]


@every_cell
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bits(kind, dtype):
  params, x = {"cell": kind.params()}, flax_helpers.inputs()
  exact = make(kind.nnx_layer, params)(x, return_carry=True)
  options = {"dtype": jnp.dtype(dtype)}
  cell = make(kind.nnx_cell, params["cell"], **options)
  for module in (make(kind.nnx_layer, params, **options), nnx.RNN(cell)):
    carry, outputs = module(x, return_carry=True)
    assert outputs.dtype == dtype
    assert {a.dtype.name for a in jax.tree.leaves(carry)} == {"float32"}
    tolerance = {"float16": 4e-3, "bfloat16": 4e-2}[dtype]
    assert_close((carry, outputs), exact, tolerance)


@every_kind
def test_float64(kind):
  with jax.enable_x64(True):
    params, x = kind.params("float64"), flax_helpers.inputs("float64")
    options = {"param_dtype": jnp.float64, "dtype": jnp.float64}
    ours = make(kind.nnx_layer, {"cell": params}, **options)
    matrices = kind.nnx_matrices(params)
    theirs = nnx.RNN(make(kind.nnx_matrix_cell, matrices, **options))
    assert ours(x).dtype == "float64"
    assert_close(ours(x), theirs(x), 1e-12)


@every_cell
def test_no_batch(kind):
  params, x = kind.params(), flax_helpers.inputs(shape=(TIME,))
  layer = make(kind.nnx_layer, {"cell": params}, return_carry=True)
  rnn = nnx.RNN(make(kind.nnx_cell, params), return_carry=True)
  for call in ({}, {"seq_lengths": jnp.array(2)}, {"time_major": True}):
    assert_close(layer(x, **call), rnn(x, **call))


@every_kind
def test_residual_and_functions(kind):
  options = {"activation_fn": nnx.softplus}
  if kind.gates == 1:
    options["residual"] = True
  else:
    options["gate_fn"] = nnx.hard_sigmoid
  params, x = kind.params(), flax_helpers.inputs()
  matrices = kind.nnx_matrices(params)
  theirs = nnx.RNN(make(kind.nnx_matrix_cell, matrices, **options))
  assert_close(make(kind.nnx_layer, {"cell": params}, **options)(x), theirs(x))


@every_cell
def test_parameters_are_linens(kind):
  layer = kind.nnx_layer(FEATURES, UNITS, rngs=nnx.Rngs(0))
  of_linen = kind.layer(UNITS).init(jax.random.key(0), flax_helpers.inputs())
  assert jax.tree.map(jnp.shape, state_of(layer)) == jax.tree.map(
    jnp.shape, of_linen["params"]
  )
  if kind.name == "IndyLSTM":
    bias = np.split(layer.cell.bias[...], 4)
    np.testing.assert_array_equal(
      bias, np.eye(4)[2][:, np.newaxis] * np.ones(7)
    )
  if "recurrent_kernel" in kind.shapes():
    u = layer.cell.recurrent_kernel[...]
    assert np.all(np.abs(u) <= 1) and np.min(u) < 0 < np.max(u)


@every_cell
def test_initial_carry(kind):
  layer = kind.nnx_layer(FEATURES, UNITS, rngs=nnx.Rngs(0))
  cell, shape = layer.cell, (BATCH, FEATURES)
  zeros = cell.initialize_carry(shape)
  assert_close(zeros, jax.tree.map(jnp.zeros_like, kind.carry()), 0)
  normal = nnx.initializers.normal()
  rngs = nnx.Rngs(7)
  drawn = cell.initialize_carry(shape, rngs, normal)
  assert not np.allclose(*(drawn if kind.states == 2 else (drawn, 0)))
  again = cell.initialize_carry(shape, nnx.Rngs(7).carry, normal)
  assert_close(again, drawn, 0)
  with pytest.raises(ValueError, match="rngs is None, expected keys"):
    cell.initialize_carry(shape, carry_init=normal)

  layer = kind.nnx_layer(FEATURES, UNITS, carry_init=normal, rngs=nnx.Rngs(0))
  x = flax_helpers.inputs()
  assert_close(layer(x, rngs=nnx.Rngs(7)), layer(x, initial_carry=drawn), 0)
  assert np.all(np.isfinite(layer(x)))


@every_cell
def test_metadata_and_promotion(kind):
  calls = []

  def promote(arrays, *, dtype):
    calls.append(len(arrays))
    return nnx.nn.dtypes.promote_dtype(arrays, dtype=dtype)

  with nnx.use_eager_sharding(False):
    layer = kind.nnx_layer(
      FEATURES,
      UNITS,
      kernel_init=nnx.with_partitioning(
        nnx.initializers.lecun_normal(), (None, "model")
      ),
      bias_metadata={"regularized": False},
      promote_dtype=promote,
      rngs=nnx.Rngs(0),
    )
  cell = layer.cell
  assert cell.kernel.get_metadata()["out_sharding"] == (None, "model")
  assert cell.bias.get_metadata()["regularized"] is False
  assert cell.kernel.shape == (FEATURES, kind.gates * UNITS)
  layer(flax_helpers.inputs())
  # inputs, weights, states
  assert calls == [1 + len(kind.shapes()) + kind.states]


@every_kind
def test_arguments_are_flaxs(kind):
  signature = inspect.signature(kind.nnx_cell.__init__)
  ours = {n: p.default for n, p in signature.parameters.items()}
  theirs = inspect.signature(kind.nnx_matrix_cell.__init__).parameters
  # keep_rngs is deprecated in flax.
  assert set(theirs) - set(ours) <= {"keep_rngs"}
  for name in ("gate_fn", "activation_fn", "param_dtype", "promote_dtype"):
    if name in theirs:
      assert ours[name] is theirs[name].default
  of_rnn = inspect.signature(nnx.RNN.__call__).parameters
  assert [*inspect.signature(kind.nnx_layer.__call__).parameters] == [*of_rnn]


@every_cell
def test_errors_name_the_argument(kind):
  layer = make(kind.nnx_layer, {"cell": kind.params()})
  x = flax_helpers.inputs()
  with pytest.raises(ValueError, match=r"inputs has shape \[5, 6, 2\], .* 3\]"):
    layer(x[..., 1:])
  with pytest.raises(ValueError, match=r"inputs has shape \[3\], expected"):
    layer(x[0, 0])
  for name, sizes in (("in_features", (0, 4)), ("hidden_features", (3, 2.5))):
    with pytest.raises(ValueError, match=f"{name} is .*, expected a whole"):
      kind.nnx_layer(*sizes, rngs=nnx.Rngs(0))
  with pytest.raises(TypeError, match="unknown"):
    kind.nnx_layer(FEATURES, UNITS, unknown=1, rngs=nnx.Rngs(0))
