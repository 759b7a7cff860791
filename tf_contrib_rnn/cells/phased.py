"""The LSTM of tf.contrib.rnn 1.15 that opens and closes with the time."""

from typing import Any

import tensorflow as tf

from tf_contrib_rnn import core
from tf_contrib_rnn.cells import lstm
from tf_contrib_rnn.cells import plain

v1 = tf.compat.v1


class PhasedLSTMCell(lstm.PlainLSTMCell):
  """Phased Long Short-Term Memory cell.

  Each unit opens for a part of a period of its own, and learns the period. In
  between it keeps what it has. So the cell takes events at any time:

      i, f = split(sigmoid([x, h] Wm + bm))
      n = f * c + i * tanh([x, h] Wn + bn)
      o = sigmoid([x, h] Wo + bo)
      p = mod(time - phase, period) / period
      k = 2 p / r          if p < r / 2
          2 - 2 p / r      if r / 2 <= p < r
          leak * p         otherwise
      new_c = k * n + (1 - k) * c
      output = new_h = k * tanh(n) * o + (1 - k) * h

  with time [batch, 1], x [batch, D], r = ratio_on [H] and a state of c and h,
  each [batch, H]. With `use_peepholes` Wm multiplies [x, h, c], and Wo
  multiplies [x, h, n]. No forget bias is added.

  Three things are as in TensorFlow 1.15. Features and states are float32 alone;
  p has the dtype of the time, and is then cast to float32. The gradient of the
  mod is 1 for the time and -1 for the phase, and none for the period. The
  phases start as parts, uniform in [0, 1), of the periods.

  Variables, under `phased_lstm_cell/`: `mask_gates/kernel`, `mask_gates/bias`,
  `new_input/kernel`, `new_input/bias`, `output_gate/kernel`,
  `output_gate/bias`, `period`, `phase`, `ratio_on`. Biases start with zeros.

  Source: `tf.contrib.rnn.PhasedLSTMCell` of TensorFlow 1.15; Neil, Pfeiffer and
  Liu, "Phased LSTM: Accelerating Recurrent Network Training for Long or
  Event-based Sequences" (https://arxiv.org/abs/1610.09513).

  Args:
    num_units: int, the number of units H in the cell.
    use_peepholes: bool, whether the gates see c.
    leak: float, how far a closed unit is open, at the end of a period.
    ratio_on: float, what `ratio_on` starts with, the part of its period in
      which a unit is open.
    trainable_ratio_on: bool, whether `ratio_on` is trainable.
    period_init_min: float, the least period at first.
    period_init_max: float, the greatest. The periods start as the exponentials
      of numbers uniform between the logarithms of the two.
    reuse: as of `CoupledInputForgetGateLSTMCell`.

  A call `cell(inputs, state, scope=None)` takes as inputs a pair of time
  [batch, 1] and features [batch, D]. The state is an `LSTMStateTuple(c, h)`, a
  tuple or a list. The call returns the pair of the output [batch, H] and a new
  LSTMStateTuple. dynamic_rnn takes a pair of [batch, time, 1] and
  [batch, time, D].

  Raises:
    TypeError: from a call, if the inputs are no pair, or features or states not
      float32.
    ValueError: from a call, if D is not known, the time is not of rank 2, other
      shapes do not match, the scope has another dtype than float32, variables
      exist without reuse or don't with it.

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
    """One step: see the class."""
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
