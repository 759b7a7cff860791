"""flax modules with the weights of TensorFlow 1 checkpoints: the recordings."""

import dataclasses
import glob
import json
import os
import subprocess
import sys
from typing import Any
from typing import Callable

import numpy as np
import pytest

pytest.importorskip("flax", reason="flax is not installed")

import flax
import flax.linen as nn
import flax_helpers
import jax
import jax.numpy as jnp
import tensorflow as tf
from flax import nnx

import tf_contrib_rnn
from tf_contrib_rnn import flax as indy
from tf_contrib_rnn import migrate
from tf_contrib_rnn.flax import nnx as indy_nnx

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = sorted(
  os.path.basename(os.path.dirname(path))
  for path in glob.glob(os.path.join(HERE, "golden", "*", "meta.json"))
)
EXAMPLE = os.path.join(
  HERE, os.pardir, "examples", "legacy_digits_flax", "legacy_digits_flax.py"
)
SCOPES = {
  "IndRNN": "rnn/ind_rnn_cell",
  "IndyGRU": "rnn/indy_gru_cell",
  "IndyLSTM": "rnn/indy_lstm_cell",
  "SRU": "rnn/sru_cell",
}
every_kind = pytest.mark.parametrize("name", SCOPES)


class Golden:
  """What TensorFlow 1.15 recorded of one scenario."""

  def __init__(self, name):
    folder = os.path.join(HERE, "golden", name)
    with open(os.path.join(folder, "meta.json")) as file:
      self.meta = json.load(file)
    self.scenario = self.meta["scenario"]
    self.checkpoint = os.path.join(folder, "ckpt")
    self.arrays = dict(np.load(os.path.join(folder, "golden.npz")))
    self.x = self.arrays["in_x"]
    self.lengths = self.scenario.get("sequence_length")
    cells = self.scenario["cell"]
    self.cells = cells.get("multi", [cells])
    if self.scenario["kind"] == "bidirectional":
      self.cells = self.cells * 2

  def numbered(self, prefix):
    names = (f"{prefix}{i}" for i in range(len(self.arrays)))
    return [self.arrays[name] for name in names if name in self.arrays]

  def scopes(self):
    """One of each cell, in order."""
    first = ("/kernel_w:0", "/gates/kernel_w:0")[
      any("/gates/" in name for name in self.meta["trainable"])
    ]
    names = self.meta["trainable"]
    return [n[: -len(first)] for n in names if n.endswith(first)]


@dataclasses.dataclass(frozen=True)
class Part:
  """A cell or layer of a scenario.

  Attributes:
    module: the linen or nnx module.
    params: its parameters, a tree with the checkpoint's weights.
    run: calls it with parameters like these.
    variables: parameters like these as the variables under a scope.
  """

  module: Any
  params: Any
  run: Callable
  variables: Callable


def linen_part(kind, is_step, depth, units, options, load):
  module = (kind.cell if is_step else kind.layer)(units, **options)
  shape = (1, depth)
  start = (
    (module.initialize_carry(jax.random.key(0), shape), jnp.zeros(shape))
    if is_step
    else (jnp.zeros([1, *shape]),)
  )
  params = module.init(jax.random.key(0), *start)["params"]
  params = indy.load_contrib_variables(module, params, **load)
  return Part(
    module,
    params,
    lambda params, *a, **k: module.apply({"params": params}, *a, **k),
    lambda params, scope: indy.contrib_variables(
      module, params, scope, forget_bias=0.0
    ),
  )


def nnx_part(kind, is_step, depth, units, options, load):
  module_class = kind.nnx_cell if is_step else kind.nnx_layer
  module = module_class(depth, units, rngs=nnx.Rngs(0), **options)
  indy_nnx.load_contrib_variables(module, **load)
  graph, params = nnx.split(module)
  return Part(
    module,
    params,
    lambda params, *a, **k: nnx.merge(graph, params)(*a, **k),
    lambda params, scope: indy_nnx.contrib_variables(
      nnx.merge(graph, params), scope, forget_bias=0.0
    ),
  )


