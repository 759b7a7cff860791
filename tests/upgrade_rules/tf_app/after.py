import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

tf.app.flags.DEFINE_string("name", "", "")
tf.flags.DEFINE_integer("count", 1, "")
tf.app.run()
tf.logging.info("x")
