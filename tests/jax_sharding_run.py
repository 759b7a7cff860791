"""Compiles the recurrences for sharded arrays, on 8 devices of one host, and
prints of each program which collectives it has and how its results differ from
those of one device.

  python tests/jax_sharding_run.py usual
  python tests/jax_sharding_run.py all

The process has to be started with 8 devices: test_jax_sharding.py does so.
"""

import collections
import functools
import itertools
import json
import re
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import AxisType
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import tf_contrib_rnn.jax
from tf_contrib_rnn import flax as indy
from tf_contrib_rnn.flax import nnx as indy_nnx
from tf_contrib_rnn.jax import _fused
from tf_contrib_rnn.jax import _partitioning

GATES = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4, "sru": 4}
BATCH, TIME, UNITS, DEPTH = 4, 4, 8, 3
MESH = jax.make_mesh((2, 4), ("data", "model"), (AxisType.Auto,) * 2)
CUBE = jax.make_mesh((2, 2, 2), ("x", "y", "z"), (AxisType.Auto,) * 3)
EXPLICIT = jax.make_mesh((2, 4), ("data", "model"), (AxisType.Explicit,) * 2)
LENGTHS = np.array([4, 0, 1, 9], "int32")
COLLECTIVES = re.compile(
  r" (all-gather|all-to-all|all-reduce|collective-permute|reduce-scatter)"
  r"(?:-start)?\("
)

# Mesh axes of the batch, of the units, and of the weights' units.
LAYOUTS = {
  "batch": (MESH, "data", None, None),
  "units": (MESH, None, "model", "model"),
  "both": (MESH, "data", "model", "model"),
  "both, weights whole": (MESH, "data", "model", None),
  "all devices": (MESH, None, ("data", "model"), None),
  "other order": (CUBE, "y", ("z", "x"), ("z", "x")),
}


def draw(cell, time_major=False, units=UNITS, batch=BATCH):
  """Random arguments: inputs, weights, states, lengths."""
  rng = np.random.RandomState(0)
  make = lambda *shape: rng.uniform(-1, 1, shape).astype("float32")
  width = GATES[cell] * units
  leading = (TIME, batch) if time_major else (batch, TIME)
  weights = [make(1, width), make(width)]
  if cell == "sru":
    weights = [make(2 * units)]
  state = make(batch, units)
  if cell == "indy_lstm":
    state = (state, make(batch, units))
  return make(*leading, width), weights, state, np.resize(LENGTHS, batch)


def place(arguments, layout, time_major=False):
  mesh, batch, units, of_weights = layout
  put = lambda array, *names: jax.device_put(
    array, NamedSharding(mesh, P(*names))
  )
  inputs, weights, states, lengths = arguments
  leading = (None, batch) if time_major else (batch, None)
  return (
    put(inputs, *leading, units),
    [put(w, *[None] * (w.ndim - 1), of_weights) for w in weights],
    jax.tree.map(lambda state: put(state, batch, units), states),
    put(lengths, batch),
  )


def weigh(results):
  return sum(
    jnp.sum(jnp.cos(jnp.arange(leaf.size).reshape(leaf.shape)) * leaf)
    for leaf in jax.tree.leaves(results)
  )


def runner(cell, with_lengths=True, **options):
  def run(inputs, weights, states, lengths):
    return getattr(tf_contrib_rnn.jax, cell)(
      inputs,
      *weights,
      states,
      sequence_length=lengths if with_lengths else None,
      **options,
    )

  return run


def gradient_of(run):
  def gradient(inputs, weights, states, lengths):
    loss = lambda *arrays: weigh(run(*arrays, lengths))
    return jax.grad(loss, (0, 1, 2))(inputs, weights, states)

  return gradient


def both_of(run):
  """A function that gives results and gradients: one program to compile."""
  return lambda *arguments: (run(*arguments), gradient_of(run)(*arguments))


def differences(got, want):
  """The largest difference of leaves, relative to the leaf's largest value."""
  worst = 0.0
  for g, w in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
    g, w = np.asarray(g, "float64"), np.asarray(w, "float64")
    assert g.shape == w.shape
    largest = max(1, np.max(np.abs(w), initial=0))
    worst = max(worst, float(np.max(np.abs(g - w), initial=0) / largest))
  return worst


