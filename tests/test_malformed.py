"""Thousands of random malformed calls of the ops: each is a clear error or a
result of the right shape, and the process survives."""

import helpers
import pytest

FUZZ = """
import collections, os, sys
import numpy as np
import tensorflow as tf
from tf_contrib_rnn import _fused, _library

CALLS = int(sys.argv[1])
SIZES = [0, 1, 2, 3, 4, 5, 6, 8, 9, 12, 17]
DTYPES = ["float16", "bfloat16", "float32", "float64"]
OTHER_DTYPES = DTYPES + ["int32", "int64", "bool", "complex64", "string"]
EXPECTED = (tf.errors.InvalidArgumentError, tf.errors.NotFoundError,
            tf.errors.ResourceExhaustedError, tf.errors.UnimplementedError,
            TypeError, ValueError)
rng = np.random.RandomState(int(sys.argv[2]))


def draw(shape, dtype):
  if dtype == "string":
    return tf.fill(shape, "text")
  values = rng.uniform(-2, 2, shape)
  return tf.cast(tf.constant(values), dtype)


def random_shape():
  if rng.rand() < 0.1:  # no elements, and a product beyond 32 or 63 bits
    shape = [0, *rng.choice([3, 1 << 20, 1 << 31, 1 << 40], rng.randint(1, 3))]
    rng.shuffle(shape)
    return [int(n) for n in shape]
  return [int(n) for n in rng.choice(SIZES, rng.randint(0, 5))]


def valid_call(cell, gradient):
  gates = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4}[cell]
  states = 2 if cell == "indy_lstm" else 1
  time, batch, units = (int(n) for n in rng.choice(SIZES, 3))
  time_major, is_step = rng.rand() < 0.5, rng.rand() < 0.3
  leading = [batch] if is_step else (
      [time, batch] if time_major else [batch, time])
  biases = [2] if rng.rand() < 0.3 else []
  shapes = [[*leading, gates * units], [1, gates * units],
            [*biases, gates * units]]
  shapes += [[batch, units]] * states
  later = []
  if gradient:
    finals = [0] if is_step else [batch, units]
    later = [[*leading, units]] * (2 * states) + [finals] * states
  lengths = []
  if not is_step and rng.rand() < 0.5:
    lengths = [[batch]]
  options = dict(time_major=time_major, reverse=rng.rand() < 0.5,
                 activation=str(rng.choice(list(_fused.ACTIVATIONS))),
                 gate_order=str(rng.choice(["contrib", "keras"])))
  return shapes, lengths, later, options


def mutate(shapes, lengths, later, dtypes):
  groups = [shapes, later] if later else [shapes]
  if rng.rand() < 0.05 and len(shapes[0]) == 3:  # huge, but of no elements
    shapes[0][0], shapes[0][1] = 1 << 40, 0
  for _ in range(rng.randint(0, 3)):
    group = groups[rng.randint(len(groups))]
    which = rng.randint(len(group))
    kind = rng.randint(4)
    if kind == 0:
      group[which] = random_shape()
    elif kind == 1 and group[which] and max(group[which]) < 1000:
      group[which] = list(group[which])
      group[which][rng.randint(len(group[which]))] = int(rng.choice(SIZES))
    elif kind == 2:
      dtypes[rng.randint(len(dtypes))] = str(rng.choice(OTHER_DTYPES))
    elif rng.rand() < 0.5:
      lengths.append(random_shape())
    elif lengths:
      lengths[0] = random_shape()


def arguments_of_call(cell, gradient):
  shapes, lengths, later, options = valid_call(cell, gradient)
  dtype = str(rng.choice(DTYPES))
  dtypes = [dtype] * (len(shapes) + len(later))
  mutate(shapes, lengths, later, dtypes)
  tensors = [draw(s, d) for s, d in zip(shapes + later, dtypes)]
  length_tensors = [
      tf.constant(rng.randint(-3, 20, shape), "int32") for shape in lengths]
  return tensors, len(shapes), length_tensors, options


def check(cell, gradient, results, tensors, split):
  if gradient:
    for result, source in zip(results, tensors[:split]):
      assert list(result.shape) == list(source.shape)
    return
  gates = {"ind_rnn": 1, "indy_gru": 3, "indy_lstm": 4}[cell]
  inputs = tensors[0].shape
  leading = list(inputs[:-1])
  if len(leading) == 1 and leading[0] == 1:
    batches = [t.shape[0] for t in tensors[3:] if t.shape[0] != 1]
    leading = batches[:1] or [1]
  expected = [*leading, inputs[-1] // gates]
  assert list(results[0].shape) == expected, (results[0].shape, expected)


def unknown_shapes(function, tensors, length_tensors):
  # Past the shape functions: nothing is known when the graph is built.
  with tf.Graph().as_default():
    values = [t.numpy() for t in tensors + length_tensors]
    feeds = [tf.compat.v1.placeholder(t.dtype)
             for t in tensors + length_tensors]
    results = function(feeds[:len(tensors)], feeds[len(tensors):])
    with tf.compat.v1.Session() as session:
      return session.run(list(results), dict(zip(feeds, values)))


outcomes = collections.Counter()
for number in range(CALLS):
  cell = str(rng.choice(["ind_rnn", "indy_gru", "indy_lstm"]))
  gradient = rng.rand() < 0.5
  in_graph = number % 10 == 0
  op = getattr(_library.ops,
               "contrib_rnn_" + cell + ("_grad" if gradient else ""))
  try:
    tensors, split, lengths, options = arguments_of_call(cell, gradient)
    function = lambda tensors, lengths: op(
        *tensors[:split], lengths, *tensors[split:], **options)
    run = unknown_shapes if in_graph else lambda f, t, l: f(t, l)
    results = run(function, tensors, lengths)
    check(cell, gradient, results, tensors, split)
    outcomes["result"] += 1
  except EXPECTED as error:
    assert "incompatible" not in type(error).__name__
    outcomes[type(error).__name__] += 1
print(dict(outcomes))
"""


OVERFLOW = """
import tensorflow as tf
from tf_contrib_rnn import _library
arguments = [tf.zeros([2**40, 0, 2**24], tf.float16),
             tf.zeros([1, 2**24], tf.float16), tf.zeros([2**24], tf.float16)]
for shape in ([1, 2], [2**40, 0], [0, 2**24]):
  state = tf.zeros(shape, tf.float16)
  for time_major in (False, True):
    for gradient in (False, True):
      try:
        if gradient:
          _library.ops.contrib_rnn_ind_rnn_grad(
              *arguments, state, [], arguments[0], arguments[0], state,
              time_major=time_major)
        else:
          _library.ops.contrib_rnn_ind_rnn(
              *arguments, state, [], time_major=time_major)
        print("result")
      except tf.errors.InvalidArgumentError as error:
        print("InvalidArgument")
"""


def test_sizes_whose_product_overflows():
  # Inputs of no elements, whose batch times units is beyond 63 bits.
  printed = helpers.run_script(OVERFLOW).split()
  assert len(printed) == 12 and set(printed) <= {"result", "InvalidArgument"}
  assert "InvalidArgument" in printed


@pytest.mark.parametrize("seed", [1, 2])
def test_thousands_of_malformed_calls(seed):
  printed = helpers.run_script(FUZZ, 6000, seed)
  outcomes = eval(printed.splitlines()[-1])
  assert sum(outcomes.values()) == 6000
  assert outcomes["result"] > 1000
  assert outcomes["InvalidArgumentError"] > 1000
