"""Converts weights of tf.contrib.rnn for other frameworks, and back."""

from tf_contrib_rnn.migrate.checkpoint import write_checkpoint
from tf_contrib_rnn.migrate.scopes import list_scopes
from tf_contrib_rnn.migrate.weights import CellWeights
from tf_contrib_rnn.migrate.weights import read_weights
from tf_contrib_rnn.migrate.weights import to_variables

__all__ = [
  "CellWeights",
  "list_scopes",
  "read_weights",
  "to_variables",
  "write_checkpoint",
]