def compile_and_compare(name, function, arguments, placed, want=None):
  compiled = jax.jit(function).lower(*placed).compile()
  got = compiled(*placed)
  if want is None:
    # A lambda, so that nothing is taken from the sharded one's compilation.
    want = jax.jit(lambda *a: function(*a))(*arguments)
  is_pair = isinstance(want, tuple) and len(want) == 2
  forward = differences(got[0], want[0]) if is_pair else None
  found = collections.Counter(COLLECTIVES.findall(compiled.as_text()))
  line = {
    "name": name,
    "partitioner": (
      "shardy" if jax.config.jax_use_shardy_partitioner else "gspmd"
    ),
    "collectives": dict(found),
    "forward": forward,
    "difference": differences(got, want),
    "shardings": [
      str(getattr(leaf.sharding, "spec", None)) for leaf in jax.tree.leaves(got)
    ],
  }
  print(json.dumps(line), flush=True)
  return got


@functools.cache
def reference(cell, with_lengths, time_major, reverse):
  run = runner(cell, with_lengths, time_major=time_major, reverse=reverse)
  return jax.jit(both_of(run))(*draw(cell, time_major))


def check_layout(cell, layout, with_lengths, time_major, reverse, name=None):
  run = runner(cell, with_lengths, time_major=time_major, reverse=reverse)
  arguments = draw(cell, time_major)
  compile_and_compare(
    name or f"{cell}, {layout}",
    both_of(run),
    arguments,
    place(arguments, LAYOUTS[layout], time_major),
    reference(cell, with_lengths, time_major, reverse),
  )


def check_without_partitioning():
  """What XLA does with a call that it can't split."""
  can_partition = _partitioning._can_partition
  _partitioning._can_partition = lambda context: False
  check_layout("indy_gru", "batch", True, False, False, "unsplit, batch")
  check_layout("ind_rnn", "units", True, False, False, "unsplit, units")
  _partitioning._can_partition = can_partition


def check_cache_key():
  """JAX's cache reads the call without the number that stands for its split."""
  arguments = place(draw("indy_lstm"), LAYOUTS["both"])

  def lower(forget_bias):
    # As in another process, nothing is left of the first.
    run = runner("indy_lstm", forget_bias=forget_bias)
    text = jax.jit(run).lower(*arguments).as_text()
    return re.sub(r'backend_config = "\d+"', "", text)

  first, same, other = map(lower, (1.0, 1.0, 0.0))
  keys = {"is_same": first == same, "is_other": first != other}
  print(json.dumps({"name": "keys", "partitioner": "shardy", **keys}))


def check_transformations():
  run = runner("indy_gru")
  arguments = draw("indy_gru")
  placed = place(arguments, LAYOUTS["both"])

  def forward_mode(inputs, weights, states, lengths):
    call = lambda *arrays: run(*arrays, lengths)
    arrays = inputs, weights, states
    return jax.jvp(call, arrays, jax.tree.map(jnp.sin, arrays))

  def in_loop(inputs, weights, states, lengths):
    def loss(inputs):
      def body(total, scale):
        arrays = inputs * scale, weights, states, lengths
        return total + weigh(jax.checkpoint(run)(*arrays)), None

      return jax.lax.scan(body, 0.0, jnp.arange(1.0, 3.0))[0]

    return jax.grad(loss)(inputs)

  def gradient_of_gradient(*arguments):
    *arrays, lengths = arguments
    penalty = lambda *arrays: weigh(gradient_of(run)(*arrays, lengths))
    return jax.grad(penalty, (0, 1, 2))(*arrays)

  for name, function in (
    ("forward mode", forward_mode),
    ("in a loop", in_loop),
  ):
    compile_and_compare(name, function, arguments, placed)
  compile_and_compare(
    "twice, batch",
    gradient_of_gradient,
    arguments,
    place(arguments, LAYOUTS["batch"]),
  )

  # Each member of jax.vmap on devices of its own.
  stacked = np.stack([arguments[0], 2 * arguments[0]])
  mapped = jax.vmap(run, (0, None, None, None))
  put = NamedSharding(MESH, P("data"))
  compile_and_compare(
    "vmap",
    mapped,
    (stacked, *arguments[1:]),
    (jax.device_put(stacked, put), *arguments[1:]),
  )


