"""The cells and layers for flax.linen, beside flax's own."""

import dataclasses
import inspect

import numpy as np
import pytest

pytest.importorskip("flax", reason="flax is not installed")

import flax.linen as nn
import flax_helpers
import helpers
import jax
import jax.export
import jax.numpy as jnp
from flax_helpers import ALL_KINDS
from flax_helpers import assert_close
from flax_helpers import BATCH
from flax_helpers import FEATURES
from flax_helpers import KINDS
from flax_helpers import LENGTHS
from flax_helpers import TIME
from flax_helpers import UNITS

from tf_contrib_rnn import flax as indy

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_cell = pytest.mark.parametrize("kind", ALL_KINDS.values(), ids=ALL_KINDS)
gated = pytest.mark.parametrize(
  "kind", [KINDS["IndyGRU"], KINDS["IndyLSTM"]], ids=["IndyGRU", "IndyLSTM"]
)
every_order = pytest.mark.parametrize(
  "order",
  [{}, {"reverse": True}, {"reverse": True, "keep_order": True}],
  ids=["forward", "reverse", "keep_order"],
)
some_lengths = pytest.mark.parametrize(
  "lengths", [None, LENGTHS], ids=["full", "lengths"]
)


def applies(module, params, *arguments, **keywords):
  return module.apply({"params": params}, *arguments, **keywords)


@every_kind
def test_step_of_flaxs_cell(kind):
  params, carry = kind.params(), kind.carry()
  x = flax_helpers.inputs()[:, 0]
  assert_close(
    applies(kind.cell(UNITS), params, carry, x),
    applies(kind.linen_cell(UNITS), kind.linen_matrices(params), carry, x),
  )


@every_kind
@every_order
@some_lengths
def test_sequences_and_gradients_of_flaxs_cell(kind, order, lengths):
  ours, theirs = kind.layer(UNITS), nn.RNN(kind.linen_cell(UNITS))
  if lengths is not None:  # past the end, nn.RNN loses the carry's gradient
    lengths = np.minimum(lengths, TIME)

  def run(module, convert, params, carry, x):
    return applies(
      module,
      {"cell": convert(params)},
      x,
      initial_carry=carry,
      seq_lengths=lengths,
      return_carry=True,
      **order,
    )

  def results_and_gradients(module, convert):
    def loss(*arguments):
      results = run(module, convert, *arguments)
      return flax_helpers.loss(results), results

    return jax.jit(jax.grad(loss, (0, 1, 2), has_aux=True))(
      kind.params(), kind.carry(), flax_helpers.inputs()
    )

  assert_close(
    results_and_gradients(ours, lambda params: params),
    results_and_gradients(theirs, kind.linen_matrices),
    5e-6,
  )


@every_cell
@every_order
@some_lengths
@pytest.mark.parametrize("by", ["attributes", "call"])
def test_layer_is_rnn_of_the_cell(kind, order, lengths, by):
  time_major = by == "call"
  how = {"time_major": time_major, "return_carry": True, **order}
  options, call = (how, {}) if by == "attributes" else ({}, how)
  x = flax_helpers.inputs()
  if time_major:
    x = flax_helpers.to_time_major(x)
  params = {"cell": kind.params()}
  layer = kind.layer(UNITS, **options)
  rnn = nn.RNN(kind.cell(UNITS), **options)
  assert_close(
    applies(layer, params, x, seq_lengths=lengths, **call),
    applies(rnn, params, x, seq_lengths=lengths, **call),
  )


@every_cell
@some_lengths
def test_bidirectional(kind, lengths):
  x = flax_helpers.inputs()
  layers = nn.Bidirectional(
    kind.layer(UNITS), kind.layer(UNITS), return_carry=True
  )
  rnns = nn.Bidirectional(
    nn.RNN(kind.cell(UNITS)), nn.RNN(kind.cell(UNITS)), return_carry=True
  )
  variables = rnns.init(jax.random.key(0), x)
  assert_close(
    layers.apply(variables, x, seq_lengths=lengths),
    rnns.apply(variables, x, seq_lengths=lengths),
  )


ACTIVATIONS = {
  "tanh": nn.tanh,
  "sigmoid": nn.sigmoid,
  "relu": nn.relu,
  "soft_sign": nn.soft_sign,
  "own": lambda x: jnp.sin(x) * 0.5,
}


