"""Keras's own cells and layers, with diagonal matrices, compute the same."""

import keras_helpers
import numpy as np
import pytest
from keras_helpers import assert_close
from keras_helpers import keras
from keras_helpers import KINDS
from keras_helpers import MASKS
from keras_helpers import tensor

import tf_contrib_rnn

pytestmark = pytest.mark.every_pair

IMPLEMENTATIONS = (
  ["fused", "composed"] if keras_helpers.RUNS_TENSORFLOW else ["composed"]
)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_mask = pytest.mark.parametrize("mask", MASKS)


@pytest.fixture(name="implementation", params=IMPLEMENTATIONS, autouse=True)
def fixture_implementation(request):
  with tf_contrib_rnn.implementation(request.param):
    yield request.param


def assert_gradients_close(pair, x, **call):
  ours, theirs = (keras_helpers.gradients(layer, x, **call) for layer in pair)
  theirs[2] = keras_helpers.of_diagonal(theirs[2])
  for got, want in zip(ours, theirs):
    largest = max(1, np.max(np.abs(want)))
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-6 * largest)


@every_kind
@pytest.mark.parametrize("use_bias", [True, False])
def test_cell(kind, use_bias):
  ours, theirs = kind.pair_of_cells(use_bias=use_bias)
  x = tensor(keras_helpers.inputs()[:, 0])
  states = [tensor(state) for state in kind.initial_states()]
  assert_close(ours(x, states), theirs(x, states))


@every_kind
@every_mask
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("backwards", [False, True])
def test_outputs_states_and_gradients(kind, mask, use_bias, backwards):
  pair = kind.pair(
    use_bias=use_bias,
    go_backwards=backwards,
    return_sequences=True,
    return_state=True,
  )
  x = keras_helpers.inputs()
  states = [tensor(state) for state in kind.initial_states()]
  call = {"mask": tensor(MASKS[mask]), "initial_state": states}
  ours, theirs = (layer(tensor(x), **call) for layer in pair)
  assert_close(ours, theirs)
  assert_gradients_close(pair, x, **call)


@every_kind
@every_mask
@pytest.mark.parametrize("zeros", [False, True], ids=["repeat", "zeros"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
def test_outputs_of_masked_steps(kind, mask, zeros, backwards, sequences):
  pair = kind.pair(
    zero_output_for_mask=zeros,
    go_backwards=backwards,
    return_sequences=sequences,
    return_state=True,
  )
  x, mask = tensor(keras_helpers.inputs()), tensor(MASKS[mask])
  assert_close(*(layer(x, mask=mask) for layer in pair))


@every_kind
@pytest.mark.parametrize(
  "activation",
  ["tanh", "sigmoid", "relu", "linear", "elu", "softsign", "softplus", None],
)
def test_activations(kind, activation):
  pair = kind.pair(activation=activation, return_sequences=True)
  x = tensor(keras_helpers.inputs())
  assert_close(*(layer(x) for layer in pair))


@pytest.mark.parametrize("name", ["IndyGRU-before", "IndyLSTM"])
@pytest.mark.parametrize("gate", ["hard_sigmoid", "relu"])
def test_recurrent_activations(name, gate):
  pair = KINDS[name].pair(recurrent_activation=gate, return_sequences=True)
  x = tensor(keras_helpers.inputs())
  assert_close(*(layer(x) for layer in pair))


@every_kind
@every_mask
def test_unrolled(kind, mask):
  pair = kind.pair(unroll=True, return_sequences=True, return_state=True)
  x, mask = tensor(keras_helpers.inputs()), tensor(MASKS[mask])
  assert_close(*(layer(x, mask=mask) for layer in pair))


@every_kind
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(kind, policy):
  if keras_helpers.BACKEND == "torch":
    pytest.skip("NumPy has no bfloat16, which is what torch would return")
  pair = kind.pair(
    dtype=_policy(policy), return_sequences=True, return_state=True
  )
  assert all("float32" in str(w.dtype) for w in pair[0].weights)
  x = keras_helpers.inputs()
  ours, theirs = (layer(tensor(x)) for layer in pair)
  assert all(policy[6:] in str(result.dtype) for result in ours)
  tolerance = {"mixed_float16": 4e-3, "mixed_bfloat16": 4e-2}[policy]
  assert_close(ours, theirs, tolerance)


def _policy(name):
  if keras_helpers.IS_KERAS_3:
    return name
  return keras.mixed_precision.Policy(name)


@every_kind
def test_float64(kind):
  if not keras_helpers.RUNS_TENSORFLOW:
    pytest.skip("JAX, and Keras's matmul on torch, compute it in float32")
  pair = kind.pair(dtype="float64", return_sequences=True)
  x = keras_helpers.inputs().astype("float64")
  assert_close(*(layer(tensor(x)) for layer in pair), tolerance=1e-12)
