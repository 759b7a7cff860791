import numpy as np
import tensorflow as tf


class BaseModel(object):
    """What all models share: the session, and saving and restoring."""

    def __init__(self, config):
        self.config = config
        self.sess = None
        self.saver = None

    def add_train_op(self, method, lr, loss, clip=-1):
        with tf.variable_scope("train_step"):
            if method == "adagrad":
                optimizer = tf.train.AdagradOptimizer(lr)
            elif method == "sgd":
                optimizer = tf.train.GradientDescentOptimizer(lr)
            else:
                raise NotImplementedError("Unknown method {}".format(method))
            if clip > 0:
                grads, vs = zip(*optimizer.compute_gradients(loss))
                grads, _ = tf.clip_by_global_norm(grads, clip)
                self.train_op = optimizer.apply_gradients(zip(grads, vs))
            else:
                self.train_op = optimizer.minimize(loss)

    def initialize_session(self):
        self.sess = tf.Session()
        self.sess.run(tf.global_variables_initializer())
        self.saver = tf.train.Saver()

    def restore_session(self, path):
        self.saver.restore(self.sess, path)

    def save_session(self, path):
        self.saver.save(self.sess, path, write_meta_graph=False)

    def close_session(self):
        self.sess.close()

    def write(self, path, **arrays):
        names = [v.op.name for v in tf.global_variables()]
        np.savez(path, names=np.array(names), **arrays)
