"""The LSTM's variants of tf.contrib.rnn 1.15.

One gate less, layer normalisation, groups: each a plain RNNCell with a state of
c and h.
"""

from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1


class PlainLSTMCell(plain.PlainCell):
  """A plain cell whose state is c and h, and whose output is h."""

  def __init__(self, num_units, num_proj, reuse):
    super().__init__(_reuse=reuse)
    self._num_units = num_units
    self._num_proj = num_proj

  @property
  def state_size(self) -> Any:
    """LSTMStateTuple(c=H, h=M)."""
    return core.LSTMStateTuple(self._num_units, self.output_size)

  @property
  def output_size(self) -> int:
    """The width M of the output: the projected one, or the units H."""
    return self._num_proj or self._num_units


class _NormalizedCell(PlainLSTMCell):
  """Such a cell that may normalise its gates and c, over a row's units."""

  def __init__(
    self,
    num_units,
    num_proj,
    reuse,
    forget_bias,
    activation,
    layer_norm,
    norm_gain,
    norm_shift,
  ):
    super().__init__(num_units, num_proj, reuse)
    self._forget_bias = forget_bias
    self._activation = activation
    self._layer_norm = layer_norm
    self._norm_gain = norm_gain
    self._norm_shift = norm_shift

  def _normalize(self, values, names, dtype=None):
    """Each of the tensors [batch, H], with variables below its name."""
    return [
      plain.layer_norm(value, name, self._norm_gain, self._norm_shift, dtype)
      for value, name in zip(values, names)
    ]


