"""What TensorFlow 1's names become: the rules of `upgrade`.

A name is written in full, as TensorFlow 1.15 has it: "tensorflow.nn.relu".
`find` says what it is today, or why it is nothing.
"""

import dataclasses
import functools
from typing import Optional

import tf_contrib_rnn

CONTRIB_RNN = frozenset(
  """
  AttentionCellWrapper BasicLSTMCell BasicRNNCell BidirectionalGridLSTMCell
  CompiledWrapper Conv1DLSTMCell Conv2DLSTMCell Conv3DLSTMCell ConvLSTMCell
  CoupledInputForgetGateLSTMCell DeviceWrapper DropoutWrapper EmbeddingWrapper
  FusedRNNCell FusedRNNCellAdaptor GLSTMCell GRUBlockCell GRUBlockCellV2 GRUCell
  GridLSTMCell HighwayWrapper IndRNNCell IndyGRUCell IndyLSTMCell
  InputProjectionWrapper IntersectionRNNCell LSTMBlockCell LSTMBlockFusedCell
  LSTMBlockWrapper LSTMCell LSTMStateTuple LayerNormBasicLSTMCell LayerRNNCell
  MultiRNNCell NASCell OutputProjectionWrapper PhasedLSTMCell RNNCell
  ResidualWrapper SRUCell TimeFreqLSTMCell TimeReversedFusedRNN UGRNNCell
  best_effort_input_batch_size stack_bidirectional_dynamic_rnn
  stack_bidirectional_rnn static_bidirectional_rnn static_rnn
  static_state_saving_rnn transpose_batch_time
  """.split()
)

# tf.nn's functions that this package has, too. raw_rnn is TensorFlow's alone.
RNN_FUNCTIONS = frozenset(
  """
  bidirectional_dynamic_rnn dynamic_rnn static_bidirectional_rnn static_rnn
  static_state_saving_rnn
  """.split()
)

HERE = "tf_contrib_rnn"
SLIM = "tf_slim"
# Modules whose cells are here. Others of their names stay where they are.
_OF_CELLS = sorted(
  (
    "tensorflow.contrib.rnn",
    "tensorflow.contrib.rnn.core_rnn",
    "tensorflow.contrib.rnn.core_rnn_cell",
    "tensorflow.contrib.rnn.python.ops.core_rnn",
    "tensorflow.contrib.rnn.python.ops.core_rnn_cell",
    "tensorflow.contrib.rnn.python.ops.core_rnn_cell_impl",
    "tensorflow.contrib.rnn.python.ops.fused_rnn_cell",
    "tensorflow.contrib.rnn.python.ops.gru_ops",
    "tensorflow.contrib.rnn.python.ops.lstm_ops",
    "tensorflow.contrib.rnn.python.ops.rnn",
    "tensorflow.contrib.rnn.python.ops.rnn_cell",
    "tensorflow.nn.rnn_cell",
    "tensorflow.python.ops.rnn",
    "tensorflow.python.ops.rnn_cell",
    "tensorflow.python.ops.rnn_cell_impl",
  ),
  key=len,
  reverse=True,  # the innermost first
)
_LINEAR = frozenset(["_linear", "_Linear"])

