"""TimeFreqLSTMCell. Tests of it together with the grid cells are in
test_cells_grid.py and test_cells_grid_variables.py."""

import cell_helpers
import helpers
import pytest
import tensorflow as tf
from grid_cell_helpers import BATCH
from grid_cell_helpers import call
from grid_cell_helpers import DEPTH
from grid_cell_helpers import draw_arrays
from grid_cell_helpers import make_time_freq
from grid_cell_helpers import numpy_time_freq

import tf_contrib_rnn


@pytest.mark.parametrize("mode", cell_helpers.MODES)
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("clip", [None, 0.2])
@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("forget_bias", [1.0, -0.5])
@pytest.mark.parametrize(
  "size, skip, starts", [(2, 3, [0, 3]), (3, 2, [0, 2, 4]), (7, 1, [0])]
)
def test_time_freq_step(
  mode, peepholes, clip, shards, forget_bias, size, skip, starts
):
  options = {
    "use_peepholes": peepholes,
    "cell_clip": clip,
    "num_unit_shards": shards,
    "forget_bias": forget_bias,
    "feature_size": size,
    "frequency_skip": skip,
  }
  x, state = draw_arrays(len(starts))
  got, weights = cell_helpers.run_step(
    mode, lambda: make_time_freq(**options), x, state
  )
  want = numpy_time_freq(weights, x, [state], options, starts)
  helpers.assert_close(got, want, 1e-12)


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("clip", [None, 0.3])
def test_time_freq_gradients(peepholes, clip):
  options = {"use_peepholes": peepholes, "cell_clip": clip}
  x, state = draw_arrays(2, batch=1)
  cell_helpers.check_gradients(
    lambda: make_time_freq(**options),
    x,
    state,
    lambda weights, x, states: numpy_time_freq(weights, x, states, options),
  )


@pytest.mark.parametrize("shards", [1, 2])
def test_variables_of_time_freq(shards):
  with tf.Graph().as_default():
    cell = make_time_freq(
      feature_size=DEPTH, use_peepholes=True, num_unit_shards=shards
    )
    call(cell)
    kernels = {
      1: [("W_0", [11, 8])],
      2: [("W_0", [6, 8]), ("W_1", [5, 8])],
    }[shards]
    diagonals = [(f"W_{gate}_diag", [2]) for gate in "FIO"]
    assert [(v.name, v.shape) for v in cell.variables] == [
      (f"time_freq_lstm_cell/{name}:0", shape)
      for name, shape in [*kernels, ("B", [8]), *diagonals]
    ]


def test_windows_of_time_freq_need_a_wider_state_than_it_says():
  with tf.Graph().as_default():
    with pytest.raises(ValueError, match="4 columns, expected 8"):
      call(make_time_freq())
    with pytest.raises(ValueError):
      tf_contrib_rnn.dynamic_rnn(
        make_time_freq(), tf.zeros([BATCH, 4, DEPTH]), dtype=tf.float32
      )
