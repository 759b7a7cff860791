"""The IndRNN paper's bound on recurrent weights, on trees of parameters."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import DictKey
from jax.tree_util import GetAttrKey
from jax.tree_util import keystr

from tf_contrib_rnn import bound

_SHOWN = 4  # arrays in a message


def _place(path: tuple) -> tuple:
  """An array's keys without those of a box: nn.Partitioned, nnx.Param, ..."""
  end = len(path)
  while end and isinstance(path[end - 1], GetAttrKey):
    end -= 1
  return path[:end]


def _is_of_a_cell(place: tuple, array: Any, arrays: dict[tuple, Any]) -> bool:
  """Whether an array is the recurrent kernel of one of this package's cells.

  Args:
    place: the keys of the array.
    array: what is there.
    arrays: all that there are, by their keys.
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
  """Keeps recurrent weights where they can't explode along a sequence.

  Clips each recurrent kernel u of an IndRNN, IndyGRU or IndyLSTM to

      |u| <= gamma^(1/time)

  so that |u|^time, by which an IndRNN with ReLU multiplies a state and its
  gradient from the first step to the last, is gamma at most. Called after each
  update, such as that of `optax.apply_updates`, inside of `jax.jit` too.

  It bounds the candidate of an IndyGRU in the same way. An IndyLSTM's c grows
  along the forget gate as well, so there it is not enough for ReLU: see
  docs/adding_problem.md. An IndRNN with `residual` multiplies by u + 1, which
  this does not bound.

  A recurrent kernel is known by its name, `recurrent_kernel`, and its shape: it
  is [1, n], with a `kernel` [depth, n] and a `bias` [n] beside it. The three
  may be stacked, as by `flax.linen.scan`. All else stays as it is, a
  `recurrent_kernel` that is a matrix included.

  Source: section 3.1 of Li, Li, Cook, Zhu and Gao, "Independently Recurrent
  Neural Network (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831).

  Args:
    params: parameters, a tree of dicts: what linen's `module.init` makes,
      with boxes such as `flax.linen.Partitioned` or without; what `nnx.state`
      gives; or a pure dict. For nnx modules themselves there is
      `tf_contrib_rnn.flax.nnx.bound_recurrent_kernels`.
    time: int, the number of steps of the longest sequence.
    gamma: float, the most that a state may grow by along it. Default: 2, which
      the paper uses with ReLU.

  Returns:
    A tree like `params`, of the same shapes and dtypes. The limit is rounded to
    the dtype.

  Raises:
    ValueError: if `time` is not a whole number of 1 or more, `gamma` not a
      finite number over 0, or there is no such recurrent kernel in `params`.

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