# What tf_slim 1.1 has at its top.
_IN_SLIM = frozenset(
  """
  GDN OPTIMIZER_CLS_NAMES OPTIMIZER_SUMMARIES VariableDeviceChooser
  adaptive_clipping_fn add_arg_scope add_model_variable apply_regularization
  arg_scope arg_scope_func_key arg_scoped_arguments assert_global_step
  assert_or_get_global_step assign_from_checkpoint assign_from_checkpoint_fn
  assign_from_values assign_from_values_fn avg_pool2d avg_pool3d batch_norm
  bias_add conv1d conv2d conv2d_in_plane conv2d_transpose conv3d
  conv3d_transpose convolution convolution1d convolution2d
  convolution2d_in_plane convolution2d_transpose convolution3d
  convolution3d_transpose create_global_step current_arg_scope data_decoder
  data_provider dataset dataset_data_provider dense_to_sparse dropout elu
  evaluation filter_variables flatten fully_connected gdn get_global_step
  get_local_variables get_model_variables get_or_create_global_step
  get_trainable_variables get_unique_variable get_variable_full_name
  get_variables get_variables_by_name get_variables_by_suffix
  get_variables_to_restore global_variable group_norm has_arg_scope
  images_to_sequence instance_norm l1_l2_regularizer l1_regularizer
  l2_regularizer layer_norm learning legacy_fully_connected legacy_linear
  legacy_relu linear local_variable losses max_pool2d max_pool3d maxout metrics
  model_analyzer model_variable one_hot_encoding optimize_loss parallel_reader
  pool prefetch_queue queues recompute_grad relu relu6 repeat rev_block
  scale_gradient separable_conv2d separable_convolution2d sequence_to_images
  softmax spatial_softmax stack sum_regularizer summaries summarize_activation
  summarize_activations summarize_biases summarize_collection summarize_tensor
  summarize_tensors summarize_variables summarize_weights tfexample_decoder
  training unit_norm variable variance_scaling_initializer xavier_initializer
  xavier_initializer_conv2d
  """.split()
)
# The modules of tf.contrib.layers.python.layers that tf_slim has at its top.
_LAYER_MODULES = frozenset(
  "initializers layers normalization optimizers regularizers utils".split()
)
_SLIM_MODULES = ("", "nets", "ops", "data", *_LAYER_MODULES)
_OF_SLIM = (
  "tensorflow.contrib.slim",
  "tensorflow.contrib.layers",
  "tensorflow.contrib.framework",
)

# What tf_slim 1.1 has, and what fails in it with TensorFlow 2.15 and later.
_FAILS = (
  "tf_slim has it, but it fails with TensorFlow 2.15 and later; keep the code "
  "of TensorFlow 1.15 that you need"
)
_BROKEN_IN_SLIM = {
  "batch_norm": (
    "tf_slim.batch_norm fails with TensorFlow 2.15 and later; write "
    "tf.layers.batch_normalization(x, name=SCOPE, momentum=DECAY, "
    "epsilon=0.001, scale=False, training=is_training), with the old scope "
    "(BatchNorm by default) and decay (0.999), and run the operations of "
    "tf.GraphKeys.UPDATE_OPS with each training step"
  ),
  "optimize_loss": (
    "tf_slim.optimize_loss fails with TensorFlow 2.15 and later; write "
    "optimizer.minimize(loss, global_step) inside "
    'tf.variable_scope("OptimizeLoss")'
  ),
  "recompute_grad": f"{_FAILS}; use tf.recompute_grad",
  "local_variable": (
    f"{_FAILS}; use tf.get_variable with "
    "collections=[tf.GraphKeys.LOCAL_VARIABLES] and trainable=False"
  ),
  "global_variable": f"{_FAILS}; use tf.Variable",
  **dict.fromkeys(
    """
    adaptive_clipping_fn legacy_fully_connected legacy_linear legacy_relu
    learning.add_gradients_summaries learning.clip_gradient_norms
    learning.multiply_gradients losses.metric_learning
    metrics.auc_with_confidence_intervals metrics.precision_at_recall
    metrics.recall_at_precision metrics.streaming_concat
    metrics.streaming_curve_points metrics.streaming_dynamic_auc rev_block
    tfexample_decoder training.add_gradients_summaries
    training.clip_gradient_norms training.multiply_gradients
    """.split(),
    _FAILS,
  ),
}
# What works, but not always.
_NOTES = {
  "tensorflow.lookup.StaticHashTable": "has .initializer in place of .init",
  "tensorflow.lookup.experimental.MutableHashTable": (
    "has no argument shared_name"
  ),
  "tf_slim.learning.create_train_op": "fails with clip_gradient_norm",
  "tf_slim.training.create_train_op": "fails with clip_gradient_norm",
}


def _why_broken(below: str) -> Optional[str]:
  """Why a name below tf_slim fails, or None."""
  parts = below.split(".")
  if parts[0] in _LAYER_MODULES:
    parts = parts[1:]
  for size in range(1, len(parts) + 1):
    reason = _BROKEN_IN_SLIM.get(".".join(parts[:size]))
    if reason:
      return reason
  return None


