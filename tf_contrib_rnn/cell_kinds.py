"""The facts of the cells that the kernels run, for every framework.

| kind | gates | in Keras | states | variables, under the cell's scope |
|---|---|---|---|---|
| IndRNN | h | h | h | `kernel_w` [D, H], `kernel_u` [1, H], `bias` [H] |
| IndyGRU | r, z, c | z, r, c | h | `gates/kernel_w` [D, 2 H], |
| | | | | `gates/kernel_u` [1, 2 H], `gates/bias` [2 H]; |
| | | | | `candidate/kernel` [D, H], |
| | | | | `candidate/kernel_u` [1, H], `candidate/bias` [H] |
| IndyLSTM | i, j, f, o | i, f, j, o | c, h | `kernel_w` [D, 4 H], |
| | | | | `kernel_u` [1, 4 H], `bias` [4 H] |
| SRU | s, f, r, t | s, f, r, t | c, h | `kernel` [D, 4 H], `bias` [2 H] |

D is the depth of the inputs, H the units. Gates lie side by side along the last
axis. The SRU's bias is that of f and r; its h is the last output alone, which
no step reads. Measured on TensorFlow 1.15. cc/cells has the same gates and
states, and the equations.

Nothing here needs a framework.
"""

import dataclasses
from typing import Optional

ARRAYS = ("kernel", "recurrent_kernel", "bias")


@dataclasses.dataclass(frozen=True)
class Part:
  """Some gates of a cell, and the variables that hold them.

  Attributes:
    kernel: The name of the kernel.
    recurrent_kernel: The name of the recurrent kernel. None if there is none.
    bias: The name of the bias.
    gates: A letter for each gate, in the order of the kernel.
    biased: The gates that have a bias. Default: all.
  """

  kernel: str
  recurrent_kernel: Optional[str]
  bias: str
  gates: str
  biased: Optional[str] = None

  def gates_of(self, array: str) -> str:
    """The gates that the variable of one of the ARRAYS holds."""
    if getattr(self, array) is None:
      return ""
    is_less = array == "bias" and self.biased is not None
    return self.biased or "" if is_less else self.gates

  def names(self) -> dict[str, str]:
    """The variables' names by their arrays' names."""
    names = {array: getattr(self, array) for array in ARRAYS}
    return {array: name for array, name in names.items() if name is not None}


@dataclasses.dataclass(frozen=True)
class CellKind:
  """One of the cells that the kernels run.

  Attributes:
    name: The name that the ops and handlers use, as in cc/recurrence/names.h.
    function: The name of its function in `recurrence` and `tf_contrib_rnn.jax`.
    parts: Its gates, in the order of tf.contrib.rnn, and its variables.
    keras_gates: The letters of its gates in Keras's order.
    states: The letters of its states in the order of tf.contrib.rnn, h last.
    carries_output: Whether a step reads h, the last output.
  """

  name: str
  function: str
  parts: tuple[Part, ...]
  keras_gates: str
  states: str
  carries_output: bool = True

  @property
  def contrib_name(self) -> str:
    """The name of tf.contrib.rnn's class."""
    return self.name + "Cell"

  @property
  def gates(self) -> str:
    """The gates' letters in tf.contrib.rnn's order."""
    return self.gates_of("kernel")

  def gates_of(self, array: str) -> str:
    """The gates that one of the ARRAYS holds."""
    return "".join(part.gates_of(array) for part in self.parts)

  @property
  def arrays(self) -> tuple[str, ...]:
    """Those of the ARRAYS that the cell has."""
    return tuple(array for array in ARRAYS if self.gates_of(array))

  @property
  def variables(self) -> list[str]:
    """The names of its variables."""
    return [name for part in self.parts for name in part.names().values()]


_ONE = ("kernel_w", "kernel_u", "bias")
_GATES = Part("gates/kernel_w", "gates/kernel_u", "gates/bias", "rz")
# tf.contrib.rnn calls this kernel "kernel", not "kernel_w".
_CANDIDATE = Part(
  "candidate/kernel", "candidate/kernel_u", "candidate/bias", "c"
)

IND_RNN = CellKind("IndRNN", "ind_rnn", (Part(*_ONE, "h"),), "h", "h")
INDY_GRU = CellKind("IndyGRU", "indy_gru", (_GATES, _CANDIDATE), "zrc", "h")
INDY_LSTM = CellKind(
  "IndyLSTM", "indy_lstm", (Part(*_ONE, "ijfo"),), "ifjo", "ch"
)
SRU = CellKind(
  "SRU",
  "sru",
  (Part("kernel", None, "bias", "sfrt", "fr"),),
  "sfrt",
  "ch",
  carries_output=False,
)
CELL_KINDS = (IND_RNN, INDY_GRU, INDY_LSTM, SRU)


def of_contrib(cell: str) -> CellKind:
  """The facts of a cell of tf.contrib.rnn.

  Raises:
    ValueError: if it is not one that the kernels run.
  """
  for kind in CELL_KINDS:
    if cell == kind.contrib_name:
      return kind
  names = [repr(kind.contrib_name) for kind in CELL_KINDS]
  raise ValueError(f"cell is {cell!r}, expected one of {', '.join(names)}")
