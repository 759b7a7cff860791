import tensorflow as tf

init = tf.contrib.lookup.KeyValueTensorInitializer(["a"], [1])
table = tf.contrib.lookup.HashTable(init, -1)
file = tf.contrib.lookup.index_table_from_file("words.txt")
data = tf.data.Dataset.range(3).apply(tf.contrib.data.shuffle_and_repeat(3))
