#!/usr/bin/env python
# Copyright of somebody.
"""A program with layers."""
from __future__ import print_function

import tensorflow as tf

y = tf.layers.dense(tf.ones([2, 3]), 4)
z = tf.keras.layers.Dense(3)