def parts_of(golden, make_part):
  is_step = golden.scenario["kind"] == "step"
  depth = golden.x.shape[-1]
  parts = []
  for spec, scope in zip(golden.cells, golden.scopes()):
    kind = flax_helpers.KINDS[spec["class"][: -len("Cell")]]
    keywords = spec.get("kwargs", {})
    options = {"param_dtype": golden.x.dtype}
    if keywords.get("activation") == "relu":
      options["activation_fn"] = jax.nn.relu
    load = {
      "checkpoint": golden.checkpoint,
      "scope": scope,
      "forget_bias": keywords.get("forget_bias", 1.0),
    }
    units = spec["num_units"]
    parts.append(make_part(kind, is_step, depth, units, options, load))
    if golden.scenario["kind"] != "bidirectional":
      depth = units
  return parts


def run_steps(golden, parts, params, x):
  (part,), (params,) = parts, params
  states = [jnp.asarray(s) for s in golden.numbered("in_s")]
  carry = states[0] if len(states) == 1 else tuple(states)
  if not states:
    is_linen = isinstance(part.module, nn.Module)
    key = [jax.random.key(0)] if is_linen else []
    carry = part.module.initialize_carry(*key, x.shape)
  outputs = []
  for _ in range(golden.scenario.get("calls", 1)):
    carry, output = part.run(params, carry, x)
    outputs.append(output)
  return outputs, jax.tree.leaves(carry)


def run_sequences(golden, parts, params, x):
  """What dynamic_rnn and static_rnn do."""
  call = {
    "time_major": golden.scenario.get("time_major", False),
    "return_carry": True,
  }
  start = [jnp.asarray(s) for s in golden.numbered("in_s")]
  if start:
    call["initial_carry"] = start[0] if len(start) == 1 else tuple(start)
  outputs, states = x, []
  for part, of_part in zip(parts, params):
    carry, outputs = part.run(
      of_part, outputs, seq_lengths=array(golden.lengths), **call
    )
    states.extend(jax.tree.leaves(carry))
  if golden.lengths:
    outputs = outputs * mask(golden)
    is_empty = np.array(golden.lengths)[:, np.newaxis] == 0
    states = [jnp.where(is_empty, s, n) for s, n in zip(start, states)]
  if golden.scenario["kind"] == "static":
    outputs = flax_helpers.to_time_major(outputs)
  return [outputs], states


def run_both_directions(golden, parts, params, x):
  outputs, states = [], []
  for reverse, part, of_part in zip((False, True), parts, params):
    carry, output = part.run(
      of_part,
      x,
      seq_lengths=array(golden.lengths),
      return_carry=True,
      reverse=reverse,
      keep_order=True,
    )
    outputs.append(output * mask(golden))
    states.extend(jax.tree.leaves(carry))
  return outputs, states


def array(lengths):
  return None if lengths is None else jnp.array(lengths)


def mask(golden):
  steps = np.arange(golden.scenario["time"])
  return (steps < np.array(golden.lengths)[:, np.newaxis])[..., np.newaxis]


def loss(results):
  """The one whose gradients were recorded.

  Its weights are float32, rounded after each operation: XLA would fuse them.
  """
  total = 0.0
  for result in jax.tree.leaves(results):
    angles = np.arange(result.size, dtype=np.float32) * np.float32(0.37)
    weights = np.sin(angles + np.float32(0.2))
    total += jnp.sum(result * weights.reshape(result.shape))
  return total


def assert_near(got, want, tolerance):
  assert np.shape(got) == np.shape(want)
  error = np.linalg.norm(np.asarray(got, np.float64) - want)
  assert error < tolerance * (np.linalg.norm(want) + 1e-12)


@pytest.mark.parametrize("make_part", [linen_part, nnx_part])
@pytest.mark.parametrize("name", GOLDENS)
def test_recording(name, make_part):
  golden = Golden(name)
  dtype = golden.x.dtype.name
  run = {
    "step": run_steps,
    "dynamic": run_sequences,
    "static": run_sequences,
    "bidirectional": run_both_directions,
  }[golden.scenario["kind"]]
  with jax.enable_x64(dtype == "float64"):
    parts = parts_of(golden, make_part)

    def compute(params, x):
      results = run(golden, parts, params, x)
      return loss(results), results

    params = [part.params for part in parts]
    gradients, (outputs, states) = jax.jit(
      jax.grad(compute, (0, 1), has_aux=True)
    )(params, jnp.asarray(golden.x))
  tolerance = {"float32": 2e-6, "float64": 1e-12}[dtype]
  for got, want in zip(outputs, golden.numbered("y"), strict=True):
    assert_near(got, want, tolerance)
  for got, want in zip(states, golden.numbered("s"), strict=True):
    assert_near(got, want, tolerance)
  *of_weights, of_x = golden.numbered("g")
  tolerance = max(tolerance, 4e-6)  # the weights of the loss are float32
  assert_near(gradients[1], of_x, tolerance)
  by_name = {}
  for part, of_part, scope in zip(parts, gradients[0], golden.scopes()):
    by_name.update(part.variables(of_part, scope))
  names = [name.split(":")[0] for name in golden.meta["trainable"]]
  for name, want in zip(names, of_weights, strict=True):
    assert_near(by_name[name], want, tolerance)