# Names whose meaning is the same elsewhere in TensorFlow.
_MOVED = {
  "tensorflow.contrib.framework.argsort": "tensorflow.argsort",
  "tensorflow.contrib.framework.is_tensor": "tensorflow.is_tensor",
  "tensorflow.contrib.framework.list_variables": (
    "tensorflow.train.list_variables"
  ),
  "tensorflow.contrib.framework.load_checkpoint": (
    "tensorflow.train.load_checkpoint"
  ),
  "tensorflow.contrib.framework.load_variable": (
    "tensorflow.train.load_variable"
  ),
  "tensorflow.contrib.framework.nest.is_sequence": "tensorflow.nest.is_nested",
  "tensorflow.contrib.framework.nest": "tensorflow.nest",
  "tensorflow.contrib.util.constant_value": "tensorflow.get_static_value",
  "tensorflow.contrib.util.make_ndarray": "tensorflow.make_ndarray",
  "tensorflow.contrib.util.make_tensor_proto": "tensorflow.make_tensor_proto",
  "tensorflow.python.util.nest.is_sequence": "tensorflow.nest.is_nested",
  "tensorflow.contrib.framework.sort": "tensorflow.sort",
  "tensorflow.contrib.metrics.set_difference": "tensorflow.sets.difference",
  "tensorflow.contrib.metrics.set_intersection": "tensorflow.sets.intersection",
  "tensorflow.contrib.metrics.set_size": "tensorflow.sets.size",
  "tensorflow.contrib.metrics.set_union": "tensorflow.sets.union",
  "tensorflow.contrib.lookup.HashTable": "tensorflow.lookup.StaticHashTable",
  "tensorflow.contrib.lookup.KeyValueTensorInitializer": (
    "tensorflow.lookup.KeyValueTensorInitializer"
  ),
  "tensorflow.contrib.lookup.MutableHashTable": (
    "tensorflow.lookup.experimental.MutableHashTable"
  ),
  "tensorflow.contrib.lookup.TextFileInitializer": (
    "tensorflow.lookup.TextFileInitializer"
  ),
  "tensorflow.contrib.data.AUTOTUNE": "tensorflow.data.experimental.AUTOTUNE",
  "tensorflow.contrib.data.Counter": "tensorflow.data.experimental.Counter",
  "tensorflow.contrib.data.bucket_by_sequence_length": (
    "tensorflow.data.experimental.bucket_by_sequence_length"
  ),
  "tensorflow.contrib.data.group_by_window": (
    "tensorflow.data.experimental.group_by_window"
  ),
  "tensorflow.contrib.data.ignore_errors": (
    "tensorflow.data.experimental.ignore_errors"
  ),
  "tensorflow.contrib.data.map_and_batch": (
    "tensorflow.data.experimental.map_and_batch"
  ),
  "tensorflow.contrib.data.parallel_interleave": (
    "tensorflow.data.experimental.parallel_interleave"
  ),
  "tensorflow.contrib.data.prefetch_to_device": (
    "tensorflow.data.experimental.prefetch_to_device"
  ),
  "tensorflow.contrib.data.shuffle_and_repeat": (
    "tensorflow.data.experimental.shuffle_and_repeat"
  ),
  "tensorflow.contrib.data.unbatch": "tensorflow.data.experimental.unbatch",
}

# Modules that are elsewhere with the modules below them.
_MOVED |= {
  "tensorflow.contrib.framework.python.ops.variables": "tf_slim.ops.variables",
  "tensorflow.contrib.losses": "tf_slim.losses",
  "tensorflow.contrib.metrics": "tf_slim.metrics",
  "tensorflow.contrib.slim.nets": "tf_slim.nets",
  "tensorflow.contrib.slim.python.slim.nets": "tf_slim.nets",
}

_IN_NEST = frozenset(
  "assert_same_structure flatten is_nested map_structure pack_sequence_as"
  "".split()
)

