"""The variables of tf.contrib.rnn's cells by names and shapes, as a table.

Measured on TensorFlow 1.15. A line of LAYOUTS has the class, the default name
of its scope and the variables below that:

    kernel[D+M,4H] bias[4H] (w_f_diag[H] ...) (projection/kernel[H,M])

What is in parentheses is there as a whole or not at all, and `!bias` is not
there. D is the depth of the inputs, H the units, M the width of the output,
which is H unless a variable in parentheses has it; `_` is any number, and "/G"
divides a dimension by the number of groups. In `W_#`, # stands for the numbers
of pieces that are one variable along the first axis; in `B_f_*`, * for the
numbers of variables that are alike.

Nothing here needs a framework.
"""

import dataclasses
import functools
import re
from typing import Optional

from tf_contrib_rnn import cell_kinds


@dataclasses.dataclass(frozen=True)
class Dimension:
  """A dimension as a sum, such as D + 2 H; that of nothing is any.

  Attributes:
    terms: (factor, letter) of each; the letter of a plain number is "".
    is_divided: whether the dimension is the sum divided by the groups.
  """

  terms: tuple[tuple[int, str], ...]
  is_divided: bool = False

  @classmethod
  def parse(cls, text: str) -> "Dimension":
    body, _, groups = text.partition("/")
    terms = re.findall(r"(\d*)([A-Z]?)(?:\+|$)", body)
    return cls(
      tuple((int(n or 1), letter) for n, letter in terms if n or letter),
      bool(groups),
    )


@dataclasses.dataclass(frozen=True)
class Piece:
  """A variable of a cell.

  Attributes:
    name: below the cell's scope, with # and * for numbers.
    shape: its dimensions.
  """

  name: str
  shape: tuple[Dimension, ...]

  @classmethod
  def parse(cls, text: str) -> "Piece":
    name, _, shape = text.rstrip("]").partition("[")
    return cls(name, tuple(map(Dimension.parse, shape.split(","))))

  @functools.cached_property
  def pattern(self) -> Optional[re.Pattern[str]]:
    """What its names are like, with groups "shard" (#) and "each" (*)."""
    if not re.search("[#*]", self.name):
      return None
    numbers = {"#": r"(?P<shard>\d+)", "*": r"(?P<each>\d+)"}
    return re.compile(
      "".join(numbers.get(letter, re.escape(letter)) for letter in self.name)
    )

  def has(self, letter: str) -> bool:
    """Whether a dimension depends on a letter."""
    return any(x == letter for d in self.shape for _, x in d.terms)


@dataclasses.dataclass(frozen=True)
class Layout:
  """The variables of a class.

  Attributes:
    kind: the class's name.
    scopes: the default names of its scope; none if it has no scope of its own.
    pieces: the variables.
    groups: variables that are all there or none.
    absent: names that are not there.
    inputs: the letter of the depth of the inputs.
    units: the letter of the units.
    wraps: how it is told that a kernel and a bias are of this class, which is
      around another cell: "inputs" if it makes that cell's inputs, "outputs" if
      it takes that cell's outputs.
  """

  kind: str
  scopes: tuple[str, ...]
  pieces: tuple[Piece, ...]
  groups: tuple[tuple[Piece, ...], ...]
  absent: tuple[str, ...]
  inputs: str = "D"
  units: str = "H"
  wraps: Optional[str] = None


def _layout(kind: str, scopes: str, variables: str, **options) -> Layout:
  """A layout of the table, from its text."""
  pieces, groups, absent = [], [], []
  for group, name, piece in re.findall(r"\(([^)]*)\)|!(\S+)|(\S+)", variables):
    if group:
      groups.append(tuple(map(Piece.parse, group.split())))
    elif name:
      absent.append(name)
    else:
      pieces.append(Piece.parse(piece))
  return Layout(
    kind,
    tuple(scopes.split()),
    tuple(pieces),
    tuple(groups),
    tuple(absent),
    **options,
  )


