#!/usr/bin/env python
# Copyright of somebody.
"""A program with layers."""
from __future__ import print_function

import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 2, from tf_keras
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

y = tf.layers.dense(tf.ones([2, 3]), 4)
z = tf.keras.layers.Dense(3)
