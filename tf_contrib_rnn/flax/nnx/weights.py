"""Loads TensorFlow 1 checkpoints into nnx modules, and back."""

from typing import Any
from typing import Optional

import numpy as np

from tf_contrib_rnn.flax import _weights
from tf_contrib_rnn.flax.nnx import cells


def _cell_of(module: Any) -> Any:
  """The cell that a module is, or that it runs."""
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
  """Loads the weights of a tf.contrib.rnn cell into a module of the same kind.

  Args:
    module: An IndRNN, IndyGRU, IndyLSTM or SRU, a cell of these, or
      `flax.nnx.RNN` with one.
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

  Raises:
    ValueError: If there is no such cell or more than one; if a variable is
      missing, does not belong to such a cell, does not fit the module, is not
      of a floating-point dtype, or has a number too large for its dtype (the
      message names it); or if files of the checkpoint are damaged. No parameter
      is changed then.
    tf.errors.NotFoundError: If the checkpoint has no files.

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
  """Converts the parameters of a module to the variables of tf.contrib.rnn.

  Args:
    module: An IndRNN, IndyGRU, IndyLSTM or SRU, a cell of these, or
      `flax.nnx.RNN` with one.
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

  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import contrib_variables
  >>> from tf_contrib_rnn.flax.nnx import IndRNN
  >>> layer = IndRNN(3, 4, rngs=nnx.Rngs(0))
  >>> sorted(contrib_variables(layer, "rnn/ind_rnn_cell"))[0]
  'rnn/ind_rnn_cell/bias'
  """
  cell = _cell_of(module)
  return _weights.to_variables(cell, _parameters_of(cell), scope, forget_bias)