def _of_kind(kind: cell_kinds.CellKind) -> Layout:
  """The layout of a cell that the kernels run, from its facts."""
  shapes = {"kernel": "D,{}H", "recurrent_kernel": "1,{}H", "bias": "{}H"}
  pieces = []
  for part in kind.parts:
    for array, name in part.names().items():
      count = len(part.gates_of(array))
      shape = shapes[array].format("" if count == 1 else count)
      pieces.append(f"{name}[{shape}]")
  return _layout(kind.contrib_name, f"{kind.function}_cell", " ".join(pieces))


def _norms(*names: str) -> str:
  """The variables of layers' normalisations."""
  return " ".join(f"{name}/gamma[H] {name}/beta[H]" for name in names)


def _grid(kind: str, scope: str, *sides: str) -> list[Layout]:
  """The layouts of a grid LSTM, with four gates and with three."""

  def write(text: str) -> str:
    """The variables on each side, "fwd/" and "bwd/"."""
    return " ".join(
      side + piece for side in sides for piece in text.format(g=g).split()
    )

  def peepholes(gates: str, lstm: str) -> str:
    return " ".join(
      f"W_{gate}_diag_{lstm}{of}_*[H]" for gate in gates for of in "ft"
    )

  layouts = []
  for g, gates in ((4, "FIO"), (3, "IO")):
    text = write("W_f_*_#[D+2H,{g}H] B_f_*[{g}H]")
    text += f" ({write('W_t_*_#[D+2H,{g}H] B_t_*[{g}H]')})"
    for lstm in ("freq", "time"):
      text += f" ({write(peepholes(gates, lstm))})"
    if g == 3:  # coupled: no peepholes of a forget gate
      text += "".join(f" !{s}W_F_diag_freqf_0" for s in sides)
    layouts.append(_layout(kind, scope, text))
  return layouts


_LSTM = "kernel[D+H,4H] bias[4H]"
_PEEPHOLES = "(w_f_diag[H] w_i_diag[H] w_o_diag[H])"
_GRU = (
  "gates/kernel[D+H,2H] gates/bias[2H] "
  "candidate/kernel[D+H,H] candidate/bias[H]"
)
_NORMED = _norms("input", "transform", "forget", "output", "state")
_PHASED = (
  "mask_gates/kernel[{0},2H] mask_gates/bias[2H] new_input/kernel[D+H,H] "
  "new_input/bias[H] output_gate/kernel[{0},H] output_gate/bias[H] period[H] "
  "phase[H] ratio_on[H]"
)