@every_kind
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(kind, activation):
  options = {"activation_fn": ACTIVATIONS[activation]}
  params, x = kind.params(), flax_helpers.inputs()
  theirs = nn.RNN(kind.linen_cell(UNITS, **options))
  assert_close(
    applies(kind.layer(UNITS, **options), {"cell": params}, x),
    applies(theirs, {"cell": kind.linen_matrices(params)}, x),
  )


@gated
@every_order
@pytest.mark.parametrize("gate_fn", [nn.hard_sigmoid, nn.softplus])
def test_functions_of_gates(kind, order, gate_fn):
  params, x = kind.params(), flax_helpers.inputs()
  call = {"seq_lengths": LENGTHS, "return_carry": True, **order}
  theirs = nn.RNN(kind.linen_cell(UNITS, gate_fn=gate_fn))
  assert_close(
    applies(kind.layer(UNITS, gate_fn=gate_fn), {"cell": params}, x, **call),
    applies(theirs, {"cell": kind.linen_matrices(params)}, x, **call),
  )


def test_residual():
  kind = KINDS["IndRNN"]
  params, x = kind.params(), flax_helpers.inputs()
  want = applies(
    nn.RNN(nn.SimpleCell(UNITS, residual=True)),
    {"cell": kind.linen_matrices(params)},
    x,
  )
  for module in (
    indy.IndRNN(UNITS, residual=True),
    nn.RNN(indy.IndRNNCell(UNITS, residual=True)),
  ):
    assert_close(applies(module, {"cell": params}, x), want)


@every_cell
def test_no_batch(kind):
  params, x = {"cell": kind.params()}, flax_helpers.inputs(shape=(TIME,))
  for call in ({}, {"seq_lengths": jnp.array(2)}, {"time_major": True}):
    assert_close(
      applies(kind.layer(UNITS, return_carry=True), params, x, **call),
      applies(nn.RNN(kind.cell(UNITS), return_carry=True), params, x, **call),
    )


@every_cell
@pytest.mark.parametrize("time_major", [False, True])
def test_batch_of_two_dimensions(kind, time_major):
  params = {"cell": kind.params()}
  x = flax_helpers.inputs(shape=(2, 3, TIME))
  layer = kind.layer(UNITS, return_carry=True, time_major=time_major)
  rnn = nn.RNN(kind.cell(UNITS), return_carry=True, time_major=time_major)
  if time_major:
    x = jnp.moveaxis(x, 2, 0)
  assert_close(applies(layer, params, x), applies(rnn, params, x))


@every_cell
def test_lengths_of_two_dimensions(kind):
  """nn.RNN takes none with return_carry."""
  params, layer = {"cell": kind.params()}, kind.layer(UNITS, return_carry=True)
  x = flax_helpers.inputs(shape=(2, 3, TIME))
  lengths = jnp.array([[1, 2, 3], [4, 5, 6]])
  one_batch = applies(
    layer, params, x.reshape(6, TIME, FEATURES), seq_lengths=lengths.ravel()
  )
  assert_close(
    applies(layer, params, x, seq_lengths=lengths),
    jax.tree.map(lambda a: a.reshape(2, 3, *a.shape[1:]), one_batch),
  )


def test_lengths_in_a_list():
  kind = KINDS["IndyGRU"]
  params, layer = {"cell": kind.params()}, kind.layer(UNITS, reverse=True)
  x = flax_helpers.inputs()
  assert_close(
    applies(layer, params, x, seq_lengths=LENGTHS.tolist()),
    applies(layer, params, x, seq_lengths=LENGTHS),
  )


@every_cell
@pytest.mark.parametrize("batch, time", [(0, TIME), (BATCH, 0), (1, 1)])
def test_nothing_and_little(kind, batch, time):
  x = flax_helpers.inputs(shape=(batch, time))
  layer = kind.layer(UNITS, return_carry=True)
  carry = kind.carry(shape=(batch,))
  new, outputs = applies(layer, {"cell": kind.params()}, x, initial_carry=carry)
  assert outputs.shape == (batch, time, UNITS)
  if time == 0:
    assert_close(new, carry, 0)


