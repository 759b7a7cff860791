"""The weights of one cell, as the variables of a TensorFlow 1 checkpoint.

`cell_kinds` has the names, shapes and gates of the variables.
"""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Optional

import numpy as np

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.migrate import scopes
from tf_contrib_rnn.migrate.checkpoint import as_array
from tf_contrib_rnn.migrate.checkpoint import Checkpoint
from tf_contrib_rnn.migrate.checkpoint import FLOATS
from tf_contrib_rnn.migrate.checkpoint import load


@dataclasses.dataclass(frozen=True)
class CellWeights:
  """The weights of one cell.

  The gates lie side by side, in the order of tf.contrib.rnn. D is the number of
  input features, and H is the number of units.

  Attributes:
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    kernel: Array [D, gates * H] that multiplies the inputs.
    recurrent_kernel: Array [1, gates * H] that multiplies the state of each
      unit. The SRU has no such weights: it is [1, 0] there.
    bias: Array [gates * H]. For the SRU it is [2 * H], for the gates f and r.
      For the IndyLSTM it does not include `forget_bias`, which tf.contrib.rnn
      adds when the cell runs.
    scope: The scope that the variables were read from, which error messages
      name. "" if there is none.

  Raises:
    ValueError: If `cell` is none of these, or if an array has another shape.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> weights = migrate.CellWeights(
  ...   "IndyGRUCell", np.ones([3, 12]), np.ones([1, 12]), np.zeros([12])
  ... )
  >>> weights.depth, weights.units
  (3, 4)
  """

  cell: str
  kernel: np.ndarray
  recurrent_kernel: np.ndarray
  bias: np.ndarray
  scope: str = ""

  def __post_init__(self):
    gates = len(self._kind.gates)
    shape = np.shape(self.kernel)
    if len(shape) != 2 or shape[1] % gates:
      raise ValueError(
        f"kernel has shape {list(shape)}, expected [depth, {gates} * units]"
      )
    for name, leading in (("recurrent_kernel", (1,)), ("bias", ())):
      width = len(self._kind.gates_of(name)) * self.units
      expected = (*leading, width)
      if np.shape(getattr(self, name)) != expected:
        raise ValueError(
          f"{name} has shape {list(np.shape(getattr(self, name)))}, expected "
          f"{list(expected)}"
        )

  @property
  def _kind(self) -> cell_kinds.CellKind:
    return cell_kinds.of_contrib(self.cell)

  @property
  def depth(self) -> int:
    """The number of input features D."""
    return self.kernel.shape[0]

  @property
  def units(self) -> int:
    """The number of units H."""
    return self.kernel.shape[1] // len(self._kind.gates)

  def take_gates(self, order: list[int]) -> "CellWeights":
    """Returns the same weights with gates in another order.

    Args:
      order: The indices of the gates, in the new order.

    Returns:
      New `CellWeights`.
    """

    gates = self._kind.gates

    def take(name):
      array = np.asarray(getattr(self, name))
      has = self._kind.gates_of(name)
      if not has:
        return array
      by_gate = dict(zip(has, np.split(array, len(has), axis=-1)))
      taken = [by_gate[gates[i]] for i in order if gates[i] in by_gate]
      return np.concatenate(taken, axis=-1)

    return self._replace_arrays(*map(take, cell_kinds.ARRAYS))

  def shift_forget_gate(self, by: float) -> "CellWeights":
    """Returns the same weights with a number added to the bias of the gate f.

    Only the IndyLSTM has this bias. The weights of other cells are returned
    unchanged.

    Args:
      by: The number to add.

    Returns:
      `CellWeights`.

    Raises:
      ValueError: If a finite number is no longer finite.
    """
    if self.cell != "IndyLSTMCell":
      return self
    bias = np.array(self.bias)
    gate = bias[2 * self.units : 3 * self.units]
    with np.errstate(over="ignore"):
      shifted = (gate + by).astype(bias.dtype)
    if np.any(np.isfinite(gate) & ~np.isfinite(shifted)):
      raise ValueError(
        f"forget_bias changes the bias of the forget gate by {by!r}, expected "
        f"a number that leaves it finite in {bias.dtype}"
      )
    bias[2 * self.units : 3 * self.units] = shifted
    return self._replace_arrays(self.kernel, self.recurrent_kernel, bias)

  def cast(self, dtypes: Sequence[Any]) -> "CellWeights":
    """Returns the same weights in other dtypes.

    The gates have to be in the order of tf.contrib.rnn. NaN and infinity, which
    a training can end with, are kept.

    Args:
      dtypes: The dtypes of the kernel, the recurrent kernel and the bias.

    Returns:
      New `CellWeights`.

    Raises:
      ValueError: If a finite number is too large for its dtype. The message
        names the variable.
    """
    arrays = (self.kernel, self.recurrent_kernel, self.bias)
    with np.errstate(over="ignore"):
      cast = self._replace_arrays(
        *(np.asarray(a).astype(dtype) for a, dtype in zip(arrays, dtypes))
      )
    after = to_variables(cast, self.scope)
    for name, array in to_variables(self, self.scope).items():
      lost = array[np.isfinite(array) & ~np.isfinite(after[name])]
      if lost.size:
        raise ValueError(
          f"the variable {name!r} has {lost[0]} ({lost.dtype}), expected "
          f"numbers that are finite in {after[name].dtype}, the layer's dtype"
        )
    return cast

  def _replace_arrays(self, kernel, recurrent_kernel, bias) -> "CellWeights":
    return dataclasses.replace(
      self, kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias
    )


