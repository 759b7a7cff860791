"""Detects which Keras is used, and hides the differences from cells and layers.

Keras 3 and Keras 2 (tf_keras, or the Keras of TensorFlow 2.15) differ in how
they create dropout masks, in the functions on tensors, and in whether a
recurrent layer can replace its loop. This module has the form of Keras 3.
"""

import os
import types
from typing import Any
from typing import Optional
from typing import TYPE_CHECKING
from typing import TypeVar


def _import_keras() -> Any:
  """What tf.keras is; Keras 3 is found without TensorFlow."""
  wants_keras_2 = os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True")
  if not wants_keras_2:
    import keras

    if not keras.__version__.startswith("2."):
      return keras
  import tensorflow as tf

  return tf.keras


if TYPE_CHECKING:
  import keras as keras  # Keras 3: its names are those of Keras 2
else:
  keras = _import_keras()
Class = TypeVar("Class", bound=type)
IS_KERAS_3 = hasattr(keras, "ops")
RUNS_TENSORFLOW = not IS_KERAS_3 or keras.config.backend() == "tensorflow"


def register(keras_class: Class) -> Class:
  """Registers a class, so that Keras finds it when it loads a file."""
  decorate = keras.utils.register_keras_serializable("tf_contrib_rnn")
  return decorate(keras_class)


def _functions_of_keras_2() -> types.SimpleNamespace:
  """Keras 2 computes with TensorFlow's functions: these, by Keras 3's names."""
  import tensorflow as tf

  return types.SimpleNamespace(
    broadcast_to=tf.broadcast_to,
    concatenate=tf.concat,
    matmul=keras.backend.dot,  # tf.matmul would broadcast the kernel
    ones_like=tf.ones_like,
    shape=tf.shape,
    split=tf.split,
    zeros=tf.zeros,
    zeros_like=tf.zeros_like,
  )


ops: Any = keras.ops if IS_KERAS_3 else _functions_of_keras_2()


def sizes(tensor_or_shape: Any) -> tuple[Optional[int], ...]:
  """The sizes of a tensor's axes, None where they are not known.

  `tensor.shape[0]` is a Dimension after `tf.compat.v1.disable_v2_behavior()`.
  """
  shape = getattr(tensor_or_shape, "shape", tensor_or_shape)
  return tuple(shape.as_list() if hasattr(shape, "as_list") else shape)


# These come before Keras's class in a cell's bases, and use what is there.
if TYPE_CHECKING:
  from keras.layers import Layer as _Mixin
else:
  _Mixin = object


def _as_list(masks: Any) -> list:
  return list(masks) if isinstance(masks, (list, tuple)) else [masks]


class _DropoutOfKeras3(_Mixin):
  """Keras 2's names for the masks that Keras 3's cells make."""

  def input_masks(self, inputs: Any, training: Any) -> Optional[list]:
    """One mask of the inputs, or one for each gate, or None for no dropout."""
    if not (training and self.dropout):
      return None
    return _as_list(self.get_dropout_mask(inputs))

  def recurrent_masks(self, state: Any, training: Any) -> Optional[list]:
    """As `input_masks`, of the state."""
    if not (training and self.recurrent_dropout):
      return None
    return _as_list(self.get_recurrent_dropout_mask(state))

  def get_dropout_mask_for_cell(
    self, inputs: Any, training: Any, count: int = 1
  ) -> Any:
    """Keras 2's name: a mask of the inputs, a list of `count`, or None."""
    return self._make(
      self.dropout, self.get_dropout_mask, inputs, training, count
    )

  def get_recurrent_dropout_mask_for_cell(
    self, inputs: Any, training: Any, count: int = 1
  ) -> Any:
    """Keras 2's name: a mask of the state, a list of `count`, or None."""
    return self._make(
      self.recurrent_dropout,
      self.get_recurrent_dropout_mask,
      inputs,
      training,
      count,
    )

  def _make(self, rate, get_mask, inputs, training, count):
    if not rate:
      return None
    masks = _as_list(get_mask(inputs) if training else ops.ones_like(inputs))
    if len(masks) < count:  # Keras 3 makes one alone where one is enough
      masks = masks[:1] * count
    return masks[:count] if count > 1 else masks[0]

  def get_initial_state(
    self, batch_size: Any = None, inputs: Any = None, dtype: Any = None
  ) -> list:
    """Returns a state of zeros, for `batch_size` or the batch of `inputs`.

    Args:
      batch_size: Int or scalar tensor, the number of sequences.
      inputs: Optional tensor whose first dimension is the batch size.
      dtype: Optional dtype of the zeros. Default: that of the computation.

    Returns:
      A list of one tensor [batch_size, units], or of two for the LSTM.
    """
    if inputs is not None:
      batch_size, dtype = ops.shape(inputs)[0], dtype or inputs.dtype
    count = len(_as_list(self.state_size))
    dtype = dtype or self.compute_dtype
    return [ops.zeros((batch_size, self.units), dtype) for _ in range(count)]