# LSTMBlockFusedCell, NASCell and GRUBlockCell: the second name is an older
# TensorFlow 1's.
LAYOUTS = (
  _layout("BasicRNNCell", "basic_rnn_cell", "kernel[D+H,H] bias[H]"),
  _layout("BasicLSTMCell", "basic_lstm_cell", _LSTM),
  _layout(
    "LSTMCell",
    "lstm_cell",
    f"kernel[D+M,4H] bias[4H] {_PEEPHOLES} (projection/kernel[H,M])",
  ),
  _layout("LSTMBlockCell", "lstm_cell", f"{_LSTM} {_PEEPHOLES}"),
  _layout(
    "LSTMBlockFusedCell",
    "lstm_fused_cell lstm_block_wrapper",
    f"{_LSTM} {_PEEPHOLES}",
  ),
  _layout(
    "LayerNormBasicLSTMCell",
    "layer_norm_basic_lstm_cell",
    f"kernel[D+H,4H] {_NORMED} !bias",
  ),
  _layout("LayerNormBasicLSTMCell", "layer_norm_basic_lstm_cell", _LSTM),
  # Not a name of tf.contrib.rnn, but it would be taken for one of these.
  _layout(
    "LayerNormLSTMCell",
    "layer_norm_lstm_cell",
    f"kernel[D+M,4H] bias[4H] {_NORMED} {_PEEPHOLES} (projection/kernel[H,M])",
  ),
  _layout(
    "CoupledInputForgetGateLSTMCell",
    "coupled_input_forget_gate_lstm_cell",
    "W_#[D+M,3H] B[3H] (W_F_diag[H] W_O_diag[H]) (W_P_#[H,M]) "
    f"({_norms('transform', 'forget', 'output', 'state')})",
  ),
  _layout(
    "TimeFreqLSTMCell",
    "time_freq_lstm_cell",
    "W_#[D+2H,4H] B[4H] (W_F_diag[H] W_I_diag[H] W_O_diag[H])",
  ),
  *_grid("GridLSTMCell", "grid_lstm_cell", ""),
  *_grid(
    "BidirectionalGridLSTMCell",
    "bidirectional_grid_lstm_cell",
    "fwd/",
    "bwd/",
  ),
  _layout(
    "GLSTMCell",
    "glstm_cell",
    "group*/kernel[D+M/G,4H/G] bias_i[H] bias_j[H] bias_f[H] bias_o[H] "
    "(projection/kernel[H,M])",
  ),
  _layout("PhasedLSTMCell", "phased_lstm_cell", _PHASED.format("D+H")),
  # With peepholes.
  _layout("PhasedLSTMCell", "phased_lstm_cell", _PHASED.format("D+2H")),
  *(
    _layout(kind, scope, f"kernel[{any_dims}D+H,4H] (biases[4H])")
    for kind, scope, any_dims in (
      ("Conv1DLSTMCell", "conv_1d_lstm_cell", "_,"),
      ("Conv2DLSTMCell", "conv_2d_lstm_cell", "_,_,"),
      ("Conv3DLSTMCell", "conv_3d_lstm_cell", "_,_,_,"),
      ("ConvLSTMCell", "conv_lstm_cell", "_,"),
      ("ConvLSTMCell", "conv_lstm_cell", "_,_,"),
      ("ConvLSTMCell", "conv_lstm_cell", "_,_,_,"),
    )
  ),
  _layout("GRUCell", "gru_cell", _GRU),
  _layout("GRUBlockCellV2", "gru_cell gru_block_cell", _GRU),
  _layout(
    "GRUBlockCell",
    "gru_cell gru_block_cell",
    "w_ru[D+H,2H] b_ru[2H] w_c[D+H,H] b_c[H]",
  ),
  _layout("UGRNNCell", "ugrnn_cell", "kernel[D+H,2H] bias[2H]"),
  _layout(
    "IntersectionRNNCell",
    "intersection_rnn_cell",
    "kernel[2H,4H] bias[4H] in_projection/kernel[D,H] in_projection/bias[H]",
  ),
  _layout(
    "IntersectionRNNCell",
    "intersection_rnn_cell",
    "kernel[2H,4H] bias[4H] !in_projection/kernel",
    inputs="H",
  ),
  _layout(
    "NASCell",
    "nas_cell nas_rnn",
    "recurrent_kernel[M,8H] kernel[D,8H] (bias[8H]) (projection_weights[H,M])",
  ),
  *map(_of_kind, cell_kinds.CELL_KINDS),
  _layout(
    "AttentionCellWrapper",
    "attention_cell_wrapper",
    "kernel[D+A,I] bias[I] attention/attn_w[1,1,A,V] attention/attn_v[V] "
    "attention/kernel[Q,V] attention/bias[V] "
    "attn_output_projection/kernel[O+A,A] attn_output_projection/bias[A]",
    units="A",
  ),
  _layout(
    "InputProjectionWrapper",
    "input_projection_wrapper",
    "kernel[D,H] bias[H]",
    wraps="inputs",
  ),
  _layout(
    "OutputProjectionWrapper",
    "output_projection_wrapper",
    "kernel[D,H] bias[H]",
    wraps="outputs",
  ),
  _layout(
    "EmbeddingWrapper", "embedding_wrapper", "embedding[D,H]", wraps="inputs"
  ),
  _layout(
    "HighwayWrapper",
    "",
    "carry_w[H,H] carry_b[H] (transform_w[H,H] transform_b[H])",
    inputs="H",
  ),
)