# Why a name has no home, and the shortest way out; the longest prefix counts.
_ADVICE = {
  "tensorflow.contrib": (
    "tf.contrib is gone, and no rule knows this name; look for it in "
    "compat.v1, or keep the code of TensorFlow 1.15 that it needs"
  ),
  "tensorflow.contrib.cudnn_rnn": (
    "cuDNN's layers with their own checkpoint format; build the model from "
    "tf_contrib_rnn.LSTMBlockFusedCell or GRUCell, and convert the opaque "
    "variable in TensorFlow 1.15 (the layer's saveable writes canonical "
    "weights)"
  ),
  "tensorflow.contrib.crf": (
    "no well-kept package has the CRF for graph mode; copy "
    "tensorflow/contrib/crf/python/ops/crf.py of TensorFlow 1.15 into your "
    "program, import the copy, and run the upgrade again; it needs "
    "tf_contrib_rnn.RNNCell and dynamic_rnn alone"
  ),
  "tensorflow.contrib.data": (
    "most of tf.contrib.data is in tf.data or tf.data.experimental today"
  ),
  "tensorflow.contrib.distribute": (
    "use tf.distribute, whose strategies have the same names"
  ),
  "tensorflow.contrib.distributions": (
    "use the package tensorflow_probability: tfp.distributions"
  ),
  "tensorflow.contrib.eager": (
    "use tf.GradientTape and tf.train.Checkpoint of TensorFlow 2"
  ),
  "tensorflow.contrib.estimator": "TensorFlow has no estimators any more",
  "tensorflow.contrib.framework": (
    "see tf_slim, tf.train and tf.nest for a function of that name"
  ),
  "tensorflow.contrib.keras": "use tf.keras",
  "tensorflow.contrib.layers": (
    "tf_slim has no such name; see tf.layers, or tf.feature_column for columns"
  ),
  "tensorflow.contrib.layers.embed_sequence": (
    "write tf.nn.embedding_lookup with a variable of the same name, "
    "SCOPE/embeddings (SCOPE is EmbedSequence by default), "
    "[vocab_size, embed_dim]"
  ),
  "tensorflow.contrib.learn": (
    "tf.contrib.learn has no successor; write the training loop with a "
    "Session, or move the model to Keras"
  ),
  "tensorflow.contrib.learn.datasets": (
    "the data sets are in tf.keras.datasets, in other forms"
  ),
  "tensorflow.contrib.learn.preprocessing": (
    "write it out: VocabularyProcessor numbers words from 1 in the order in "
    "which they come, and fills up with 0"
  ),
  "tensorflow.contrib.legacy_seq2seq": (
    "no package has it; keep a copy of contrib/legacy_seq2seq/python/ops/"
    "seq2seq.py of TensorFlow 1.15 and upgrade that"
  ),
  "tensorflow.contrib.lookup": (
    "see tf.lookup; index_table_from_* are a tf.lookup.StaticHashTable or "
    "StaticVocabularyTable with an initializer"
  ),
  "tensorflow.contrib.metrics.confusion_matrix": (
    "use tf.math.confusion_matrix with labels, predictions and num_classes"
  ),
  "tensorflow.contrib.nn": "see tf.nn for a function of that name",
  "tensorflow.contrib.opt": (
    "no package has these optimizers for graph mode; AdamW and others are in "
    "Keras, under other variable names"
  ),
  "tensorflow.contrib.rnn": (
    "tf.contrib.rnn of TensorFlow 1.15 has no such public name"
  ),
  "tensorflow.contrib.seq2seq": (
    "no well-kept package has the decoders for graph mode; keep a copy of "
    "contrib/seq2seq of TensorFlow 1.15 and upgrade that, or write the loop "
    "with tf.nn.raw_rnn"
  ),
  "tensorflow.contrib.seq2seq.sequence_loss": (
    "write it out: cross = tf.nn.sparse_softmax_cross_entropy_with_logits("
    "labels=targets, logits=logits); loss = tf.reduce_sum(cross * weights) / "
    "(tf.reduce_sum(weights) + 1e-12)"
  ),
  "tensorflow.contrib.slim": "tf_slim 1.1 has no such name",
  "tensorflow.contrib.slim.nets": "tf_slim has them in tf_slim.nets",
  "tensorflow.contrib.summary": "use tf.summary (compat.v1)",
  "tensorflow.contrib.tensorboard": "use the package tensorboard",
  "tensorflow.contrib.tensorrt": "use tensorflow.python.compiler.tensorrt",
  "tensorflow.contrib.tpu": "use tf.tpu (compat.v1) and tf.distribute",
  "tensorflow.contrib.training": "tf.contrib.training has no successor",
  "tensorflow.contrib.training.HParams": (
    "use a dataclass or types.SimpleNamespace: HParams(a=1) becomes "
    "types.SimpleNamespace(a=1); parse() and values() have to be written"
  ),
  "tensorflow.contrib.training.bucket_by_sequence_length": (
    "use tf.data.Dataset.bucket_by_sequence_length"
  ),
  "tensorflow.estimator": (
    "TensorFlow has no estimators since 2.16; write the training loop with a "
    "Session, or move the model to Keras"
  ),
  "tensorflow.examples": (
    "TensorFlow's examples are not installed any more; the MNIST data is in "
    "tf.keras.datasets.mnist"
  ),
  "tensorflow.models": "this was never a part of TensorFlow; install it",
  "tensorflow.python.keras": (
    "is TensorFlow's private copy of Keras, of which later versions have a "
    "part; use tf.keras"
  ),
  "tensorflow.nn.rnn_cell": (
    "tf.nn.rnn_cell of TensorFlow 1.15 has no such name"
  ),
  "tensorflow.nn.rnn": (
    "was renamed in TensorFlow 1.0: use tf_contrib_rnn.static_rnn"
  ),
  "tensorflow.nn.bidirectional_rnn": (
    "was renamed in TensorFlow 1.0: use tf_contrib_rnn.static_bidirectional_rnn"
  ),
  "tensorflow.nn.seq2seq": (
    "was renamed tf.contrib.legacy_seq2seq in TensorFlow 1.0, which no package "
    "has; see there"
  ),
}