@every_cell
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("param_dtype", ["same", "float32"])
def test_sixteen_bits(kind, dtype, param_dtype):
  param_dtype = dtype if param_dtype == "same" else param_dtype
  options = {
    "dtype": jnp.dtype(dtype),
    "param_dtype": jnp.dtype(param_dtype),
  }
  x = flax_helpers.inputs()
  rnn = nn.RNN(kind.cell(UNITS, **options), return_carry=True)
  layer = kind.layer(UNITS, return_carry=True, **options)
  variables = layer.init(jax.random.key(0), x)
  exact = kind.layer(UNITS, return_carry=True).apply(
    jax.tree.map(lambda a: a.astype("float32"), variables),
    x,
    seq_lengths=LENGTHS,
  )
  for module in (layer, rnn):
    carry, outputs = module.apply(variables, x, seq_lengths=LENGTHS)
    assert outputs.dtype == dtype
    leaves = jax.tree.leaves((variables, carry))
    assert {leaf.dtype.name for leaf in leaves} == {param_dtype}
    tolerance = {"float16": 4e-3, "bfloat16": 4e-2}[dtype]
    assert_close((carry, outputs), exact, tolerance)


@every_cell
def test_dtype_is_what_all_promote_to(kind):
  params = {"cell": kind.params("bfloat16")}
  layer = kind.layer(UNITS, return_carry=True, param_dtype=jnp.bfloat16)
  carry, outputs = applies(layer, params, flax_helpers.inputs("bfloat16"))
  assert outputs.dtype == "bfloat16"
  assert {a.dtype.name for a in jax.tree.leaves(carry)} == {"bfloat16"}
  carry, outputs = applies(layer, params, flax_helpers.inputs())
  assert outputs.dtype == "float32"
  assert {a.dtype.name for a in jax.tree.leaves(carry)} == {"bfloat16"}


@every_kind
@pytest.mark.parametrize(
  "lengths", [None, np.minimum(LENGTHS, TIME)], ids=["full", "lengths"]
)
def test_float64(kind, lengths):
  with jax.enable_x64(True):
    params, x = kind.params("float64"), flax_helpers.inputs("float64")
    call = {"seq_lengths": lengths, "return_carry": True}
    call["initial_carry"] = kind.carry("float64")
    ours = kind.layer(UNITS, param_dtype=jnp.float64)
    theirs = nn.RNN(kind.linen_cell(UNITS, param_dtype=jnp.float64))

    def differentiate(module, params):
      def loss(x):
        results = applies(module, {"cell": params}, x, **call)
        return flax_helpers.loss(results), results

      return jax.grad(loss, has_aux=True)(x)

    got = differentiate(ours, params)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(got)} == {"float64"}
    assert_close(got, differentiate(theirs, kind.linen_matrices(params)), 1e-12)


@every_cell
def test_integers_are_promoted(kind):
  params = {"cell": kind.params()}
  x = jnp.ones([BATCH, TIME, FEATURES], jnp.int32)
  assert_close(
    applies(kind.layer(UNITS), params, x),
    applies(kind.layer(UNITS), params, x.astype("float32")),
  )


@every_cell
def test_scan_over_the_cell(kind):
  scanned = nn.scan(
    kind.cell,
    variable_broadcast="params",
    split_rngs={"params": False},
    in_axes=1,
    out_axes=1,
  )(UNITS)
  x, carry = flax_helpers.inputs(), kind.carry()
  variables = scanned.init(jax.random.key(0), carry, x)
  layer = kind.layer(UNITS, return_carry=True)
  assert_close(
    scanned.apply(variables, carry, x),
    applies(layer, {"cell": variables["params"]}, x, initial_carry=carry),
  )


@every_cell
def test_jit_vmap_and_remat(kind):
  params, x = {"cell": kind.params()}, flax_helpers.inputs()
  layer = kind.layer(UNITS, return_carry=True)
  want = applies(layer, params, x)
  assert_close(jax.jit(layer.apply)({"params": params}, x), want)
  one_by_one = jax.vmap(lambda x: applies(layer, params, x))
  assert_close(one_by_one(x), want)
  remat = nn.remat(kind.layer)(UNITS, return_carry=True)
  assert_close(applies(remat, params, x), want)


@pytest.mark.one_value
@every_cell
@pytest.mark.parametrize("gate_fn", [nn.sigmoid, nn.hard_sigmoid])
def test_shard_map(kind, gate_fn):
  options = {"gate_fn": gate_fn} if kind.gates > 1 else {}
  layer = kind.layer(UNITS, return_carry=True, **options)
  params, x = {"cell": kind.params()}, flax_helpers.inputs()
  batch = jax.sharding.PartitionSpec("batch")
  run = jax.shard_map(
    lambda x, lengths: applies(layer, params, x, seq_lengths=lengths),
    mesh=jax.sharding.Mesh(jax.devices()[:1], ("batch",)),
    in_specs=batch,
    out_specs=batch,
  )
  lengths = jnp.array(LENGTHS)
  assert_close(run(x, lengths), applies(layer, params, x, seq_lengths=lengths))