def make_linen(name, **options):
  module = getattr(indy, name)(4, **options)
  params = module.init(jax.random.key(0), jnp.ones([1, 2, 3]))["params"]
  return module, params


def make_nnx(name, **options):
  return getattr(indy_nnx, name)(3, 4, rngs=nnx.Rngs(0), **options)


def some_bias(key, shape, dtype):
  return jax.random.normal(key, shape, dtype)


@every_kind
@pytest.mark.parametrize("forget_bias", [0.0, 1.0, 2.5])
def test_back_to_a_checkpoint(name, forget_bias, tmp_path):
  module, params = make_linen(name, bias_init=some_bias)
  variables = indy.contrib_variables(module, params, SCOPES[name], forget_bias)
  prefix = migrate.write_checkpoint(variables, tmp_path / "model.ckpt")
  _, others = make_linen(name)
  loaded = indy.load_contrib_variables(
    module, others, prefix, forget_bias=forget_bias
  )
  flax_helpers.assert_close(loaded, params, 3e-7)
  of_nnx = make_nnx(name)
  indy_nnx.load_contrib_variables(of_nnx, prefix, forget_bias=forget_bias)
  flax_helpers.assert_close(nnx.to_pure_dict(nnx.state(of_nnx)), params, 3e-7)
  again = indy_nnx.contrib_variables(of_nnx, SCOPES[name], forget_bias)
  assert set(again) == set(variables)
  for path, value in variables.items():
    np.testing.assert_allclose(again[path], value, atol=3e-7)


@every_kind
def test_a_tensorflow_1_cell_computes_what_the_layer_does(name, tmp_path):
  module, params = make_linen(name, bias_init=some_bias)
  x = flax_helpers.inputs()
  prefix = migrate.write_checkpoint(
    indy.contrib_variables(module, params, SCOPES[name]),
    tmp_path / "model.ckpt",
  )
  v1 = tf.compat.v1
  with tf.Graph().as_default(), v1.Session() as session:
    cell = getattr(tf_contrib_rnn, name + "Cell")(4)
    outputs, _ = tf_contrib_rnn.dynamic_rnn(
      cell, tf.constant(np.array(x)), dtype=tf.float32
    )
    v1.train.Saver().restore(session, prefix)
    want = session.run(outputs)
  flax_helpers.assert_close(module.apply({"params": params}, x), want)


@every_kind
def test_modules_that_take_the_same_weights(name):
  module, params = make_linen(name, bias_init=some_bias)
  variables = indy.contrib_variables(module, params, SCOPES[name])
  cell = getattr(indy, name + "Cell")(4)
  zeros = jax.tree.map(jnp.zeros_like, params)
  for other, tree in (
    (module, zeros),
    (nn.RNN(cell), zeros),
    (module, flax.core.freeze(zeros)),
  ):
    loaded = indy.load_contrib_variables(other, tree, variables)
    assert type(loaded) is type(tree)
    flax_helpers.assert_close(flax.core.unfreeze(loaded), params, 3e-7)
  loaded = indy.load_contrib_variables(cell, zeros["cell"], variables)
  flax_helpers.assert_close(loaded, params["cell"], 3e-7)
  assert not np.any(zeros["cell"]["bias"])
  for of_nnx in (
    make_nnx(name + "Cell"),
    make_nnx(name),
    nnx.RNN(make_nnx(name + "Cell")),
  ):
    indy_nnx.load_contrib_variables(of_nnx, variables)
    state = nnx.to_pure_dict(nnx.state(of_nnx, nnx.Param))
    state = state.get("cell", state)
    flax_helpers.assert_close(state, params["cell"], 3e-7)


