"""Loads TensorFlow 1 checkpoints into linen modules, and back."""

from collections.abc import Mapping
from typing import Any
from typing import Optional

import flax.linen as nn
import numpy as np
from flax import core

from tf_contrib_rnn.flax import _weights
from tf_contrib_rnn.flax import cells
from tf_contrib_rnn.flax import layers


def _cell_of(module: Any) -> Any:
  """The cell that a module is, or that it runs."""
  cell = module
  if isinstance(module, layers._Layer):
    cell = module.make_cell()
  elif isinstance(module, nn.RNN):
    cell = module.cell
  if not isinstance(cell, cells._Cell):
    raise ValueError(
      f"module is of the type {type(module).__name__}, expected an IndRNN, "
      "IndyGRU, IndyLSTM or SRU, a cell of these, or flax.linen.RNN with one"
    )
  return cell


def _parameters_of(module: Any, cell: Any, params: Mapping[str, Any]) -> Any:
  """The part of a module's parameters that belongs to its cell."""
  if cell is module:
    return params
  if set(params) != {"cell"}:
    raise ValueError(
      f"params has {', '.join(map(repr, sorted(params))) or 'nothing'}, "
      "expected 'cell'"
    )
  return params["cell"]


def load_contrib_variables(
  module: Any,
  params: Mapping[str, Any],
  checkpoint: Any,
  scope: Optional[str] = None,
  forget_bias: float = 1.0,
) -> Any:
  """Returns parameters of a module with the weights of a tf.contrib.rnn cell.

  Args:
    module: An IndRNN, IndyGRU, IndyLSTM or SRU, a cell of these, or
      `flax.linen.RNN` with one. Only its class and its features are used.
    params: The parameters of the module, as `module.init` returns them, or as
      they are in the tree of a larger module under its name. Their shapes and
      dtypes are used.
    checkpoint: The path of a checkpoint that `tf.train.Saver` saved: a prefix,
      or a folder with a file "checkpoint". TensorFlow reads it. Or a mapping
      from the names of the variables to arrays, such as `numpy.load` returns.
      A mapping needs no TensorFlow.
    scope: The scope of the cell, such as "rnn/indy_lstm_cell", or a scope
      around it that has only one such cell. None, if the checkpoint has only
      one such cell.
    forget_bias: For the IndyLSTM only: the value that the TensorFlow 1 program
      passed to the cell. tf.contrib.rnn adds it at each step. Here it becomes
      part of the bias.

  Returns:
    A new tree like `params`. `params` itself is not changed.

  Raises:
    ValueError: If there is no such cell or more than one; if a variable is
      missing, does not belong to such a cell, does not fit the parameters, is
      not of a floating-point dtype, or has a number too large for its dtype
      (the message names it); or if files of the checkpoint are damaged.
    tf.errors.NotFoundError: If the checkpoint has no files.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import IndRNN
  >>> from tf_contrib_rnn.flax import load_contrib_variables
  >>> layer = IndRNN(4)
  >>> params = layer.init(jax.random.key(0), jnp.ones([2, 5, 3]))["params"]
  >>> variables = {
  ...   "rnn/ind_rnn_cell/kernel_w": jnp.ones([3, 4]),
  ...   "rnn/ind_rnn_cell/kernel_u": jnp.ones([1, 4]),
  ...   "rnn/ind_rnn_cell/bias": jnp.zeros([4]),
  ... }
  >>> params = load_contrib_variables(layer, params, variables, "rnn")
  >>> params["cell"]["recurrent_kernel"].tolist()
  [[1.0, 1.0, 1.0, 1.0]]
  """
  cell = _cell_of(module)
  boxed = _parameters_of(module, cell, params)
  old = nn.meta.unbox(boxed)
  arrays = _weights.read(cell.kind, old, checkpoint, scope, forget_bias)
  # Boxes are what nn.with_partitioning and its like put around parameters.
  new = nn.meta.replace_boxed(dict(boxed), arrays)
  changed = new if cell is module else {"cell": new}
  return core.copy(params, changed)  # type: ignore[arg-type]


def contrib_variables(
  module: Any, params: Mapping[str, Any], scope: str, forget_bias: float = 1.0
) -> dict[str, np.ndarray]:
  """Converts the parameters of a module to the variables of tf.contrib.rnn.

  Args:
    module: An IndRNN, IndyGRU, IndyLSTM or SRU, a cell of these, or
      `flax.linen.RNN` with one.
    params: The parameters of the module. See `load_contrib_variables`.
    scope: The scope of the cell, such as "rnn/indy_lstm_cell".
    forget_bias: For the IndyLSTM only: the value that the TensorFlow 1 program
      passes to the cell. It is subtracted from the bias.

  Returns:
    A dict from the names of the variables to arrays.
    `tf_contrib_rnn.migrate.write_checkpoint` can write it.

  Raises:
    ValueError: If `module` is none of these, or if no cell of tf.contrib.rnn
      computes the same: with a `gate_fn` other than sigmoid, or with
      `residual`.

  Example:

  >>> import jax, jax.numpy as jnp
  >>> from tf_contrib_rnn.flax import contrib_variables
  >>> from tf_contrib_rnn.flax import IndRNN
  >>> layer = IndRNN(4)
  >>> params = layer.init(jax.random.key(0), jnp.ones([2, 5, 3]))["params"]
  >>> sorted(contrib_variables(layer, params, "rnn/ind_rnn_cell"))[0]
  'rnn/ind_rnn_cell/bias'
  """
  cell = _cell_of(module)
  arrays = nn.meta.unbox(_parameters_of(module, cell, params))
  return _weights.to_variables(cell, arrays, scope, forget_bias)
