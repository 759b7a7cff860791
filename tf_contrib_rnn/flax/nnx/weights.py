"""Parameters of nnx modules from a TensorFlow 1 checkpoint, and back."""

from typing import Any
from typing import Optional

import numpy as np

from tf_contrib_rnn.flax import _weights
from tf_contrib_rnn.flax.nnx import cells


def _cell_of(module: Any) -> Any:
  """The cell that a module is, or runs."""
  cell = getattr(module, "cell", module)
  if not isinstance(cell, cells._Cell):
    raise ValueError(
      f"module is of the type {type(module).__name__}, expected an IndRNN, "
      "IndyGRU, IndyLSTM or SRU, a cell of these, or flax.nnx.RNN with one"
    )
  return cell


def _parameters_of(cell: Any) -> dict[str, Any]:
  return {name: getattr(cell, name)[...] for name in cell.kind.cell.arrays}


def load_contrib_variables(
  module: Any,
  checkpoint: Any,
  scope: Optional[str] = None,
  forget_bias: float = 1.0,
) -> None:
  """Gives a module the weights of a tf.contrib.rnn cell of the same kind.

  Args:
    module: an IndRNN, IndyGRU, IndyLSTM or SRU, a cell of these, or
      `flax.nnx.RNN` with one.
    checkpoint: where `tf.train.Saver` saved it, a prefix or a folder with its
      file "checkpoint", which TensorFlow reads; or a mapping from the
      variables' names to arrays, as `numpy.load` gives, for which no TensorFlow
      is needed.
    scope: the cell's scope, as "rnn/indy_lstm_cell", or one around it below
      which there is only one such cell; None if the checkpoint has only one.
    forget_bias: of the IndyLSTM: what the TensorFlow 1 program gave the cell.
      tf.contrib.rnn adds it at each step, here it becomes part of the bias.

  Raises:
    ValueError: if it is not clear which cell is meant, if a variable is
      missing, is not such a cell's, does not fit the module, is not of floating
      point, or has a number too large for its dtype; it is named, and no
      parameter is changed. Also if the checkpoint's files are damaged.
    tf.errors.NotFoundError: if the checkpoint has no file at all.

  Example:

  >>> import numpy as np
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndRNN
  >>> from tf_contrib_rnn.flax.nnx import load_contrib_variables
  >>> layer = IndRNN(3, 4, rngs=nnx.Rngs(0))
  >>> variables = {
  ...   "rnn/ind_rnn_cell/kernel_w": np.ones([3, 4]),
  ...   "rnn/ind_rnn_cell/kernel_u": np.ones([1, 4]),
  ...   "rnn/ind_rnn_cell/bias": np.zeros([4]),
  ... }
  >>> load_contrib_variables(layer, variables, "rnn")
  >>> layer.cell.recurrent_kernel[...].tolist()
  [[1.0, 1.0, 1.0, 1.0]]
  """
  cell = _cell_of(module)
  arrays = _weights.read(
    cell.kind, _parameters_of(cell), checkpoint, scope, forget_bias
  )
  for name, array in arrays.items():
    getattr(cell, name)[...] = array


def contrib_variables(
  module: Any, scope: str, forget_bias: float = 1.0
) -> dict[str, np.ndarray]:
  """A module's parameters as the variables of a tf.contrib.rnn cell.

  Args:
    module: as of `load_contrib_variables`.
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

  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import contrib_variables
  >>> from tf_contrib_rnn.flax.nnx import IndRNN
  >>> layer = IndRNN(3, 4, rngs=nnx.Rngs(0))
  >>> sorted(contrib_variables(layer, "rnn/ind_rnn_cell"))[0]
  'rnn/ind_rnn_cell/bias'
  """
  cell = _cell_of(module)
  return _weights.to_variables(cell, _parameters_of(cell), scope, forget_bias)
