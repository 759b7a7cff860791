"""dynamic_rnn and its relatives: whole sequences where the cell allows it.

The functions have the signatures, variables, names and results of TensorFlow
1.15's, tf.nn's and tf.contrib.rnn's. Where the cell is an Indy cell, also in
TensorFlow's or tf_keras's wrappers, a layer runs as one matrix product and one
recurrence over all steps; anything else goes to TensorFlow's function of the
same name. Which it was, and why, the logger `tf_contrib_rnn` says at level
DEBUG.
"""

from tf_contrib_rnn.rnn.dynamic import bidirectional_dynamic_rnn
from tf_contrib_rnn.rnn.dynamic import dynamic_rnn
from tf_contrib_rnn.rnn.stack import stack_bidirectional_dynamic_rnn
from tf_contrib_rnn.rnn.stack import stack_bidirectional_rnn
from tf_contrib_rnn.rnn.static import static_bidirectional_rnn
from tf_contrib_rnn.rnn.static import static_rnn

__all__ = [
  "bidirectional_dynamic_rnn",
  "dynamic_rnn",
  "stack_bidirectional_dynamic_rnn",
  "stack_bidirectional_rnn",
  "static_bidirectional_rnn",
  "static_rnn",
]
