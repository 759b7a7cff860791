"""The recurrences under TensorFlow's other ways to differentiate and to map:
Jacobian-vector products, Jacobians, vectorized_map, recompute_grad."""

import helpers
import numpy as np
import pytest
import tensorflow as tf
from test_recurrence import Call
from test_recurrence import CELLS
from test_recurrence import compare

import tf_contrib_rnn
from tf_contrib_rnn import recurrence

each_cell = pytest.mark.parametrize("cell", [*CELLS, "sru"])
each_implementation = pytest.mark.parametrize(
  "implementation", ["fused", "composed"]
)
in_each_mode = pytest.mark.parametrize("in_function", [False, True])
for_steps_too = pytest.mark.parametrize("step", [False, True])


class SRUCall(Call):
  """As `Call`: the SRU has no recurrent kernel."""

  def __init__(self, time, batch, units, step, **options):
    rng = np.random.RandomState(0)
    draw = lambda *shape: tf.constant(rng.uniform(-1, 1, shape))
    leading = (batch,) if step else (batch, time)
    self.options = options
    self.arguments = [draw(*leading, 4 * units), draw(2 * units)]
    self.arguments.append(draw(batch, units))
    self.weights = [draw(*leading, units), draw(batch, units)]

  def results(self, arguments):
    return list(recurrence.sru(*arguments, **self.options))


def make_call(cell, step):
  lengths = {} if step else {"sequence_length": [3, 0], "reverse": True}
  if cell == "sru":
    return SRUCall(3, 2, 2, step, **lengths)
  return Call(cell, 3, 2, 2, step=step, **lengths)


def tangents_of(call):
  rng = np.random.RandomState(7)
  return [tf.constant(rng.uniform(-1, 1, a.shape)) for a in call.arguments]


def directional_derivative(call, tangents, step=1e-6):
  """How the results change along the tangents: a central difference."""
  ends = [
    call.results(
      [a + sign * step * t for a, t in zip(call.arguments, tangents)]
    )
    for sign in (1, -1)
  ]
  return [(after - before) / (2 * step) for after, before in zip(*ends)]


def run(function, in_function, implementation):
  with tf_contrib_rnn.implementation(implementation):
    return (tf.function(function) if in_function else function)()


@each_cell
@in_each_mode
@for_steps_too
@each_implementation
def test_product_with_the_jacobian_by_two_reverse_passes(
  cell, in_function, step, implementation
):
  """The gradient of a gradient for the zeros that weigh the results."""
  call = make_call(cell, step)
  tangents = tangents_of(call)

  def product():
    with tf.GradientTape() as outer:
      # The caller's own zeros, by the op that TensorFlow has for large ones.
      zero = tf.constant(0.0, tf.float64)
      weights = [tf.fill(tf.shape(weight), zero) for weight in call.weights]
      outer.watch(weights)
      with tf.GradientTape() as inner:
        inner.watch(call.arguments)
        results = call.results(call.arguments)
      gradients = inner.gradient(
        results, call.arguments, output_gradients=weights
      )
    return outer.gradient(gradients, weights, output_gradients=tangents)

  got = run(product, in_function, implementation)
  compare(got, directional_derivative(call, tangents), 1e-7)


@each_cell
@in_each_mode
@for_steps_too
def test_forward_accumulator(cell, in_function, step):
  call = make_call(cell, step)
  tangents = tangents_of(call)

  def product():
    with tf.autodiff.ForwardAccumulator(
      call.arguments, tangents
    ) as accumulator:
      results = call.results(call.arguments)
    return [accumulator.jvp(result) for result in results]

  got = run(product, in_function, "fused")
  compare(got, directional_derivative(call, tangents), 1e-7)


@each_cell
@in_each_mode
@each_implementation
def test_jacobian(cell, in_function, implementation):
  call = make_call(cell, step=False)

  def jacobian():
    with tf.GradientTape() as tape:
      tape.watch(call.arguments)
      outputs = call.results(call.arguments)[0]
    return tape.jacobian(outputs, call.arguments)

  tangents = tangents_of(call)
  products = [
    tf.tensordot(j, t, t.shape.rank)
    for j, t in zip(run(jacobian, in_function, implementation), tangents)
  ]
  want = directional_derivative(call, tangents)[0]
  compare([tf.add_n(products)], [want], 1e-7)


@each_cell
@each_implementation
def test_vectorized_map(cell, implementation):
  call = make_call(cell, step=False)
  inputs = tf.stack([call.arguments[0] * factor for factor in (0.5, 1.0, 2.0)])

  def one(x):
    return call.results([x, *call.arguments[1:]])

  def mapped():
    return tf.vectorized_map(one, inputs)

  got = run(mapped, True, implementation)
  want = [tf.stack(results) for results in zip(*map(one, tf.unstack(inputs)))]
  compare(got, want, 1e-13)


@each_cell
@in_each_mode
@each_implementation
def test_recompute_grad(cell, in_function, implementation):
  call = make_call(cell, step=False)

  def gradients(function):
    with tf.GradientTape() as tape:
      tape.watch(call.arguments)
      loss = function(*call.arguments)
    return tape.gradient(loss, call.arguments)

  loss = lambda *arguments: call.loss(list(arguments))
  again = lambda: gradients(tf.recompute_grad(loss))
  want = helpers.to_numpy(gradients(loss))
  compare(run(again, in_function, implementation), want, 1e-12)
