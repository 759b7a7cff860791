"""The wrappers of tf.contrib.rnn 1.15 that TensorFlow 2 does not have."""

from tf_contrib_rnn.wrappers.attention import AttentionCellWrapper
from tf_contrib_rnn.wrappers.compiled import CompiledWrapper
from tf_contrib_rnn.wrappers.embedding import EmbeddingWrapper
from tf_contrib_rnn.wrappers.highway import HighwayWrapper
from tf_contrib_rnn.wrappers.projections import InputProjectionWrapper
from tf_contrib_rnn.wrappers.projections import OutputProjectionWrapper

__all__ = [
  "AttentionCellWrapper",
  "CompiledWrapper",
  "EmbeddingWrapper",
  "HighwayWrapper",
  "InputProjectionWrapper",
  "OutputProjectionWrapper",
]