class CoupledInputForgetGateLSTMCell(_NormalizedCell):
  """Long Short-Term Memory cell whose input gate is one minus the forget gate.

  What the cell forgets makes room for just as much:

      j, f, o = split([x, h] W + B)
      f = sigmoid(f + forget_bias + wf * c)
      new_c = f * c + (1 - f) * act(j)
      output = new_h = act(new_c) * sigmoid(o + wo * new_c)

  with x [batch, D], W [D + M, 3H], B [3H] and a state of c [batch, H] and h
  [batch, M]. The products with wf and wo are there with `use_peepholes`. With
  `num_proj` the output is new_h Wp, Wp [H, M], clipped to +-`proj_clip`;
  without it M is H.

  With `layer_norm` j, f, o and new_c are normalised over the units of a row, as
  `tf.contrib.rnn.LayerNormBasicLSTMCell` does. The state holds the normalised
  new_c. B is then made, but not added.

  Variables, under `coupled_input_forget_gate_lstm_cell/`, in this order:

  - `W_0`, `W_1`, ...: W in `num_unit_shards` pieces of rows,
  - `B`, zeros at first,
  - with `layer_norm` `transform/gamma`, `transform/beta`, `forget/gamma`,
    `forget/beta`, `output/gamma` and `output/beta` [H],
  - with `use_peepholes` `W_F_diag` and `W_O_diag` [H],
  - with `layer_norm` `state/gamma` and `state/beta` [H],
  - with `num_proj` `W_P_0`, `W_P_1`, ...: Wp in `num_proj_shards` pieces.

  Source: `tf.contrib.rnn.CoupledInputForgetGateLSTMCell` of TensorFlow 1.15;
  Greff, Srivastava, Koutnik, Steunebrink and Schmidhuber, "LSTM: A Search Space
  Odyssey" (https://arxiv.org/abs/1503.04069).

  Args:
    num_units: int, the number of units H in the cell.
    use_peepholes: bool, whether the gates see c.
    initializer: not used, as in TensorFlow 1.15. The scope's initializer is.
    num_proj: (optional) int, the width M of the projected output.
    proj_clip: (optional) float, what the projected output is clipped to.
    num_unit_shards: int, the number of pieces of W.
    num_proj_shards: int, the number of pieces of Wp.
    forget_bias: float, added to the forget gate's sum (see above). A checkpoint
      does not hold it: use the one that the model was trained with.
    state_is_tuple: bool, whether the state is an LSTMStateTuple. If not, it is
      one tensor [batch, H + M], c before h.
    activation: the nonlinearity act, a function of a tensor.
    reuse: (optional) bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If not, and the scope already has them,
      an error is raised.
    layer_norm: bool, whether to normalise. Its variables have the dtype of the
      scope, float32 unless it says otherwise. So inputs of another dtype need
      a `tf.compat.v1.variable_scope` with that dtype.
    norm_gain: float, what each gamma starts with.
    norm_shift: float, what each beta starts with.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and the
  state. It returns the pair of the output [batch, M] and the new state.

  Raises:
    ValueError: from a call, if the depth D is not known, a matrix has fewer
      rows than pieces, `num_proj` is 0, shapes do not match, variables exist
      without reuse or don't with it; with `layer_norm`, if the scope's dtype is
      not that of the inputs.
    TypeError: from a call, if dtypes differ or `activation` is not a function.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.CoupledInputForgetGateLSTMCell(4, num_proj=2)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.c.shape, state.h.shape
  (TensorShape([2, 2]), TensorShape([2, 4]), TensorShape([2, 2]))
  >>> [v.name.split("/")[1] for v in cell.variables]
  ['W_0:0', 'B:0', 'W_P_0:0']
  """

  def __init__(
    self,
    num_units: int,
    use_peepholes: bool = False,
    initializer: Any = None,
    num_proj: Optional[int] = None,
    proj_clip: Optional[float] = None,
    num_unit_shards: int = 1,
    num_proj_shards: int = 1,
    forget_bias: float = 1.0,
    state_is_tuple: bool = True,
    activation: Callable[..., tf.Tensor] = tf.tanh,
    reuse: Any = None,
    layer_norm: bool = False,
    norm_gain: float = 1.0,
    norm_shift: float = 0.0,
  ):
    super().__init__(
      num_units,
      num_proj,
      reuse,
      forget_bias,
      activation,
      layer_norm,
      norm_gain,
      norm_shift,
    )
    if not state_is_tuple:
      v1.logging.warn(
        "%s: Using a concatenated state is slower than a tuple: "
        "state_is_tuple=True",
        self,
      )
    self._use_peepholes = use_peepholes
    self._proj_clip = proj_clip
    self._num_unit_shards = num_unit_shards
    self._num_proj_shards = num_proj_shards
    self._state_is_tuple = state_is_tuple

  @property
  def state_size(self) -> Any:
    """LSTMStateTuple(c=H, h=M), or their sum."""
    sizes = super().state_size
    return sizes if self._state_is_tuple else sum(sizes)

  def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
    """One step: see the class."""
    c, h = self._unpack(state)
    candidate, forget, output = self._gates(inputs, h)
    if self._use_peepholes:
      of_forget, of_output = (
        v1.get_variable(name, [self._num_units], inputs.dtype)
        for name in ("W_F_diag", "W_O_diag")
      )
      forget += c * of_forget
    forget = tf.sigmoid(forget + self._forget_bias)
    new_c = plain.mix(forget, c, self._activation(candidate))
    if self._layer_norm:
      (new_c,) = self._normalize([new_c], ["state"])
    if self._use_peepholes:
      output += new_c * of_output
    new_h = self._project(tf.sigmoid(output) * self._activation(new_c))
    if self._state_is_tuple:
      return new_h, core.LSTMStateTuple(new_c, new_h)
    return new_h, tf.concat([new_c, new_h], 1)

  def _unpack(self, state):
    """c and h of the state."""
    if self._state_is_tuple:
      c, h = state
      return c, h
    units = self._num_units
    return state[:, :units], state[:, units : units + self.output_size]

  def _gates(self, inputs, h):
    """The candidate j, the forget gate f and the output gate o, as sums."""
    rows = plain.depth_of(inputs) + self.output_size
    size = 3 * self._num_units
    kernel = plain.get_sharded(
      "W", [rows, size], inputs.dtype, self._num_unit_shards
    )
    bias = v1.get_variable("B", [size], inputs.dtype, v1.zeros_initializer())
    gates = plain.matmul(tf.concat([inputs, h], 1), kernel)
    if not self._layer_norm:
      return tf.split(gates + bias, 3, 1)
    names = ("transform", "forget", "output")
    return self._normalize(tf.split(gates, 3, 1), names)

  def _project(self, h):
    """h as the cell puts it out."""
    if self._num_proj is None:
      return h
    if self._num_proj == 0:
      raise ValueError("num_proj is 0, expected a width or None")
    shape = [self._num_units, self._num_proj]
    kernel = plain.get_sharded("W_P", shape, h.dtype, self._num_proj_shards)
    projected = plain.matmul(h, kernel)
    if self._proj_clip is None:
      return projected
    return tf.clip_by_value(projected, -self._proj_clip, self._proj_clip)


