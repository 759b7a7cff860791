"""The recurrences under JAX's transformations: derivatives of every kind, vmap,
scan, shard_map, checkpoint and export."""

import functools

import helpers
import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

import jax.numpy as jnp  # noqa: E402
import jax_helpers  # noqa: E402
from jax import export  # noqa: E402
from jax.test_util import check_grads  # noqa: E402
from jax_helpers import CELLS  # noqa: E402
from jax_helpers import draw  # noqa: E402

LENGTHS = np.array([4, 0, 1, 9], "int32")
REFERENCE = jax_helpers.composed("tanh")
each_cell = pytest.mark.parametrize("cell", CELLS)


@pytest.fixture(autouse=True)
def fixture_x64():
  with jax.enable_x64(True):
    yield


def losses(cell, **options):
  """A number of a cell's arguments, fused and composed."""
  functions = (
    jax_helpers.function(cell, activation=activation, **options)
    for activation in ("tanh", REFERENCE)
  )
  return [
    lambda *arguments, function=function: jax_helpers.weigh(
      jax.tree.map(jnp.sin, function(*arguments))
    )
    for function in functions
  ]


def assert_same(transform, cell, arguments, **options):
  """A transformation gives the same of a fused and of a composed loss."""
  got, want = (
    jax.jit(transform(loss))(*arguments) for loss in losses(cell, **options)
  )
  jax_helpers.assert_close(got, want, 1e-12)


@each_cell
def test_derivatives_are_finite_differences(cell):
  loss, _ = losses(cell, reverse=True, sequence_length=[3, 1])
  check_grads(loss, draw(cell, 3, 2, 3), 1, atol=1e-4, rtol=1e-4)


def test_second_derivatives_are_finite_differences():
  loss, _ = losses("indy_gru")
  check_grads(loss, draw("indy_gru", 2, 1, 2), 2, atol=1e-4, rtol=1e-4)


@each_cell
def test_forward_mode(cell):
  tangents = tuple(draw(cell, 6, 4, 5, seed=1))
  for options in ({}, {"sequence_length": LENGTHS}):
    assert_same(
      lambda loss: lambda *a: jax.jvp(loss, a, tangents),
      cell,
      draw(cell, 6, 4, 5),
      **options,
    )
  assert_same(lambda loss: jax.jacfwd(loss, 2), cell, draw(cell, 6, 4, 5))


def hessian_vector_product(loss):
  def product(x, u, *others):
    gradient = lambda u: jax.grad(loss, 1)(x, u, *others)
    return jax.jvp(gradient, (u,), (jnp.ones_like(u),))

  return product


def gradient_of_gradient(loss):
  def penalty(*arguments):
    gradients = jax.grad(loss, (0, 1, 2, 3))(*arguments)
    return jax_helpers.weigh(jax.tree.map(jnp.square, gradients))

  return jax.grad(penalty, (0, 1, 2, 3))


def twice_transposed(loss):
  def product(*arguments):
    _, pull_back = jax.vjp(loss, *arguments)
    (number,) = jax.linear_transpose(pull_back, 1.0)(pull_back(2.0))
    return number

  return product


@pytest.mark.parametrize(
  "transform",
  [
    lambda loss: jax.hessian(loss, 2),
    hessian_vector_product,
    gradient_of_gradient,
    twice_transposed,
  ],
  ids=["hessian", "forward over reverse", "twice", "transposed"],
)
@each_cell
def test_higher_derivatives(cell, transform):
  arguments = draw(cell, 4, 4, 3)
  assert_same(transform, cell, arguments)
  assert_same(transform, cell, arguments, sequence_length=LENGTHS)


@pytest.mark.one_value
@each_cell
def test_third_derivative(cell):
  arguments = draw(cell, 4, 4, 3)
  assert_same(
    lambda loss: jax.grad(
      lambda *a: jnp.sum(hessian_vector_product(loss)(*a)[1]), 0
    ),
    cell,
    arguments,
    sequence_length=LENGTHS,
  )


def trace(function, *arguments):
  return str(jax.make_jaxpr(function)(*arguments))


