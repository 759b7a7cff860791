"""Sizes whose product overflows: an error, no crash. Other malformed calls are
in test_fuzz.py."""

import helpers

OVERFLOW = """
import tensorflow as tf
from tf_contrib_rnn.ops import library
arguments = [tf.zeros([2**40, 0, 2**24], tf.float16),
             tf.zeros([1, 2**24], tf.float16), [],
             tf.zeros([2**24], tf.float16), []]
for shape in ([1, 2], [2**40, 0], [0, 2**24]):
  state = tf.zeros(shape, tf.float16)
  for time_major in (False, True):
    for gradient in (False, True):
      try:
        if gradient:
          library.ops.contrib_rnn_ind_rnn_grad(
              *arguments, state, [], arguments[0], arguments[0], state,
              time_major=time_major)
        else:
          library.ops.contrib_rnn_ind_rnn(
              *arguments, state, [], time_major=time_major)
        print("result")
      except tf.errors.InvalidArgumentError as error:
        print("InvalidArgument")
"""


def test_sizes_whose_product_overflows():
  # Inputs of no elements, whose batch times units is beyond 63 bits.
  printed = helpers.run_script(OVERFLOW).split()
  assert len(printed) == 12 and set(printed) <= {"result", "InvalidArgument"}
  assert "InvalidArgument" in printed
