#!/usr/bin/env python
import os
import numpy as np
import tensorflow as tf
import model as M


def films(n=6):
    rng = np.random.RandomState(12)
    return rng.rand(n, M.TIME, M.SIZE, M.SIZE).astype(np.float32)


dataset = tf.data.Dataset.from_tensor_slices(films()).batch(M.BATCH).repeat()
frames = dataset.make_one_shot_iterator().get_next()
frames.set_shape([M.BATCH, M.TIME, M.SIZE, M.SIZE])
is_training = tf.placeholder_with_default(False, [], name='is_training')
with tf.variable_scope('model', initializer=tf.variance_scaling_initializer(2., seed=21)):
    model = M.Model(frames, is_training)

saver = tf.train.Saver(max_to_keep=1)
prefix = os.environ['CHECKPOINT']
config = tf.ConfigProto(intra_op_parallelism_threads=1)

with tf.Session(config=config) as sess:
    if os.environ.get('MODE', 'restore') == 'restore':
        saver.restore(sess, prefix)
    else:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        for i in range(3):
            loss, _, summary = sess.run([model.loss, model.train_op, model.summary],
                                        {is_training: True})
            print('step %d: %.4f' % (i, loss))
        saver.save(sess, prefix, write_meta_graph=False)
    x = films(M.BATCH) * 2 - 1
    classes, loss, state = sess.run([model.classes, model.loss, model.state], {frames: x})
    names = [v.op.name for v in tf.global_variables()]
    np.savez(os.environ['OUTPUTS'], classes=classes, loss=loss, c=state.c, h=state[1], names=names)