@each_cell
def test_gradients_are_fused_and_forward_mode_is_not_a_handler(cell):
  arguments = draw(cell, 4, 2, 3)
  loss, _ = losses(cell)
  text = jax.jit(jax.grad(loss)).lower(*arguments).as_text()
  assert "tf_contrib_rnn_forward" in text
  assert "tf_contrib_rnn_gradient" in text
  assert "while" not in text


def stack(arrays, members):
  """Members that differ."""
  return jax.tree.map(
    lambda array: jnp.stack([array * (1 + 0.1 * i) for i in range(members)]),
    arrays,
  )


# Which arguments are mapped, and which primitives are called then.
MAPPED = {
  "inputs": ((0,), ("forward", "gradient")),
  "inputs and states": ((0, 3), ("forward", "gradient")),
  "states": ((3,), ("forward", "gradient")),
  "weights": ((1, 2), ("forward", "gradient")),
  "all": ((0, 1, 2, 3), ("forward", "gradient")),
  "inputs and lengths": ((0, 4), ("forward",)),
  "lengths": ((4,), ("forward",)),
  "all and lengths": ((0, 1, 2, 3, 4), ()),
}


@pytest.mark.parametrize("mapped", MAPPED)
@each_cell
def test_vmap(cell, mapped):
  which, primitives = MAPPED[mapped]
  time_major = cell == "indy_gru"
  arguments = [*draw(cell, 6, 4, 3, time_major=time_major), LENGTHS]
  axes = [0 if i in which else None for i in range(5)]
  members = [
    arguments[i] if axis is None else stack(arguments[i], 3)
    for i, axis in enumerate(axes)
  ]
  members[4] = members[4].astype("int32")

  def call(activation, *arguments):
    *arrays, lengths = arguments
    if 4 not in which and 0 in which:
      lengths = None
    return jax_helpers.function(cell)(
      *arrays,
      activation=activation,
      sequence_length=lengths,
      time_major=time_major,
    )

  def gradient(activation, *arguments):
    *arrays, lengths = arguments
    partial = lambda *arrays: call(activation, *arrays, lengths)
    return jax_helpers.gradients(partial, arrays)

  for function in (call, gradient):
    fused, composed = (
      jax.jit(jax.vmap(functools.partial(function, activation), axes))
      for activation in ("tanh", REFERENCE)
    )
    jax_helpers.assert_close(fused(*members), composed(*members), 1e-12)
  mapped_gradient = jax.vmap(functools.partial(gradient, "tanh"), axes)
  text = trace(mapped_gradient, *members)
  assert ("scan" in text) == (len(primitives) < 2)
  for name in ("forward", "gradient"):  # one call for all members
    count = text.count(f"tf_contrib_rnn_{name}[")
    assert count == (name in primitives)


def test_vmap_of_vmap_and_gradient_of_vmap():
  inputs, u, b, state = draw("indy_gru", 5, 2, 3)
  nested = stack(stack(inputs, 2), 3)
  states = stack(state, 2)

  def loss(activation):
    call = lambda x, h: jax_helpers.function("indy_gru", activation=activation)(
      x, u, b, h
    )
    inner = jax.vmap(call, (1, 0), 1)
    outer = jax.vmap(inner, (0, None))
    return lambda x: jax_helpers.weigh(outer(x, states))

  fused, composed = (jax.value_and_grad(loss(a)) for a in ("tanh", REFERENCE))
  nested = jnp.moveaxis(nested, 1, 2)
  jax_helpers.assert_close(fused(nested), composed(nested), 1e-12)
  assert "scan" not in trace(fused, nested)


@each_cell
def test_scan_checkpoint_and_no_jit(cell):
  arguments = draw(cell, 4, 2, 3)

  def scanned(loss):
    def total(x, u, b, state):
      body = lambda sum_, scale: (sum_ + loss(x * scale, u, b, state), None)
      return jax.lax.scan(body, 0.0, jnp.arange(3.0))[0]

    return jax.grad(total, (0, 1, 2, 3))

  assert_same(scanned, cell, arguments)
  assert_same(lambda loss: jax.grad(jax.checkpoint(loss)), cell, arguments)
  loss, reference = losses(cell)
  with jax.disable_jit():
    got = jax.grad(loss)(*arguments)
  jax_helpers.assert_close(got, jax.grad(reference)(*arguments), 1e-12)


