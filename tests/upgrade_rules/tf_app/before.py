import tensorflow as tf

tf.app.flags.DEFINE_string("name", "", "")
tf.flags.DEFINE_integer("count", 1, "")
tf.app.run()
tf.logging.info("x")