@every_cell
def test_export(kind):
  layer, params = kind.layer(UNITS), {"cell": kind.params()}
  x = flax_helpers.inputs()
  call = jax.export.DisabledSafetyCheck.custom_call("tf_contrib_rnn_forward")
  exported = jax.export.export(
    jax.jit(lambda x: applies(layer, params, x)), disabled_checks=[call]
  )(x)
  restored = jax.export.deserialize(exported.serialize())
  assert_close(restored.call(x), applies(layer, params, x))


@every_cell
@pytest.mark.parametrize("is_known", [True, False])
def test_sequences_are_one_product_and_one_recurrence(kind, is_known):
  options = {} if is_known else {"activation_fn": nn.softplus}
  if not is_known and kind.gates > 1:
    options = {"gate_fn": nn.hard_sigmoid}
  layer = kind.layer(UNITS, **options)
  traced = jax.make_jaxpr(lambda p, x: applies(layer, p, x))(
    {"cell": kind.params()}, flax_helpers.inputs()
  )
  shapes = {"dot_general": [], "scan": [], "tf_contrib_rnn_forward": []}
  for equation in flax_helpers.equations_of(traced.jaxpr):
    name = equation.primitive.name
    shapes.setdefault(name, []).append(equation.outvars[0].aval.shape)
  assert shapes["dot_general"] == [(BATCH * TIME, kind.gates * UNITS)]
  assert len(shapes["tf_contrib_rnn_forward"]) == is_known
  assert len(shapes["scan"]) == (not is_known)


@every_kind
def test_training(kind):
  """Learns the first step's input, which only the carry can tell later."""
  x = flax_helpers.inputs(shape=(64, 5))
  layer = kind.layer(UNITS)

  @jax.jit
  def step(params):
    def error(params):
      last = applies(layer, params, x)[:, -1]
      return jnp.mean((jnp.mean(last, 1) - 0.5 * x[:, 0, 0]) ** 2)

    value, gradients = jax.value_and_grad(error)(params)
    return value, jax.tree.map(lambda p, g: p - 2 * g, params, gradients)

  params = layer.init(jax.random.key(0), x)["params"]
  errors = []
  for _ in range(200):
    error, params = step(params)
    errors.append(float(error))
  assert errors[-1] < 0.4 * errors[0]