TWO_DEVICES = "--xla_force_host_platform_device_count=2"
SHARDED = """
  import jax, jax.numpy as jnp, jax_helpers
  from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
  jax.config.update("jax_enable_x64", True)
  lengths = jnp.array([4, 0, 1, 9])
  composed = jax_helpers.composed("tanh")

  def check(cell, check_vma, activation, zero_state):
    mesh = jax.make_mesh((2,), ("batch",), axis_types=(AxisType.Auto,))
    x, u, b, state = jax_helpers.draw(cell, 6, 4, 5)
    if zero_state:
      state = jax.tree.map(jnp.zeros_like, state)

    def run(x, u, b, state, lengths):
      if zero_state:  # the same everywhere, unlike the inputs
        state = jax.tree.map(lambda s: jnp.zeros([len(x), 5]), state)
      call = jax_helpers.function(cell, activation=activation)
      return call(x, u, b, state, sequence_length=lengths)

    parts = jax.shard_map(
      run, mesh=mesh, check_vma=check_vma, out_specs=P("batch"),
      in_specs=(P("batch"), P(), P(), P("batch"), P("batch")))
    sharded = lambda x, u, b: parts(x, u, b, state, lengths)
    whole = lambda x, u, b: jax_helpers.function(cell, activation=composed)(
      x, u, b, state, sequence_length=lengths)
    arguments = [x, u, b]
    want = whole(*arguments), jax_helpers.gradients(whole, arguments)
    got = sharded(*arguments), jax_helpers.gradients(sharded, arguments)
    jax_helpers.assert_close(got, want, 1e-12)

  check("indy_gru", True, "tanh", True)
  check("indy_lstm", True, "tanh", False)
  check("indy_lstm", True, composed, True)
  check("ind_rnn", False, "tanh", True)

  # Without shard_map, under either way of sharding.
  for kind in AxisType.Auto, AxisType.Explicit:
    mesh = jax.make_mesh((2,), ("batch",), axis_types=(kind,))
    arguments = jax_helpers.draw("indy_lstm", 6, 4, 5)
    call = jax_helpers.function("indy_lstm", sequence_length=lengths)
    want = jax_helpers.gradients(call, arguments)
    x, u, b, state = arguments
    x, state = jax.device_put((x, state), NamedSharding(mesh, P("batch")))
    got = jax.jit(lambda *a: jax_helpers.gradients(call, a))(x, u, b, state)
    jax_helpers.assert_close(got, want, 1e-12)
"""


@pytest.mark.long  # test_jax_sharding.py looks at more
def test_shard_map_and_sharded_arguments():
  helpers.run_fresh_script(SHARDED, XLA_FLAGS=TWO_DEVICES)


@each_cell
def test_export(cell):
  arguments = draw(cell, 4, 3, 5)
  call = jax_helpers.function(cell)
  gradients = jax.jit(lambda *a: jax_helpers.gradients(call, a))
  want = gradients(*arguments)
  checks = [
    export.DisabledSafetyCheck.custom_call("tf_contrib_rnn_" + direction)
    for direction in ("forward", "gradient")
  ]
  for platforms, has_call, has_loop in (
    (["cpu"], True, False),
    (["tpu"], False, True),
    (["cpu", "tpu"], True, True),
  ):
    make = export.export(gradients, platforms=platforms, disabled_checks=checks)
    exported = export.deserialize(make(*arguments).serialize())
    text = exported.mlir_module()
    assert ("@tf_contrib_rnn_gradient" in text) == has_call
    assert ("stablehlo.while" in text) == has_loop
    if "cpu" in platforms:
      jax_helpers.assert_close(exported.call(*arguments), want, 1e-12)


def test_export_of_a_composition_needs_no_permission():
  arguments = draw("indy_gru", 4, 3, 5)
  call = jax_helpers.function("indy_gru", activation=REFERENCE)
  exported = export.export(jax.jit(call))(*arguments)
  jax_helpers.assert_close(exported.call(*arguments), call(*arguments), 1e-12)
