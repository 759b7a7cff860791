"""The SRU's recurrence: fused and composed, in TensorFlow and JAX, against a
loop in NumPy and finite differences."""

import helpers
import numpy as np
import pytest
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import recurrence
from tf_contrib_rnn.ops import fused

pytestmark = pytest.mark.every_pair

SIZES = [(5, 4, 3), (1, 1, 1), (0, 2, 3), (3, 0, 2), (3, 2, 0), (7, 9, 151)]
OPTIONS = [
  {},
  {"reverse": True, "time_major": True},
  {"sequence_length": [3, 0, -1, 9]},
  {"sequence_length": [3, 0, -1, 9], "reverse": True},
]
TOLERANCES = {
  "float16": 1e-2,
  "bfloat16": 8e-2,
  "float32": 2e-6,
  "float64": 1e-12,
}
each_implementation = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)


def draw(time, batch, units, dtype="float64", time_major=False):
  """Inputs, bias and state."""
  rng = np.random.RandomState(time + 10 * batch + 100 * units)
  leading = (time, batch) if time_major else (batch, time)
  shapes = [[*leading, 4 * units], [2 * units], [batch, units]]
  return [
    tf.cast(tf.constant(rng.uniform(-1, 1, shape)), dtype) for shape in shapes
  ]


def loop(x, bias, c, lengths=None, reverse=False, activation=np.tanh):
  """The outputs [batch, time, units] and the final c, step by step."""
  batch, time, _ = x.shape
  outputs, c = np.zeros([batch, time, c.shape[1]]), np.array(c)
  for row in range(batch):
    length = time if lengths is None else min(max(lengths[row], 0), time)
    steps = range(length)
    for t in reversed(steps) if reverse else steps:
      s, f, r, skip = np.split(x[row, t], 4)
      f, r = np.split(helpers.sigmoid(np.concatenate([f, r]) + bias), 2)
      c[row] = f * c[row] + (1 - f) * s
      outputs[row, t] = r * activation(c[row]) + (1 - r) * skip
  return outputs, c


def run(implementation, arguments, **options):
  with tf_contrib_rnn.implementation(implementation):
    return recurrence.sru(*arguments, **options)


def results_and_gradients(implementation, arguments, **options):
  with tf.GradientTape() as tape:
    tape.watch(arguments)
    outputs, c = run(implementation, arguments, **options)
    wide = [tf.cast(result, tf.float64) for result in (outputs, c)]
    loss = sum(tf.reduce_sum(tf.sin(result) * result) for result in wide)
  return [outputs, c, *tape.gradient(loss, arguments)]


@each_implementation
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_follows_the_equations(implementation, options, dtype):
  arguments = draw(5, 4, 17, dtype, options.get("time_major", False))
  outputs, c = run(implementation, arguments, **options)
  x, bias, state = helpers.as_float64(arguments)
  if options.get("time_major"):
    x, outputs = x.transpose([1, 0, 2]), tf.transpose(outputs, [1, 0, 2])
  lengths, reverse = options.get("sequence_length"), options.get("reverse")
  want = loop(x, bias, state, lengths, reverse)
  helpers.assert_close([outputs, c], want, TOLERANCES[dtype])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_odd_sizes_fused_and_composed(size):
  arguments = draw(*size)
  got, want = (
    results_and_gradients(name, arguments) for name in ("fused", "composed")
  )
  helpers.assert_close(got, want, 1e-12)


@pytest.mark.parametrize("activation", fused.ACTIVATIONS)
def test_activations_fused_and_composed(activation):
  function = fused.ACTIVATIONS[activation]
  got, want = (
    results_and_gradients(name, draw(4, 3, 5), activation=function)
    for name in ("fused", "composed")
  )
  helpers.assert_close(got, want, 1e-12)


@each_implementation
@pytest.mark.parametrize("step", [False, True])
def test_gradients_are_finite_differences(implementation, step):
  x, bias, state = draw(3, 2, 2)
  arguments = [x[:, 0], bias, state] if step else [x, bias, state]
  options = {} if step else {"sequence_length": [3, 1], "reverse": True}

  def loss(*arguments):
    results = run(implementation, arguments, **options)
    return tf.add_n([tf.reduce_sum(tf.sin(result)) for result in results])

  got, want = tf.test.compute_gradient(loss, arguments, delta=1e-6)
  for g, w in zip(got, want):
    np.testing.assert_allclose(g, w, rtol=1e-6, atol=1e-8)


def test_gradients_of_gradients_fused_and_composed():
  arguments = draw(3, 2, 2)
  found = []
  for implementation in ("fused", "composed"):
    with tf.GradientTape() as tape:
      tape.watch(arguments)
      _, _, *first = results_and_gradients(implementation, arguments)
      total = tf.add_n([tf.reduce_sum(tf.sin(g)) for g in first])
    found.append(tape.gradient(total, arguments))
  helpers.assert_close(*found, 1e-12)


def test_wrong_shapes_are_named():
  x, bias, state = draw(3, 2, 2)
  with pytest.raises(
    ValueError, match=r"bias has shape \(3,\), expected \[4\]"
  ):
    recurrence.sru(x, bias[:3], state)
  with pytest.raises(ValueError, match="The state has shape"):
    recurrence.sru(x, bias, state[:, :1])


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_jax_equals_tensorflow(options):
  jax = pytest.importorskip("jax", reason="JAX is not installed")
  import tf_contrib_rnn.jax

  time_major = options.get("time_major", False)
  arguments = draw(5, 4, 17, time_major=time_major)
  want = results_and_gradients("composed", arguments, **options)
  with jax.enable_x64(True):
    arrays = [jax.numpy.asarray(a.numpy()) for a in arguments]

    def loss(*arrays):
      results = tf_contrib_rnn.jax.sru(*arrays, **options)
      return sum((jax.numpy.sin(r) * r).sum() for r in results), results

    compute = jax.value_and_grad(loss, (0, 1, 2), has_aux=True)
    (_, results), gradients = jax.jit(compute)(*arrays)
    assert "tf_contrib_rnn_forward" in str(jax.make_jaxpr(compute)(*arrays))
    helpers.assert_close([*results, *gradients], want, 1e-12)
