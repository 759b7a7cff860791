"""The LSTM of tf.contrib.rnn 1.15 with a gate that opens in time."""

from typing import Any

import tensorflow as tf

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import lstm
from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1


class PhasedLSTMCell(lstm.PlainLSTMCell):
  """Phased LSTM cell: an LSTM whose units open and close in time.

      i, f = split(sigmoid([x, h] Wm + bm))
      n = f * c + i * tanh([x, h] Wn + bn)
      o = sigmoid([x, h] Wo + bo)
      p = mod(time - phase, period) / period
      k = 2 p / r          if p < r / 2
          2 - 2 p / r      if r / 2 <= p < r
          leak * p         otherwise
      new_c = k * n + (1 - k) * c
      output = new_h = k * tanh(n) * o + (1 - k) * h

  Each unit is open for a part of its own period, which is trained. While it is
  closed, it keeps its state. Therefore the cell can process events at irregular
  times. time is [batch, 1] and x is [batch, D]. r is `ratio_on` [H]. c and h
  are the state, each [batch, H]. If `use_peepholes` is true, Wm multiplies [x,
  h, c] and Wo multiplies [x, h, n]. No forget bias is added.

  These points are as in TensorFlow 1.15:

  - Features and states are always float32. p has the dtype of the time, and is
    then cast to float32.
  - The gradient of mod is 1 for the time and -1 for the phase. There is none
    for the period.
  - The phases start as fractions, uniform in [0, 1), of the periods.

  Variables, under `phased_lstm_cell/`: `mask_gates/kernel` Wm,
  `mask_gates/bias` bm, `new_input/kernel` Wn, `new_input/bias` bn,
  `output_gate/kernel` Wo, `output_gate/bias` bo, `period`, `phase` and
  `ratio_on`. The biases start as zeros.

  Source: `tf.contrib.rnn.PhasedLSTMCell` of TensorFlow 1.15; Neil, Pfeiffer and
  Liu, "Phased LSTM: Accelerating Recurrent Network Training for Long or
  Event-based Sequences" (https://arxiv.org/abs/1610.09513).

  Args:
    num_units: Int, the number of units H.
    use_peepholes: Bool, whether the gates see c.
    leak: Float, how far a closed unit is open at the end of a period.
    ratio_on: Float, the initial value of `ratio_on`: the fraction of its period
      for which a unit is open.
    trainable_ratio_on: Bool, whether `ratio_on` is trained.
    period_init_min: Float, the smallest initial period.
    period_init_max: Float, the largest initial period. The logarithms of the
      initial periods are uniform between those of the two.
    reuse: Optional bool or `tf.compat.v1.AUTO_REUSE`: whether to reuse
      variables in an existing scope. If it is not set and the scope already has
      the variables, a call raises an error.

  Call arguments:
    - `inputs`: A pair of the time [batch, 1] and the features [batch, D].
      dynamic_rnn takes a pair of [batch, time, 1] and [batch, time, D].
    - `state`: An `LSTMStateTuple(c, h)`, a tuple or a list.
    - `scope`: Optional variable scope.

  A call returns the output [batch, H] and a new LSTMStateTuple. A call raises:

  - TypeError: If the inputs are not a pair, or if features or states are not
    float32.
  - ValueError: If D is unknown, if the time does not have rank 2, if other
    shapes do not match, if the scope has another dtype than float32, if
    variables exist and `reuse` is not set, or if they do not exist and `reuse`
    is true.

  Example:

  >>> import tensorflow as tf, tf_contrib_rnn
  >>> cell = tf_contrib_rnn.PhasedLSTMCell(4)
  >>> inputs = tf.constant([[0.5], [7.0]]), tf.ones([2, 3])
  >>> output, state = cell(inputs, cell.zero_state(2, tf.float32))
  >>> output.shape, state.c.shape, state.h is output
  (TensorShape([2, 4]), TensorShape([2, 4]), True)
  >>> [v.name.split("/")[1] for v in cell.variables][-3:]
  ['period:0', 'phase:0', 'ratio_on:0']
  """

  def __init__(
    self,
    num_units: int,
    use_peepholes: bool = False,
    leak: float = 0.001,
    ratio_on: float = 0.1,
    trainable_ratio_on: bool = True,
    period_init_min: float = 1.0,
    period_init_max: float = 1000.0,
    reuse: Any = None,
  ):
    super().__init__(num_units, None, reuse)
    self._use_peepholes = use_peepholes
    self._leak = leak
    self._ratio_on = ratio_on
    self._trainable_ratio_on = trainable_ratio_on
    self._period_init_min = period_init_min
    self._period_init_max = period_init_max

  def call(
    self, inputs: Any, state: Any
  ) -> tuple[tf.Tensor, core.LSTMStateTuple]:
    """Runs one step. See the class."""
    if not isinstance(inputs, (list, tuple)):
      raise TypeError(f"inputs are {inputs}, expected a pair (time, features)")
    time, features = inputs
    self._check_dtype(features)
    c, h = state
    gates = tf.sigmoid(
      self._linear("mask_gates", self._seen(features, h, c), 2)
    )
    in_gate, forget = tf.split(gates, 2, 1)
    candidate = tf.tanh(self._linear("new_input", [features, h], 1))
    open_c = c * forget + in_gate * candidate
    seen = self._seen(features, h, open_c)
    output = tf.sigmoid(self._linear("output_gate", seen, 1))
    openness = self._openness(time)
    new_c = plain.mix(openness, open_c, c)
    new_h = plain.mix(openness, tf.tanh(open_c) * output, h)
    return new_h, core.LSTMStateTuple(new_c, new_h)

  @staticmethod
  def _check_dtype(features):
    in_scope = v1.get_variable_scope().dtype
    if in_scope != tf.float32:
      raise ValueError(f"the scope's dtype is {in_scope}, expected float32")
    if features.dtype != tf.float32:
      raise TypeError(f"features are {features.dtype}, expected float32")

  def _seen(self, features, h, c):
    """What a gate sees."""
    return [features, h, c] if self._use_peepholes else [features, h]

  def _linear(self, name, seen, count):
    with v1.variable_scope(name):
      return plain.linear(seen, count * self._num_units)

  def _openness(self, time):
    """How far each unit is open at a time: k [batch, H]."""
    time.shape.assert_has_rank(2)
    period, phase, ratio_on = self._oscillation()
    # Casts also join what a partitioner has split.
    period, phase = tf.cast(period, time.dtype), tf.cast(phase, time.dtype)
    ratio_on = tf.cast(ratio_on, tf.float32)
    # TensorFlow 1.15's gradient does not see how the mod depends on the period.
    since = tf.math.floormod(time - phase, tf.stop_gradient(period))
    cycle = tf.cast(since / period, tf.float32)
    rising = 2 * cycle / ratio_on
    closed = self._leak * cycle
    falling = tf.where(cycle < ratio_on, 2 - rising, closed)
    return tf.where(cycle < 0.5 * ratio_on, rising, falling)

  def _oscillation(self):
    """The variables period, phase and ratio_on, each [H]."""
    shape = [self._num_units]
    drawn = []

    def draw_period(shape, dtype=None, partition_info=None):
      logarithms = tf.random.uniform(
        shape,
        tf.math.log(tf.cast(self._period_init_min, dtype)),
        tf.math.log(tf.cast(self._period_init_max, dtype)),
        dtype,
      )
      drawn.append(tf.exp(logarithms))
      return drawn[-1]

    def draw_phase(shape, dtype=None, partition_info=None):
      # Not of the variable, which may have no value yet.
      start = drawn.pop(0) if drawn else period
      return start * tf.random.uniform(shape, dtype=dtype)

    period = v1.get_variable("period", shape, initializer=draw_period)
    phase = v1.get_variable("phase", shape, initializer=draw_phase)
    ratio_on = v1.get_variable(
      "ratio_on",
      shape,
      initializer=v1.constant_initializer(self._ratio_on),
      trainable=self._trainable_ratio_on,
    )
    return period, phase, ratio_on
