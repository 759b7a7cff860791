"""The bound of the IndRNN paper, for trees of parameters."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import DictKey
from jax.tree_util import GetAttrKey
from jax.tree_util import keystr

from tf_contrib_rnn import bound

_SHOWN = 4  # arrays in a message


def _place(path: tuple) -> tuple:
  """The keys of an array without those of boxes such as nnx.Param."""
  end = len(path)
  while end and isinstance(path[end - 1], GetAttrKey):
    end -= 1
  return path[:end]


def _is_of_a_cell(place: tuple, array: Any, arrays: dict[tuple, Any]) -> bool:
  """Whether an array is the recurrent kernel of one of this package's cells.

  Args:
    place: The keys of the array.
    array: The array.
    arrays: All arrays, by their keys.
  """
  if not place or place[-1] != DictKey("recurrent_kernel"):
    return False
  cell = place[:-1]
  # Attributes are no parameters' keys; an optimizer's moments may lie there,
  # with the names of the parameters.
  if any(isinstance(key, GetAttrKey) for key in cell):
    return False
  kernel, bias = (arrays.get((*cell, DictKey(n))) for n in ("kernel", "bias"))
  if kernel is None or bias is None:
    return False
  # A matrix would be [units, n]. Stacks have one dimension more, anywhere.
  shape = jnp.shape(array)
  is_diagonal = sorted(shape) == sorted((1, *jnp.shape(bias)))
  return is_diagonal and jnp.ndim(kernel) == len(shape)


def _shown(paths: list) -> str:
  names = [keystr(path) for path in paths[:_SHOWN] if path]
  names += ["…"] * (len(paths) > _SHOWN)
  return ", ".join(names) or "nothing in it"


def bound_recurrent_kernels(params: Any, time: int, gamma: float = 2.0) -> Any:
  """Keeps recurrent weights from exploding along a sequence.

  The function clips each recurrent kernel u of an IndRNN, IndyGRU or IndyLSTM
  to

      |u| <= gamma^(1/time)

  An IndRNN with ReLU multiplies a state and its gradient by up to |u|^time
  between the first and the last step. With the bound, this factor is at most
  gamma. Call the function after each update, such as that of
  `optax.apply_updates`. It also works inside `jax.jit`.

  An SRU has no recurrent kernel, so its parameters stay as they are. The
  candidate of an IndyGRU is bounded in the same way. The c of an IndyLSTM
  grows along the forget gate as well. For an IndyLSTM with ReLU the bound is
  therefore not enough: see docs/adding_problem.md. An IndRNN with `residual`
  multiplies by u + 1, which this does not bound.

  A recurrent kernel is recognized by its name, `recurrent_kernel`, and its
  shape: [1, n], beside a `kernel` [depth, n] and a `bias` [n]. The three may be
  stacked, as by `flax.linen.scan`. All other arrays are returned unchanged,
  including a `recurrent_kernel` that is a matrix.

  Source: section 3.1 of Li, Li, Cook, Zhu and Gao, "Independently Recurrent
  Neural Network (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831).

  Args:
    params: Parameters, a tree of dicts: what `module.init` of linen returns,
      with boxes such as `flax.linen.Partitioned` or without; what `nnx.state`
      returns; or a pure dict. For nnx modules, use
      `tf_contrib_rnn.flax.nnx.bound_recurrent_kernels`.
    time: Int, the number of steps of the longest sequence.
    gamma: Float, the largest factor by which a state may grow along that
      sequence. Default: 2, which the paper uses with ReLU.

  Returns:
    A tree like `params`, with the same shapes and dtypes. The limit is rounded
    to the dtype.

  Raises:
    ValueError: If `time` is not a whole number of 1 or more, if `gamma` is not
      a finite number larger than 0, or if `params` has no such recurrent
      kernel.

  Example:

  >>> import jax, jax.numpy as jnp, optax
  >>> from tf_contrib_rnn.flax import bound_recurrent_kernels
  >>> from tf_contrib_rnn.flax import IndRNN
  >>> layer, x = IndRNN(4, activation_fn=jax.nn.relu), jnp.ones([2, 5, 3])
  >>> params = layer.init(jax.random.key(0), x)["params"]
  >>> optimizer = optax.sgd(1e3)
  >>> @jax.jit
  ... def train(params, state):
  ...   loss = lambda params: -jnp.sum(layer.apply({"params": params}, x))
  ...   updates, state = optimizer.update(jax.grad(loss)(params), state)
  ...   params = optax.apply_updates(params, updates)
  ...   return bound_recurrent_kernels(params, time=5), state
  >>> params, state = train(params, optimizer.init(params))
  >>> round(float(abs(params["cell"]["recurrent_kernel"]).max()), 4)
  1.1487
  """
  limit = bound.RecurrentBound(time, gamma).value
  leaves, structure = jax.tree_util.tree_flatten_with_path(params)
  arrays = {_place(path): array for path, array in leaves}
  is_bounded = [_is_of_a_cell(_place(p), array, arrays) for p, array in leaves]
  if not any(is_bounded):
    raise ValueError(
      f"params is of the type {type(params).__name__} with "
      f"{_shown([path for path, _ in leaves])}; expected a tree of dicts with "
      "the parameters of an IndRNN, IndyGRU or IndyLSTM: recurrent_kernel "
      "[1, n] beside kernel [depth, n] and bias [n]"
    )
  clipped = [
    jnp.clip(array, -limit, limit) if bounded else array
    for (_, array), bounded in zip(leaves, is_bounded)
  ]
  return jax.tree.unflatten(structure, clipped)
