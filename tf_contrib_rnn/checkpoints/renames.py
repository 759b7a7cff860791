"""Which variable is likeliest the same under another name."""

import dataclasses
import difflib
import functools
import re
from collections.abc import Collection
from collections.abc import Iterable

from tf_contrib_rnn.checkpoints.variables import may_be_equal
from tf_contrib_rnn.checkpoints.variables import Variable

# What TensorFlow or a change of classes renamed, whole parts of names. The
# gates' order and mathematics stay the same with each.
_KNOWN = tuple(
  (re.compile(rf"(?<![^/]){old}(?![^/])"), new)
  for old, new in (
    (r"weights", "kernel"),
    (r"biases", "bias"),
    (r"recurrent_weights", "recurrent_kernel"),
    (r"Linear/Matrix", "kernel"),
    (r"Linear/Bias", "bias"),
    (r"RNN", "rnn"),
    (r"BiRNN", "bidirectional_rnn"),
    (r"FW", "fw"),
    (r"BW", "bw"),
    (r"MultiRNNCell/Cell(\d+)", r"multi_rnn_cell/cell_\1"),
    (r"BasicRNNCell", "basic_rnn_cell"),
    (r"(BasicLSTMCell|LSTMCell|basic_lstm_cell)", "lstm_cell"),
    (r"(lstm_fused_cell|lstm_block_wrapper)", "lstm_cell"),
    (r"cudnn_compatible_lstm_cell", "lstm_cell"),
    (r"(GRUCell|gru_block_cell)", "gru_cell"),
    (r"Gates", "gates"),
    (r"Candidate", "candidate"),
    (r"w_ru", "gates/kernel"),
    (r"b_ru", "gates/bias"),
    (r"w_c", "candidate/kernel"),
    (r"b_c", "candidate/bias"),
    (r"nas_rnn", "nas_cell"),
    (r"multi_rnn_cell/cell_0", ""),  # of one cell, or without MultiRNNCell
  )
)
_LEAST = 0.4  # below that, names have nothing in common that means something


@dataclasses.dataclass(frozen=True)
class Rename:
  """A variable that is likely another under a new name.

  Attributes:
    missing: the name that is missing.
    extra: the name that there is.
    likeness: from 0 to 1; 1 if TensorFlow renamed it.
  """

  missing: str
  extra: str
  likeness: float


def find_renames(
  missing: Iterable[Variable], extra: Iterable[Variable]
) -> list[Rename]:
  """The likeliest renames, each variable in one at most.

  The likeliest pair comes first, then the likeliest of the others. What
  TensorFlow itself renamed counts as equal (`weights` and `kernel`,
  `basic_lstm_cell` and `lstm_cell`). Otherwise names are compared part by part,
  and the last part, which says what the variable is, counts as much as all
  others.

  Args:
    missing: the variables that are missing.
    extra: those that there are in place of them; only those of the same shape
      are considered, and those of the same dtype first.

  Returns:
    The renames, in the order of the missing variables' names.

  Example:

  >>> from tf_contrib_rnn.checkpoints import renames
  >>> from tf_contrib_rnn.checkpoints.variables import Variable
  >>> renames.find_renames(
  ...   [Variable("rnn/lstm_cell/bias", (16,), "float32")],
  ...   [Variable("rnn/basic_lstm_cell/biases", (16,), "float32")],
  ... )[0].likeness
  1.0
  """
  extra = list(extra)
  pairs = sorted(
    (
      (one.dtype != other.dtype, -likeness(one.name, other.name)),
      one.name,
      other.name,
    )
    for one in missing
    for other in extra
    if may_be_equal(one.shape, other.shape)
  )
  taken: dict[str, Rename] = {}
  used: set[str] = set()
  for (_, negative), one, other in pairs:
    if -negative >= _LEAST and one not in taken and other not in used:
      taken[one] = Rename(one, other, -negative)
      used.add(other)
  return [taken[name] for name in sorted(taken)]


def likeness(one: str, other: str) -> float:
  """How alike two names are, from 0 to 1.

  Example:

  >>> from tf_contrib_rnn.checkpoints import renames
  >>> renames.likeness("rnn/cell/weights", "rnn/cell/kernel")
  1.0
  """
  first, second = _modernise(one), _modernise(other)
  if first == second:
    return 1.0
  # Just below what is known.
  last = _likeness_of_parts(first[-1], second[-1])
  return 0.99 * (_common(first, second) + last) / 2


@functools.cache
def _modernise(name: str) -> tuple[str, ...]:
  """The parts of a name as TensorFlow 1.15 would have them."""
  for old, new in _KNOWN:
    name = old.sub(new, name)
  return tuple(part for part in name.split("/") if part) or ("",)


@functools.cache
def _likeness_of_parts(one: str, other: str) -> float:
  return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _common(one: Collection[str], other: Collection[str]) -> float:
  """How much of two names' parts is alike, in their order."""
  # The longest common subsequence, where parts may be alike in part.
  above = [0.0] * (len(other) + 1)
  for part in one:
    row = [0.0]
    for column, of_other in enumerate(other):
      both = above[column] + _likeness_of_parts(part, of_other)
      row.append(max(both, above[column + 1], row[-1]))
    above = row
  return 2 * above[-1] / (len(one) + len(other))
