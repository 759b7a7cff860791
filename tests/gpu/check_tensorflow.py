"""Proves the ops inside TensorFlow on a GPU.

  python tests/gpu/check_tensorflow.py             on a GPU
  python tests/gpu/check_tensorflow.py --on-host   on the CPU: it runs

Needs a TensorFlow that sees the GPU, and tf_contrib_rnn with an op library that
was built with CUDA. The GPU is given to TensorFlow as two devices, each with a
stream of its own. Prints a table last, and goes on after a failure. Where
TensorFlow is not installed, or sees no GPU, it says so and leaves all out.
"""

import argparse
import importlib.util
import itertools
import os
import pathlib
import sys
import threading
import traceback

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "check_tensorflow.py"
GATES = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4, "sru": 4}
DTYPES = ("float16", "bfloat16", "float32", "float64")
# Time, batch and units. The last is enough for threads that take 16 bytes.
SIZES = [(1, 1, 1), (0, 5, 129), (7, 0, 5), (17, 33, 31), (3, 257, 1024)]
# Largest error, as a part of the largest number: of results, of gradients.
TOLERANCES = {
  "float16": (2e-3, 1e-2),
  "bfloat16": (2e-2, 8e-2),
  "float32": (5e-6, 3e-5),
  "float64": (1e-12, 1e-11),
}
MEGABYTES = 8192  # of each of the two devices
STEPS_OF_A_STREAM = 30


def _leave_out(reason: str) -> int:
  print(f"{PROGRAM}: left out, {reason}")
  return 0


def set_up(on_host: bool) -> str:
  """Imports TensorFlow, and makes two devices of one.

  Returns:
    The kind of device that the ops are to run on. The program ends here, with
    a word, where there is none.
  """
  if importlib.util.find_spec("tensorflow") is None:
    sys.exit(_leave_out("TensorFlow is not installed"))
  os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
  sys.path.insert(0, str(ROOT))
  import tensorflow as tf

  tf.get_logger().setLevel("ERROR")
  kind = "CPU" if on_host else "GPU"
  devices = tf.config.list_physical_devices(kind)
  if not devices:
    sys.exit(_leave_out("TensorFlow sees no GPU"))
  limit = None if on_host else MEGABYTES
  halves = [tf.config.LogicalDeviceConfiguration(memory_limit=limit)] * 2
  tf.config.set_logical_device_configuration(devices[0], halves)
  # Of a product of matrices, all bits of float32, and the same at every run.
  tf.config.experimental.enable_tensor_float_32_execution(False)
  tf.config.experimental.enable_op_determinism()
  import tf_contrib_rnn

  available = tf_contrib_rnn.fused_ops_available()
  reason = available.reason if on_host else available.gpu_reason
  if reason:
    sys.exit(f"{PROGRAM}: {reason}")
  return kind


def assert_close(got, want, tolerance: float) -> None:
  """Raises AssertionError if a number differs by more than is tolerated."""
  assert len(got) == len(want)
  for g, w in zip(got, want):
    g, w = np.asarray(g, np.float64), np.asarray(w, np.float64)
    assert g.shape == w.shape, (g.shape, w.shape)
    size = max(1.0, np.abs(w).max(initial=0.0))
    np.testing.assert_allclose(g, w, rtol=0, atol=tolerance * size)


