"""dynamic_rnn and related functions, which run cells over whole sequences.

The functions have the signatures, variables, variable names and results of
the functions in `tf.nn` and `tf.contrib.rnn` of TensorFlow 1.15.

If the cell has a fused op (`IndRNNCell`, `IndyGRUCell`, `IndyLSTMCell` or
`SRUCell`), a layer runs as one matrix product and one recurrence over all
steps. TensorFlow's or tf_keras's wrappers around such a cell do not change
this. All other calls go to TensorFlow's function of the same name. The logger
`tf_contrib_rnn` reports at level DEBUG how a layer runs, and why.
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
