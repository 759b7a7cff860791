"""The recurrences on projected inputs: fused against composed, finite
differences and NumPy, for sequences and steps."""

import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import recurrence
from tf_contrib_rnn.ops import fused
from tf_contrib_rnn.ops import library

pytestmark = pytest.mark.every_pair

GATES = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4}
CELLS = list(GATES)
TOLERANCES = {
  "float16": 2e-2,
  "bfloat16": 2e-1,
  "float32": 1e-5,
  "float64": 1e-12,
}


class Call:
  """Random arguments of a recurrence, and what it gives for them."""

  def __init__(
    self,
    cell,
    time,
    batch,
    units,
    dtype="float64",
    step=False,
    biases=1,
    **options,
  ):
    rng = np.random.RandomState(time + 10 * batch + 100 * units)
    draw = lambda *shape: tf.constant(rng.uniform(-1, 1, shape), dtype=dtype)
    self.function = getattr(recurrence, cell)
    self.options = options
    width = GATES[cell] * units
    leading = (
      (batch,)
      if step
      else ((time, batch) if options.get("time_major") else (batch, time))
    )
    states = 2 if cell == "indy_lstm" else 1
    bias = draw(2, width) if biases == 2 else draw(width)
    self.arguments = [draw(*leading, width) * 2, draw(1, width), bias]
    self.arguments += [draw(batch, units) for _ in range(states)]
    self.weights = [draw(*leading, units)]
    self.weights += [draw(batch, units) for _ in range(states)]

  def results(self, arguments):
    """The outputs and final states, flat."""
    state = arguments[3:] if len(arguments) > 4 else arguments[3]
    return tf.nest.flatten(self.function(*arguments[:3], state, **self.options))

  def loss(self, arguments):
    """A number that weighs every element of every result differently."""
    return tf.add_n(
      [
        tf.reduce_sum(tf.cast(result * weight, tf.float64))
        for result, weight in zip(self.results(arguments), self.weights)
      ]
    )

  def results_and_gradients(self, implementation):
    with tf_contrib_rnn.implementation(implementation):
      with tf.GradientTape() as tape:
        tape.watch(self.arguments)
        loss = self.loss(self.arguments)
      results = self.results(self.arguments)
      return results + tape.gradient(loss, self.arguments)


def compare(actual, expected, tolerance):
  assert len(actual) == len(expected)
  for a, e in zip(actual, expected):
    assert a.shape == e.shape and a.dtype == e.dtype
    a, e = (np.asarray(x).astype(np.float64) for x in (a, e))
    scale = max(1.0, np.abs(e).max(initial=0))
    np.testing.assert_allclose(a, e, rtol=0, atol=tolerance * scale)


def compare_implementations(call, tolerance):
  compare(
    call.results_and_gradients("fused"),
    call.results_and_gradients("composed"),
    tolerance,
  )


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("activation", fused.ACTIVATIONS)
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_activations_and_dtypes(cell, activation, dtype):
  call = Call(cell, 5, 3, 7, dtype, activation=fused.ACTIVATIONS[activation])
  compare_implementations(call, TOLERANCES[dtype])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [0, 3, -2, 4, 9], [0] * 5])
def test_order_and_lengths(cell, time_major, reverse, lengths):
  call = Call(
    cell,
    4,
    5,
    3,
    time_major=time_major,
    reverse=reverse,
    sequence_length=lengths,
  )
  compare_implementations(call, 1e-12)


# Every order of gates that a cell has, with one bias and two.
LAYOUTS = [
  (cell, {"biases": biases, **({"gate_order": order} if order else {})})
  for cell in CELLS
  for order in ([None] if cell == "ind_rnn" else ["contrib", "keras"])
  for biases in (1, 2)
]
every_layout = pytest.mark.parametrize("cell, layout", LAYOUTS)


