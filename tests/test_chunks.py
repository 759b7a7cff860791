"""Gradients of long sequences in chunks, in TensorFlow and Keras."""

import concurrent.futures
import contextlib
import contextvars

import helpers
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

import tf_contrib_rnn
from tf_contrib_rnn import keras

v1 = tf.compat.v1
CELLS = {
  "IndRNN": tf_contrib_rnn.IndRNNCell,
  "IndyGRU": tf_contrib_rnn.IndyGRUCell,
  "IndyLSTM": tf_contrib_rnn.IndyLSTMCell,
  "SRU": tf_contrib_rnn.SRUCell,
}
BATCH, TIME, DEPTH, UNITS = 3, 13, 5, 4
LENGTHS = [13, 0, 5]
# As of helpers.TOLERANCES, of gradients without chunks.
TOLERANCES = {"float16": 2e-2, "bfloat16": 1e-1, "float32": 2e-6}


@pytest.fixture(autouse=True)
def no_graphs_of_other_tests():
  """TensorFlow keeps each graph for which tf.custom_gradient was called."""
  yield
  registered = ops.gradient_registry._registry
  for name in [n for n in registered if n.startswith("CustomGradient-")]:
    del registered[name]


def in_chunks(steps):
  if steps is None:
    return contextlib.nullcontext()
  return tf_contrib_rnn.gradient_in_chunks(steps)


def draw(seed, shape, dtype="float32"):
  return helpers.random(np.random.RandomState(seed), shape, dtype)


def loss_of(results):
  return tf.add_n(
    [
      tf.reduce_sum(tf.sin((i + 1) * tf.cast(leaf, tf.float32)))
      for i, leaf in enumerate(tf.nest.flatten(results))
    ]
  )


def loops(graph):
  return any(op.type in ("While", "StatelessWhile", "Enter") for op in graph)


def run(cells, x, steps, lengths, time_major):
  """Outputs and states of one cell, or of two as both directions."""
  options = {"dtype": x.dtype, "time_major": time_major}
  with in_chunks(steps):
    if len(cells) == 2:
      return tf_contrib_rnn.bidirectional_dynamic_rnn(
        *cells, x, lengths, **options
      )
    return tf_contrib_rnn.dynamic_rnn(*cells, x, lengths, **options)


def results_of(
  mode, steps, name, x, lengths, time_major=False, both=False, unknown=False
):
  """Results and gradients in graph or eager mode or in a tf.function."""
  x = x.swapaxes(0, 1) if time_major else x
  shape = [None, None, DEPTH] if unknown else x.shape
  cells = [CELLS[name](UNITS) for _ in range(1 + both)]

  def set_weights(assign):
    return [
      assign(variable, draw(seed, variable.shape.as_list(), x.dtype))
      for cell in cells
      for seed, variable in enumerate(cell.variables)
    ]

  if mode == "graph":
    with tf.Graph().as_default(), v1.Session() as session:
      fed = v1.placeholder(x.dtype, shape)
      found = run(cells, fed, steps, lengths, time_major)
      variables = [v for cell in cells for v in cell.variables]
      gradients = tf.gradients(loss_of(found), [fed, *variables])
      session.run(set_weights(v1.assign))
      return session.run([found, gradients], {fed: x})
  for cell in cells:
    cell(tf.zeros([1, DEPTH], x.dtype), cell.zero_state(1, x.dtype))
  set_weights(lambda v, value: v.assign(value))

  def call(x):
    variables = [v for cell in cells for v in cell.variables]
    with tf.GradientTape() as tape:
      tape.watch(x)
      found = run(cells, x, steps, lengths, time_major)
      loss = loss_of(found)
    return found, tape.gradient(loss, [x, *variables])

  if mode == "function":
    call = tf.function(
      call, input_signature=[tf.TensorSpec(shape, x.dtype)], autograph=False
    )
  return helpers.to_numpy(call(tf.constant(x)))


def assert_same(steps, *arguments, tolerance=2e-6, **options):
  """In chunks as without, for which no graph is built: that takes longer."""
  mode, *rest = arguments
  got = results_of(mode, steps, *rest, **options)
  want = results_of("eager", None, *rest, **options)
  helpers.assert_close(got, want, tolerance)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["all", "lengths"])
