"""The bound of the IndRNN paper on recurrent weights, for nnx modules."""

from typing import Any

import jax.numpy as jnp
from flax import nnx

from tf_contrib_rnn import bound
from tf_contrib_rnn.flax.nnx import cells


def bound_recurrent_kernels(module: Any, time: int, gamma: float = 2.0) -> None:
  """Keeps recurrent weights from exploding along a sequence.

  The function clips the recurrent kernel u of each IndRNN, IndyGRU or IndyLSTM
  in a module, in place, to

      |u| <= gamma^(1/time)

  Call it after each update of an optimizer. It also works inside `nnx.jit`. See
  `tf_contrib_rnn.flax.bound_recurrent_kernels`, which does the same with trees
  of parameters, for what the bound is good for and where it is not enough.

  Source: section 3.1 of Li, Li, Cook, Zhu and Gao, "Independently Recurrent
  Neural Network (IndRNN): Building a longer and deeper RNN"
  (https://arxiv.org/abs/1803.04831).

  Args:
    module: An IndRNN, IndyGRU or IndyLSTM, a cell of these, or a module that
      contains any number of them.
    time: Int, the number of steps of the longest sequence.
    gamma: Float, the largest factor by which a state may grow along that
      sequence. Default: 2, which the paper uses with ReLU.

  Raises:
    ValueError: If `time` is not a whole number of 1 or more, if `gamma` is not
      a finite number larger than 0, or if `module` has no such cell.

  Example:

  >>> import jax, jax.numpy as jnp, optax
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import bound_recurrent_kernels
  >>> from tf_contrib_rnn.flax.nnx import IndRNN
  >>> layer = IndRNN(3, 4, activation_fn=jax.nn.relu, rngs=nnx.Rngs(0))
  >>> optimizer = nnx.Optimizer(layer, optax.sgd(1e3), wrt=nnx.Param)
  >>> @nnx.jit
  ... def train(layer, optimizer, x):
  ...   gradients = nnx.grad(lambda layer: -jnp.sum(layer(x)))(layer)
  ...   optimizer.update(layer, gradients)
  ...   bound_recurrent_kernels(layer, time=5)
  >>> train(layer, optimizer, jnp.ones([2, 5, 3]))
  >>> round(float(abs(layer.cell.recurrent_kernel[...]).max()), 4)
  1.1487
  """
  limit = bound.RecurrentBound(time, gamma).value
  found = [
    node
    for _, node in nnx.iter_graph(module)
    if isinstance(node, cells._IndependentCell)
  ]
  if not found:
    raise ValueError(
      f"module is of the type {type(module).__name__}, expected an nnx module "
      "with an IndRNN, IndyGRU or IndyLSTM in it, or a cell of these"
    )
  for cell in found:
    u = cell.recurrent_kernel
    u[...] = jnp.clip(u[...], -limit, limit)