@every_layout
@pytest.mark.parametrize("step", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_layouts(cell, layout, step, dtype):
  call = Call(cell, 5, 3, 17, dtype, step, **layout)
  compare_implementations(call, TOLERANCES[dtype])


def step_by_keras(cell, x, u, b, states):
  """One step of Keras's cell with diagonal matrices, its bias of two rows."""
  units = states[0].shape[-1]
  gates = len(u[0]) // units
  diagonals = [np.diag(part) for part in np.split(u[0], gates)]
  weights = [np.eye(gates * units), np.concatenate(diagonals, axis=1)]
  layers = tf.keras.layers
  if cell == "indy_gru":
    keras_cell = layers.GRUCell(units, reset_after=True, dtype="float64")
  else:
    keras_cell = layers.LSTMCell(units, dtype="float64")
    b = b.sum(axis=0)
  keras_cell.build((None, gates * units))
  keras_cell.set_weights([*weights, b])
  return keras_cell(tf.constant(x), [tf.constant(s) for s in states])[0]


@pytest.mark.parametrize("implementation", ["fused", "composed"])
@pytest.mark.parametrize("cell", ["indy_gru", "indy_lstm"])
def test_the_gates_and_biases_of_keras(cell, implementation):
  call = Call(cell, 1, 3, 5, step=True, biases=2, gate_order="keras")
  if cell == "indy_lstm":
    call.options["forget_bias"] = 0.0
  x, u, b, *states = (argument.numpy() for argument in call.arguments)
  with tf_contrib_rnn.implementation(implementation):
    outputs = call.results(call.arguments)[0]
  expected = step_by_keras(cell, x, u, b, states[::-1])  # h, c
  np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", ["indy_gru", "indy_lstm"])
def test_an_unknown_order_of_gates_is_named(cell):
  with pytest.raises(ValueError, match="gate_order is 'cudnn', expected"):
    Call(cell, 2, 3, 4, gate_order="cudnn").results_and_gradients("fused")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [1, 2, 15, 16, 17, 129, 151])
