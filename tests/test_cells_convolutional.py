"""ConvLSTMCell and its relatives of one, two and three axes."""

import cell_helpers
import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import core

v1 = tf.compat.v1

# Axes and channels of the inputs, and a kernel, by the number of axes.
SHAPES = {
  1: ([5, 2], [3]),
  2: ([4, 3, 2], [2, 3]),
  3: ([2, 3, 2, 1], [2, 1, 3]),
}
CLASSES = {
  1: tf_contrib_rnn.Conv1DLSTMCell,
  2: tf_contrib_rnn.Conv2DLSTMCell,
  3: tf_contrib_rnn.Conv3DLSTMCell,
}


def make(axes=1, channels=3, **keywords):
  input_shape, kernel_shape = SHAPES[axes]
  keywords.setdefault("input_shape", [*input_shape])
  keywords.setdefault("kernel_shape", kernel_shape)
  return CLASSES[axes](output_channels=channels, **keywords)


def draw_arrays(axes=1, channels=3, batch=2, dtype="float64"):
  rng = np.random.RandomState(axes)
  shape = [batch, *SHAPES[axes][0]]
  states = [
    helpers.random(rng, [*shape[:-1], channels], dtype) for _ in range(2)
  ]
  return helpers.random(rng, shape, dtype), core.LSTMStateTuple(*states)


