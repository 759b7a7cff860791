"""The arguments of dynamic_rnn and its relatives: signatures, and the errors of
wrong ones."""

import inspect

import helpers
import numpy as np
import pytest
import tensorflow as tf
from helpers import v1
from rnn_helpers import indy
from rnn_helpers import start_session

import tf_contrib_rnn

# What TensorFlow 1.15 has, by position.
SIGNATURES = {
  "dynamic_rnn": """cell inputs sequence_length initial_state dtype
    parallel_iterations swap_memory time_major scope""",
  "bidirectional_dynamic_rnn": """cell_fw cell_bw inputs sequence_length
    initial_state_fw initial_state_bw dtype parallel_iterations swap_memory
    time_major scope""",
  "static_rnn": "cell inputs initial_state dtype sequence_length scope",
  "static_bidirectional_rnn": """cell_fw cell_bw inputs initial_state_fw
    initial_state_bw dtype sequence_length scope""",
  "stack_bidirectional_dynamic_rnn": """cells_fw cells_bw inputs
    initial_states_fw initial_states_bw dtype sequence_length
    parallel_iterations time_major scope swap_memory""",
  "stack_bidirectional_rnn": """cells_fw cells_bw inputs initial_states_fw
    initial_states_bw dtype sequence_length scope""",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name):
  got = inspect.signature(getattr(tf_contrib_rnn, name)).parameters
  assert list(got) == SIGNATURES[name].split()
  for parameter in got.values():
    required = parameter.name.startswith("cell") or parameter.name == "inputs"
    is_flag = parameter.name in ("swap_memory", "time_major")
    default = inspect.Parameter.empty if required else None
    assert parameter.default is (False if is_flag else default)


# Errors.


def make_call(name, *cells, **kwargs):
  """A call with sequences [2, 3, 4], some of its arguments replaced."""
  arguments = {"inputs": tf.zeros([2, 3, 4]), "dtype": tf.float32, **kwargs}
  return getattr(tf_contrib_rnn, name)(*cells, **arguments)


@pytest.mark.parametrize(
  "arguments, error, message",
  [
    ({"dtype": None}, ValueError, "`dtype` must be specified"),
    ({"inputs": None}, ValueError, "None values not supported"),
    ({"sequence_length": 3}, ValueError, "must be a vector"),
    ({"sequence_length": [3, 1, 1]}, ValueError, "must be equal"),
    ({"dtype": tf.float64}, TypeError, "float64"),
    (
      {"initial_state": np.zeros([1, 5], np.float32)},
      ValueError,
      "enters the loop with shape",
    ),
    (
      {"initial_state": np.zeros([2, 6], np.float32)},
      ValueError,
      r"\[None, 5\]|\(2, 6\)",
    ),
  ],
)
def test_a_wrong_call_is_tensorflows_error(arguments, error, message):
  with tf.Graph().as_default():
    with pytest.raises(error, match=message):
      make_call("dynamic_rnn", indy("IndyGRU"), **arguments)


@pytest.mark.parametrize("has_dimensions", [False, True])
def test_one_row_of_state_for_an_unknown_batch_is_tensorflows_error(
  has_dimensions,
):
  assert isinstance(tf.TensorShape([1])[0], int) != has_dimensions
  with tf.Graph().as_default():
    x = v1.placeholder(tf.float32, [None, 3, 4])
    with pytest.raises(ValueError, match="enters the loop with shape"):
      make_call(
        "dynamic_rnn",
        indy("IndyGRU"),
        inputs=x,
        initial_state=np.zeros([1, 5], np.float32),
      )


@pytest.mark.parametrize("has_dimensions", [False, True])
def test_unknown_depth_and_wrong_rank(has_dimensions):
  assert isinstance(tf.TensorShape([1])[0], int) != has_dimensions
  with tf.Graph().as_default():
    with pytest.raises(ValueError, match="must be accessible via shape infer"):
      x = v1.placeholder(tf.float32, [2, 3, None])
      make_call("dynamic_rnn", indy("IndyGRU"), inputs=x)
    with pytest.raises(ValueError, match="expected ndim=2, found ndim=3"):
      x = tf.zeros([2, 3, 4, 5])
      make_call("dynamic_rnn", indy("IndyGRU"), inputs=x)


def test_what_is_no_cell_is_named():
  with pytest.raises(TypeError, match="argument 'cell' .* is not an RNNCell"):
    make_call("dynamic_rnn", 5)
  with pytest.raises(TypeError, match="'cell_bw' .* is not an RNNCell"):
    make_call("bidirectional_dynamic_rnn", indy("IndyGRU"), None)


@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize("lengths", [[3, 9], [3, -1]])
def test_lengths_that_cannot_be_reversed(mode, lengths):
  def call():
    cells = [indy("IndyGRU"), indy("IndyGRU")]
    return make_call(
      "bidirectional_dynamic_rnn", *cells, sequence_length=lengths
    )

  with pytest.raises(tf.errors.InvalidArgumentError, match="sequence_length"):
    if mode == "eager":
      call()
    else:
      with tf.Graph().as_default():
        helpers.evaluate(call())


def test_shapes_that_do_not_match_when_the_graph_runs():
  with tf.Graph().as_default():
    x = v1.placeholder(tf.float32, [None, None, 4])
    size = v1.placeholder(tf.int32, [None])
    outputs, _ = make_call(
      "dynamic_rnn", indy("IndyGRU"), inputs=x, sequence_length=size
    )
    with start_session() as session:
      session.run(v1.global_variables_initializer())
      feed = {x: np.zeros([2, 3, 4]), size: [1, 2, 3]}
      with pytest.raises(tf.errors.InvalidArgumentError, match="length"):
        session.run(outputs, feed)


@pytest.mark.parametrize(
  "arguments, message",
  [
    ((lambda c: []), "cells_fw is .*, expected a list"),
    ((lambda c: (c(),)), "cells_fw is .*, expected a list"),
    ((lambda c: [c(), c()]), "has 2 layers and cells_bw 1"),
  ],
)
@pytest.mark.parametrize(
  "name", ["stack_bidirectional_dynamic_rnn", "stack_bidirectional_rnn"]
)
def test_stack_of_wrong_lists(name, arguments, message):
  make = lambda: indy("IndyGRU")
  with pytest.raises(ValueError, match=message):
    make_call(name, arguments(make), [make()])
  with pytest.raises(ValueError, match="initial_states_bw is .* a list of 1"):
    make_call(name, [make()], [make()], initial_states_bw=[1, 2])
