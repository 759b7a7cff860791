"""Weights that tf.contrib.rnn trained, for other frameworks, and back."""

from tf_contrib_rnn.migrate.weights import CellWeights
from tf_contrib_rnn.migrate.weights import list_scopes
from tf_contrib_rnn.migrate.weights import read_weights
from tf_contrib_rnn.migrate.weights import to_variables
from tf_contrib_rnn.migrate.weights import write_checkpoint

__all__ = [
  "CellWeights",
  "list_scopes",
  "read_weights",
  "to_variables",
  "write_checkpoint",
]