@pytest.mark.parametrize("time, steps", [(13, 5), (12, 4), (4, 1), (3, 8)])
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("implementation", ["fused", "composed"])
@pytest.mark.parametrize("mode", ["graph", "eager", "function"])
def test_results_and_gradients(
  mode, implementation, name, time, steps, lengths, both, time_major, unknown
):
  if lengths is not None:
    lengths = np.minimum(lengths, time).astype("int64")
  x = draw(9, [BATCH, time, DEPTH])
  with tf_contrib_rnn.implementation(implementation):
    assert_same(
      steps,
      mode,
      name,
      x,
      lengths,
      both=both,
      time_major=time_major,
      unknown=unknown,
    )


@pytest.mark.parametrize("mode", ["graph", "eager", "function"])
@pytest.mark.parametrize("batch, time", [(0, TIME), (BATCH, 0)])
def test_no_sequences_and_no_steps(mode, batch, time):
  x = draw(9, [batch, time, DEPTH])
  assert_same(5, mode, "IndyLSTM", x, None, unknown=True)


def test_lengths_at_the_ends_of_int32():
  x = draw(9, [BATCH, TIME, DEPTH])
  lengths = np.array([-(2**31), 2**31 - 1, 5], "int32")
  assert_same(5, "eager", "IndRNN", x, lengths)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_dtypes(dtype):
  x = draw(9, [BATCH, TIME, DEPTH], dtype)
  assert_same(5, "eager", "IndyGRU", x, None, tolerance=TOLERANCES[dtype])


def test_gradients_of_16_bits_are_added_in_32():
  cell = tf_contrib_rnn.IndRNNCell(
    UNITS, "identity", recurrent_initializer="zeros"
  )
  x = tf.ones([1, 400, DEPTH], tf.bfloat16)
  with tf.GradientTape() as tape, in_chunks(1):
    outputs, _ = tf_contrib_rnn.dynamic_rnn(cell, x, dtype=x.dtype)
  gradient = tape.gradient(outputs, cell.variables[-1])
  assert gradient.numpy().astype(float).tolist() == [400] * UNITS  # else 256


@pytest.mark.parametrize(
  "in_function, implementation",
  [(False, "fused"), (False, "composed"), (True, "fused")],
)
def test_the_gradient_of_the_gradient(in_function, implementation):
  cell = tf_contrib_rnn.IndyLSTMCell(UNITS)
  x = tf.constant(draw(9, [2, 9, DEPTH]))
  helpers.build_and_set(
    [cell], [[draw(i, s) for i, s in enumerate(([5, 16], [1, 16], [16]))]]
  )

  def second(steps):
    def call():
      sources = [x, *cell.variables]
      with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner, in_chunks(steps):
          inner.watch(x)
          loss = loss_of(tf_contrib_rnn.dynamic_rnn(cell, x, dtype=x.dtype))
        first = inner.gradient(loss, sources)
        squares = tf.add_n([tf.reduce_sum(g**2) for g in first])
      return outer.gradient(squares, sources)

    with tf_contrib_rnn.implementation(implementation):
      return (tf.function(call) if in_function else call)()

  helpers.assert_close(second(4), second(None), 1e-5)


def test_an_activation_that_reads_a_variable_is_an_error():
  slope = tf.Variable(0.5)
  cell = tf_contrib_rnn.IndRNNCell(4, lambda x: tf.maximum(x, slope * x))
  with tf.GradientTape() as tape, in_chunks(4):
    outputs, _ = tf_contrib_rnn.dynamic_rnn(
      cell, tf.ones([2, 9, 3]), dtype=tf.float32
    )
  with pytest.raises(ValueError, match="the activation reads the variables"):
    tape.gradient(outputs, slope)


