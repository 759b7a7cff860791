import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

init = tf.lookup.KeyValueTensorInitializer(["a"], [1])
table = tf.lookup.StaticHashTable(init, -1)
file = tf.contrib.lookup.index_table_from_file("words.txt")
data = tf.data.Dataset.range(3).apply(tf.data.experimental.shuffle_and_repeat(3))
