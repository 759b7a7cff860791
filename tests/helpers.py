"""What the tests of the cells share: the cells, their variables, a reference
in NumPy, and ways to run a function of cells in each mode of TensorFlow."""

import dataclasses
import importlib
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import types
from typing import Any

import numpy as np
import tensorflow as tf

import tf_contrib_rnn

v1 = tf.compat.v1


@dataclasses.dataclass(frozen=True)
class Kind:
  """A cell class and its variables as (name, rows, gates); rows of "D" are the
  input's depth, rows of None make a vector."""

  make: Any
  prefix: str
  states: int
  variables: tuple[tuple[str, Any, int], ...]

  @property
  def kernels(self):
    return [name for name, rows, _ in self.variables if rows == "D"]

  def names(self, prefix=None):
    prefix = self.prefix if prefix is None else prefix
    return [f"{prefix}/{name}:0" for name, _, _ in self.variables]

  def shapes(self, depth, units):
    rows = {"D": [depth], 1: [1], None: []}
    return [rows[r] + [gates * units] for _, r, gates in self.variables]

  def weights(self, depth, units, seed=0, dtype="float32"):
    rng = np.random.RandomState(seed)
    return [random(rng, shape, dtype) for shape in self.shapes(depth, units)]

  def state(self, leaves):
    leaves = list(leaves)
    if self.states == 1:
      return leaves[0]
    return tf_contrib_rnn.LSTMStateTuple(*leaves)


KINDS = {
  "IndRNN": Kind(
    tf_contrib_rnn.IndRNNCell,
    "ind_rnn_cell",
    1,
    (("kernel_w", "D", 1), ("kernel_u", 1, 1), ("bias", None, 1)),
  ),
  "IndyGRU": Kind(
    tf_contrib_rnn.IndyGRUCell,
    "indy_gru_cell",
    1,
    (
      ("gates/kernel_w", "D", 2),
      ("gates/kernel_u", 1, 2),
      ("gates/bias", None, 2),
      ("candidate/kernel", "D", 1),
      ("candidate/kernel_u", 1, 1),
      ("candidate/bias", None, 1),
    ),
  ),
  "IndyLSTM": Kind(
    tf_contrib_rnn.IndyLSTMCell,
    "indy_lstm_cell",
    2,
    (("kernel_w", "D", 4), ("kernel_u", 1, 4), ("bias", None, 4)),
  ),
}

ACTIVATIONS = {
  "tanh": tf.nn.tanh,
  "sigmoid": tf.nn.sigmoid,
  "relu": tf.nn.relu,
  "identity": tf.identity,
  "softsign": tf.nn.softsign,
  "elu": tf.nn.elu,
  "custom": lambda x: tf.sin(x) * tf.cast(0.5, x.dtype),
}

# By how much a result may differ from the reference in float64.
TOLERANCES = {
  "float16": 1e-2,
  "bfloat16": 8e-2,
  "float32": 5e-6,
  "float64": 1e-12,
}


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


NUMPY_ACTIVATIONS = {
  "tanh": np.tanh,
  "sigmoid": sigmoid,
  "relu": lambda x: np.maximum(x, 0),
  "identity": lambda x: x,
  "softsign": lambda x: x / (1 + np.abs(x)),
  "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
  "custom": lambda x: np.sin(x) * 0.5,
}


def numpy_dtype(dtype):
  return tf.as_dtype(dtype).as_numpy_dtype


def random(rng, shape, dtype="float32"):
  return rng.uniform(-1, 1, shape).astype(numpy_dtype(dtype))


def numpy_ind_rnn(weights, x, states, act, _):
  w, u, b = weights
  (s,) = states
  return (act(x @ w + s * u + b),)


def numpy_indy_gru(weights, x, states, act, _):
  wg, ug, bg, wc, uc, bc = weights
  (s,) = states
  r, z = np.split(sigmoid(x @ wg + np.tile(s, [1, 2]) * ug + bg), 2, 1)
  c = act(x @ wc + (r * s) * uc + bc)
  return (z * s + (1 - z) * c,)


def numpy_indy_lstm(weights, x, states, act, forget_bias):
  w, u, b = weights
  c, h = states
  i, j, f, o = np.split(x @ w + np.tile(h, [1, 4]) * u + b, 4, 1)
  c = c * sigmoid(f + forget_bias) + sigmoid(i) * act(j)
  return c, act(c) * sigmoid(o)


NUMPY_STEPS = {
  "IndRNN": numpy_ind_rnn,
  "IndyGRU": numpy_indy_gru,
  "IndyLSTM": numpy_indy_lstm,
}


def as_float64(arrays):
  return [np.asarray(a).astype(np.float64) for a in arrays]


def numpy_step(kind, weights, x, states, activation="tanh", forget_bias=1.0):
  """The new states in float64; the last is the output."""
  (x,) = as_float64([x])
  return NUMPY_STEPS[kind](
    as_float64(weights),
    x,
    as_float64(states),
    NUMPY_ACTIVATIONS[activation],
    forget_bias,
  )