def numpy_convolve(x, kernel):
  """What TensorFlow calls a convolution, padded as "SAME"."""
  sizes = kernel.shape[:-2]
  padding = [((size - 1) // 2, size // 2) for size in sizes]
  padded = np.pad(x, [(0, 0), *padding, (0, 0)])
  total = 0
  for offsets in np.ndindex(*sizes):
    window = tuple(
      slice(k, k + size) for k, size in zip(offsets, x.shape[1:-1])
    )
    total = total + padded[(slice(None), *window)] @ kernel[offsets]
  return total


def numpy_step(weights, x, states, forget_bias=1.0, skip=False):
  """The output, new c and new h in float64."""
  x, c, h = helpers.as_float64([x, *states])
  weights = {name: np.float64(w) for name, w in weights.items()}
  sums = numpy_convolve(np.concatenate([x, h], -1), weights["kernel"])
  i, j, f, o = np.split(sums + weights.get("biases", 0), 4, -1)
  c = helpers.sigmoid(f + forget_bias) * c + helpers.sigmoid(i) * np.tanh(j)
  h = np.tanh(c) * helpers.sigmoid(o)
  if skip:
    h = np.concatenate([h, x], -1)
  return h, c, h


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("forget_bias", [1.0, -0.3])
def test_step(mode, axes, use_bias, skip, forget_bias):
  x, state = draw_arrays(axes)
  got, weights = cell_helpers.run_step(
    mode,
    lambda: make(
      axes, use_bias=use_bias, skip_connection=skip, forget_bias=forget_bias
    ),
    x,
    state,
  )
  assert ("biases" in weights) is use_bias
  want = numpy_step(weights, x, state, forget_bias, skip)
  helpers.assert_close(got, want, 1e-12)


@pytest.mark.parametrize("kernel_shape", [[1], [2], (4,), [5], [9]])
def test_kernels_of_odd_and_even_sizes(kernel_shape):
  x, state = draw_arrays()
  got, weights = cell_helpers.run_step(
    "graph", lambda: make(kernel_shape=kernel_shape), x, state
  )
  helpers.assert_close(got, numpy_step(weights, x, state), 1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_dtypes(dtype, axes):
  x, state = draw_arrays(axes, dtype=dtype)
  cell = make(axes)
  cell(tf.constant(x), cell_helpers.as_tensors(state))
  weights = cell_helpers.assign(cell)
  with tf.GradientTape() as tape:
    got = cell(tf.constant(x), cell_helpers.as_tensors(state))
    total = tf.reduce_sum(got[0])
  assert {t.dtype.name for t in tf.nest.flatten(got)} == {dtype}
  helpers.assert_close(
    got, numpy_step(weights, x, state), helpers.TOLERANCES[dtype]
  )
  for gradient in tape.gradient(total, cell.variables):
    assert gradient.dtype.name == dtype
    assert np.all(np.isfinite(np.float64(gradient)))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_gradients(axes):
  x, state = draw_arrays(axes, channels=1, batch=1)
  cell_helpers.check_gradients(
    lambda: make(axes, channels=1), x, state, numpy_step
  )


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_variables_and_sizes(axes):
  (*sizes, depth), kernel_shape = SHAPES[axes]
  with tf.Graph().as_default(), v1.Session() as session:
    cell = make(axes, channels=7)
    cell(tf.zeros([2, *sizes, depth]), cell.zero_state(2, tf.float32))
    name = f"conv_{axes}d_lstm_cell"
    assert cell.name == name
    assert [(v.name, v.shape.as_list()) for v in cell.variables] == [
      (f"{name}/kernel:0", [*kernel_shape, depth + 7, 28]),
      (f"{name}/biases:0", [28]),
    ]
    session.run(v1.global_variables_initializer())
    kernel, biases = session.run(cell.variables)
    # Glorot's: the inputs and outputs of each position of the kernel.
    limit = np.sqrt(6 / (np.prod(kernel_shape) * (depth + 7 + 28)))
    assert 0.9 * limit < np.max(np.abs(kernel)) <= limit
    assert not np.any(biases)
  assert cell.state_size == core.LSTMStateTuple([*sizes, 7], [*sizes, 7])
  assert cell.output_size == [*sizes, 7]
  wide = make(axes, channels=7, skip_connection=True)
  assert wide.state_size == cell.state_size
  assert wide.output_size == [*sizes, 7 + depth]


def call(cell, batch=2):
  inputs = tf.zeros([batch, *SHAPES[1][0]])
  return cell(inputs, cell.zero_state(batch, tf.float32))


def names():
  return [v.name for v in v1.global_variables()]


def test_names_in_scopes():
  with tf.Graph().as_default():
    with v1.variable_scope("a"):
      call(tf_contrib_rnn.ConvLSTMCell(1, [5, 2], 3, [2], name="mine"))
      call(tf_contrib_rnn.ConvLSTMCell(1, [5, 2], 3, [2]))
    cell = make()
    cell(tf.zeros([2, 5, 2]), cell.zero_state(2, tf.float32), scope="b")
    call(tf_contrib_rnn.Conv1DLSTMCell("c", **arguments()))
    kernels = ["a/mine", "a/conv_lstm_cell", "b", "c"]
    assert names()[::2] == [f"{name}/kernel:0" for name in kernels]


def arguments(**keywords):
  return {
    "input_shape": [5, 2],
    "output_channels": 3,
    "kernel_shape": [2],
    **keywords,
  }


def test_reuse():
  with tf.Graph().as_default():
    cell = make()
    call(cell)
    call(cell)
    assert len(names()) == 2
    with pytest.raises(ValueError, match="kernel already exists"):
      call(make())
    with v1.variable_scope(v1.get_variable_scope(), reuse=True):
      call(make())
      with pytest.raises(ValueError, match="specified shape"):
        call(make(channels=4))
    with v1.variable_scope("new", reuse=v1.AUTO_REUSE):
      call(make())
      call(make())
    assert len(names()) == 4
    with v1.variable_scope("other", reuse=True):
      with pytest.raises(ValueError, match="does not exist"):
        call(make())
  with pytest.raises(TypeError, match="reuse"):
    make(reuse=True)


def test_scope_options():
  with tf.Graph().as_default(), v1.Session() as session:
    with v1.variable_scope(
      "a",
      initializer=v1.constant_initializer(0.5),
      partitioner=v1.fixed_size_partitioner(2),
      regularizer=tf.reduce_sum,
    ):
      output, _ = call(make(initializers=v1.ones_initializer()))
    assert [v.shape.as_list() for v in v1.global_variables()] == [
      [2, 5, 12],
      [1, 5, 12],
      [6],
      [6],
    ]
    assert len(v1.get_collection("regularization_losses")) == 4
    session.run(v1.global_variables_initializer())
    kernel, _, biases, _ = session.run(v1.global_variables())
    assert np.all(kernel == 0.5) and not np.any(biases)
    assert not np.any(session.run(output))


def test_eager_calls_share_variables():
  cell = make()
  call(cell)
  first = cell.variables
  call(cell, batch=4)
  traced = tf.function(lambda inputs: call(cell, inputs.shape[0])[0])
  for batch in (3, 5):
    assert traced(tf.zeros([batch])).shape == [batch, 5, 3]
  assert [id(v) for v in cell.variables] == [id(v) for v in first]
  assert len(first) == 2


def numpy_sequence(weights, x, lengths):
  """The outputs and last c and h, from zeros."""
  state = np.zeros([2, len(x), *x.shape[2:-1], 3])
  outputs = np.zeros([*x.shape[:-1], 3])
  for t in range(x.shape[1]):
    runs = (t < np.array(lengths)).reshape([-1] + [1] * (x.ndim - 2))
    output, *new = numpy_step(weights, x[:, t], state)
    outputs[:, t] = np.where(runs, output, 0)
    state = np.where(runs, new, state)
  return [outputs, *state]


def run_rnn(function, cell, x):
  with tf.Graph().as_default():
    results = function(cell, tf.constant(x))
    weights = cell_helpers.draw(cell)
    values = helpers.evaluate(results, [cell], [weights.values()])
  names = [name.rpartition("/")[2] for name in weights]
  return tf.nest.flatten(values), dict(zip(names, weights.values()))


def run_dynamic(cell, x, lengths=None, module=tf_contrib_rnn):
  return module.dynamic_rnn(cell, x, lengths, dtype=x.dtype)


def run_static(cell, x, lengths=None, module=tf_contrib_rnn):
  outputs, state = module.static_rnn(
    cell, tf.unstack(x, axis=1), dtype=x.dtype, sequence_length=lengths
  )
  return tf.stack(outputs, 1), state


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("module", [tf_contrib_rnn, v1.nn])
@pytest.mark.parametrize("run", [run_dynamic, run_static])
@pytest.mark.parametrize("lengths", [None, [4, 0, 2]])
def test_sequences(axes, module, run, lengths):
  rng = np.random.RandomState(0)
  x = helpers.random(rng, [3, 4, *SHAPES[axes][0]], "float64")
  got, weights = run_rnn(
    lambda cell, x: run(cell, x, lengths, module), make(axes), x
  )
  want = numpy_sequence(weights, x, lengths or [4] * 3)
  helpers.assert_close(got, want, 1e-12)


def test_raw_rnn():
  rng = np.random.RandomState(0)
  x = helpers.random(rng, [3, 4, *SHAPES[2][0]], "float64")

  def run(cell, x):
    array = v1.TensorArray(x.dtype, 4).unstack(tf.transpose(x, [1, 0, 2, 3, 4]))

    def loop(time, output, state, _):
      done = tf.fill([3], time >= 4)
      state = cell.zero_state(3, x.dtype) if output is None else state
      inputs = array.read(tf.minimum(time, 3))
      inputs.set_shape([3, *SHAPES[2][0]])
      return done, inputs, state, output, None

    outputs, state, _ = v1.nn.raw_rnn(cell, loop)
    return tf.transpose(outputs.stack(), [1, 0, 2, 3, 4]), state

  got, weights = run_rnn(run, make(2), x)
  helpers.assert_close(got, numpy_sequence(weights, x, [4] * 3), 1e-12)


def test_stack():
  stack = tf_contrib_rnn.MultiRNNCell(
    [
      make(2),
      tf_contrib_rnn.ResidualWrapper(make(2, input_shape=[4, 3, 3])),
    ]
  )
  with tf.Graph().as_default():
    outputs, _ = run_dynamic(stack, tf.ones([3, 4, 4, 3, 2]))
    assert outputs.shape == [3, 4, 4, 3, 3]
    assert names() == [
      f"rnn/multi_rnn_cell/cell_{i}/conv_2d_lstm_cell/{name}:0"
      for i in range(2)
      for name in ("kernel", "biases")
    ]


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("lengths", [None, [4, 0, 2]])
def test_bidirectional(axes, lengths):
  with tf.Graph().as_default():
    x = tf.ones([3, 4, *SHAPES[axes][0]])
    run = lambda: tf_contrib_rnn.bidirectional_dynamic_rnn(
      make(axes), make(axes), x, lengths, dtype=x.dtype
    )
    if axes == 3 and lengths:
      # ReverseSequence takes 5 dimensions at most.
      with pytest.raises(tf.errors.InvalidArgumentError):
        helpers.evaluate(run())
    else:
      (forward, backward), _ = helpers.evaluate(run())
      assert forward.shape == backward.shape == (3, 4, *SHAPES[axes][0][:-1], 3)


def test_unknown_sizes():
  with tf.Graph().as_default():
    inputs = v1.placeholder(tf.float32, [None, None, 2])
    parts = [v1.placeholder(tf.float32, [None, None, 3]) for _ in range(2)]
    output, _ = make()(inputs, parts)
    assert output.shape.as_list() == [None, None, 3]
    unknown = v1.placeholder(tf.float32, [None, None, None])
    with pytest.raises(
      ValueError, match="inputs has shape.*number of channels"
    ):
      make()(unknown, parts)
    with pytest.raises(ValueError, match="state h has shape"):
      make(name="other")(inputs, [parts[0], unknown])


@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_skip_connection_can_be_called_once(mode):
  with tf.Graph().as_default() if mode == "graph" else tf.init_scope():
    cell = make(skip_connection=True)
    output, state = call(cell)
    assert state.h is output and output.shape == [2, 5, 5]
    with pytest.raises(ValueError, match="specified shape"):
      cell(tf.zeros([2, 5, 2]), state)


def test_skip_connection_is_not_for_loops():
  with tf.Graph().as_default():
    with pytest.raises(ValueError):
      run_dynamic(make(skip_connection=True), tf.zeros([2, 3, 5, 2]))


@pytest.mark.parametrize(
  "keywords, error, message",
  [
    ({"input_shape": (5, 2)}, TypeError, "the tuple"),
    ({"input_shape": [5, 5, 2]}, ValueError, "input_shape has 2 axes"),
    ({"input_shape": [2]}, ValueError, "input_shape has 0 axes"),
    ({"kernel_shape": [3, 3]}, ValueError, "kernel_shape has 2 axes"),
    ({"kernel_shape": 3}, TypeError, "iterable"),
    ({"conv_ndims": 1}, TypeError, "conv_ndims"),
  ],
)
def test_errors_of_constructors(keywords, error, message):
  with pytest.raises(error, match=message):
    tf_contrib_rnn.Conv1DLSTMCell(**arguments(**keywords))


@pytest.mark.parametrize("axes", [0, 4])
def test_number_of_axes(axes):
  with pytest.raises(ValueError, match="expected 1, 2 or 3"):
    tf_contrib_rnn.ConvLSTMCell(axes, [2] * axes + [1], 3, [1] * axes)


def test_constructor_takes_what_1_15_took():
  with pytest.raises(TypeError):
    tf_contrib_rnn.Conv1DLSTMCell("name", [5, 2], 3, [2])
  shape = tf.TensorShape([5, 2])
  cell = tf_contrib_rnn.ConvLSTMCell(1, shape, 3, [2], True, True, 0.5, None)
  assert cell.output_size == [5, 5]


def test_errors_of_calls():
  with tf.Graph().as_default():
    state = make().zero_state(2, tf.float32)
    with pytest.raises(ValueError, match="expected 3 dimensions"):
      make()(tf.zeros([2, 2]), state)
    with pytest.raises(ValueError):
      make()(tf.zeros([2, 4, 2]), state)
    with pytest.raises(TypeError):
      make(name="a")(tf.zeros([2, 5, 2], tf.float64), state)
    with pytest.raises(TypeError):
      make(name="b")(
        tf.zeros([2, 5, 2], tf.int32), make().zero_state(2, tf.int32)
      )