class Checks:
  """The checks: each method whose name begins with check_ is one.

  Args:
    kind: of device, "GPU" or "CPU".
  """

  def __init__(self, kind: str):
    import tensorflow as tf

    from tf_contrib_rnn import recurrence

    self._tf, self._recurrence = tf, recurrence
    self._kind = kind
    self._devices = [f"/{kind}:0", f"/{kind}:1"]

  # What the checks share.

  def _draw(self, cell, dtype, time, batch, units, seed=0):
    """Inputs, weights and state, exactly in dtype; and lengths."""
    rng = np.random.RandomState(seed)
    dtype = self._tf.as_dtype(dtype).as_numpy_dtype

    def make(*shape):
      return rng.uniform(-1, 1, shape).astype(dtype)

    width = GATES[cell] * units
    arrays = [make(batch, time, width)]
    if cell == "sru":  # it has no recurrent kernel
      arrays.append(make(2 * units))
    else:
      arrays += [make(1, width), make(width)]
    arrays.append(make(batch, units))
    if cell == "indy_lstm":
      arrays.append(make(batch, units))
    lengths = np.resize([3, 0, time, -2, time + 5, 1], batch).astype(np.int32)
    return arrays, lengths

  def _call(self, cell, arrays, lengths):
    """Outputs and state, flat."""
    states = 2 if cell == "indy_lstm" else 1
    others, state = arrays[:-states], arrays[-states:]
    outputs, state = getattr(self._recurrence, cell)(
      *others, state if states == 2 else state[0], sequence_length=lengths
    )
    return self._tf.nest.flatten([outputs, state])

  def _derive(self, cell, arrays, lengths, order):
    """Results, and all gradients; of order 2, those of the first's squares."""
    tf = self._tf
    arrays = [tf.convert_to_tensor(array) for array in arrays]
    with tf.GradientTape() as outer:
      outer.watch(arrays)
      with tf.GradientTape() as inner:
        inner.watch(arrays)
        results = self._call(cell, arrays, lengths)
        loss = tf.add_n([tf.reduce_sum(result**2) for result in results])
      gradients = inner.gradient(loss, arrays)
      if order == 2:
        loss = tf.add_n([tf.reduce_sum(gradient**2) for gradient in gradients])
    if order == 2:
      gradients = outer.gradient(loss, arrays)
    return results, gradients

  def _compare(self, cell, dtype, size, order) -> None:
    from tf_contrib_rnn import implementation

    tf = self._tf
    arrays, lengths = self._draw(cell, dtype, *size)
    derived = []
    for _ in range(2):
      with implementation("fused"), tf.device(self._devices[0]):
        results, gradients = self._derive(cell, arrays, lengths, order)
      assert self._kind in results[0].device, results[0].device
      derived.append([t.numpy() for t in [*results, *gradients]])
    for one, other in zip(*derived):
      assert one.tobytes() == other.tobytes(), "other bits the second time"
    wide = [array.astype(np.float64) for array in arrays]
    with implementation("composed"), tf.device("/CPU:0"):
      wanted = self._derive(cell, wide, lengths, order)
    of_results, of_gradients = TOLERANCES[dtype]
    assert_close(results, wanted[0], of_results)
    assert_close(gradients, wanted[1], of_gradients * order)

  # The checks.

  def check_cells(self) -> str:
    cases = [*itertools.product(GATES, DTYPES, SIZES)]
    for cell, dtype, size in cases:
      self._compare(cell, dtype, size, order=1)
    return f"{len(cases)} cases, forward and gradient, from float64 composed"

  def check_second_order(self) -> str:
    cases = [*itertools.product(GATES, ("float32", "float64"))]
    for cell, dtype in cases:
      self._compare(cell, dtype, (6, 5, 17), order=2)
    return f"{len(cases)} cases from float64 composed"

  def _run_dynamic_rnn(self, make_cell, device, soft=True, type_of_op=None):
    """Outputs, state and the inputs' gradient of a graph with two cells."""
    import tf_contrib_rnn

    tf, v1 = self._tf, self._tf.compat.v1
    rng = np.random.RandomState(3)
    x = rng.uniform(-1, 1, [5, 9, 6]).astype(np.float32)
    with v1.Graph().as_default():
      v1.set_random_seed(1)
      with tf.device(device):
        inputs = v1.placeholder(tf.float32, [None, None, 6])
        # No GPU has a kernel for text.
        lengths = v1.string_to_number(
          v1.constant(["9", "0", "4", "1", "7"]), tf.int32
        )
        rnn = tf_contrib_rnn.MultiRNNCell([make_cell(8), make_cell(7)])
        outputs, state = tf_contrib_rnn.dynamic_rnn(
          rnn, inputs, lengths, dtype=tf.float32
        )
        gradient = v1.gradients(outputs**2, inputs)
      fetched = tf.nest.flatten([outputs, state, gradient])
      ops = v1.get_default_graph().get_operations()
      fused = {op.name for op in ops if op.type.startswith("ContribRnn>")}
      config = v1.ConfigProto(allow_soft_placement=soft)
      with v1.Session(config=config) as session:
        for variable in v1.trainable_variables():
          numbers = rng.uniform(-0.5, 0.5, variable.shape)
          variable.load(numbers, session)
        options = v1.RunOptions(trace_level=v1.RunOptions.SOFTWARE_TRACE)
        metadata = v1.RunMetadata()
        results = session.run(fetched, {inputs: x}, options, metadata)
        again = session.run(fetched, {inputs: x})
    for one, other in zip(results, again):
      assert one.tobytes() == other.tobytes(), "other bits the second time"
    ran = {
      node.node_name: device.device
      for device in metadata.step_stats.dev_stats
      for node in device.node_stats
    }
    return results, {ran[name] for name in fused if name in ran}

  def _check_graph(self, make_wrapped=lambda cell: cell, device=None) -> int:
    import tf_contrib_rnn

    cells = (
      tf_contrib_rnn.IndRNNCell,
      tf_contrib_rnn.IndyGRUCell,
      tf_contrib_rnn.IndyLSTMCell,
      tf_contrib_rnn.SRUCell,
    )
    for cell in cells:
      make = lambda units, cell=cell: make_wrapped(cell(units))
      with tf_contrib_rnn.implementation("fused"):
        got, where = self._run_dynamic_rnn(make, device or self._devices[0])
      assert where, "no fused op ran"
      assert all(f"device:{self._kind}:0" in name for name in where), where
      with tf_contrib_rnn.implementation("composed"):
        want, _ = self._run_dynamic_rnn(cell, "/CPU:0")
      assert_close(got, want, 2e-5)
    return len(cells)

  def check_dynamic_rnn_with_soft_placement(self) -> str:
    count = self._check_graph()
    return f"{count} cells, text beside them, the inputs' gradient"

  def check_device_wrapper(self) -> str:
    from tf_contrib_rnn import DeviceWrapper

    device = self._devices[0]
    self._check_graph(lambda cell: DeviceWrapper(cell, device), "/CPU:0")
    return f"cells on {device} in a graph on /CPU:0"

  def check_keras_fit(self) -> str:
    losses = {}
    for device in ("/CPU:0", self._devices[0]):
      model, x, y = self._make_model()
      with self._tf.device(device):
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0)
      losses[device] = history.history["loss"]
    cpu, other = losses["/CPU:0"], losses[self._devices[0]]
    assert other[-1] < other[0], other
    np.testing.assert_allclose(other, cpu, rtol=1e-4)
    return f"loss {other[0]:.4f} to {other[-1]:.4f}; on the CPU {cpu[-1]:.4f}"

  def _make_model(self):
    from tf_contrib_rnn import keras as indy

    tf = self._tf
    tf.keras.utils.set_random_seed(7)
    rng = np.random.RandomState(5)
    x = rng.uniform(-1, 1, [32, 12, 4]).astype(np.float32)
    x[::3, 5:] = 0
    model = tf.keras.Sequential(
      [
        tf.keras.layers.Masking(),
        indy.IndyGRU(16, return_sequences=True),
        indy.IndyLSTM(16, return_sequences=True),
        indy.IndRNN(16),
        tf.keras.layers.Dense(1),
      ]
    )
    # With XLA the layers would be composed.
    model.compile("sgd", "mse", jit_compile=False)
    return model, x, x.sum((1, 2), keepdims=True)[:, 0]

  def check_two_streams(self) -> str:
    """Two threads, each on a device of its own, at once."""
    tf = self._tf
    cells = ["indy_gru", "indy_lstm"]

    def work(number):
      arrays, lengths = self._draw(
        cells[number], "float32", 40, 64, 256, number
      )
      with tf.device(self._devices[number]):
        results, gradients = self._derive(cells[number], arrays, lengths, 1)
      return [t.numpy().tobytes() for t in [*results, *gradients]]

    alone = [work(number) for number in range(2)]
    wrong, lock = [], threading.Barrier(2)

    def repeat(number):
      lock.wait()
      for step in range(STEPS_OF_A_STREAM):
        try:
          if work(number) != alone[number]:
            wrong.append((number, step))
        except Exception as error:
          wrong.append((number, step, error))

    threads = [threading.Thread(target=repeat, args=[n]) for n in range(2)]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    assert not wrong, wrong[:3]
    return f"{STEPS_OF_A_STREAM} steps each, the bits of one alone"

  def check_threads_of_one_session(self) -> str:
    tf, v1 = self._tf, self._tf.compat.v1
    arrays, lengths = self._draw("indy_lstm", "float32", 30, 16, 129)
    with v1.Graph().as_default(), tf.device(self._devices[0]):
      inputs = v1.placeholder(tf.float32, [None, None, arrays[0].shape[-1]])
      fetched = self._call("indy_lstm", [inputs, *arrays[1:]], lengths)
      fetched += v1.gradients(fetched, inputs)
      with v1.Session() as session:
        scales = range(1, 5)
        feeds = [{inputs: arrays[0] * scale} for scale in scales]
        alone = [session.run(fetched, feed) for feed in feeds]
        found = [[] for _ in feeds]

        def repeat(number):
          for _ in range(20):
            found[number].append(session.run(fetched, feeds[number]))

        threads = [threading.Thread(target=repeat, args=[n]) for n in range(4)]
        for thread in threads:
          thread.start()
        for thread in threads:
          thread.join()
    for want, runs in zip(alone, found):
      assert len(runs) == 20
      for run in runs:
        assert all(g.tobytes() == w.tobytes() for g, w in zip(run, want))
    return "4 threads, 20 runs each, the bits of one alone"

  def check_xla(self) -> str:
    """In a function compiled by XLA a recurrence is composed."""
    tf = self._tf
    arrays, lengths = self._draw("indy_gru", "float32", 6, 5, 17)
    with tf.device(self._devices[0]):
      compiled = tf.function(
        lambda *arrays: self._call("indy_gru", list(arrays), lengths),
        jit_compile=True,
      )(*map(tf.constant, arrays))
      plain = self._call("indy_gru", arrays, lengths)
    assert_close(compiled, plain, 1e-5)
    return "jit_compile=True gives what the op gives"


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--on-host", action="store_true")
  kind = set_up(parser.parse_args().on_host)
  import tensorflow as tf

  checks = Checks(kind)
  names = [name for name in vars(Checks) if name.startswith("check_")]
  rows, failures = [], 0
  for name in names:
    print(f"{name} ...", flush=True)
    try:
      rows.append((name, "passed", getattr(checks, name)()))
    except Exception as error:
      traceback.print_exc()
      failures += 1
      told = str(error).strip() or type(error).__name__
      rows.append((name, "FAILED", told.splitlines()[0]))
  print("\n| check | verdict | what |")
  print("|---|---|---|")
  for name, verdict, what in rows:
    print(f"| {name[6:].replace('_', ' ')} | {verdict} | {what} |")
  counts = f"{len(names) - failures} of {len(names)} checks"
  print(f"{counts} passed in TensorFlow {tf.__version__} on {kind}")
  return 1 if failures else 0


if __name__ == "__main__":
  sys.exit(main())