@every_cell
def test_each_gate_is_initialized_on_its_own(kind):
  shapes = []

  def initialize(key, shape, dtype):
    shapes.append(shape)
    return jax.random.normal(key, shape, dtype)

  options = {name + "_init": initialize for name in kind.shapes()}
  x = flax_helpers.inputs()
  params = kind.layer(UNITS, **options).init(jax.random.key(0), x)
  assert set(shapes) == {(*s[:-1], UNITS) for s in kind.shapes().values()}
  arrays = params["params"]["cell"]
  assert {k: a.shape for k, a in arrays.items()} == kind.shapes()
  gates = [
    gate
    for array in arrays.values()
    for gate in np.split(array, array.shape[-1] // UNITS, -1)
  ]
  of_lstm = kind.name == "IndyLSTM"
  assert len({g.tobytes() for g in gates}) == len(gates)
  if of_lstm:
    np.testing.assert_array_equal(np.split(arrays["bias"], 4)[2], 1)


@every_kind
def test_initial_recurrent_kernel_is_contribs(kind):
  x = flax_helpers.inputs()
  params = kind.cell(2000).init(
    jax.random.key(0),
    kind.cell(2000).initialize_carry(jax.random.key(0), (3,)),
    x[0, 0],
  )["params"]
  u = np.array(params["recurrent_kernel"])
  assert -1 <= u.min() < -0.99 and 0.99 < u.max() < 1
  assert abs(u.mean()) < 0.05


@every_cell
def test_initial_carry(kind):
  draw = nn.initializers.normal()
  rnn = nn.RNN(kind.cell(UNITS, carry_init=draw), return_carry=True)
  layer = kind.layer(UNITS, carry_init=draw, return_carry=True)
  x = flax_helpers.inputs()
  variables = rnn.init(jax.random.key(0), x)
  results = []
  for call in ({}, {"init_key": jax.random.key(5)}):
    results.append(layer.apply(variables, x, **call)[1])
    assert_close(results[-1], rnn.apply(variables, x, **call)[1])
  assert not np.allclose(*results)


@every_cell
def test_partitioned_parameters(kind):
  kernel_init = nn.with_partitioning(
    nn.initializers.lecun_normal(), (None, "model")
  )
  layer = kind.layer(UNITS, kernel_init=kernel_init)
  x = flax_helpers.inputs()
  variables = layer.init(jax.random.key(0), x)
  kernel = variables["params"]["cell"]["kernel"]
  assert isinstance(kernel, nn.Partitioned)
  assert kernel.names == (None, "model")
  assert kernel.value.shape == (FEATURES, kind.gates * UNITS)
  assert layer.apply(variables, x).shape == (BATCH, TIME, UNITS)


def fields_of(module_class):
  return {
    field.name: field.default
    for field in dataclasses.fields(module_class)
    if field.name not in ("parent", "name")
  }


@every_kind
def test_attributes_are_flaxs(kind):
  """Those of flax's cell and of nn.RNN, with flax's defaults."""
  of_cell, of_layer = fields_of(kind.cell), fields_of(kind.layer)
  assert of_layer == {**of_layer, **of_cell}
  of_flax = fields_of(kind.linen_cell)
  assert set(of_flax) <= set(of_cell)
  assert [n for n in of_cell if n in of_flax] == [*of_flax]
  of_flax["recurrent_kernel_init"] = of_cell["recurrent_kernel_init"]
  assert of_cell == {**of_cell, **of_flax}
  of_rnn = fields_of(nn.RNN)
  for name in ("time_major", "return_carry", "reverse", "keep_order"):
    assert of_layer[name] == of_rnn[name]
  call = inspect.signature(kind.layer.__call__).parameters
  assert [*call] == [*inspect.signature(nn.RNN.__call__).parameters]
  assert kind.cell(UNITS).num_feature_axes == 1


@every_cell
def test_errors_name_the_argument(kind):
  layer, params = kind.layer(UNITS), {"cell": kind.params()}
  x = flax_helpers.inputs()
  with pytest.raises(ValueError, match=r"inputs has shape \[3\], expected"):
    applies(layer, params, x[0, 0])
  with pytest.raises(
    ValueError, match=r"seq_lengths has shape \[4\], .* \[5\]"
  ):
    applies(layer, params, x, seq_lengths=jnp.ones([4], jnp.int32))
  with pytest.raises(TypeError, match="seq_lengths has dtype float32"):
    applies(layer, params, x, seq_lengths=jnp.ones([BATCH]))
  wrong = jax.tree.map(lambda a: a[:, 1:], kind.carry())
  with pytest.raises(
    ValueError, match=r"initial_carry has shape \[5, 6\], .*7"
  ):
    applies(layer, params, x, initial_carry=wrong)
  with pytest.raises(
    ValueError, match=r"carry has shape \[5, 6\], .* \[5, 7\]"
  ):
    applies(kind.cell(UNITS), params["cell"], wrong, x[:, 0])
  three = (kind.carry() if kind.states == 1 else kind.carry()[0],) * 3
  with pytest.raises(ValueError, match="initial_carry has 3 arrays, expected"):
    applies(layer, params, x, initial_carry=three)
  for features in (0, -1, 2.5, True, None):
    with pytest.raises(ValueError, match=f"features is {features}, expected"):
      kind.layer(features).init(jax.random.key(0), x)
  kind.layer(np.int64(UNITS)).init(jax.random.key(0), x)


def test_tensorflow_is_not_imported():
  helpers.run_fresh_script("""
    import sys
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx
    import tf_contrib_rnn.flax
    import tf_contrib_rnn.flax.nnx

    layer = tf_contrib_rnn.flax.nnx.IndRNN(3, 4, rngs=nnx.Rngs(0))
    layer(jnp.ones([2, 5, 3]))
    tf_contrib_rnn.flax.nnx.load_contrib_variables(
      layer,
      {
        "kernel_w": np.ones([3, 4]),
        "kernel_u": np.ones([1, 4]),
        "bias": np.ones([4]),
      },
      "",
    )
    assert "tensorflow" not in sys.modules
  """)
