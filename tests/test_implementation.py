"""Which implementation runs: what shows it, and what sets it."""

import asyncio
import concurrent.futures
import contextvars
import functools
import pathlib
import shutil
import subprocess
import threading
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels as registered_kernels

import tf_contrib_rnn
from tf_contrib_rnn import recurrence
from tf_contrib_rnn.ops import choice
from tf_contrib_rnn.ops import library

CELLS = [
  tf_contrib_rnn.IndRNNCell,
  tf_contrib_rnn.IndyGRUCell,
  tf_contrib_rnn.IndyLSTMCell,
]
MISSING = choice.Availability(False, "there is none, for this test")


@pytest.fixture(autouse=True)
def default_environment(monkeypatch):
  monkeypatch.delenv(choice.ENVIRONMENT_VARIABLE, raising=False)


def graph_is_fused(cell, dtype=tf.float32):
  with tf.Graph().as_default() as graph:
    cell(tf.ones([2, 3], dtype), cell.zero_state(2, dtype))
  return any(op.type.startswith("ContribRnn>") for op in graph.get_operations())


@pytest.fixture
def no_library(monkeypatch):
  monkeypatch.setattr(library, "ops", None)
  monkeypatch.setattr(library, "why_not", MISSING.reason)
  monkeypatch.setattr(choice, "_has_warned", False)


@pytest.mark.parametrize("cell_class", CELLS)
def test_fused_by_default(cell_class):
  assert tf_contrib_rnn.fused_ops_available()
  assert tf_contrib_rnn.fused_ops_available().reason is None
  assert graph_is_fused(cell_class(4))


@pytest.mark.parametrize("cell_class", CELLS)
def test_context_manager_and_variable_choose(cell_class, monkeypatch):
  with tf_contrib_rnn.implementation("composed"):
    assert not graph_is_fused(cell_class(4))
    with tf_contrib_rnn.implementation("fused"):
      assert graph_is_fused(cell_class(4))
    assert not graph_is_fused(cell_class(4))
  monkeypatch.setenv("TF_CONTRIB_RNN_IMPLEMENTATION", "composed")
  assert not graph_is_fused(cell_class(4))
  with tf_contrib_rnn.implementation("auto"):
    assert graph_is_fused(cell_class(4))


def test_unknown_choices_are_named(monkeypatch):
  with pytest.raises(ValueError, match="implementation is 'quick', expected"):
    with tf_contrib_rnn.implementation("quick"):
      pass
  monkeypatch.setenv("TF_CONTRIB_RNN_IMPLEMENTATION", "gpu")
  with pytest.raises(
    ValueError, match="TF_CONTRIB_RNN_IMPLEMENTATION is 'gpu', expected"
  ):
    graph_is_fused(tf_contrib_rnn.IndRNNCell(4))


@pytest.mark.parametrize(
  "function",
  [
    tf.tanh,
    tf.nn.tanh,
    tf.compat.v1.nn.tanh,
    tf.sigmoid,
    tf.nn.sigmoid,
    tf.compat.v1.sigmoid,
    tf.nn.relu,
    tf.compat.v1.nn.relu,
    tf.identity,
    tf.nn.elu,
    tf.nn.softsign,
    "relu",
    None,
  ],
)
def test_known_activations_are_fused(function):
  assert graph_is_fused(tf_contrib_rnn.IndRNNCell(4, activation=function))


@pytest.mark.parametrize("choice", ["auto", "fused"])
def test_another_callable_is_composed_without_a_warning(choice):
  with warnings.catch_warnings():
    warnings.simplefilter("error", RuntimeWarning)
    cell = tf_contrib_rnn.IndyGRUCell(4, activation=lambda x: tf.sin(x))
    with tf_contrib_rnn.implementation(choice):
      assert not graph_is_fused(cell)


@pytest.mark.parametrize("cell_class", CELLS)
def test_without_library_one_warning_and_the_same_results(
  cell_class, monkeypatch, no_library
):
  cell = cell_class(4)
  inputs = tf.random.stateless_uniform([2, 3], [1, 2])
  state = cell.zero_state(2, tf.float32)
  with pytest.warns(RuntimeWarning, match="for this test") as caught:
    for _ in range(5):
      composed, _ = cell(inputs, state)
    assert not graph_is_fused(cell_class(4))
  assert len([w for w in caught if w.category is RuntimeWarning]) == 1
  assert not tf_contrib_rnn.fused_ops_available()
  assert tf_contrib_rnn.fused_ops_available().reason == MISSING.reason
  monkeypatch.undo()
  fused, _ = cell(inputs, state)
  np.testing.assert_allclose(fused, composed, rtol=1e-6)


