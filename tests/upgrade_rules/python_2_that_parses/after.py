import sys

import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

print >>sys.stderr, "x"
names = {}
if names.has_key(1):
  reload(sys)
for key in names.iteritems():
  cmp(key, tf.placeholder(tf.float32))