def numpy_sequence(kind, weights, x, states, activation="tanh", lengths=None):
  """The outputs [batch, time, units] and final states in float64."""
  batch, time, _ = x.shape
  lengths = np.full([batch], time) if lengths is None else np.array(lengths)
  states = as_float64(states)
  outputs = np.zeros([batch, time, states[0].shape[1]])
  for t in range(time):
    runs = (t < lengths)[:, np.newaxis]
    new = numpy_step(kind, weights, x[:, t], states, activation)
    outputs[:, t] = np.where(runs, new[-1], 0)
    states = [np.where(runs, n, s) for n, s in zip(new, states)]
  return outputs, states


def assert_close(got, want, tolerance):
  """Compares nested results leaf by leaf, relative to the largest value."""
  got, want = tf.nest.flatten(got), tf.nest.flatten(want)
  assert len(got) == len(want)
  for g, w in zip(as_float64(got), as_float64(want)):
    assert g.shape == w.shape
    assert np.all(np.isfinite(g))
    largest = max(1, np.max(np.abs(w), initial=0))
    np.testing.assert_allclose(g, w, rtol=0, atol=tolerance * largest)


def to_numpy(results):
  return tf.nest.map_structure(lambda t: t.numpy(), results)


def evaluate(results, cells=(), weights=(), feed=None):
  """Runs tensors of the default graph with these weights in the cells."""
  with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    variables = [v for cell in cells for v in cell.variables]
    arrays = [w for one in weights for w in one]
    assert len(variables) == len(arrays)
    session.run([v1.assign(v, w) for v, w in zip(variables, arrays)])
    return session.run(results, feed)


def build_and_set(cells, weights):
  """Makes the variables of cells in eager mode, with these values."""
  for cell, arrays in zip(cells, weights):
    x = tf.zeros([1, arrays[0].shape[0]], arrays[0].dtype)
    cell(x, cell.zero_state(1, x.dtype))
    for variable, array in zip(cell.variables, arrays):
      variable.assign(array)


def run_in_mode(mode, make_cells, weights, function, arrays):
  """Runs function(cells, *tensors) in graph or eager mode or a tf.function."""
  if mode == "graph":
    with tf.Graph().as_default():
      cells = make_cells()
      results = function(cells, *map(tf.constant, arrays))
      return evaluate(results, cells, weights)
  cells = make_cells()
  build_and_set(cells, weights)
  call = lambda *tensors: function(cells, *tensors)
  if mode == "function":
    call = tf.function(call)
  return to_numpy(call(*map(tf.constant, arrays)))


# Imported once, in a process that each script is a copy of.
_SHARED_IMPORTS = """tensorflow tf_contrib_rnn.cells tf_contrib_rnn.rnn
tf_contrib_rnn.keras tf_contrib_rnn.flax tf_contrib_rnn.flax.nnx""".split()
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(_SHARED_IMPORTS)


def import_keras_2(name=""):
  """Keras 2, or a module of it: keras's where that is Keras 2, else tf_keras's.

  With TensorFlow 2.15, both in one process disturb each other.
  """
  package = "tf_keras" if hasattr(tf.keras, "version") else "keras"
  return importlib.import_module(package + name)


def run_script(text, *arguments, **environment):
  """Runs a Python script in a process of its own; returns what it prints.

  TensorFlow, JAX and this package are imported in it already, which saves
  seconds; nothing else has happened. See `run_fresh_script`, for what counts
  when something is imported.

  Args:
    text: the script.
    *arguments: in its sys.argv.
    **environment: variables to set.
  """
  with tempfile.TemporaryDirectory() as folder:
    paths = [os.path.join(folder, name) for name in ("stdout", "stderr")]
    process = _processes.Process(
      target=_execute,
      args=(text, list(map(str, arguments)), environment, paths),
    )
    process.start()
    process.join()
    printed, complaints = (
      pathlib.Path(path).read_text("utf-8") if os.path.exists(path) else ""
      for path in paths
    )
  assert process.exitcode == 0, printed[-2000:] + complaints[-5000:]
  return printed


def _execute(text, arguments, environment, paths):
  """What a process of `run_script` does."""
  for number, path in enumerate(paths, 1):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
  os.environ.update(environment)
  sys.argv = ["-c", *arguments]
  sys.modules["__main__"] = module = types.ModuleType("__main__")
  code = compile(textwrap.dedent(text), "<script>", "exec")
  exec(code, vars(module))


def run_fresh_script(text, *arguments, **environment):
  """As `run_script`, by a new interpreter that has imported nothing."""
  path = [os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]
  env = dict(
    os.environ,
    PYTHONPATH=os.pathsep.join(path),
    TF_CPP_MIN_LOG_LEVEL="3",
    **environment,
  )
  command = [sys.executable, "-c", textwrap.dedent(text)]
  done = subprocess.run(
    command + [str(argument) for argument in arguments],
    env=env,
    text=True,
    capture_output=True,
    check=False,
  )
  assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-5000:]
  return done.stdout
