"""The recurrences of the cells, as functions for JAX.

TensorFlow is not needed and not imported.
"""

from tf_contrib_rnn.jax._library import fused_available
from tf_contrib_rnn.jax.chunks import in_chunks
from tf_contrib_rnn.jax.recurrence import ind_rnn
from tf_contrib_rnn.jax.recurrence import indy_gru
from tf_contrib_rnn.jax.recurrence import indy_lstm
from tf_contrib_rnn.jax.recurrence import sru

__all__ = [
  "fused_available",
  "in_chunks",
  "ind_rnn",
  "indy_gru",
  "indy_lstm",
  "sru",
]