def check_what_is_not_split():
  """Time, and what the devices don't divide: right, but gathered."""
  run = both_of(runner("indy_gru"))
  arguments = draw("indy_gru")
  inputs = jax.device_put(arguments[0], NamedSharding(MESH, P(None, "model")))
  want = reference("indy_gru", True, False, False)
  compile_and_compare("time", run, arguments, (inputs, *arguments[1:]), want)

  arguments = draw("indy_gru", units=3, batch=6)
  uneven = NamedSharding(MESH, P("model", None, "data"))

  def constrained(inputs, *others):
    return run(jax.lax.with_sharding_constraint(inputs, uneven), *others)

  whole = jax.device_put(arguments, NamedSharding(MESH, P()))
  want = jax.jit(run)(*arguments)
  compile_and_compare("uneven", constrained, arguments, whole, want)


def check_explicit():
  layout = (EXPLICIT, "data", "model", "model")
  arguments = draw("indy_gru")
  want = reference("indy_gru", True, False, False)
  with jax.set_mesh(EXPLICIT):
    compile_and_compare(
      "explicit",
      both_of(runner("indy_gru")),
      arguments,
      place(arguments, layout),
      want,
    )


def by_shard_map(arguments):
  """Weights with the gates as an axis: no unit leaves its device."""
  part = lambda array: array.reshape(*array.shape[:-1], 3, UNITS)
  join = lambda array: array.reshape(*array.shape[:-2], -1)
  inputs, weights, states, lengths = arguments
  arguments = part(inputs), [*map(part, weights)], states, lengths
  specs = (
    P("data", None, None, "model"),
    [P(None, None, "model"), P(None, "model")],
    P("data", "model"),
    P("data"),
  )

  @functools.partial(
    jax.shard_map,
    mesh=MESH,
    in_specs=specs,
    out_specs=(P("data", None, "model"), P("data", "model")),
  )
  def run(inputs, weights, *others):
    weights = [*map(join, weights)]
    return runner("indy_gru")(join(inputs), weights, *others)

  placed = jax.tree.map(
    lambda array, spec: jax.device_put(array, NamedSharding(MESH, spec)),
    arguments,
    specs,
  )
  want = reference("indy_gru", True, False, False)
  gradients = (part(want[1][0]), [*map(part, want[1][1])], want[1][2])
  return both_of(run), arguments, placed, (want[0], gradients)


def check_export():
  checks = [
    jax.export.DisabledSafetyCheck.custom_call("tf_contrib_rnn_" + direction)
    for direction in ("forward", "gradient")
  ]

  def export(function, placed):
    made = jax.export.export(jax.jit(function), disabled_checks=checks)
    return jax.export.deserialize(made(*placed).serialize()).call

  function, arguments, placed, want = by_shard_map(draw("indy_gru"))
  compile_and_compare("shard_map", function, arguments, placed, want)
  compile_and_compare(
    "shard_map, exported", export(function, placed), arguments, placed, want
  )
  function = both_of(runner("indy_gru"))
  arguments = draw("indy_gru")
  placed = place(arguments, LAYOUTS["both"])
  want = reference("indy_gru", True, False, False)
  compile_and_compare(
    "exported", export(function, placed), arguments, placed, want
  )


SEQUENCES = np.random.RandomState(1).uniform(-1, 1, (BATCH, TIME, DEPTH))
SEQUENCES = SEQUENCES.astype("float32")
SEQ_LENGTHS = np.array([4, 1, 2, 3])


def draw_unlike(key, shape, dtype=jnp.float32):
  """An initializer: ones would give the same gates everywhere."""
  return jax.random.uniform(key, shape, dtype, -0.5, 0.5)


def initializers(box, layer, names):
  arguments = {"kernel_init": (None, *names), "bias_init": names}
  if layer != "SRU":
    arguments["recurrent_kernel_init"] = (None, *names)
  return {name: box(draw_unlike, axes) for name, axes in arguments.items()}


def train(apply, params, inputs, lengths):
  """One step of training."""
  loss = lambda params: weigh(apply(params, inputs, lengths))
  gradients = jax.grad(loss)(params)
  return jax.tree.map(lambda p, g: p - 0.1 * g, params, gradients)