# What names of before TensorFlow 1.0 are called since then.
_BEFORE_1 = {
  "batch_matmul": "tf.matmul",
  "complex_abs": "tf.abs",
  "histogram_summary": "tf.summary.histogram",
  "image_summary": "tf.summary.image",
  "inv": "tf.reciprocal",
  "merge_all_summaries": "tf.summary.merge_all",
  "merge_summary": "tf.summary.merge",
  "mul": "tf.multiply",
  "neg": "tf.negative",
  "pack": "tf.stack",
  "scalar_summary": "tf.summary.scalar",
  "select": "tf.where",
  "sub": "tf.subtract",
  "train.SummaryWriter": "tf.summary.FileWriter",
  "unpack": "tf.unstack",
}
# Functions whose arguments came in another order before TensorFlow 1.0.
REORDERED = ("tensorflow.concat", "tensorflow.split")

# Parts of TensorFlow that are Keras, whichever that is.
_OF_KERAS = (
  "tensorflow.keras",
  "tensorflow.layers",
)


@dataclasses.dataclass(frozen=True)
class Rule:
  """What a name becomes.

  Attributes:
    new: the name today; None if there is none.
    advice: if there is none, what a person has to do.
  """

  new: Optional[str] = None
  advice: str = ""


def _below(module: str, name: str) -> Optional[str]:
  """What of a name follows a module's; None if it is not below it."""
  if name == module:
    return ""
  start = module + "."
  return name[len(start) :] if name.startswith(start) else None


@functools.cache
def find(name: str, keep_tf_rnn: bool = False) -> Optional[Rule]:
  """What a name of TensorFlow 1.15 is today.

  Args:
    name: a full name, "tensorflow.contrib.rnn.GRUCell", without "compat.v1".
    keep_tf_rnn: whether tf.nn.dynamic_rnn and its relatives stay TensorFlow's.

  Returns:
    A `Rule`, or None for a name that stays as it is.
  """
  if name.split(".")[0] in (HERE, SLIM):
    return _find_successor(name)
  moved = _find_moved(name)
  if moved is not None:
    return moved
  module, _, last = name.rpartition(".")
  if module == "tensorflow.nn" and last in RNN_FUNCTIONS:
    return None if keep_tf_rnn else Rule(f"{HERE}.{last}")
  for module in _OF_CELLS:
    below = _below(module, name)
    if below is not None:
      return _find_cell(module, below, keep_tf_rnn)
  for module in _OF_SLIM:
    below = _below(module, name)
    if below is not None:
      return _find_in_slim(module, below)
  return _find_advice(name)


