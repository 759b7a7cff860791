"""What the plain RNNCells of tf.contrib.rnn have in common.

A plain RNNCell creates its variables in its first call, by `get_variable` in
the scope of that call. A LayerRNNCell creates them when it is built.
Checkpoints, reuse and errors depend on which of the two a cell is.
"""

import contextlib
import contextvars
import functools
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Optional

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import variable_scope

from tf_contrib_rnn import core

v1 = tf.compat.v1


# Whether a cell inside has asked already, and keeps the variable itself.
_is_kept_inside: contextvars.ContextVar[bool]
_is_kept_inside = contextvars.ContextVar("is_kept_inside", default=False)


@contextlib.contextmanager
def as_first_of_its_name(name: str) -> Iterator[None]:
  """Inside, a variable can be created even if its name is already in use.

  TensorFlow keeps the variables of tf.functions in a store, by name. Without
  this, a cell in another function or in eager mode would find them there.
  """
  store = variable_scope._get_default_variable_store()
  has_names = type(store) is variable_scope._VariableStore
  other = store._vars.pop(name, None) if has_names else None
  try:
    yield
  finally:
    if other is not None:
      store._vars.setdefault(name, other)


class PlainCell(core.RNNCell):
  """An RNNCell that keeps its variables in eager mode and in tf.functions.

  In a graph, a second call finds the variables in their scope. Elsewhere there
  is no such store, so the cell itself stores the variables. It tracks them, so
  that checkpoints of objects and SavedModels contain them.
  """

  def __call__(
    self, inputs: Any, state: Any, scope: Any = None
  ) -> tuple[Any, Any]:
    if ops.executing_eagerly_outside_functions():
      # RNNCell keeps the scope of its first call, and would return with it to
      # the graph of a tf.function.
      self.__dict__.pop("rnncell_scope", None)
    return super().__call__(inputs, state, scope)

  def _set_scope(self, scope=None):
    super()._set_scope(scope)
    set_scope: Any = self._scope
    if ops.executing_eagerly_outside_functions():
      # dynamic_rnn sets one in tf.functions, and eager mode refuses it.
      set_scope._caching_device = None

  def _rnn_get_variable(self, getter, *arguments, **keywords):
    make = functools.partial(super()._rnn_get_variable, getter)
    if not ops.executing_eagerly_outside_functions() or _is_kept_inside.get():
      return make(*arguments, **keywords)
    full_name = keywords["name"] if "name" in keywords else arguments[0]
    name = self._name_inside(full_name)
    # Past the Layer's __setattr__, which would track it.
    made = self.__dict__.setdefault("_made_variables", {})
    if name not in made:
      token = _is_kept_inside.set(True)
      try:
        # In a tf.function any scope may say AUTO_REUSE: those of eager mode do.
        if self._reuse or keywords.get("reuse") is True:
          made[name] = make(*arguments, **keywords)
        else:
          with as_first_of_its_name(full_name):
            made[name] = make(*arguments, **keywords)
      finally:
        _is_kept_inside.reset(token)
      self._track_trackable(made[name], name, overwrite=True)
    shape, found = keywords.get("shape"), made[name].shape
    if shape is not None and not found.is_compatible_with(shape):
      raise ValueError(
        f"Trying to share variable {full_name}, but specified shape "
        f"{tuple(shape)} and found shape {found}"
      )
    return made[name]

  def _name_inside(self, name: str) -> str:
    """What a variable is called below the scope of the cell, if it has one."""
    if self._scope is None:
      return name.rpartition("/")[2]
    return name.removeprefix(self._scope.name + "/")


def depth_of(inputs: tf.Tensor, name: str = "inputs") -> int:
  """The last dimension of a tensor [batch, depth], which has to be known.

  Raises:
    ValueError: If it is not known, or if the tensor has another rank. The
      message names the tensor.
  """
  shape = inputs.shape
  # Not shape[1], which is a Dimension where TensorFlow 1's shapes are on.
  depth = shape.as_list()[1] if shape.rank == 2 else None
  if depth is None:
    raise ValueError(
      f"{name} has shape {shape}, expected [batch, depth] with a known depth"
    )
  return depth


def get_bias(
  size: int, dtype: tf.DType, initializer: Any = None, name: str = "bias"
) -> Any:
  """Gets a bias [size] for `linear`. A partitioner does not split it."""
  if initializer is None:
    initializer = v1.zeros_initializer()
  with v1.variable_scope(v1.get_variable_scope()) as scope:
    scope.set_partitioner(None)
    return v1.get_variable(name, [size], dtype, initializer)