def gradient_to_slope(mode, stops):
  """Uses a slope from outside in the activation of a layer."""
  stop = tf.stop_gradient if stops else tf.identity

  def run(x, slope):
    cell = tf_contrib_rnn.IndRNNCell(4, lambda x: tf.tanh(x * stop(slope)))
    with in_chunks(4):
      return tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)[0]

  if mode == "graph":
    with tf.Graph().as_default():
      sources = [tf.ones([2, 9, 3]), v1.placeholder(tf.float32, [4])]
      return tf.gradients(run(*sources), sources)
  sources = [tf.ones([2, 9, 3]), tf.fill([4], 0.5)]
  with tf.GradientTape() as tape:
    tape.watch(sources)
    outputs = run(*sources)
  return tape.gradient(outputs, sources)


@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_an_activation_that_uses_a_tensor_from_outside_is_an_error(mode):
  with pytest.raises(ValueError, match="the activation uses a tensor from out"):
    gradient_to_slope(mode, stops=False)
  of_x, of_slope = gradient_to_slope(mode, stops=True)
  assert of_x is not None and of_slope is None


def test_a_function_whose_activation_uses_its_argument_is_an_error():
  cell = tf_contrib_rnn.IndRNNCell(4, lambda x: tf.tanh(x * given[0]))
  given = [tf.constant(0.5)]
  x = tf.ones([2, 9, 3])
  cell(x[:, 0], tf.zeros([2, 4]))

  @tf.function(autograph=False)
  def run(x, slope):
    given[0] = slope
    with in_chunks(4):
      return tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)[0]

  with pytest.raises(ValueError, match="the activation uses a tensor from out"):
    with tf.GradientTape() as tape:
      slope = tf.constant(0.5)
      tape.watch(slope)
      run(x, slope)


def is_chunked(time=TIME):
  with tf.Graph().as_default() as graph:
    cell = tf_contrib_rnn.IndRNNCell(UNITS)
    tf_contrib_rnn.dynamic_rnn(
      cell, tf.ones([BATCH, time, DEPTH]), dtype=tf.float32
    )
  return loops(graph.get_operations())


def test_the_choice_is_that_of_the_innermost_block_and_of_its_thread():
  assert not is_chunked()
  with tf_contrib_rnn.gradient_in_chunks(5):
    assert is_chunked() and not is_chunked(time=5)
    with tf_contrib_rnn.gradient_in_chunks(TIME):
      assert not is_chunked()
    with pytest.raises(KeyError), tf_contrib_rnn.gradient_in_chunks(100):
      raise KeyError
    assert is_chunked()
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
      assert not executor.submit(is_chunked).result()
      context = contextvars.copy_context()
      assert executor.submit(context.run, is_chunked).result()
  assert not is_chunked()


def test_the_choice_holds_in_the_replicas_of_a_strategy():
  strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
  found = []
  for steps in (5, None):
    with in_chunks(steps):
      strategy.run(tf.function(lambda: found.append(is_chunked())))
  assert found == [True, False]


@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "4", None])
def test_wrong_steps_are_named(steps):
  message = r"^steps is .*, expected a whole number, 1 or more"
  with pytest.raises(ValueError, match=message):
    with tf_contrib_rnn.gradient_in_chunks(steps):
      pass


def test_steps_may_be_more_than_an_int32_holds():
  x = draw(9, [BATCH, TIME, DEPTH])
  assert_same(2**31, "graph", "IndyGRU", x, None, unknown=True)