def _find_moved(name):
  """The rule of a name that is elsewhere in TensorFlow or in tf_slim."""
  for old, new in _MOVED.items():
    below = _below(old, name)
    if below is None:
      continue
    if name in _ADVICE:
      return Rule(advice=_ADVICE[name])
    first = below.split(".")[0]
    if new == "tensorflow.nest" and below and first not in _IN_NEST:
      return Rule(
        advice="tf.nest has no such name; tensorflow.python.util.nest has it"
      )
    if new == "tf_slim.ops.variables" and first in _IN_SLIM:
      new = SLIM
    moved = f"{new}.{below}" if below else new
    broken = _why_broken(moved.removeprefix(f"{SLIM}."))
    return Rule(advice=broken) if broken else Rule(moved)
  return None


def _find_in_slim(module, below):
  """The rule of a name of a module that tf_slim follows."""
  if below == "":
    # tf.contrib.framework is only partly in tf_slim.
    return Rule(SLIM) if module != "tensorflow.contrib.framework" else None
  if below == "python.layers":
    return Rule(f"{SLIM}.layers")
  below = below.removeprefix("python.ops.").removeprefix("python.layers.")
  first, _, rest = below.partition(".")
  if first == "arg_scope" and rest:  # the module of that name
    below = rest
  broken = _why_broken(below)
  if broken:
    return Rule(advice=broken)
  in_module = first in _LAYER_MODULES and (
    first == "utils" or not rest or rest.split(".")[0] in _IN_SLIM
  )
  if below.split(".")[0] in _IN_SLIM or in_module:
    return Rule(f"{SLIM}.{below}")
  return _find_advice(f"{module}.{below}")


def is_known_to_fail(name: str) -> bool:
  """Whether TensorFlow 1.15 has a name that this package says how to replace.

  A star may have brought such a name. Any other may be somebody else's.
  """
  rule = find(name)
  if rule is None or rule.new is not None:
    return False
  below = [_below(module, name) for module in _OF_SLIM]
  return name in _ADVICE or any(map(_why_broken, filter(None, below)))


def _find_successor(name):
  """The rule of a name of a package that follows tf.contrib's modules."""
  package, _, below = name.partition(".")
  first = below.split(".")[0]
  if package == HERE:
    is_there = first in ("", *dir(tf_contrib_rnn), "linear", "cell_kinds")
    advice = _ADVICE["tensorflow.contrib.rnn"]
  else:
    broken = _why_broken(below)
    is_there = not broken and first in (*_IN_SLIM, *_SLIM_MODULES)
    advice = broken or _ADVICE.get(
      f"tensorflow.contrib.layers.{first}", _ADVICE["tensorflow.contrib.slim"]
    )
  return None if is_there else Rule(advice=advice)


def _find_cell(module, below, keep_tf_rnn):
  """The rule of a name in one of the modules of cells."""
  is_contrib = module.startswith("tensorflow.contrib")
  if below == "":
    return Rule(HERE)
  name = below.split(".")[0]
  if name in _LINEAR:
    return Rule(f"{HERE}.linear.{below}")
  stays = keep_tf_rnn and not is_contrib and name in RNN_FUNCTIONS
  if name in CONTRIB_RNN | RNN_FUNCTIONS and not stays:
    return Rule(f"{HERE}.{below}")
  if name == "python":
    return None  # on the way to a module of cells
  if module.startswith("tensorflow.python"):
    return None  # TensorFlow still has the module
  return _find_advice(f"{module}.{below}")


def _find_advice(name):
  """The advice of the longest prefix of a name, or None."""
  new = _BEFORE_1.get(name.removeprefix("tensorflow."))
  if new:
    return Rule(
      advice=f"was renamed in TensorFlow 1.0: use {new}, and look at the order "
      "of its arguments"
    )
  parts = name.split(".")
  for size in range(len(parts), 0, -1):
    prefix = ".".join(parts[:size])
    if prefix in _ADVICE:
      if prefix == "tensorflow.contrib" and size == len(parts):
        return None  # the module alone: what counts is what is taken from it
      return Rule(advice=_ADVICE[prefix])
  return None


def note(name: str) -> Optional[str]:
  """What to know of a name of today, or None."""
  return _NOTES.get(name)


def advice(name: str) -> str:
  """What to do about a name that is gone and has no rule."""
  rule = _find_advice(f"{name}.")
  return rule.advice if rule else "is in no TensorFlow 2"


def is_keras(name: str) -> bool:
  """Whether a name is Keras's, which TensorFlow 1 and Keras 3 differ about."""
  return any(_below(module, name) is not None for module in _OF_KERAS)
