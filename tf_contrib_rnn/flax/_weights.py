"""A cell's arrays from a TensorFlow 1 checkpoint and back, for linen and nnx.

The layout is that of tf.contrib.rnn, except for the `forget_bias` of the
IndyLSTM. tf.contrib.rnn adds it at each step. Here it is part of the bias.
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
  """Returns the arrays that replace those of a cell, in the same dtypes.

  Args:
    kind: The kind of the cell.
    old: The arrays of the cell, by name.
    checkpoint: See `load_contrib_variables`.
    scope: See `load_contrib_variables`.
    forget_bias: See `load_contrib_variables`.

  Raises:
    ValueError: See `load_contrib_variables`.
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
  """Converts the arrays of a cell to the variables of tf.contrib.rnn.

  Args:
    cell: The cell. Its attributes are checked.
    arrays: The arrays of the cell, by name.
    scope: See `contrib_variables`.
    forget_bias: See `contrib_variables`.

  Raises:
    ValueError: See `contrib_variables`.
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
