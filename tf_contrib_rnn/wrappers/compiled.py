"""A wrapper that marks the operations of a cell for XLA."""

import contextlib
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tf_contrib_rnn.wrappers import base


def _has_no_state(node_def: Any) -> bool:
  definition = op_def_registry.get(node_def.op)
  return definition is None or not definition.is_stateful


class CompiledWrapper(base.Wrapper):
  """Marks the operations of a cell for compilation with XLA.

  The operations and those of their gradients get the attribute `_XlaCompile`.
  XLA compiles the marked operations if it can. The others run as usual. Outputs
  differ by rounding errors at most. The wrapper has no variables and no scope
  of its own: names, sizes and state are those of the cell.

  In eager mode there is no graph whose operations could be marked. The cell
  then runs uncompiled. To be sure that a cell is compiled, use
  `tf.function(jit_compile=True)`.

  In TensorFlow 1.15 the wrapper has no attributes such as `name` and `weights`.
  Here it has those of any cell.

  Source: `tf.contrib.rnn.CompiledWrapper` of TensorFlow 1.15.

  Args:
    cell: An RNNCell. It is not checked before the first call.
    compile_stateful: Bool, whether to mark operations with a state as well,
      such as those that draw random numbers. XLA draws other random numbers
      than TensorFlow.

  Call arguments:
    - `inputs`: The inputs of the cell.
    - `state`: A state of the cell.
    - `scope`: Optional variable scope, for the cell.

  A call returns the output and the new state of the cell.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.CompiledWrapper(tf_contrib_rnn.IndRNNCell(4))
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  """

  def __init__(self, cell: Any, compile_stateful: bool = False):
    super().__init__(cell, check=False)
    self._compile_stateful = compile_stateful

  def __call__(
    self, inputs: Any, state: Any, scope: Any = None
  ) -> tuple[Any, Any]:
    """Runs one step. See the class."""
    with self._jit_scope():
      return self._cell(inputs, state, scope=scope)

  def _jit_scope(self):
    if tf.executing_eagerly():
      return contextlib.nullcontext()
    return tf.xla.experimental.jit_scope(
      compile_ops=True if self._compile_stateful else _has_no_state
    )