def test_forcing_what_is_not_there_is_an_error(no_library):
  with (
    tf_contrib_rnn.implementation("fused"),
    pytest.raises(RuntimeError, match="for this test"),
  ):
    graph_is_fused(tf_contrib_rnn.IndRNNCell(4))


def test_composed_by_choice_warns_of_nothing(no_library):
  with warnings.catch_warnings():
    warnings.simplefilter("error", RuntimeWarning)
    with tf_contrib_rnn.implementation("composed"):
      assert not graph_is_fused(tf_contrib_rnn.IndRNNCell(4))


@pytest.mark.parametrize("cell_class", CELLS)
def test_xla_compiles_the_composition(cell_class):
  cell = cell_class(4)
  inputs = tf.random.stateless_uniform([2, 3], [1, 2])
  state = cell.zero_state(2, tf.float32)

  @tf.function(jit_compile=True)
  def compiled(inputs):
    with tf.GradientTape() as tape:
      tape.watch(inputs)
      output, _ = cell(inputs, state)
    return output, tape.gradient(output, inputs)

  cell(inputs, state)
  output, gradient = compiled(inputs)
  with tf.GradientTape() as tape:
    tape.watch(inputs)
    expected, _ = cell(inputs, state)
  np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(
    gradient, tape.gradient(expected, inputs), rtol=1e-5, atol=1e-6
  )


def test_a_function_that_borrows_a_name_is_not_replaced():
  @functools.wraps(tf.nn.tanh)
  def scaled(x):
    return 1.7 * tf.nn.tanh(x)

  assert not graph_is_fused(tf_contrib_rnn.IndRNNCell(4, activation=scaled))


def test_no_activation_is_none_of_the_known_ones():
  zeros = np.zeros([1, 4], "f")
  with pytest.raises(TypeError):
    recurrence.ind_rnn(zeros, zeros, zeros[0], zeros, activation=None)


def is_fused():
  return graph_is_fused(tf_contrib_rnn.IndRNNCell(4))


def run_in_thread(function):
  with concurrent.futures.ThreadPoolExecutor(1) as executor:
    return executor.submit(function).result()


def test_a_choice_belongs_to_its_thread():
  """Each of two threads chooses while the other's block is open."""
  barrier = threading.Barrier(2, timeout=60)

  def choose(name):
    found = []
    with tf_contrib_rnn.implementation(name):
      for _ in range(3):
        barrier.wait()
        found.append(is_fused())
      barrier.wait()
    return found, is_fused()

  with concurrent.futures.ThreadPoolExecutor(2) as executor:
    results = list(executor.map(choose, ["composed", "fused"]))
  assert results == [([False] * 3, True), ([True] * 3, True)]


def test_a_choice_belongs_to_its_task():
  async def choose(name):
    found = []
    with tf_contrib_rnn.implementation(name):
      for _ in range(3):
        await asyncio.sleep(0)  # the other's turn
        found.append(is_fused())
    return found, is_fused()

  async def both():
    return await asyncio.gather(choose("composed"), choose("fused"))

  assert asyncio.run(both()) == [([False] * 3, True), ([True] * 3, True)]


def test_a_thread_without_a_choice_follows_the_environment(monkeypatch):
  with tf_contrib_rnn.implementation("composed"):
    assert run_in_thread(is_fused)
    context = contextvars.copy_context()
    assert not run_in_thread(lambda: context.run(is_fused))
  monkeypatch.setenv("TF_CONTRIB_RNN_IMPLEMENTATION", "composed")
  with tf_contrib_rnn.implementation("fused"):
    assert not run_in_thread(is_fused)
    assert is_fused()


def test_choice_holds_in_the_replicas_of_a_strategy():
  strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
  with strategy.scope():
    cell = tf_contrib_rnn.IndyGRUCell(4, dtype=tf.float32)
    cell.build([None, 3])

  def operations():
    @tf.function
    def step():
      return strategy.run(lambda: cell(tf.ones([2, 3]), tf.zeros([2, 4]))[0])

    return str(step.get_concrete_function().graph.as_graph_def())

  for _ in range(2):
    assert "ContribRnn>IndyGRU" in operations()
    with tf_contrib_rnn.implementation("composed"):
      assert "ContribRnn>" not in operations()