def read_weights(
  cell: str,
  checkpoint: Checkpoint,
  scope: Optional[str] = None,
  units: Optional[int] = None,
) -> CellWeights:
  """Reads the weights of one cell from a checkpoint.

  Args:
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    checkpoint: The path of a checkpoint that `tf.train.Saver` saved: a prefix,
      or a folder with a file "checkpoint". Or a mapping from the names of the
      variables to arrays. The variables of the cell are float16, bfloat16,
      float32 or float64.
    scope: The scope of the cell, such as "rnn/indy_lstm_cell", or a scope
      around it that has only one such cell. None, if the checkpoint has only
      one such cell.
    units: Optional int. If it is given, only cells with this number of units
      count.

  Returns:
    The `CellWeights`, in the dtype of the variables. NaN and infinity are kept.

  Raises:
    ValueError: If there is no such cell or more than one; if a variable is
      missing, does not belong to such a cell, or has another shape or dtype
      (the message names it); if a name is not a string; or if files of the
      checkpoint are damaged or missing.
    tf.errors.NotFoundError: If the checkpoint has no files.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> variables = {
  ...   "rnn/ind_rnn_cell/kernel_w": np.ones([3, 4]),
  ...   "rnn/ind_rnn_cell/kernel_u": np.ones([1, 4]),
  ...   "rnn/ind_rnn_cell/bias": np.zeros([4]),
  ... }
  >>> migrate.read_weights("IndRNNCell", variables, "rnn").units
  4
  """
  kind = cell_kinds.of_contrib(cell)
  variables = load(checkpoint)
  scope = scopes.choose_scope(cell, variables, scope, units)
  scopes.check_names(cell, variables, scope)
  arrays = {}
  for name in kind.variables:
    path = scopes.join(scope, name)
    arrays[name] = as_array(path, variables[path], FLOATS)
  _check_shapes(kind, arrays, scope)
  parts = [part.names() for part in kind.parts]
  of_parts = {
    name: [arrays[names[name]] for names in parts if name in names]
    for name in cell_kinds.ARRAYS
  }
  if not of_parts["recurrent_kernel"]:
    none = np.zeros([1, 0], of_parts["kernel"][0].dtype)
    of_parts["recurrent_kernel"] = [none]
  kernel, recurrent_kernel, bias = map(_lay_side_by_side, of_parts.values())
  weights = CellWeights(cell, kernel, recurrent_kernel, bias, scope)
  if units not in (None, weights.units):
    raise ValueError(
      f"units is {units}, and the checkpoint's {cell} under scope {scope!r} "
      f"has {weights.units}"
    )
  return weights


def _lay_side_by_side(arrays: Sequence[np.ndarray]) -> np.ndarray:
  """Joins the gates in one array, in a dtype that holds all numbers."""
  if {array.dtype.name for array in arrays} == {"float16", "bfloat16"}:
    arrays = [array.astype("float32") for array in arrays]  # NumPy knows none
  return np.concatenate(arrays, axis=-1)


def _check_shapes(
  kind: cell_kinds.CellKind, arrays: Mapping[str, np.ndarray], scope: str
) -> None:
  """Compares shapes with those that follow from the first kernel of a cell."""
  first = kind.parts[0]
  gates, shape = len(first.gates), arrays[first.kernel].shape
  if len(shape) != 2 or shape[1] % gates:
    raise ValueError(
      f"the variable {scopes.join(scope, first.kernel)!r} has shape "
      f"{list(shape)}, expected [depth, {gates} * units]"
    )
  depth, units = shape[0], shape[1] // gates
  leading = {"kernel": (depth,), "recurrent_kernel": (1,), "bias": ()}
  for part in kind.parts:
    for array, name in part.names().items():
      expected = (*leading[array], len(part.gates_of(array)) * units)
      if arrays[name].shape != expected:
        raise ValueError(
          f"the variable {scopes.join(scope, name)!r} has shape "
          f"{list(arrays[name].shape)}, expected {list(expected)}"
        )


def to_variables(weights: CellWeights, scope: str) -> dict[str, np.ndarray]:
  """Converts the weights of a cell to the variables of tf.contrib.rnn.

  Args:
    weights: The `CellWeights`.
    scope: The scope of the cell, such as "rnn/indy_lstm_cell".

  Returns:
    A dict from the names of the variables to arrays. `read_weights` can read
    it, and `write_checkpoint` can write it.

  Example:

  >>> import numpy as np
  >>> from tf_contrib_rnn import migrate
  >>> weights = migrate.CellWeights(
  ...   "IndRNNCell", np.ones([3, 4]), np.ones([1, 4]), np.zeros([4])
  ... )
  >>> list(migrate.to_variables(weights, "rnn/ind_rnn_cell"))[:2]
  ['rnn/ind_rnn_cell/kernel_w', 'rnn/ind_rnn_cell/kernel_u']
  """
  variables = {}
  first = dict.fromkeys(cell_kinds.ARRAYS, 0)
  for part in cell_kinds.of_contrib(weights.cell).parts:
    for array, name in part.names().items():
      end = first[array] + len(part.gates_of(array)) * weights.units
      values = getattr(weights, array)
      variables[scopes.join(scope, name)] = values[..., first[array] : end]
      first[array] = end
  return variables
