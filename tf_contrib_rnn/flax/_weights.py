"""A cell's arrays from a TensorFlow 1 checkpoint, and back: linen's and nnx's.

The layout is tf.contrib.rnn's, but for the IndyLSTM's forget_bias: what is
added at each step there is part of the bias here.
"""

from collections.abc import Mapping
from typing import Any
from typing import Optional

import jax
import numpy as np

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn import migrate
from tf_contrib_rnn.flax import _recurrence


def read(
  kind: _recurrence.Kind,
  old: Mapping[str, Any],
  checkpoint: Any,
  scope: Optional[str],
  forget_bias: float,
) -> dict[str, np.ndarray]:
  """The arrays that are to replace a cell's, in their dtypes.

  Args:
    kind: which cell it is.
    old: the cell's arrays by their names.
    checkpoint, scope, forget_bias: as of `load_contrib_variables`.

  Raises:
    ValueError: as `load_contrib_variables`.
  """
  facts = kind.cell
  if set(old) != set(facts.arrays):
    raise ValueError(
      f"the parameters have {', '.join(map(repr, sorted(old))) or 'nothing'}, "
      f"expected those of one {facts.contrib_name}: "
      f"{', '.join(map(repr, facts.arrays))}"
    )
  depth, width = old["kernel"].shape
  units = width // kind.gates
  weights = migrate.read_weights(
    kind.cell.contrib_name, checkpoint, scope, units
  )
  if weights.depth != depth:
    raise ValueError(
      f"the parameters are for inputs of {depth} features, expected the "
      f"checkpoint's {weights.depth} (scope {scope!r})"
    )
  weights = weights.shift_forget_gate(float(forget_bias))
  # What a cell has not is an empty array in `CellWeights`, of any dtype.
  weights = weights.cast(
    [old.get(n, old["kernel"]).dtype for n in cell_kinds.ARRAYS]
  )
  return {name: getattr(weights, name) for name in kind.cell.arrays}


def to_variables(
  cell: Any, arrays: Mapping[str, Any], scope: str, forget_bias: float
) -> dict[str, np.ndarray]:
  """A cell's arrays as the variables of a tf.contrib.rnn cell.

  Args:
    cell: the cell, for its attributes.
    arrays: by their names.
    scope, forget_bias: as of `contrib_variables`.

  Raises:
    ValueError: as `contrib_variables`.
  """
  kind = cell.kind
  gate_fn = getattr(cell, "gate_fn", jax.nn.sigmoid)
  if gate_fn is not jax.nn.sigmoid:
    raise ValueError(
      f"gate_fn is {gate_fn!r}, expected sigmoid, which a tf.contrib.rnn cell "
      "has"
    )
  if getattr(cell, "residual", False):
    raise ValueError(
      "residual is True, expected False, as in a tf.contrib.rnn cell"
    )
  none = np.zeros([1, 0], arrays["kernel"].dtype)
  kernel, recurrent_kernel, bias = (
    np.asarray(arrays.get(name, none)) for name in cell_kinds.ARRAYS
  )
  weights = migrate.CellWeights(
    kind.cell.contrib_name, kernel, recurrent_kernel, bias
  )
  weights = weights.shift_forget_gate(-float(forget_bias))
  return migrate.to_variables(weights, scope)
