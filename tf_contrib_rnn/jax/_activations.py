"""The activations that the fused recurrences know."""

from typing import Any
from typing import Callable
from typing import Optional

import jax
import jax.numpy as jnp

Activation = Callable[[jax.Array], jax.Array]


def _identity(x: jax.Array) -> jax.Array:
  return x


# By the names that the kernels have for them.
ACTIVATIONS: dict[str, Activation] = {
  "tanh": jnp.tanh,
  "sigmoid": jax.nn.sigmoid,
  "relu": jax.nn.relu,
  "identity": getattr(jax.nn, "identity", _identity),
  "elu": jax.nn.elu,
  "softsign": jax.nn.soft_sign,
}
# What JAX and Keras call them.
_OTHER_NAMES = {"soft_sign": "softsign", "linear": "identity"}
_OTHER_FUNCTIONS: dict[str, list[Callable]] = {
  "tanh": [jax.nn.tanh, jax.lax.tanh],
  "sigmoid": [jax.lax.logistic, jax.scipy.special.expit],
}


def find(activation: Any) -> tuple[Activation, Optional[str]]:
  """The function that a name stands for, and the kernels' name for it.

  Args:
    activation: a name or a function.

  Returns:
    The function, and its name; None for one that the kernels don't know.

  Raises:
    ValueError: for an unknown name.
    TypeError: for what is neither a name nor a function.
  """
  if isinstance(activation, str):
    name = _OTHER_NAMES.get(activation, activation)
    if name not in ACTIVATIONS:
      raise ValueError(
        f"activation is {activation!r}, expected a function or one of "
        f"{', '.join(map(repr, ACTIVATIONS))}"
      )
    return ACTIVATIONS[name], name
  if not callable(activation):
    raise TypeError(
      f"activation is {activation!r}, expected a function or a name"
    )
  for name, function in ACTIVATIONS.items():
    if any(
      activation is other
      for other in (function, *_OTHER_FUNCTIONS.get(name, ()))
    ):
      return function, name
  return activation, None
