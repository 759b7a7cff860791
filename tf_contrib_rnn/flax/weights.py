"""Parameters of linen modules from a TensorFlow 1 checkpoint, and back."""

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
  """The cell that a module is, or runs."""
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
  """The part of a module's parameters that is its cell's."""
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
  """Parameters of a module, with the weights of a tf.contrib.rnn cell.

  Args:
    module: an IndRNN, IndyGRU, IndyLSTM or SRU, a cell of these, or
      `flax.linen.RNN` with one. What counts is its class and its features.
    params: the module's parameters, as `module.init` makes them or as they lie
      in a larger module's tree under its name. They say shapes and dtypes.
    checkpoint: where `tf.train.Saver` saved it, a prefix or a folder with its
      file "checkpoint", which TensorFlow reads; or a mapping from the
      variables' names to arrays, as `numpy.load` gives, for which no TensorFlow
      is needed.
    scope: the cell's scope, as "rnn/indy_lstm_cell", or one around it below
      which there is only one such cell; None if the checkpoint has only one.
    forget_bias: of the IndyLSTM: what the TensorFlow 1 program gave the cell.
      tf.contrib.rnn adds it at each step, here it becomes part of the bias.

  Returns:
    A tree like `params`, which stays as it is.

  Raises:
    ValueError: if it is not clear which cell is meant, if a variable is
      missing, is not such a cell's, does not fit the parameters, is not of
      floating point, or has a number too large for their dtype; it is named.
      Also if the checkpoint's files are damaged.
    tf.errors.NotFoundError: if the checkpoint has no file at all.

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
  """A module's parameters as the variables of a tf.contrib.rnn cell.

  Args:
    module, params: as of `load_contrib_variables`.
    scope: the cell's scope, as "rnn/indy_lstm_cell".
    forget_bias: of the IndyLSTM: what the TensorFlow 1 program gives the cell;
      it is taken from the bias.

  Returns:
    Arrays by the variables' names, which
    `tf_contrib_rnn.migrate.write_checkpoint` writes.

  Raises:
    ValueError: if `module` is none of these, or no tf.contrib.rnn cell computes
      the same: with a gate_fn other than sigmoid, or residual.

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