def test_mapping_of_a_file_without_tensorflow(tmp_path):
  module, params = make_linen("IndyLSTM")
  np.savez(
    tmp_path / "model.npz",
    **indy.contrib_variables(module, params, "rnn/indy_lstm_cell"),
  )
  with np.load(tmp_path / "model.npz") as variables:
    loaded = indy.load_contrib_variables(module, params, variables)
  flax_helpers.assert_close(loaded, params, 3e-7)


def test_dtypes_and_boxes_are_kept():
  kernel_init = nn.with_partitioning(
    nn.initializers.lecun_normal(), (None, "model")
  )
  module, params = make_linen(
    "IndyGRU", kernel_init=kernel_init, param_dtype=jnp.bfloat16
  )
  loaded = indy.load_contrib_variables(module, params, of_gru())
  kernel = loaded["cell"]["kernel"]
  assert isinstance(kernel, nn.Partitioned)
  assert kernel.names == (None, "model")
  assert {a.dtype.name for a in jax.tree.leaves(loaded)} == {"bfloat16"}
  variables = indy.contrib_variables(module, loaded, "rnn/indy_gru_cell")
  for path, value in of_gru().items():
    np.testing.assert_allclose(
      variables[path].astype("float32"), value, atol=4e-3
    )
  of_nnx = make_nnx("IndyGRU", param_dtype=jnp.bfloat16)
  indy_nnx.load_contrib_variables(of_nnx, of_gru())
  assert of_nnx.cell.kernel.dtype == "bfloat16"


def of_gru(**changes):
  """The variables of an IndyGRU of 3 features and 4 units."""
  rng = np.random.RandomState(1)
  variables = {
    "gates/kernel_w": (3, 8),
    "gates/kernel_u": (1, 8),
    "gates/bias": (8,),
    "candidate/kernel": (3, 4),
    "candidate/kernel_u": (1, 4),
    "candidate/bias": (4,),
  }
  variables = {
    "rnn/indy_gru_cell/" + path: rng.uniform(-1, 1, shape).astype("float32")
    for path, shape in variables.items()
  }
  variables.update(
    {"rnn/indy_gru_cell/" + path: a for path, a in changes.items()}
  )
  return {path: a for path, a in variables.items() if a is not None}


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"gates/bias": None}, "missing: 'rnn/indy_gru_cell/gates/bias'"),
    (
      {"gates/extra": np.zeros(3)},
      "not of such a cell: 'rnn/indy_gru_cell/gates/extra'",
    ),
    (
      {"candidate/bias": np.zeros(3)},
      r"'rnn/indy_gru_cell/candidate/bias' has shape \[3\], expected \[4\]",
    ),
    (
      {"candidate/bias": np.zeros(4, np.int32)},
      "'rnn/indy_gru_cell/candidate/bias' has dtype int32, expected float16",
    ),
    (
      {"gates/bias": np.full(8, 1e300)},
      r"'rnn/indy_gru_cell/gates/bias' has 1e\+300 .*, expected .* float32",
    ),
  ],
)
def test_wrong_checkpoint_changes_nothing(changes, message):
  scope = "rnn/indy_gru_cell"
  module, params = make_linen("IndyGRU")
  with pytest.raises(ValueError, match=message):
    indy.load_contrib_variables(module, params, of_gru(**changes), scope)
  of_nnx = make_nnx("IndyGRU")
  before = jax.tree.map(np.array, nnx.to_pure_dict(nnx.state(of_nnx)))
  with pytest.raises(ValueError, match=message):
    indy_nnx.load_contrib_variables(of_nnx, of_gru(**changes), scope)
  flax_helpers.assert_close(nnx.to_pure_dict(nnx.state(of_nnx)), before, 0)


@pytest.mark.parametrize(
  "dtype, value, largest", [("float16", 7e4, 6e4), ("bfloat16", 1e39, 1e38)]
)
def test_dtype_of_the_parameters_holds_every_number(dtype, value, largest):
  module, params = make_linen("IndyGRU", param_dtype=dtype)
  of_nnx = make_nnx("IndyGRU", param_dtype=dtype)
  too_large, fitting = (
    of_gru(**{"candidate/kernel": np.full([3, 4], number)})
    for number in (value, largest)
  )
  message = f"'rnn/indy_gru_cell/candidate/kernel' has .* finite in {dtype}"
  for _ in range(2):
    with pytest.raises(ValueError, match=message):
      indy.load_contrib_variables(module, params, too_large)
    with pytest.raises(ValueError, match=message):
      indy_nnx.load_contrib_variables(of_nnx, too_large)
    loaded = indy.load_contrib_variables(module, params, fitting)
    indy_nnx.load_contrib_variables(of_nnx, fitting)
    for kernel in (loaded["cell"]["kernel"], of_nnx.cell.kernel[...]):
      np.testing.assert_allclose(
        np.array(kernel[:, 8:], "float64"), largest, rtol=1e-2
      )


