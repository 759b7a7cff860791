"""What all layouts train: the data, the model, its loss and its weights."""

import numpy as np
import tensorflow as tf

import tf_contrib_rnn
from tf_contrib_rnn import migrate

v1 = tf.compat.v1

BATCH, TIME, DEPTH, UNITS = 32, 20, 4, 16
LEARNING_RATE, MOMENTUM = 0.1, 0.9

_GRU = ["gates/kernel_w", "gates/kernel_u", "gates/bias"]
_GRU += ["candidate/kernel", "candidate/kernel_u", "candidate/bias"]
CELLS = [f"rnn/multi_rnn_cell/cell_{i}/indy_gru_cell" for i in range(2)]
# The names of the weights in a checkpoint, in the order of Model.variables.
NAMES = [f"{cell}/{name}" for cell in CELLS for name in _GRU]
NAMES += ["logits/kernel", "logits/bias"]


def make_batch(seed, step):
  """Noise, and whether the sum of its first feature is positive."""
  rng = np.random.RandomState([seed, step])
  inputs = rng.standard_normal([BATCH, TIME, DEPTH]).astype(np.float32)
  labels = inputs[:, :, :1].sum(1) > 0
  return inputs, labels.astype(np.float32)


class Model(tf.Module):
  """Two layers of IndyGRU cells, and logits of the last state.

  Args:
    partitioner: for variables in parts, in graph mode.
  """

  def __init__(self, partitioner=None):
    super().__init__()
    self._layers = [tf_contrib_rnn.IndyGRUCell(UNITS) for _ in CELLS]
    self.cell = tf_contrib_rnn.MultiRNNCell(self._layers)
    self._partitioner = partitioner
    with v1.variable_scope("logits", partitioner=partitioner):
      self.kernel = v1.get_variable("kernel", [UNITS, 1])
      self.bias = v1.get_variable("bias", [1], initializer=v1.zeros_initializer)

  def build(self):
    """Makes the variables of the cells, outside graph mode."""
    for layer, depth in zip(self._layers, [DEPTH, UNITS]):
      layer.build([None, depth])
    self.cell.built = True

  @property
  def weights(self):
    """The weights, in the order of `NAMES`."""
    return [*self.cell.trainable_variables, self.kernel, self.bias]

  def assign(self, arrays):
    """Sets the weights, by name, outside graph mode."""
    for variable, name in zip(self.weights, NAMES):
      variable.assign(arrays[name])

  def values(self):
    """The weights, by name, outside graph mode."""
    return {name: v.numpy() for name, v in zip(NAMES, self.weights)}

  # AutoGraph would translate the Python of the cells, for two seconds.
  @tf.autograph.experimental.do_not_convert
  def logits(self, inputs):
    """[batch, 1], of inputs [batch, time, DEPTH]."""
    scope = v1.get_variable_scope()
    with v1.variable_scope(scope, partitioner=self._partitioner):
      _, states = tf_contrib_rnn.dynamic_rnn(
        self.cell, inputs, dtype=tf.float32
      )
    return tf.matmul(states[-1], self.kernel) + self.bias

  def losses(self, inputs, labels):
    """The loss of each sequence, [batch]."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(
      labels, self.logits(inputs)
    )
    return tf.squeeze(losses, 1)


def make_optimizer():
  return v1.train.MomentumOptimizer(LEARNING_RATE, MOMENTUM)


def read_weights(checkpoint):
  """The weights in a checkpoint of any layout, by name."""
  reader = tf.train.load_checkpoint(checkpoint)
  return {name: reader.get_tensor(name) for name in NAMES}


def write_weights(arrays, checkpoint):
  """Writes them as TensorFlow 1 does."""
  migrate.write_checkpoint(arrays, checkpoint, overwrite=True)


def devices_of_fused_ops(graphs):
  """Where the fused ops are in graphs that TensorFlow has put on devices."""
  found = set()
  for graph in graphs:
    functions = [function.node_def for function in graph.library.function]
    for nodes in [graph.node, *functions]:
      found |= {n.device for n in nodes if n.op.startswith("ContribRnn>")}
  return sorted(found)
