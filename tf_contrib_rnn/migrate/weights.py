"""The weights of one cell as a TensorFlow 1 checkpoint's variables hold them.

`cell_kinds` has the variables' names, shapes and gates.
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
  """The weights of one cell, gates side by side in tf.contrib.rnn's order.

  Attributes:
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    kernel: [D, gates * H], what multiplies the inputs.
    recurrent_kernel: [1, gates * H], what multiplies each unit's state; [1, 0]
      of the SRU, which has none.
    bias: [gates * H]; [2 * H] of the SRU, for the gates f and r. The IndyLSTM's
      does not hold forget_bias: tf.contrib.rnn adds that when the cell runs.
    scope: where the variables were read, which errors name; "" if nowhere.

  Raises:
    ValueError: if the cell is none of these, or an array has another shape.

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
    return self.kernel.shape[0]

  @property
  def units(self) -> int:
    return self.kernel.shape[1] // len(self._kind.gates)

  def take_gates(self, order: list[int]) -> "CellWeights":
    """The same weights with gates in another order, for another framework."""

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
    """The same weights with a number added to the IndyLSTM's bias of gate f.

    Other cells have no such gate and stay as they are.

    Raises:
      ValueError: if a number that was finite no longer is.
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
    """The same weights, gates in tf.contrib.rnn's order, in other dtypes.

    NaN and infinity, which a model may have been trained to, stay what they
    are.

    Args:
      dtypes: of kernel, recurrent kernel and bias.

    Raises:
      ValueError: if a finite number is too large for its dtype; the variable is
        named.
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
  """Reads the weights of one cell.

  Args:
    cell: "IndRNNCell", "IndyGRUCell", "IndyLSTMCell" or "SRUCell".
    checkpoint: where `tf.train.Saver` saved it, a prefix or a folder with its
      file "checkpoint"; or a mapping from the variables' names to arrays. The
      cell's are float16, bfloat16, float32 or float64.
    scope: the cell's scope, as "rnn/indy_lstm_cell", or one around it below
      which there is only one such cell; None if the checkpoint has only one.
    units: (optional) what the cell has; of several only that counts.

  Returns:
    The `CellWeights`, in the variables' dtype. NaN and infinity stay.

  Raises:
    ValueError: if it is not clear which cell is meant; if a variable is
      missing, is not such a cell's, or has another shape or dtype, which is
      named; if a name is no string; if the checkpoint's files are damaged, or
      some are missing.
    tf.errors.NotFoundError: if the checkpoint has no file at all.

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
  """Gates in one array, of a dtype that holds all of their numbers."""
  if {array.dtype.name for array in arrays} == {"float16", "bfloat16"}:
    arrays = [array.astype("float32") for array in arrays]  # NumPy knows none
  return np.concatenate(arrays, axis=-1)


def _check_shapes(
  kind: cell_kinds.CellKind, arrays: Mapping[str, np.ndarray], scope: str
) -> None:
  """Compares with the shapes that a cell's first kernel asks for."""
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
  """The variables of a cell, as a checkpoint of tf.contrib.rnn has them.

  Args:
    weights: the cell's weights.
    scope: the cell's scope, as "rnn/indy_lstm_cell".

  Returns:
    The arrays by the variables' names: what `read_weights` reads.

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