def test_odd_sizes(cell, units):
  compare_implementations(Call(cell, 3, 5, units), 1e-12)
  compare_implementations(Call(cell, 3, 2, units, "float32"), 1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", [(0, 2, 3), (2, 0, 3), (2, 3, 0), (0, 0, 0)])
def test_empty_sizes(cell, sizes):
  call = Call(cell, *sizes)
  compare_implementations(call, 0)
  # Sizes are known beforehand here, and TensorFlow leaves a loop out.
  compute = tf.function(call.results_and_gradients)
  compare(compute("fused"), compute("composed"), 0)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lengths", [[2, 0, 3], [5, 5, 5]])
def test_results_past_the_length(cell, lengths):
  call = Call(cell, 5, 3, 4, sequence_length=lengths)
  outputs, *states = call.results(call.arguments)
  for row, length in enumerate(lengths):
    assert not np.any(outputs[row, length:])
    last = outputs[row, length - 1] if length else call.arguments[-1][row]
    np.testing.assert_array_equal(states[-1][row], last)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("step", [False, True])
def test_gradients_against_finite_differences(cell, step):
  call = Call(
    cell, 4, 3, 2, step=step, **({} if step else {"sequence_length": [4, 2, 0]})
  )
  theoretical, numerical = tf.test.compute_gradient(
    lambda *arguments: call.loss(list(arguments)), call.arguments, delta=1e-6
  )
  for t, n in zip(theoretical, numerical):
    np.testing.assert_allclose(t, n, rtol=1e-6, atol=1e-7)


def function_of_gradients(call, arguments):
  """A number that depends on every first-order gradient, not linearly."""
  with tf.GradientTape() as tape:
    tape.watch(arguments)
    loss = call.loss(arguments) ** 2
  return tf.add_n(
    [
      tf.reduce_sum(tf.sin(gradient))
      for gradient in tape.gradient(loss, arguments)
    ]
  )


@every_layout
@pytest.mark.parametrize("step", [False, True])
@pytest.mark.parametrize("in_function", [False, True])
def test_second_order_gradients(cell, layout, step, in_function):
  call = Call(
    cell,
    3,
    2,
    2,
    step=step,
    **layout,
    **({} if step else {"sequence_length": [3, 1], "reverse": True}),
  )
  function = lambda *arguments: function_of_gradients(call, list(arguments))
  if in_function:
    function = tf.function(function)
  theoretical, numerical = tf.test.compute_gradient(
    function, call.arguments, delta=1e-6
  )
  for t, n in zip(theoretical, numerical):
    np.testing.assert_allclose(t, n, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_second_order_gradients_in_a_tensorflow_1_graph(cell):
  call = Call(cell, 3, 2, 2)
  found = {}
  for implementation in ("fused", "composed"):
    with tf.Graph().as_default(), tf_contrib_rnn.implementation(implementation):
      arguments = [
        tf.constant(a)
        for a in found.setdefault(
          "arguments", [a.numpy() for a in call.arguments]
        )
      ]
      weights = (
        [w.numpy() for w in call.weights]
        if not found.get("weights")
        else found["weights"]
      )
      found["weights"] = weights
      state = arguments[3:] if len(arguments) > 4 else arguments[3]
      results = tf.nest.flatten(call.function(*arguments[:3], state))
      loss = sum(tf.reduce_sum(r * w) for r, w in zip(results, weights)) ** 2
      first = tf.compat.v1.gradients(loss, arguments)
      total = sum(tf.reduce_sum(tf.sin(g)) for g in first)
      second = tf.compat.v1.gradients(total, arguments)
      with tf.compat.v1.Session() as session:
        found[implementation] = session.run(second)
  for got, want in zip(found["fused"], found["composed"]):
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("inputs_batch, state_batch", [(1, 4), (4, 1), (1, 1)])
def test_a_step_broadcasts_a_batch_of_one(cell, inputs_batch, state_batch):
  call = Call(cell, 1, 4, 3, step=True)
  call.arguments[0] = call.arguments[0][:inputs_batch]
  call.arguments[3:] = [s[:state_batch] for s in call.arguments[3:]]
  batch = max(inputs_batch, state_batch)
  call.weights = [w[:batch] for w in call.weights]
  compare_implementations(call, 1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_shapes_are_inferred(cell):
  width = GATES[cell] * 7
  states = [tf.zeros([3, 7])] * (2 if cell == "indy_lstm" else 1)
  with tf.Graph().as_default():
    states = [np.zeros([3, 7], "f")] * len(states)
    for shape, expected in [
      ([3, 5, width], [3, 5, 7]),
      ([None, 5, width], [3, 5, 7]),
      ([3, None, None], [3, None, 7]),
      ([3, width], [3, 7]),
    ]:
      outputs, final = getattr(recurrence, cell)(
        tf.compat.v1.placeholder(tf.float32, shape),
        np.zeros([1, width], "f"),
        np.zeros([width], "f"),
        states if len(states) > 1 else states[0],
      )
      assert outputs.shape.as_list() == expected
      assert tf.nest.flatten(final)[0].shape == [3, 7]


@pytest.mark.parametrize("shape", [None, [], [3], [1, 2, 3, 4]])
@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_inputs_of_another_rank_are_refused(shape, implementation):
  with tf.Graph().as_default(), tf_contrib_rnn.implementation(implementation):
    with pytest.raises(ValueError, match="inputs has shape .*, expected rank"):
      recurrence.ind_rnn(
        tf.compat.v1.placeholder(tf.float32, shape),
        np.zeros([1, 4], "f"),
        np.zeros([4], "f"),
        np.zeros([3, 4], "f"),
      )


@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_other_shapes_that_do_not_match_are_named(implementation):
  good = [np.zeros(s, "f") for s in ([3, 5, 4], [1, 4], [4], [3, 4])]
  bad = [
    (1, "recurrent_kernel", [4]),
    (2, "bias", [3]),
    (2, "bias", [3, 4]),
    (2, "bias", [2, 3]),
    (3, "state", [3, 1]),
  ]
  with tf_contrib_rnn.implementation(implementation):
    for position, name, shape in bad:
      arguments = list(good)
      arguments[position] = np.zeros(shape, "f")
      with pytest.raises(ValueError, match=f"{name} has shape .*, expected"):
        recurrence.ind_rnn(*arguments)
    with pytest.raises(ValueError, match="sequence_length has shape"):
      recurrence.ind_rnn(*good, sequence_length=[1])
    with pytest.raises(ValueError, match="sequence_length is given with"):
      recurrence.ind_rnn(good[3], *good[1:], sequence_length=[1, 2, 3])


@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_other_wrong_arguments_are_named(implementation):
  x, u, b, h = (np.zeros(s, "f") for s in ([3, 5, 12], [1, 12], [12], [3, 4]))
  lstm = np.zeros([3, 5, 16], "f"), np.zeros([1, 16], "f"), np.zeros([16], "f")
  with tf_contrib_rnn.implementation(implementation):
    for states in ((h,), (h, h, h)):
      with pytest.raises(ValueError, match="initial_state has . parts"):
        recurrence.indy_lstm(*lstm, states)
    for activation in (None, "relu"):
      with pytest.raises(TypeError, match=f"activation is {activation!r}"):
        recurrence.indy_gru(x, u, b, h, activation=activation)
    with pytest.raises(ValueError, match="recurrent_kernel has 1 parts"):
      recurrence.indy_gru(x, u, (b[:8], b[8:]), h)
    with pytest.raises(TypeError, match="sequence_length has dtype float"):
      recurrence.indy_gru(x, u, b, h, sequence_length=[1.5, 2.0, 1.0])
    outputs, _ = recurrence.indy_gru(x, u, b, h, reverse=np.bool_(True))
    assert outputs.shape == [3, 5, 4]


@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_a_length_vector_of_another_size_fails_when_run(implementation):
  function = tf.function(
    lambda x, lengths: recurrence.ind_rnn(
      x,
      np.zeros([1, 4], "f"),
      np.zeros([4], "f"),
      np.zeros([3, 4], "f"),
      sequence_length=lengths,
    ),
    input_signature=[
      tf.TensorSpec([None, None, 4]),
      tf.TensorSpec([None], tf.int32),
    ],
  )
  with tf_contrib_rnn.implementation(implementation):
    with pytest.raises(tf.errors.InvalidArgumentError):
      function(tf.zeros([3, 5, 4]), tf.constant([1]))


@pytest.mark.parametrize("cell", CELLS)
def test_sequence_length_of_int64_and_lists(cell):
  results = []
  for lengths in ([2, 3], np.array([2, 3]), tf.constant([2, 3], tf.int64)):
    call = Call(cell, 4, 2, 3, sequence_length=lengths)
    results.append(call.results(call.arguments))
  for other in results[1:]:
    compare(other, results[0], 0)


def test_sequence_length_past_int32_counts_as_the_end():
  lengths = tf.constant([2**31 + 5, -(2**40)], tf.int64)
  far = Call("indy_gru", 4, 2, 3, sequence_length=lengths)
  near = Call("indy_gru", 4, 2, 3, sequence_length=[4, 0])
  compare(far.results(far.arguments), near.results(near.arguments), 0)


@pytest.mark.parametrize("forget_bias", [0.3, -1e-9, 1e39, -1e39, np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forget_bias_beyond_float32(forget_bias, dtype):
  call = Call("indy_lstm", 4, 3, 5, dtype, forget_bias=forget_bias)
  compare_implementations(call, 1e-14 if dtype == "float64" else 1e-6)


def test_second_order_gradients_with_forget_bias_beyond_float32():
  found = []
  for implementation in ("fused", "composed"):
    call = Call("indy_lstm", 2, 2, 3, forget_bias=0.3)
    with tf_contrib_rnn.implementation(implementation):
      with tf.GradientTape() as tape:
        tape.watch(call.arguments)
        number = function_of_gradients(call, call.arguments)
      found.append(tape.gradient(number, call.arguments))
  compare(*found, 1e-12)


@pytest.mark.parametrize("c_batch, h_batch", [(1, 4), (4, 1)])
@pytest.mark.parametrize("inputs_batch", [1, 4])
def test_a_step_broadcasts_each_state_by_itself(c_batch, h_batch, inputs_batch):
  call = Call("indy_lstm", 1, 4, 3, step=True)
  inputs, u, b, c, h = call.arguments
  call.arguments = [inputs[:inputs_batch], u, b, c[:c_batch], h[:h_batch]]
  compare_implementations(call, 1e-13)


def test_gradient_of_the_c_of_every_step():
  call = Call("indy_lstm", 5, 3, 4)
  with tf.GradientTape(persistent=True) as tape:
    tape.watch(call.arguments)
    inputs, u, b, *states = call.arguments
    outputs = library.ops.contrib_rnn_indy_lstm(
      inputs, u, [], b, [], *states, []
    )
    of_op = tf.reduce_sum(outputs.cells * call.weights[0])
    states, of_steps = call.arguments[3:], 0
    for time in range(5):
      _, states = recurrence.indy_lstm(
        call.arguments[0][:, time], *call.arguments[1:3], states
      )
      of_steps += tf.reduce_sum(states[0] * call.weights[0][:, time])
  compare(
    tape.gradient(of_op, call.arguments),
    tape.gradient(of_steps, call.arguments),
    1e-12,
  )


@pytest.mark.parametrize(
  "dtype, tolerance", [("float16", 5e-3), ("float32", 1e-5)]
)
def test_softsign_has_a_gradient_far_from_zero(dtype, tolerance):
  inputs = tf.constant([[200.0, -200.0, 50.0]], dtype)
  zeros = tf.zeros([3], dtype)
  with tf.GradientTape() as tape:
    tape.watch(inputs)
    outputs, _ = recurrence.ind_rnn(
      inputs, zeros[None], zeros, zeros[None], activation=tf.nn.softsign
    )
  found = np.asarray(tape.gradient(outputs, inputs)).astype(np.float64)
  expected = (1 + np.abs(np.asarray(inputs).astype(np.float64))) ** -2
  np.testing.assert_allclose(found, expected, rtol=tolerance)


@pytest.mark.parametrize(
  "name, function",
  [
    ("sigmoid", tf.sigmoid),
    ("tanh", tf.tanh),
    ("elu", tf.nn.elu),
    ("relu", tf.nn.relu),
    ("softsign", tf.nn.softsign),
  ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values_are_as_tensorflow_has_them(name, function, dtype):
  values = np.array(
    [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30, -1e30, 200, -200], dtype
  )[np.newaxis]
  zeros = np.zeros([9], dtype)
  outputs, _ = recurrence.ind_rnn(
    values,
    zeros[np.newaxis],
    zeros,
    zeros[np.newaxis],
    activation=fused.ACTIVATIONS[name],
  )
  # sigmoid stops at its least normal numbers.
  least = 2 * np.finfo(dtype).tiny
  np.testing.assert_allclose(outputs, function(values), rtol=0, atol=least)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_float32_is_within_4_ulp(name):
  """Without fused products, small values of sigmoid are off by more."""
  bits = np.arange(0, 1 << 32, 1021, dtype=np.int64).astype(np.uint32)
  values = bits.view(np.float32)
  values = values[np.isfinite(values)][np.newaxis]
  zeros = np.zeros(values.shape[1], np.float32)
  outputs, _ = recurrence.ind_rnn(
    values,
    zeros[np.newaxis],
    zeros,
    zeros[np.newaxis],
    activation=fused.ACTIVATIONS[name],
  )
  wide = values.astype(np.float64)
  true = np.tanh(wide) if name == "tanh" else np.exp(-np.logaddexp(0, -wide))
  # sigmoid ends above the subnormal numbers, which TensorFlow flushes to zero.
  least = 2 * np.finfo(np.float32).tiny
  is_large = np.abs(true) >= least
  ulp = np.spacing(np.abs(true).astype(np.float32)).astype(np.float64)
  error = np.abs(outputs.numpy() - true) / ulp
  allowed = 4 + (1.5 * np.maximum(-wide, 0) if name == "sigmoid" else 0 * wide)
  assert (error / allowed)[is_large].max() <= 1
  assert np.abs(outputs.numpy() - true)[~is_large].max() <= least


THREADS = """
import sys, hashlib, numpy as np, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
from tf_contrib_rnn import recurrence
rng = np.random.RandomState(1)
digest = hashlib.sha256()
for cell, gates in (("ind_rnn", 1), ("indy_gru", 3), ("indy_lstm", 4)):
  for batch, units in ((37, 151), (1, 700)):
    draw = lambda *shape: tf.constant(
        rng.uniform(-1, 1, shape).astype(np.float32))
    states = [draw(batch, units) for _ in range(2 if gates == 4 else 1)]
    sources = [draw(40, batch, gates * units), draw(1, gates * units),
               draw(gates * units)]
    with tf.GradientTape() as tape:
      tape.watch([sources, states])
      results = tf.nest.flatten(getattr(recurrence, cell)(
          *sources, states if gates == 4 else states[0], time_major=True,
          sequence_length=[40 - i for i in range(batch)]))
      loss = tf.reduce_sum(results[0] * draw(40, batch, units))
    results += tape.gradient(loss, [*sources, *states])
    for result in results:
      digest.update(result.numpy().tobytes())
print(digest.hexdigest())
"""


def test_same_bits_for_any_number_of_threads():
  digests = {
    helpers.run_script(THREADS, threads).split()[-1]
    for threads in (1, 2, 3, 16)
  }
  assert len(digests) == 1


def run_parts(weights, x, h, **options):
  """Outputs of an IndyGRU, first and second derivatives; u and b in parts."""
  with tf.GradientTape() as outer:
    outer.watch([weights, x])
    with tf.GradientTape() as inner:
      inner.watch([weights, x])
      outputs, _ = recurrence.indy_gru(x, *weights, h, **options)
      loss = tf.reduce_sum(tf.sin(outputs))
    first = tf.nest.flatten(inner.gradient(loss, [weights, x]))
    number = tf.add_n([tf.reduce_sum(tf.square(g)) for g in first])
  second = tf.nest.flatten(outer.gradient(number, [weights, x]))
  # The parts as one.
  join = lambda g: [tf.concat(g[:2], -1), tf.concat(g[2:4], -1), g[4]]
  return [outputs, *join(first), *join(second)]


@pytest.mark.parametrize("implementation", ["fused", "composed"])
@pytest.mark.parametrize("is_step", [True, False])
def test_weights_in_parts_are_as_weights_in_one(implementation, is_step):
  call = Call("indy_gru", 4, 3, 5, step=is_step, time_major=True)
  x, u, b, h = call.arguments
  with tf_contrib_rnn.implementation(implementation):
    found = run_parts(
      ((u[:, :10], u[:, 10:]), (b[:10], b[10:])), x, h, time_major=True
    )
    no_kernel, no_bias = tf.zeros([1, 0], u.dtype), tf.zeros([0], b.dtype)
    whole = run_parts(((u, no_kernel), (b, no_bias)), x, h, time_major=True)
    outputs, _ = recurrence.indy_gru(x, u, b, h, time_major=True)
  np.testing.assert_array_equal(found[0], outputs)
  compare(found, whole, 1e-13)


@pytest.mark.parametrize("implementation", ["fused", "composed"])
def test_parts_of_another_size_are_refused(implementation):
  x, u, b, h = Call("indy_gru", 4, 3, 5).arguments
  for recurrent_kernels, biases in (
    ((u[:, :10], u[:, 10:]), (b[:10], b[11:])),
    ((u[:, :10], u[:, 10:]), (b[:9], b[9:])),
    ((u, u), (b, b)),
  ):
    with tf_contrib_rnn.implementation(implementation):
      with pytest.raises(ValueError, match="part"):
        recurrence.indy_gru(x, recurrent_kernels, biases, h)


def test_a_graph_from_before_weights_had_parts_runs():
  call = Call("indy_gru", 4, 3, 5)
  with tf.Graph().as_default() as graph:
    x, *others = (tf.constant(a.numpy()) for a in call.arguments)
    outputs, _ = call.function(x, *others)
    (gradient,) = tf.gradients(outputs, x)
    definition = graph.as_graph_def()
    with tf.compat.v1.Session() as session:
      want = session.run([outputs, gradient])
  ops = [n for n in definition.node if n.op.startswith("ContribRnn>")]
  for node in ops:
    del node.attr["num_more"]
  assert {node.op[-4:] for node in ops} == {"yGRU", "Grad"}
  with tf.Graph().as_default():
    found = tf.import_graph_def(
      definition, return_elements=[outputs.name, gradient.name]
    )
    with tf.compat.v1.Session() as session:
      np.testing.assert_equal(session.run(found), want)


def test_a_gradient_in_place_of_its_inputs_spoils_no_others():
  """The op may write the gradient over inputs that nothing else needs."""
  call = Call("indy_gru", 4, 3, 5)
  x, *others = call.arguments

  def gradients(projected):
    with tf.GradientTape() as tape:
      tape.watch(projected)
      outputs, _ = call.function(projected, *others)
    return tape.gradient(outputs, projected)

  @tf.function
  def run(x):
    alone = gradients(2 * x)  # nothing else needs this product
    projected = tf.sin(x)
    gradient = gradients(projected)
    with tf.control_dependencies([gradient]):
      return alone, gradient, tf.identity(projected)

  for _ in range(2):
    alone, gradient, projected = run(x)
    np.testing.assert_array_equal(alone, gradients(2 * x))
    np.testing.assert_array_equal(gradient, gradients(tf.sin(x)))
    np.testing.assert_array_equal(projected, tf.sin(x))


@pytest.mark.parametrize(
  "cell,parts", [*((cell, 1) for cell in CELLS), ("indy_gru", 2)]
)
def test_a_saved_training_step_is_loaded(cell, parts, tmp_path):
  """A SavedModel has no attributes that have their default."""
  call = Call(cell, 4, 3, 5, "float32")

  @tf.function(input_signature=[tf.TensorSpec([None, None, None])])
  def step(x):
    u, b, *states = call.arguments[1:]
    if parts == 2:
      u, b = (u[:, :10], u[:, 10:]), (b[:10], b[10:])
    with tf.GradientTape() as tape:
      tape.watch([x, u, b])
      outputs = tf.nest.flatten(
        call.function(x, u, b, states if len(states) == 2 else states[0])
      )
    return outputs + tf.nest.flatten(tape.gradient(outputs, [x, u, b]))

  module = tf.Module()
  module.step = step
  tf.saved_model.save(module, str(tmp_path))
  loaded = tf.saved_model.load(str(tmp_path))
  for x in (call.arguments[0], call.arguments[0][:, :2]):
    compare(loaded.step(x), step(x), 1e-6)
