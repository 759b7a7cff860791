'''
Classifies short sequences (rows of a small picture) with unrolled RNNs.

Set CELL_CHECKPOINT and MODE, then run:  python classify.py [cell ...]
'''
from __future__ import print_function
import os, sys
import numpy as np
import tensorflow as tf
import tensorflow.contrib as tc
from tensorflow.python.ops import rnn, rnn_cell

# Training Parameters
learning_rate = 0.05
training_steps = 2
batch_size = 4
display_step = 1

# Network Parameters
num_input = 3    # a row of the picture
timesteps = 5    # rows
num_hidden = 4   # hidden layer num of features
num_classes = 3

def make_cell(name, **kwargs):
    return getattr(tf.contrib.rnn, name)(num_hidden, **kwargs)

def plain_rnn(x, name):
    x = tf.unstack(x, timesteps, 1)
    outputs, states = tf.contrib.rnn.static_rnn(make_cell(name), x, dtype=tf.float32)
    return outputs[-1]

def deep_rnn(x):
    x = tf.unstack(x, timesteps, 1)
    layers = [tf.nn.rnn_cell.BasicLSTMCell(num_hidden, forget_bias=1.0),
              tf.nn.rnn_cell.ResidualWrapper(tf.nn.rnn_cell.GRUCell(num_hidden)),
              tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicRNNCell(num_hidden), input_keep_prob=1.0)]
    cell = tf.nn.rnn_cell.MultiRNNCell(layers)
    outputs, states = tf.nn.static_rnn(cell, x, dtype=tf.float32)
    assert isinstance(states[0], tf.nn.rnn_cell.LSTMStateTuple)
    return outputs[-1] + states[1]

def bidirectional(x):
    x = tf.unstack(x, timesteps, 1)
    # Define lstm cells with tensorflow: forward and backward direction
    lstm_fw_cell = tc.rnn.LSTMCell(num_hidden, use_peepholes=True, forget_bias=1.0)
    lstm_bw_cell = tc.rnn.CoupledInputForgetGateLSTMCell(num_hidden)
    try:
        outputs, _, _ = tc.rnn.static_bidirectional_rnn(lstm_fw_cell, lstm_bw_cell, x,
                                                        dtype=tf.float32)
    except Exception: # Old TensorFlow version only returns outputs not states
        outputs = tc.rnn.static_bidirectional_rnn(lstm_fw_cell, lstm_bw_cell, x,
                                                  dtype=tf.float32)
    return outputs[-1]

def old_names(x):
    cell = rnn_cell.GRUCell(num_hidden)
    outputs, state = rnn.static_rnn(cell, tf.unstack(x, axis=1), dtype=tf.float32,
                                    sequence_length=tf.fill([batch_size], 3), scope="old")
    return tf.concat([outputs[2], state], 1)

def classifier(x, y, names):
    heads = []
    for name in names:
        with tf.variable_scope(name):
            heads.append(plain_rnn(x, name))
    for function in (deep_rnn, bidirectional, old_names):
        with tf.variable_scope(function.__name__):
            heads.append(function(x))
    features = tf.concat(heads, 1)
    weights = {
        'out': tf.Variable(tf.random_normal([int(features.shape[1]), num_classes]), name="w")
    }
    biases = {
        'out': tf.Variable(tf.random_normal([num_classes]), name="b")
    }
    logits = tf.matmul(features, weights['out']) + biases['out']
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y))
    train_op = tf.train.RMSPropOptimizer(learning_rate).minimize(loss)
    correct = tf.equal(tf.argmax(logits, 1), tf.argmax(y, 1))
    accuracy = tf.reduce_mean(tf.to_float(correct))
    return features, tf.nn.softmax(logits), loss, accuracy, train_op

names = sys.argv[1:] or ['UGRNNCell', 'NASCell', 'IntersectionRNNCell', 'IndRNNCell']
if 'IntersectionRNNCell' in names: # wants inputs as wide as its units
    num_hidden = num_input

tf.reset_default_graph()
tf.set_random_seed(1)
X = tf.placeholder("float", [None, timesteps, num_input])
Y = tf.placeholder("float", [None, num_classes])
features, prediction, loss_op, accuracy, train_op = classifier(X, Y, names)
init = tf.initialize_all_variables()

rng = np.random.RandomState(2)
batch_x = rng.randn(batch_size, timesteps, num_input).astype(np.float32)
batch_y = np.eye(num_classes)[rng.randint(num_classes, size=batch_size)]

with tf.Session() as sess:
    saver = tf.train.Saver()
    if os.environ['MODE'] == 'record':
        sess.run(init)
        for step in range(1, training_steps+1):
            sess.run(train_op, feed_dict={X: batch_x, Y: batch_y})
            if step % display_step == 0 or step == 1:
                loss, acc = sess.run([loss_op, accuracy], feed_dict={X: batch_x, Y: batch_y})
                print("Step " + str(step) + ", Minibatch Loss= " + \
                      "{:.4f}".format(loss) + ", Training Accuracy= " + \
                      "{:.3f}".format(acc))
        saver.save(sess, os.environ['CELL_CHECKPOINT'], write_meta_graph=False)
    else:
        saver.restore(sess, os.environ['CELL_CHECKPOINT'])
    values = sess.run([features, prediction, loss_op], {X: batch_x, Y: batch_y})
    np.savez(os.environ['OUTPUTS'], names=np.array([v.op.name for v in tf.all_variables()]),
             **dict(zip(['features', 'prediction', 'loss'], values)))
