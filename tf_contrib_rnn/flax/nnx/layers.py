"""Element-wise recurrent layers for flax.nnx, over whole sequences.

A layer is nnx.RNN with one of the cells, at once: same calls, same results,
same state. All products with the kernel are one, and the rest is one call of
`tf_contrib_rnn.jax`.
"""

from typing import Any
from typing import Optional
from typing import TYPE_CHECKING

from flax import nnx

from tf_contrib_rnn import _signatures
from tf_contrib_rnn.flax import _recurrence
from tf_contrib_rnn.flax.nnx import cells

if TYPE_CHECKING:
  from typing_extensions import Unpack

  from tf_contrib_rnn.flax.nnx import _arguments


class _Layer(nnx.Module):
  """What the layers have in common.

  Attributes:
    cell_class: the class of the cell; belongs to the layer's class.
  """

  cell_class: Any
  __signature__ = _signatures.OfInit()

  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    time_major: bool = False,
    return_carry: bool = False,
    reverse: bool = False,
    keep_order: bool = False,
    rngs: nnx.Rngs,
    **of_cell,
  ):
    self.cell = self.cell_class(
      in_features, hidden_features, rngs=rngs, **of_cell
    )
    self.time_major = time_major
    self.return_carry = return_carry
    self.reverse = reverse
    self.keep_order = keep_order

  def __call__(
    self,
    inputs: Any,
    *,
    initial_carry: Optional[Any] = None,
    seq_lengths: Optional[Any] = None,
    return_carry: Optional[bool] = None,
    time_major: Optional[bool] = None,
    reverse: Optional[bool] = None,
    keep_order: Optional[bool] = None,
    rngs: Optional[Any] = None,
  ) -> Any:
    """Runs the cell over sequences, as `flax.nnx.RNN` does.

    Args:
      inputs: [*batch, time, in_features], or with time_major [time, *batch,
        in_features]; there may be no batch, or several dimensions of it.
      initial_carry: (optional) where to start, arrays [*batch,
        hidden_features]; by default what the cell's `initialize_carry` gives.
      seq_lengths: (optional) integers [*batch]. The carry is that of each
        sequence's last step; a length past the end counts as the end, and so
        does 0. Outputs past a sequence's end are not cleared.
      return_carry, time_major, reverse, keep_order: (optional) instead of the
        attributes.
      rngs: (optional) an `nnx.Rngs` or a stream of it, for `initialize_carry`;
        `nnx.Rngs(0)` by default.

    Returns:
      The outputs, with hidden_features in place of in_features, or with
      return_carry a tuple of the carry and the outputs.

    Raises:
      ValueError: naming the argument, for shapes that do not match.
      TypeError: for lengths that are no integers.
    """
    time_major = self.time_major if time_major is None else time_major
    if initial_carry is None:
      shape = _recurrence.shape_of_step(inputs, time_major)
      rngs = nnx.Rngs(0) if rngs is None else rngs
      initial_carry = self.cell.initialize_carry(shape, rngs)
    return _recurrence.run_sequences(
      self.cell,
      self.cell.weights(),
      initial_carry,
      inputs,
      seq_lengths,
      self.return_carry if return_carry is None else return_carry,
      time_major,
      self.reverse if reverse is None else reverse,
      self.keep_order if keep_order is None else keep_order,
    )


class IndRNN(_Layer):
  """Independently Recurrent Neural Network (IndRNN) over sequences.

  At each step: h' = act(x W + u h + b), as `IndRNNCell` says.

  It is `flax.nnx.RNN(IndRNNCell(...))` in one, with the same attribute `cell`,
  so that the state of the one can be used with the other, and as linen's
  parameters. The sequences are one matrix product and one call of
  `tf_contrib_rnn.jax.ind_rnn`, which says when that runs fused.

  Source: as of `IndRNNCell`; the arguments are its own and those of
  `flax.nnx.RNN` which are not about its loop.

  Args:
    in_features: as of `IndRNNCell`, like all that is not listed here.
    time_major: whether sequences are [time, *batch, in_features], outputs too,
      and not [*batch, time, in_features].
    return_carry: whether to return the carry and the outputs, not these alone.
    reverse: whether to run each sequence from its end to its start. Outputs
      come in the order of computing; what is past a sequence's end stays there.
    keep_order: whether outputs come in the order of the inputs even so.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndRNN
  >>> layer = IndRNN(3, 4, activation_fn=nnx.relu, rngs=nnx.Rngs(0))
  >>> layer(jnp.ones([2, 5, 3])).shape
  (2, 5, 4)
  >>> layer.cell.recurrent_kernel.shape
  (1, 4)
  """

  cell_class = cells.IndRNNCell

  @_signatures.with_arguments_of(cells.IndRNNCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndRNN]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)