@pytest.mark.parametrize("implementation", ["fused", "composed"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_keras(name, go_backwards, masked, implementation):
  layer = getattr(keras, name)(
    UNITS, return_sequences=True, return_state=True, go_backwards=go_backwards
  )
  x = tf.constant(draw(9, [BATCH, TIME, DEPTH]))
  mask = tf.constant(draw(8, [BATCH, TIME]) > 0) if masked else None
  layer(x)

  def results(steps):
    with tf_contrib_rnn.implementation(implementation), in_chunks(steps):
      with tf.GradientTape() as tape:
        tape.watch(x)
        found = layer(x, mask=mask)
        loss = loss_of(found)
    return found, tape.gradient(loss, [x, *layer.trainable_variables])

  helpers.assert_close(results(5), results(None), 2e-6)


def test_keras_with_dropout_trains():
  layer = keras.IndyGRU(UNITS, dropout=0.5, seed=1)
  x = tf.constant(draw(9, [BATCH, TIME, DEPTH]))
  layer(x)
  with in_chunks(5), tf.GradientTape() as tape:
    loss = loss_of(layer(x, training=True))
  gradients = tape.gradient(loss, layer.trainable_variables)
  assert all(np.isfinite(g).all() and np.any(g) for g in gradients)


def test_a_tensorflow_1_program_in_a_process_of_its_own():
  printed = helpers.run_script(
    """
    import contextlib
    import numpy as np
    import tensorflow as tf
    import tf_contrib_rnn
    v1 = tf.compat.v1
    v1.disable_v2_behavior()
    x = np.random.RandomState(0).uniform(-1, 1, [3, 13, 5])

    def run_in_loop(fed, make_context):
      cell = tf_contrib_rnn.IndyGRUCell(5)

      def body(number, sequences):
        with make_context():
          outputs, _ = tf_contrib_rnn.dynamic_rnn(
            cell, sequences, [13, 0, 5], dtype=tf.float32)
        return number + 1, outputs

      cell(fed[:, 0], cell.zero_state(3, tf.float32))
      shapes = (tf.TensorShape([]), fed.shape)
      return v1.while_loop(lambda n, _: n < 2, body, (0, fed), shapes)[1]

    def gradients_in_loop(make_context):
      with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(1)
        fed = v1.placeholder(tf.float32, [3, None, 5])
        loss = tf.reduce_sum(tf.sin(run_in_loop(fed, make_context)))
        found = tf.gradients(loss, [fed, *v1.trainable_variables()])
        session.run(v1.global_variables_initializer())
        return session.run(found, {fed: x})

    def gradients(implementation, context):
      with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(1)
        fed = v1.placeholder(tf.float32, [None, None, 5])
        cells = [tf_contrib_rnn.IndyLSTMCell(4), tf_contrib_rnn.SRUCell(4)]
        with tf_contrib_rnn.implementation(implementation), context:
          outputs, state = tf_contrib_rnn.dynamic_rnn(
            tf_contrib_rnn.MultiRNNCell(cells), fed, [13, 0, 5],
            dtype=tf.float32)
        loss = tf.reduce_sum(tf.sin(outputs))
        found = tf.gradients(loss, [fed, *v1.trainable_variables()])
        session.run(v1.global_variables_initializer())
        return session.run(found, {fed: x})

    for implementation in ("fused", "composed"):
      plain = gradients(implementation, contextlib.nullcontext())
      chunked = gradients(implementation, tf_contrib_rnn.gradient_in_chunks(5))
      for a, b in zip(plain, chunked):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=2e-6)
    plain = gradients_in_loop(contextlib.nullcontext)
    chunked = gradients_in_loop(lambda: tf_contrib_rnn.gradient_in_chunks(5))
    for a, b in zip(plain, chunked):
      np.testing.assert_allclose(b, a, rtol=1e-5, atol=5e-6)
    print("same", v1.control_flow_v2_enabled())
    """
  )
  assert printed.splitlines()[-1] == "same False"


PEAK = """
import contextlib
import sys
import tensorflow as tf
import tf_contrib_rnn

def read(name):
  with open("/proc/self/status", encoding="ascii") as file:
    return next(int(l.split()[1]) for l in file if l.startswith(name)) / 1024

cell = tf_contrib_rnn.IndyLSTMCell(256)

@tf.function(autograph=False)
def step(x):
  with tf.GradientTape() as tape:
    _, state = tf_contrib_rnn.dynamic_rnn(cell, x, dtype=tf.float32)
  return [tf.reduce_sum(g) for g in tape.gradient(state.h, cell.variables)]

cell(tf.zeros([1, 8]), cell.zero_state(1, tf.float32))
with tf_contrib_rnn.gradient_in_chunks(int(sys.argv[1])):
  step(tf.ones([2, 200, 8]))
  held = read("VmRSS")
  step(tf.ones([4, 10000, 8]))
print(read("VmHWM") - held)
"""


def test_a_training_step_needs_less_memory():
  plain, chunked = (
    float(helpers.run_script(PEAK, steps)) for steps in (10**6, 100)
  )
  product = 4 * 4 * 10000 * 4 * 256 / 2**20  # MiB
  # The outputs, their gradient and copies of them are left.
  assert plain - chunked > product