class _DropoutOfKeras2(_Mixin):
  """Keras 3's names for the masks that Keras 2's cells make."""

  def input_masks(self, inputs: Any, training: Any) -> Optional[list]:
    """One mask of the inputs, or one for each gate, or None for no dropout."""
    masks = self.get_dropout_mask_for_cell(inputs, training, self._count)
    return None if masks is None else _as_list(masks)

  def recurrent_masks(self, state: Any, training: Any) -> Optional[list]:
    """As `input_masks`, of the state."""
    masks = self.get_recurrent_dropout_mask_for_cell(
      state, training, self._count
    )
    return None if masks is None else _as_list(masks)

  def get_initial_state(
    self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
  ) -> Any:
    """Returns a state of zeros, for `batch_size` or the batch of `inputs`.

    Args:
      inputs: Optional tensor whose first dimension is the batch size.
      batch_size: Int or scalar tensor, the number of sequences.
      dtype: Optional dtype of the zeros. Default: that of the computation.

    Returns:
      A tensor [batch_size, units], or a list of two for the LSTM.
    """
    dtype = dtype or self.compute_dtype
    return super().get_initial_state(inputs, batch_size, dtype)

  @property
  def _count(self) -> int:
    return self.gates if getattr(self, "implementation", 2) == 1 else 1

  def get_dropout_mask(self, step_input: Any) -> Any:
    """Keras 3's name: the mask of the inputs while training, or None."""
    return self.get_dropout_mask_for_cell(step_input, True, self._count)

  def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
    """Keras 3's name: the mask of the state while training, or None."""
    return self.get_recurrent_dropout_mask_for_cell(
      step_input, True, self._count
    )


# Type checkers take no conditional expression for a class.
if TYPE_CHECKING or IS_KERAS_3:  # noqa: SIM108
  Dropout = _DropoutOfKeras3
else:
  Dropout = _DropoutOfKeras2


def _keras_cell_base() -> Any:
  """What Keras's cells derive from, with their states that are zeros."""
  matrix_cell = keras.layers.SimpleRNNCell
  return types.new_class(
    "_CellOfKeras",
    matrix_cell.__bases__,
    exec_body=lambda names: names.update(
      get_initial_state=matrix_cell.get_initial_state
    ),
  )


if TYPE_CHECKING:
  from keras.layers import Layer as _CellOfKeras
else:
  _CellOfKeras = _keras_cell_base()


class Cell(_CellOfKeras):
  """A Keras layer that Keras's RNN takes for a cell which drops inputs."""

  def __init__(self, seed=None, **keywords):
    if IS_KERAS_3:
      super().__init__(**keywords)
      self.seed_generator = keras.random.SeedGenerator(seed)
    else:
      super().__init__(seed=seed, **keywords)


class _RNNOfKeras2(keras.layers.RNN):
  """Keras 2's RNN, with the loop along time in a method, as in Keras 3's."""

  def build(self, input_shape):
    """Makes the weights for inputs of a shape, which a file has as a list."""
    if isinstance(input_shape, list) and all(
      length is None or isinstance(length, int) for length in input_shape
    ):
      input_shape = tuple(input_shape)  # or its first length is the shape
    super().build(input_shape)

  def inner_loop(self, sequences, initial_state, mask, training=None):
    """Runs the cell along time: (last output, outputs, final states).

    The sequences are [batch, time, features], also with time_major.
    """
    return keras.backend.rnn(
      lambda x, states: self.cell(x, states, training=training),
      sequences,
      initial_state,
      go_backwards=self.go_backwards,
      mask=mask,
      unroll=self.unroll,
      input_length=sizes(sequences)[1],
      zero_output_for_mask=self.zero_output_for_mask,
      return_all_outputs=self.return_sequences,
    )

  def call(self, inputs, mask=None, training=None, initial_state=None):
    """See the class of the layer."""
    import tensorflow as tf

    sequences = inputs[0] if isinstance(inputs, list) else inputs
    time = sizes(sequences)[0 if self.time_major else 1]
    is_unknown = self.unroll and time is None
    if isinstance(sequences, tf.RaggedTensor) or is_unknown:
      return super().call(inputs, mask, training, initial_state)
    sequences, initial_state, _ = self._process_inputs(
      inputs, initial_state, None
    )
    self._maybe_reset_cell_dropout_mask(self.cell)
    mask = _as_list(mask)[0]  # of the sequences; a second is of the state
    if self.time_major:
      sequences, mask = _swap_axes(sequences), _swap_axes(mask)
    last, outputs, states = self.inner_loop(
      sequences, initial_state, mask, training
    )
    if self.time_major:
      outputs = _swap_axes(outputs)
    if self.stateful:
      self.add_update(
        [
          old.assign(tf.cast(new, old.dtype))
          for old, new in zip(self.states, states)
        ]
      )
    output = outputs if self.return_sequences else last
    return [output, *states] if self.return_state else output


def _swap_axes(tensor: Any) -> Any:
  """A tensor with batch for time and time for batch."""
  import tensorflow as tf

  if tensor is None:
    return None
  return tf.transpose(tensor, [1, 0, *range(2, len(tensor.shape))])


if TYPE_CHECKING:
  from keras.layers import RNN as RNN
else:
  RNN = keras.layers.RNN if IS_KERAS_3 else _RNNOfKeras2
