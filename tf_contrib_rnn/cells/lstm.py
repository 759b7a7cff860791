"""Variants of the LSTM in tf.contrib.rnn 1.15.

They have coupled gates, layer normalisation, or groups of units. Each is a
plain RNNCell with a state of c and h.
"""

from typing import Any
from typing import Callable
from typing import Optional

import tensorflow as tf

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1


class PlainLSTMCell(plain.PlainCell):
  """A plain cell with the state (c, h) and the output h."""

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
  """A PlainLSTMCell that may normalise its gates and c, row by row."""

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
  """LSTM cell whose input gate is one minus the forget gate.

      j, f, o = split([x, h] W + B)
      f = sigmoid(f + forget_bias + wf * c)
      new_c = f * c + (1 - f) * act(j)
      output = new_h = act(new_c) * sigmoid(o + wo * new_c)

  x is [batch, D]. The state is c [batch, H] and h [batch, M]. The products with
  wf and wo exist if `use_peepholes` is true. With `num_proj`, the output is
  new_h Wp, clipped to [-proj_clip, proj_clip] if `proj_clip` is given. Without
  `num_proj`, M is H.

  If `layer_norm` is true, j, f, o and new_c are normalised over the units of a
  row, as in `tf.contrib.rnn.LayerNormBasicLSTMCell`. The state contains the
  normalised new_c. B exists then, but is not added.

  Variables, under `coupled_input_forget_gate_lstm_cell/`, in this order:

  - `W_0`, `W_1`, ...: the rows of W [D + M, 3H], in `num_unit_shards` pieces
  - `B` [3H], which starts as zeros
  - with `layer_norm`: `transform/gamma`, `transform/beta`, `forget/gamma`,
    `forget/beta`, `output/gamma` and `output/beta`, each [H]
  - with `use_peepholes`: `W_F_diag` wf and `W_O_diag` wo, each [H]
  - with `layer_norm`: `state/gamma` and `state/beta`, each [H]
  - with `num_proj`: `W_P_0`, `W_P_1`, ...: the rows of Wp [H, M], in
    `num_proj_shards` pieces

  Source: `tf.contrib.rnn.CoupledInputForgetGateLSTMCell` of TensorFlow 1.15;
  Greff, Srivastava, Koutnik, Steunebrink and Schmidhuber, "LSTM: A Search Space
  Odyssey" (https://arxiv.org/abs/1503.04069).

  Args:
    num_units: Int, the number of units H.
    use_peepholes: Bool, whether the gates see c.
    initializer: Not used, as in TensorFlow 1.15. The initializer of the
      variable scope is used instead.
    num_proj: Optional int, the size M of the projected output.
    proj_clip: Optional float, the bound of the projected output.
    num_unit_shards: Int, the number of pieces of W.
    num_proj_shards: Int, the number of pieces of Wp.
    forget_bias: Float that is added in the forget gate, see above. A checkpoint
      does not contain it. Use the value that the model was trained with.
    state_is_tuple: Bool. If it is true, the state is an LSTMStateTuple. If it
      is false, the state is one tensor [batch, H + M], c before h.
    activation: act, a function of a tensor.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.
    layer_norm: Bool, whether to normalise. Its variables have the dtype of the
      variable scope, which is float32 if it is not set. Inputs of another dtype
      need a `tf.compat.v1.variable_scope` of that dtype.
    norm_gain: Float, the initial value of each gamma.
    norm_shift: Float, the initial value of each beta.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: The state, see `state_is_tuple`.
    - `scope`: Optional variable scope.

  A call returns the output [batch, M] and the new state. A call raises:

  - ValueError: If the depth D is unknown, if a matrix has fewer rows than
    pieces, if `num_proj` is 0, if shapes do not match, if variables exist and
    `reuse` is not set, or if they do not exist and `reuse` is true. With
    `layer_norm`, also if the dtype of the scope is not that of the inputs.
  - TypeError: If dtypes differ, or if `activation` is not a function.

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
    """Runs one step. See the class."""
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
  """LSTM cell with layer normalisation and recurrent dropout.

      i, j, f, o = split([x, h] W), each normalised
      new_c = norm(c * sigmoid(f + forget_bias) + sigmoid(i) * dropout(act(j)))
      output = new_h = act(new_c) * sigmoid(o)

  x is [batch, D]. c and h are the state, each [batch, H]. The gates and c are
  normalised over the units of a row:

      norm(z) = (z - mean) / sqrt(variance + epsilon) * gamma + beta

  The variance is the biased one. epsilon is 1e-12, or 1e-3 in float16. Each
  norm has its own gamma [H] and beta [H]. The state contains the normalised
  new_c.

  If `layer_norm` is false, nothing is normalised, and a bias is added:
  split([x, h] W + b).

  Variables, under `layer_norm_basic_lstm_cell/`: `kernel` W [D + H, 4H]; then
  `gamma` and `beta` under `input/`, `transform/`, `forget/`, `output/` and
  `state/`. If `layer_norm` is false: `kernel` and `bias` b [4H]. As in
  TensorFlow 1.15, this bias is initialized like the kernel, by Glorot uniform,
  and not with zeros.

  Source: `tf.contrib.rnn.LayerNormBasicLSTMCell` of TensorFlow 1.15; Ba, Kiros
  and Hinton, "Layer Normalization" (https://arxiv.org/abs/1607.06450);
  Semeniuta, Severyn and Barth, "Recurrent Dropout without Memory Loss"
  (https://arxiv.org/abs/1603.05118).

  Args:
    num_units: Int, the number of units H.
    forget_bias: Float that is added in the forget gate, see above. A checkpoint
      does not contain it. Use the value that the model was trained with.
    input_size: Not used. It is deprecated in TensorFlow 1.15.
    activation: act, a function of a tensor.
    layer_norm: Bool, whether to normalise.
    norm_gain: Float, the initial value of each gamma.
    norm_shift: Float, the initial value of each beta.
    dropout_keep_prob: Float or scalar tensor, the fraction of act(j) to keep.
      The rest is set to zero, and what is kept is divided by this fraction. A
      float of 1.0 or more means no dropout.
    dropout_prob_seed: Optional int, the seed of the dropout.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: An `LSTMStateTuple(c, h)`, a tuple or a list.
    - `scope`: Optional variable scope.

  A call returns the output [batch, H] and a new LSTMStateTuple. A call raises:

  - ValueError: If the depth D is unknown, if shapes do not match, if
    `dropout_keep_prob` is not a probability, if variables exist and `reuse` is
    not set, or if they do not exist and `reuse` is true.
  - TypeError: If dtypes differ, or if `activation` is not a function.

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
    """Runs one step. See the class."""
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
  """Group LSTM (G-LSTM) cell: an LSTM in groups of units.

      i_g, j_g, f_g, o_g = split([x_g, h_g] W_g), for each group g
      i = [i_0, i_1, ...] + bi, and j, f and o in the same way
      new_c = sigmoid(f + forget_bias) * c + sigmoid(i) * tanh(j)
      output = new_h = sigmoid(o) * act(new_c)

  Inputs and state are split into G groups of columns. Each group has its own
  kernel. Together they are a block-diagonal matrix with 1 / G of the weights. x
  is [batch, D]. The state is c [batch, H] and h [batch, M]. With `num_proj`,
  the output is new_h Wp. Without `num_proj`, M is H.

  Variables, under `glstm_cell/`: `group0/kernel`, `group1/kernel`, ... W_g
  [(D + M) / G, 4H / G]; then `bias_i`, `bias_j`, `bias_f` and `bias_o`, each
  [H], which start as zeros; then with `num_proj` `projection/kernel` Wp [H, M].

  Source: `tf.contrib.rnn.GLSTMCell` of TensorFlow 1.15; Kuchaiev and Ginsburg,
  "Factorization tricks for LSTM networks" (https://arxiv.org/abs/1703.10722).

  Args:
    num_units: Int, the number of units H.
    initializer: Optional initializer of the groups' kernels. Default: the one
      of the variable scope. If that has none: Glorot uniform. As in TensorFlow
      1.15, it is not used for the projection.
    num_proj: Optional int, the size M of the projected output. As in TensorFlow
      1.15, 0 means an output without columns, and both sizes say H.
    number_of_groups: Int, the number of groups G.
    forget_bias: Float that is added in the forget gate, see above. A checkpoint
      does not contain it. Use the value that the model was trained with.
    activation: act, a function of a tensor. As in TensorFlow 1.15, the
      activation of j is always `tanh`.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Raises:
    ValueError: If `num_units` or `num_proj` is not a multiple of
      `number_of_groups`.
    ZeroDivisionError: If `number_of_groups` is 0.

  Call arguments:
    - `inputs`: Tensor [batch, D].
    - `state`: An `LSTMStateTuple(c, h)`, a tuple or a list.
    - `scope`: Optional variable scope.

  A call returns the output [batch, M] and a new LSTMStateTuple. A call raises:

  - ValueError: If the depth D is unknown, if shapes do not match, if D is not a
    multiple of G, if variables exist and `reuse` is not set, or if they do not
    exist and `reuse` is true.
  - TypeError: If dtypes differ, or if `activation` is not a function.

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
    """Runs one step. See the class."""
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