class IndyGRU(_Layer):
  """Independently Gated Recurrent Units over sequences.

  At each step, with gates r and z, as `IndyGRUCell` says:

      c = act(x W_c + u_c (r h) + b_c)
      h' = z h + (1 - z) c

  It is `flax.nnx.RNN(IndyGRUCell(...))` in one, as `IndRNN` is of its cell.
  With a `gate_fn` other than sigmoid, the product is still one, and the rest a
  `jax.lax.scan`.

  Source: as of `IndyGRUCell`; the arguments are as of `IndRNN`.

  Args:
    in_features: as of `IndRNN`, like all others but those of `IndyGRUCell`.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndyGRU
  >>> layer = IndyGRU(3, 4, return_carry=True, rngs=nnx.Rngs(0))
  >>> x, lengths = jnp.ones([2, 5, 3]), jnp.array([5, 2])
  >>> carry, outputs = layer(x, seq_lengths=lengths)
  >>> bool((carry[1] == outputs[1, 1]).all())
  True
  """

  cell_class = cells.IndyGRUCell

  @_signatures.with_arguments_of(cells.IndyGRUCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndyGRU]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)


class IndyLSTM(_Layer):
  """Independently Recurrent Long Short-Term Memory over sequences.

  At each step, with gates i, f and o, as `IndyLSTMCell` says:

      c' = f c + i act(x W_j + u_j h + b_j)
      h' = o act(c')

  It is `flax.nnx.RNN(IndyLSTMCell(...))` in one, as `IndyGRU` is of its cell.
  With `seq_lengths`, the carry takes a second recurrence: outputs have no c.
  Under `jax.jit` it is left out where the carry is not used.

  Source: as of `IndyLSTMCell`; the arguments are as of `IndRNN`.

  Args:
    in_features: as of `IndRNN`, like all others but those of `IndyLSTMCell`.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import IndyLSTM
  >>> rngs = nnx.Rngs(0)
  >>> layer = nnx.Bidirectional(
  ...   IndyLSTM(3, 4, rngs=rngs), IndyLSTM(3, 4, rngs=rngs))
  >>> layer(jnp.ones([2, 5, 3])).shape
  (2, 5, 8)
  """

  cell_class = cells.IndyLSTMCell

  @_signatures.with_arguments_of(cells.IndyLSTMCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfIndyLSTM]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)


class SRU(_Layer):
  """Simple Recurrent Units (SRU) over sequences.

  At each step, with gates f and r, as `SRUCell` says:

      c' = f c + (1 - f) (x W_s)
      output = r act(c') + (1 - r) (x W_t)

  It is `flax.nnx.RNN(SRUCell(...))` in one, as `IndyGRU` is of its cell. With
  `seq_lengths`, the carry takes a second recurrence, as of `IndyLSTM`: outputs
  do not tell c.

  Source: as of `SRUCell`; the arguments are as of `IndRNN`.

  Args:
    in_features: as of `IndRNN`, like all others but those of `SRUCell`.

  Raises:
    ValueError: as `IndRNNCell`.

  Example:

  >>> import jax.numpy as jnp
  >>> from flax import nnx
  >>> from tf_contrib_rnn.flax.nnx import SRU
  >>> layer = SRU(3, 4, return_carry=True, rngs=nnx.Rngs(0))
  >>> c, outputs = layer(jnp.ones([2, 5, 3]), seq_lengths=jnp.array([5, 2]))
  >>> c.shape, outputs.shape
  ((2, 4), (2, 5, 4))
  """

  cell_class = cells.SRUCell

  @_signatures.with_arguments_of(cells.SRUCell, _Layer)
  def __init__(
    self,
    in_features: int,
    hidden_features: int,
    *,
    rngs: nnx.Rngs,
    **keywords: "Unpack[_arguments.OfSRU]",
  ):
    super().__init__(in_features, hidden_features, rngs=rngs, **keywords)