def test_nan_of_a_checkpoint_stays():
  bias = np.array([0, np.nan, np.inf, 1], np.float64)
  module, params = make_linen("IndyGRU")
  loaded = indy.load_contrib_variables(
    module, params, of_gru(**{"candidate/bias": bias})
  )
  np.testing.assert_array_equal(loaded["cell"]["bias"][8:], bias)


def test_module_of_other_sizes():
  module = indy.IndyGRU(5)
  params = module.init(jax.random.key(0), jnp.ones([1, 2, 3]))["params"]
  with pytest.raises(ValueError, match="one IndyGRUCell of 5 units"):
    indy.load_contrib_variables(module, params, of_gru())
  module = indy.IndyGRU(4)
  params = module.init(jax.random.key(0), jnp.ones([1, 2, 2]))["params"]
  with pytest.raises(ValueError, match="inputs of 2 features, expected .* 3"):
    indy.load_contrib_variables(module, params, of_gru())
  with pytest.raises(ValueError, match="inputs of 2 features, expected .* 3"):
    indy_nnx.load_contrib_variables(
      indy_nnx.IndyGRU(2, 4, rngs=nnx.Rngs(0)), of_gru()
    )


def test_parameters_of_something_else():
  module, params = make_linen("IndyGRU")
  with pytest.raises(ValueError, match="params has 'params', expected 'cell'"):
    indy.load_contrib_variables(module, {"params": params}, of_gru())
  with pytest.raises(ValueError, match="parameters have 'cell', expected"):
    indy.load_contrib_variables(indy.IndyGRUCell(4), params, of_gru())


def test_module_of_another_kind():
  _, params = make_linen("IndyGRU")
  for module in (nn.Dense(4), nn.RNN(nn.GRUCell(4)), None):
    with pytest.raises(ValueError, match="module is of .*, expected an Ind"):
      indy.load_contrib_variables(module, params, of_gru())
    with pytest.raises(ValueError, match="module is of .*, expected an Ind"):
      indy_nnx.load_contrib_variables(module, of_gru())


def test_what_no_contrib_cell_computes():
  for name, options, message in (
    (
      "IndyGRU",
      {"gate_fn": nn.hard_sigmoid},
      "gate_fn is .*, expected sigmoid",
    ),
    ("IndRNN", {"residual": True}, "residual is True, expected False"),
  ):
    with pytest.raises(ValueError, match=message):
      indy.contrib_variables(*make_linen(name, **options), "rnn")
    with pytest.raises(ValueError, match=message):
      indy_nnx.contrib_variables(make_nnx(name, **options), "rnn")


def run_example(*arguments, path=""):
  """Runs the example; modules in a folder of `path` come before others."""
  path = os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])
  result = subprocess.run(
    [sys.executable, EXAMPLE, *map(str, arguments)],
    capture_output=True,
    env={**os.environ, "PYTHONPATH": path},
    text=True,
  )
  assert result.returncode == 0, result.stderr
  return result.stdout


def assert_is_the_recorded_model(output):
  assert "test accuracy:       0.966667" in output
  assert float(output.split("recorded: ")[1].split(" ")[0]) < 1e-4


@pytest.mark.long  # the next one does more
def test_example():
  assert_is_the_recorded_model(run_example("eval"))


def test_example_without_tensorflow(tmp_path):
  file = tmp_path / "model.npz"
  run_example("convert", file)
  (tmp_path / "tensorflow.py").write_text("raise ImportError('not installed')")
  assert_is_the_recorded_model(
    run_example("--checkpoint", file, "eval", path=tmp_path)
  )


@pytest.mark.long
def test_example_trains_on():
  output = run_example("train", "--epochs", "1")
  assert float(output.split("accuracy:")[1].split()[0]) > 0.9