class LayerNormBasicLSTMCell(_NormalizedCell):
  """Long Short-Term Memory cell with layer normalisation.

  Normalised are the gates and c, each over the units of a row:

      i, j, f, o = split([x, h] W), each normalised
      new_c = norm(c * sigmoid(f + forget_bias) + sigmoid(i) * dropout(act(j)))
      output = new_h = act(new_c) * sigmoid(o)

  with x [batch, D], W [D + H, 4H] and a state of c and h, each [batch, H].
  Normalised means

      norm(z) = (z - mean) / sqrt(variance + epsilon) * gamma + beta

  with the biased variance, and an epsilon of 1e-12, or 1e-3 in float16. Each
  norm has a gamma [H] and a beta [H] of its own. The state holds the normalised
  new_c.

  Without `layer_norm` nothing is normalised, and a bias is added to the
  product, split([x, h] W + b).

  Variables, under `layer_norm_basic_lstm_cell/`: `kernel` [D + H, 4H]; then
  `gamma` and `beta` under `input/`, `transform/`, `forget/`, `output/` and
  `state/`. Without `layer_norm` `kernel` and `bias` [4H]: this bias starts as
  the kernel does, by Glorot's uniform, and not with zeros, as in TensorFlow
  1.15.

  Source: `tf.contrib.rnn.LayerNormBasicLSTMCell` of TensorFlow 1.15; Ba, Kiros
  and Hinton, "Layer Normalization" (https://arxiv.org/abs/1607.06450);
  Semeniuta, Severyn and Barth, "Recurrent Dropout without Memory Loss"
  (https://arxiv.org/abs/1603.05118).

  Args:
    num_units: int, the number of units H in the cell.
    forget_bias: float, added to the forget gate (see above). A checkpoint does
      not hold it: use the one that the model was trained with.
    input_size: not used. TensorFlow 1.15 says that it is deprecated.
    activation: the nonlinearity act, a function of a tensor.
    layer_norm: bool, whether to normalise.
    norm_gain: float, what each gamma starts with.
    norm_shift: float, what each beta starts with.
    dropout_keep_prob: a float or a scalar tensor, the part of act(j) that is
      kept. The rest is zero, and what is kept is divided by it. A float of 1.0
      or more means no dropout.
    dropout_prob_seed: (optional) int, a seed of the dropout.
    reuse: as of `CoupledInputForgetGateLSTMCell`.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and an
  `LSTMStateTuple(c, h)`, a tuple or a list. It returns the pair of the output
  [batch, H] and a new LSTMStateTuple.

  Raises:
    ValueError: from a call, if the depth D is not known, shapes do not match,
      `dropout_keep_prob` is not a probability, variables exist without reuse or
      don't with it.
    TypeError: from a call, if dtypes differ or `activation` is not a function.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.LayerNormBasicLSTMCell(4)
  >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.c.shape, state.h is output
  (TensorShape([2, 4]), TensorShape([2, 4]), True)
  >>> [v.name.split("/", 1)[1] for v in cell.variables][:3]
  ['kernel:0', 'input/gamma:0', 'input/beta:0']
  """

  def __init__(
    self,
    num_units: int,
    forget_bias: float = 1.0,
    input_size: Any = None,
    activation: Callable[..., tf.Tensor] = tf.tanh,
    layer_norm: bool = True,
    norm_gain: float = 1.0,
    norm_shift: float = 0.0,
    dropout_keep_prob: Any = 1.0,
    dropout_prob_seed: Optional[int] = None,
    reuse: Any = None,
  ):
    super().__init__(
      num_units,
      None,
      reuse,
      forget_bias,
      activation,
      layer_norm,
      norm_gain,
      norm_shift,
    )
    if input_size is not None:
      v1.logging.warn("%s: The input_size parameter is deprecated.", self)
    self._keep_prob = dropout_keep_prob
    self._seed = dropout_prob_seed

  def call(
    self, inputs: tf.Tensor, state: Any
  ) -> tuple[tf.Tensor, core.LSTMStateTuple]:
    """One step: see the class."""
    c, h = state
    in_gate, candidate, forget, output = self._gates(inputs, h)
    kept = c * tf.sigmoid(forget + self._forget_bias)
    new_c = kept + tf.sigmoid(in_gate) * self._candidate(candidate)
    if self._layer_norm:
      (new_c,) = self._normalize([new_c], ["state"], inputs.dtype)
    new_h = self._activation(new_c) * tf.sigmoid(output)
    return new_h, core.LSTMStateTuple(new_c, new_h)

  def _gates(self, inputs, h):
    """The input gate i, the candidate j, the gates f and o, as sums."""
    size = 4 * self._num_units
    gates = plain.linear([inputs, h], size, use_bias=False)
    if not self._layer_norm:
      # With the kernel's partitioner and initializer.
      bias = v1.get_variable("bias", [size], inputs.dtype)
      return tf.split(gates + bias, 4, 1)
    names = ("input", "transform", "forget", "output")
    return self._normalize(tf.split(gates, 4, 1), names, inputs.dtype)

  def _candidate(self, candidate):
    """act(j), with dropout."""
    candidate = self._activation(candidate)
    if isinstance(self._keep_prob, float) and self._keep_prob >= 1:
      return candidate
    return tf.nn.dropout(candidate, 1 - self._keep_prob, seed=self._seed)


