"""A wrapper that marks the ops of a cell for XLA."""

import contextlib
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tf_contrib_rnn.wrappers import base


def _has_no_state(node_def: Any) -> bool:
  definition = op_def_registry.get(node_def.op)
  return definition is None or not definition.is_stateful


class CompiledWrapper(base.Wrapper):
  """A cell whose ops are marked for XLA to compile.

  Its ops, and those of their gradients, get the attribute `_XlaCompile`. XLA
  compiles what is so marked where it can, and the rest runs as ever: outputs
  differ by roundings at most. Names, sizes and the state are those of the cell,
  and the wrapper has no variables and no scope of its own.

  In eager mode there is no graph whose ops could be marked, and the cell runs
  as it is. `tf.function(jit_compile=True)` compiles for certain.

  Source: `tf.contrib.rnn.CompiledWrapper` of TensorFlow 1.15.

  Args:
    cell: an RNNCell. Nothing is checked before a call.
    compile_stateful: bool, whether ops with a state, such as those that draw
      random numbers, are marked too. XLA draws other numbers.

  A call `wrapper(inputs, state, scope=None)` takes and returns what the cell
  does. `name`, `weights` and the like, which the wrapper of TensorFlow 1.15
  lacked, are those of any cell.

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
    """One step: see the class."""
    with self._jit_scope():
      return self._cell(inputs, state, scope=scope)

  def _jit_scope(self):
    if tf.executing_eagerly():
      return contextlib.nullcontext()
    return tf.xla.experimental.jit_scope(
      compile_ops=True if self._compile_stateful else _has_no_state
    )
