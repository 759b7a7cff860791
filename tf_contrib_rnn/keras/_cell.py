"""What the Keras cells have in common: weights, x W + b, calls, config."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any
from typing import Optional
from typing import TYPE_CHECKING

from tf_contrib_rnn import cell_kinds
from tf_contrib_rnn.keras._family import Dropout
from tf_contrib_rnn.keras._family import ops
from tf_contrib_rnn.keras._family import sizes

# The cells that are being run on projected inputs. That is no attribute of the
# cell, which other threads may call.
_on_projected_inputs: contextvars.ContextVar[tuple]
_on_projected_inputs = contextvars.ContextVar("cells", default=())


def check_units(units: Any) -> int:
  try:
    count = int(units)
  except (OverflowError, TypeError, ValueError):
    count = 0
  if count < 1 or count != units:
    raise ValueError(f"units is {units!r}, expected a whole number, 1 or more")
  return count


class CellBase(Dropout):
  """What the cells have in common, before Keras's class in the bases.

  Attributes:
    keras_class: Keras's class that the cell derives from, whose own weights
      are not made.
    kind: the cell's facts.
  """

  kind: cell_kinds.CellKind
  units: int
  use_bias: bool
  activation: Any
  kernel: Any
  bias: Any
  dropout: float
  seed: Optional[int]

  if TYPE_CHECKING:

    def __call__(
      self,
      inputs: Any,
      states: Any,
      training: Optional[bool] = None,
      **keywords: Any,
    ) -> tuple[Any, Any]: ...

  @property
  def gates(self) -> int:
    """How many gates there are, each as wide as the cell."""
    return len(self.kind.gates)

  @property
  def biased_gates(self) -> int:
    """How many of them the bias has."""
    return len(self.kind.gates_of("bias"))

  def build(self, input_shape):
    """Makes the weights for inputs of a shape that ends in the features."""
    super(self.keras_class, self).build(input_shape)
    shape = sizes(input_shape)
    features = shape[-1]
    if features is None:
      raise ValueError(
        f"inputs have shape {shape}, expected a known last "
        "dimension, the number of features"
      )
    self.kernel = self._add("kernel", (features, self.gates * self.units))
    self._add_recurrent_weights()
    self.bias = None
    if self.use_bias:
      self.bias = self._add("bias", self._bias_shape())
    self.built = True

  def _add_recurrent_weights(self):
    """Makes what multiplies the state."""

  def _add(self, name, shape, kind=None):
    kind = kind or name
    return self.add_weight(
      name=name,
      shape=shape,
      initializer=self._initializer(kind),
      regularizer=getattr(self, f"{kind}_regularizer"),
      constraint=getattr(self, f"{kind}_constraint"),
    )

  def _initializer(self, kind):
    return getattr(self, f"{kind}_initializer")

  def _bias_shape(self) -> tuple[int, ...]:
    return (self.biased_gates * self.units,)

  @property
  def input_bias(self) -> Optional[Any]:
    """The bias that is added to x W, [gates * units], or None."""
    return self.bias

  def project(self, inputs: Any, training: Any = None) -> Any:
    """Returns x W + b for one step, or for all steps of sequences.

    Args:
      inputs: x, [batch, features] or [batch, time, features].
      training: Whether to drop inputs, if `dropout` is set.

    Returns:
      A tensor like the inputs, with gates * units instead of features.
    """
    projected = self.multiply(inputs, training)
    return projected if self.input_bias is None else projected + self.input_bias

  def multiply(self, inputs: Any, training: Any = None) -> Any:
    """x W as in `project`."""
    return self.product(inputs, self.kernel, *self.masks(inputs, training))

  def masks(self, inputs: Any, training: Any = None) -> list:
    """The masks for `product`: none, one, or one for each gate."""
    is_sequence = len(inputs.shape) == 3
    step = inputs[:, 0] if is_sequence else inputs
    masks = [m for m in self.input_masks(step, training) or [] if m is not None]
    # A mask holds for all steps.
    return [mask[:, None] for mask in masks] if is_sequence else masks

  def product(self, inputs: Any, kernel: Any, *masks: Any) -> Any:
    """x W of inputs with these masks."""
    features, expected = sizes(inputs)[-1], sizes(kernel)[0]
    if features not in (None, expected):
      raise ValueError(
        f"inputs have shape {sizes(inputs)}, expected {expected} "
        "features in the last dimension, as when the layer was built"
      )
    if len(masks) < 2:
      return ops.matmul(inputs * masks[0] if masks else inputs, kernel)
    kernels = ops.split(kernel, self.gates, axis=-1)
    products = [
      ops.matmul(inputs * mask, part) for mask, part in zip(masks, kernels)
    ]
    return ops.concatenate(products, axis=-1)

  @contextlib.contextmanager
  def takes_projected_inputs(self) -> Iterator[None]:
    """Inside, calls of the cell take what `project` returned for a step."""
    token = _on_projected_inputs.set((*_on_projected_inputs.get(), self))
    try:
      yield
    finally:
      _on_projected_inputs.reset(token)

  def call(self, inputs, states, training=None):
    """Runs one step. See the class."""
    if not any(cell is self for cell in _on_projected_inputs.get()):
      inputs = self.project(inputs, training)
    is_list = isinstance(states, (list, tuple))
    states = list(states) if is_list else [states]
    new_states = self.step(inputs, states, training)
    output, new_states = new_states[0], new_states[-len(states) :]
    return output, new_states if is_list else new_states[0]

  def with_output(self, states: list) -> list:
    """States that start with an output, as Keras's loop on JAX needs them.

    The loop takes the first state for the output of a step that is skipped.
    """
    return list(states)

  def get_config(self):
    config = {**super().get_config(), "seed": self.seed}
    if hasattr(self, "implementation"):
      config["implementation"] = self.implementation
    return config