class GLSTMCell(PlainLSTMCell):
  """Group Long Short-Term Memory (G-LSTM) cell.

  An LSTM whose inputs and state are cut into G groups of columns, each with a
  kernel of its own. So the product is of a block diagonal matrix, with 1 / G of
  the weights:

      i_g, j_g, f_g, o_g = split([x_g, h_g] W_g)        for each group g
      i = [i_0, i_1, ...] + bi, and so j, f and o
      new_c = sigmoid(f + forget_bias) * c + sigmoid(i) * tanh(j)
      output = new_h = sigmoid(o) * act(new_c)

  with x [batch, D], W_g [(D + M) / G, 4H / G], biases [H] and a state of c
  [batch, H] and h [batch, M]. With `num_proj` the output is new_h Wp, Wp
  [H, M]; without it M is H.

  Variables, under `glstm_cell/`: `group0/kernel`, `group1/kernel`, ...; then
  `bias_i`, `bias_j`, `bias_f` and `bias_o`, zeros at first; then with
  `num_proj` `projection/kernel` [H, M].

  Source: `tf.contrib.rnn.GLSTMCell` of TensorFlow 1.15; Kuchaiev and Ginsburg,
  "Factorization tricks for LSTM networks" (https://arxiv.org/abs/1703.10722).

  Args:
    num_units: int, the number of units H in the cell.
    initializer: (optional) an initializer for the groups' kernels. Default: the
      scope's, else Glorot's uniform. It does not reach the projection, as in
      TensorFlow 1.15.
    num_proj: (optional) int, the width M of the projected output. With 0 the
      output has no columns, and the sizes say H, as in TensorFlow 1.15.
    number_of_groups: int, the number G of groups.
    forget_bias: float, added to the forget gate's sum (see above). A checkpoint
      does not hold it: use the one that the model was trained with.
    activation: the nonlinearity act, a function of a tensor. That of j is
      always `tanh`, as in TensorFlow 1.15.
    reuse: as of `CoupledInputForgetGateLSTMCell`.

  A call `cell(inputs, state, scope=None)` takes inputs [batch, D] and an
  `LSTMStateTuple(c, h)`, a tuple or a list. It returns the pair of the output
  [batch, M] and a new LSTMStateTuple.

  Raises:
    ValueError: if `num_units` or `num_proj` can't be divided by the number of
      groups; from a call, if the depth D can't be, or is not known, shapes do
      not match, variables exist without reuse or don't with it.
    ZeroDivisionError: if `number_of_groups` is 0.
    TypeError: from a call, if dtypes differ or `activation` is not a function.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.GLSTMCell(4, number_of_groups=2)
  >>> output, state = cell(tf.ones([2, 6]), cell.zero_state(2, tf.float32))
  >>> output.shape, state.c.shape
  (TensorShape([2, 4]), TensorShape([2, 4]))
  >>> [v.shape.as_list() for v in cell.variables][:2]
  [[5, 8], [5, 8]]
  """

  def __init__(
    self,
    num_units: int,
    initializer: Any = None,
    num_proj: Optional[int] = None,
    number_of_groups: int = 1,
    forget_bias: float = 1.0,
    activation: Callable[..., tf.Tensor] = tf.tanh,
    reuse: Any = None,
  ):
    super().__init__(num_units, num_proj, reuse)
    self._initializer = initializer
    self._number_of_groups = number_of_groups
    self._forget_bias = forget_bias
    self._activation = activation
    self._check_divisible("num_units", num_units)
    if num_proj:
      self._check_divisible("num_proj", num_proj)

  def call(
    self, inputs: tf.Tensor, state: Any
  ) -> tuple[tf.Tensor, core.LSTMStateTuple]:
    """One step: see the class."""
    self._check_divisible("the inputs' depth", plain.depth_of(inputs))
    c, h = state
    in_gate, candidate, forget, output = self._gates(inputs, h)
    kept = tf.sigmoid(forget + self._forget_bias) * c
    new_c = kept + tf.sigmoid(in_gate) * tf.tanh(candidate)
    new_h = tf.sigmoid(output) * self._activation(new_c)
    if self._num_proj is not None:
      with v1.variable_scope("projection"):
        new_h = plain.linear([new_h], self._num_proj, use_bias=False)
    return new_h, core.LSTMStateTuple(new_c, new_h)

  def _check_divisible(self, what, size):
    if size % self._number_of_groups:
      raise ValueError(
        f"{what} is {size}, expected a multiple of number_of_groups, "
        f"{self._number_of_groups}"
      )

  def _gates(self, inputs, h):
    """The gates i, j, f, o [batch, H], as sums."""
    groups = self._number_of_groups
    pieces = []
    pairs = zip(tf.split(inputs, groups, 1), tf.split(h, groups, 1))
    for group, pair in enumerate(pairs):
      with v1.variable_scope(f"group{group}"):
        size = 4 * self._num_units // groups
        product = plain.linear(pair, size, False, self._initializer)
      pieces.append(tf.split(product, 4, 1))
    return [
      tf.concat(of_groups, 1) + self._bias(gate, inputs.dtype)
      for gate, of_groups in zip("ijfo", zip(*pieces))
    ]

  def _bias(self, gate, dtype):
    zeros = v1.zeros_initializer()
    return v1.get_variable(f"bias_{gate}", [self._num_units], dtype, zeros)