def check_layer(name, apply, params, placed_params):
  spec = NamedSharding(MESH, P("data"))
  inputs = jax.device_put((SEQUENCES, SEQ_LENGTHS), spec)
  compile_and_compare(
    name,
    functools.partial(train, apply),
    (params, SEQUENCES, SEQ_LENGTHS),
    (placed_params, *inputs),
  )


def check_linen(name, box, names, rules=None):
  layer = getattr(indy, name)(
    UNITS, return_carry=True, **initializers(box, name, names)
  )
  apply = lambda params, inputs, lengths: layer.apply(
    params, inputs, seq_lengths=lengths
  )
  init = functools.partial(layer.init, jax.random.key(0), SEQUENCES)
  specs = nn.get_partition_spec(jax.eval_shape(init))
  if rules is None:
    shardings = jax.tree.map(lambda spec: NamedSharding(MESH, spec), specs)
  else:
    shardings = nn.logical_to_mesh_sharding(specs, MESH, rules)
  params = jax.jit(init, out_shardings=shardings)()
  check_layer(f"linen {name}", apply, init(), params)


def check_nnx(name):
  make = lambda: getattr(indy_nnx, name)(
    DEPTH,
    UNITS,
    return_carry=True,
    rngs=nnx.Rngs(0),
    **initializers(nnx.with_partitioning, name, ("model",)),
  )
  with nnx.use_eager_sharding(False):
    structure, params = nnx.split(make())
  with jax.set_mesh(MESH):
    placed = nnx.split(make())[1]
  apply = lambda params, inputs, lengths: nnx.merge(structure, params)(
    inputs, seq_lengths=lengths
  )
  check_layer(f"nnx {name}", apply, params, placed)


def check_layers(all_of_them):
  for name in ("IndRNN", "IndyGRU", "IndyLSTM", "SRU"):
    logical = name in ("IndRNN", "IndyLSTM")
    if logical or all_of_them:
      rules = (("units", "model"), ("batch", "data"))
      check_linen(name, nn.with_logical_partitioning, ("units",), rules)
    if not logical or all_of_them:
      check_linen(name, nn.with_partitioning, ("model",))
    if not logical or all_of_them:
      check_nnx(name)


def check_compositions():
  """As where there is no library. Nothing fused can run after this."""
  for primitive, name, function in (
    (_fused._forward, "forward", _fused._compose_forward),
    (_fused._gradient, "gradient", _fused._compose_gradient),
  ):
    _fused._register_lowering(primitive, name, function, "cpu")
  jax.clear_caches()
  check_layout("indy_gru", "both", True, False, False, "composed")


def check_usual():
  # Each cell, layout, order of the axes and direction.
  check_layout("ind_rnn", "units", True, False, False)
  check_layout("ind_rnn", "both", False, True, True)
  check_layout("indy_gru", "batch", True, True, False)
  check_layout("indy_gru", "both", True, False, False)
  check_layout("indy_gru", "all devices", True, False, False)
  check_layout("indy_lstm", "both, weights whole", False, False, True)
  check_layout("indy_lstm", "other order", False, False, True)
  check_layout("sru", "both", True, True, True)
  check_layout("sru", "batch", True, True, True)
  check_without_partitioning()
  check_cache_key()
  check_transformations()
  check_what_is_not_split()
  check_explicit()
  check_export()
  check_layers(False)
  jax.config.update("jax_use_shardy_partitioner", False)
  check_layout("ind_rnn", "both", False, True, True)
  check_layout("indy_gru", "both", True, False, False)
  check_layout("indy_lstm", "both, weights whole", False, False, True)
  check_layout("sru", "both", True, True, True)
  jax.config.update("jax_use_shardy_partitioner", True)
  check_compositions()


def check_all():
  for shardy in (True, False):
    jax.config.update("jax_use_shardy_partitioner", shardy)
    for cell, layout, with_lengths, swapped in itertools.product(
      GATES, LAYOUTS, (True, False), (True, False)
    ):
      check_layout(cell, layout, with_lengths, swapped, swapped)
    check_layers(True)


if __name__ == "__main__":
  {"usual": check_usual, "all": check_all}[sys.argv[1]]()