def matmul(inputs: tf.Tensor, kernel: Any) -> tf.Tensor:
  """Multiplies inputs [batch, depth] with a kernel (split, empty or not)."""
  kernel = tf.convert_to_tensor(kernel)
  if 0 in kernel.shape.as_list():
    # TensorFlow fuses a MatMul and the addition of a bias after it, which ends
    # the process for an empty kernel.
    return tf.einsum("bi,ij->bj", inputs, kernel)
  return tf.matmul(inputs, kernel)


def linear(
  inputs: Sequence[tf.Tensor],
  size: int,
  use_bias: bool = True,
  kernel_initializer: Any = None,
  bias_initializer: Any = None,
) -> tf.Tensor:
  """Returns [x, h, ...] W + b, with variables `kernel` and `bias` of the scope.

  Args:
    inputs: Tensors [batch, depth], or values that can be converted to the dtype
      of the first one.
    size: The last dimension of the result.
    use_bias: Whether there is a bias b.
    kernel_initializer: Optional initializer of W. Default: the one of the
      variable scope.
    bias_initializer: Optional initializer of b. Default: zeros.

  Returns:
    A tensor [batch, size].

  Raises:
    ValueError: If a depth is not known.
  """
  dtype = inputs[0].dtype
  inputs = [
    tensor if tf.is_tensor(tensor) else tf.convert_to_tensor(tensor, dtype)
    for tensor in inputs
  ]
  depth = sum(depth_of(tensor) for tensor in inputs)
  kernel = v1.get_variable("kernel", [depth, size], dtype, kernel_initializer)
  joined = inputs[0] if len(inputs) == 1 else tf.concat(inputs, 1)
  product = matmul(joined, kernel)
  if not use_bias:
    return product
  return product + get_bias(size, dtype, bias_initializer)


def mix(gate: tf.Tensor, kept: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
  """Mixes with a gate from 0 to 1: gate * kept + (1 - gate) * new."""
  return gate * kept + (1 - gate) * new


def layer_norm(
  inputs: tf.Tensor,
  name: str,
  gain: float,
  shift: float,
  dtype: Optional[tf.DType] = None,
) -> tf.Tensor:
  """Normalises each row, and scales and shifts it with trained variables.

      (x - mean) / sqrt(variance + epsilon) * gamma + beta

  The variance is the biased one. epsilon is 1e-12, or 1e-3 in float16. The
  variables `NAME/gamma` and `NAME/beta` are [units].

  Args:
    inputs: Tensor [batch, units].
    name: The scope of the variables.
    gain: The initial value of gamma.
    shift: The initial value of beta.
    dtype: Optional dtype of the variables. Default: the dtype of the variable
      scope, which is float32 if it is not set. Some cells of TensorFlow 1.15 do
      not use the dtype of the inputs.

  Returns:
    A tensor like the inputs.

  Raises:
    ValueError: If the dtypes of variables and inputs differ.
  """
  units = depth_of(inputs)
  with v1.variable_scope(name):
    gamma, beta = (
      v1.get_variable(part, [units], dtype, v1.constant_initializer(start))
      for part, start in (("gamma", gain), ("beta", shift))
    )
  if gamma.dtype.base_dtype != inputs.dtype:
    raise ValueError(
      f"{name}/gamma is {gamma.dtype.base_dtype.name}, the inputs "
      f"{inputs.dtype.name}: make the variables in a variable_scope whose "
      "dtype is the inputs'"
    )
  mean, variance = tf.nn.moments(inputs, [1], keepdims=True)
  epsilon = 1e-3 if inputs.dtype == tf.float16 else 1e-12
  return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)


def get_sharded(
  name: str, shape: Sequence[int], dtype: tf.DType, shards: int
) -> tf.Tensor:
  """Gets a matrix that is stored as variables NAME_0, NAME_1, ..., row by row.

  If the rows cannot be divided equally, the first variables have one row more.

  Raises:
    ValueError: If there are more shards than rows.
  """
  rows, columns = shape
  if shards > rows:
    raise ValueError(
      f"Too many shards: {shards} for the {rows} rows of {name}, expected one "
      "row in each at least"
    )
  size, more = divmod(rows, shards)
  parts = [
    v1.get_variable(f"{name}_{i}", [size + (i < more), columns], dtype)
    for i in range(shards)
  ]
  if shards == 1:
    return parts[0]
  whole = tf.concat(parts, 0, name=f"{name}/concat")
  if not ops.executing_eagerly_outside_functions():
    v1.add_to_collection(v1.GraphKeys.CONCATENATED_VARIABLES, whole)
  return whole
