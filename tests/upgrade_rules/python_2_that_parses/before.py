import sys

import tensorflow as tf

print >>sys.stderr, "x"
names = {}
if names.has_key(1):
  reload(sys)
for key in names.iteritems():
  cmp(key, tf.placeholder(tf.float32))