@pytest.fixture
def a_gpu(monkeypatch):
  """Pretends that TensorFlow sees a GPU, of the compute capability given."""

  def pretend(
    capability=(9, 0), architectures=("sm_75", "compute_75"), why=None
  ):
    details = {"compute_capability": capability, "device_name": "Test GPU"}
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    config = tf.config
    monkeypatch.setattr(config, "get_visible_devices", lambda kind: [gpu])
    monkeypatch.setattr(
      config.experimental, "get_device_details", lambda gpu: details
    )
    monkeypatch.setattr(library, "gpu_architectures", architectures)
    monkeypatch.setattr(library, "check_gpu_driver", lambda: why)
    monkeypatch.setattr(choice, "_has_warned", False)
    fresh = functools.cache(choice._why_not_on_gpus.__wrapped__)
    monkeypatch.setattr(choice, "_why_not_on_gpus", fresh)

  return pretend


def test_auto_fuses_on_a_gpu_that_has_kernels(a_gpu):
  a_gpu()
  assert graph_is_fused(tf_contrib_rnn.IndRNNCell(4))
  assert tf_contrib_rnn.fused_ops_available().gpu_reason is None


@pytest.mark.parametrize(
  "pretended, reason",
  [
    ({"capability": (6, 1)}, "Test GPU has compute capability 6.1"),
    ({"why": "the driver is too old"}, "the driver is too old"),
    ({"architectures": ()}, "built without CUDA"),
  ],
)
def test_auto_composes_on_a_gpu_without_kernels(a_gpu, pretended, reason):
  a_gpu(**pretended)
  with pytest.warns(RuntimeWarning, match=reason):
    assert not graph_is_fused(tf_contrib_rnn.IndRNNCell(4))
  available = tf_contrib_rnn.fused_ops_available()
  assert available and reason in available.gpu_reason
  with warnings.catch_warnings():
    warnings.simplefilter("error", RuntimeWarning)
    assert not graph_is_fused(tf_contrib_rnn.IndRNNCell(4))
    with tf_contrib_rnn.implementation("fused"):
      assert graph_is_fused(tf_contrib_rnn.IndRNNCell(4))


@pytest.mark.parametrize(
  "capability, architectures, runs",
  [
    ((7, 5), ["sm_75", "sm_90", "compute_90"], True),
    ((7, 0), ["sm_75", "sm_90", "compute_90"], False),
    ((8, 9), ["sm_80"], True),
    ((8, 9), ["sm_75", "sm_90", "compute_90"], False),
    ((12, 1), ["sm_75", "sm_90", "compute_90"], True),
    ((12, 1), ["sm_120"], True),
    ((12, 1), ["sm_90"], False),
    ((12, 1), [], False),
  ],
)
def test_which_gpus_code_runs_on(capability, architectures, runs):
  assert choice._runs_on(capability, architectures) == runs


def test_gpu_kernels_are_registered_if_the_library_names_architectures():
  available = tf_contrib_rnn.fused_ops_available()
  operations = [
    "ContribRnn>" + cell + gradient
    for cell in ("IndRNN", "IndyGRU", "IndyLSTM")
    for gradient in ("", "Grad")
  ]
  for operation in operations:
    found = registered_kernels.get_registered_kernels_for_op(operation).kernel
    on_gpu = [k for k in found if k.device_type == "GPU"]
    assert len(on_gpu) == (4 if available.gpu_architectures else 0)
    assert len(found) - len(on_gpu) == 4
  if not available.gpu_architectures:
    assert "built without CUDA" in available.gpu_reason


def test_xla_compiles_a_function_traced_before_if_it_was_composed():
  cell = tf_contrib_rnn.IndyGRUCell(4)
  inner = tf.function(lambda x: cell(x, tf.zeros([2, 4]))[0])
  with tf_contrib_rnn.implementation("composed"):
    expected = inner(tf.ones([2, 3]))
    outer = tf.function(lambda x: inner(x), jit_compile=True)
    np.testing.assert_allclose(outer(tf.ones([2, 3])), expected, rtol=1e-5)


def installed_library():
  name = library.library_name(library.tensorflow_minor())
  return str(pathlib.Path(library.__file__).parents[1] / name)


def test_library_exports_only_what_python_asks():
  assert shutil.which("nm"), "the compiler that built the library brings nm"
  symbols = subprocess.run(
    ["nm", "--dynamic", "--defined-only", "--extern-only", installed_library()],
    stdout=subprocess.PIPE,
    text=True,
    check=True,
  )
  names = [line.split()[-1] for line in symbols.stdout.splitlines()]
  assert all(name.startswith("tf_contrib_rnn_") for name in names), names
  has_gpu_kernels = bool(tf_contrib_rnn.fused_ops_available().gpu_architectures)
  assert len(names) == (2 if has_gpu_kernels else 0)
