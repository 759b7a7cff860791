// One step of one IndyLSTM unit, and its gradient.
//
//   i = sigmoid(x_i + u_i h + b_i)                   input gate
//   j = act(x_j + u_j h + b_j)                       candidate
//   f = sigmoid(x_f + u_f h + b_f + forget_bias)     forget gate
//   o = sigmoid(x_o + u_o h + b_o)                   output gate
//   c' = f c + i j
//   h' = act(c') o
//
// Gates in the order i, j, f, o, as tf.contrib.rnn's variables hold them;
// states in the order c, h. Gonnet and Deselaers, "IndyLSTMs: Independently
// Recurrent LSTMs", arXiv:1903.08023.

#ifndef CC_CELLS_INDY_LSTM_H_
#define CC_CELLS_INDY_LSTM_H_

#include "cc/cells/activations.h"
#include "cc/cells/number.h"

namespace contrib_rnn {

template <class Activation>
struct IndyLSTM {
  static constexpr int kGates = 4;
  static constexpr int kStates = 2;

  double forget_bias;

  // As IndRNN::Step.
  template <class R>
  CONTRIB_RNN_INLINE void Step(const R (&x)[4], const R (&u)[4],
                               const R (&b)[4], R (&state)[2]) const {
    const Gates<R> gate = ComputeGates(x, u, b, state[1]);
    state[0] = state[0] * gate.f + gate.i * gate.j;
    state[1] = Activation::Value(state[0]) * gate.o;
  }

  // As IndRNN::Gradient; the gates are computed again.
  template <class R>
  CONTRIB_RNN_INLINE void Gradient(const R (&x)[4], const R (&u)[4],
                                   const R (&b)[4], const R (&before)[2], R,
                                   R (&state_gradient)[2], R (&x_gradient)[4],
                                   R (&u_factor)[4]) const {
    const R c = before[0];
    const R h = before[1];
    const Gates<R> gate = ComputeGates(x, u, b, h);
    const R act_c = Activation::Value(c * gate.f + gate.i * gate.j);
    const R dh = state_gradient[1];
    const R dc =
        state_gradient[0] + dh * gate.o * Activation::Derivative(act_c);
    x_gradient[0] = dc * gate.j * Sigmoid::Derivative(gate.i);
    x_gradient[1] = dc * gate.i * Activation::Derivative(gate.j);
    x_gradient[2] = dc * c * Sigmoid::Derivative(gate.f);
    x_gradient[3] = dh * act_c * Sigmoid::Derivative(gate.o);
    R dh_before = R(0);
    for (int gate_index = 0; gate_index < kGates; ++gate_index) {
      u_factor[gate_index] = h;
      dh_before += x_gradient[gate_index] * u[gate_index];
    }
    state_gradient[0] = dc * gate.f;
    state_gradient[1] = dh_before;
  }

 private:
  template <class R>
  struct Gates {
    R i, j, f, o;
  };

  template <class R>
  CONTRIB_RNN_INLINE Gates<R> ComputeGates(const R (&x)[4], const R (&u)[4],
                                           const R (&b)[4], R h) const {
    return {Sigmoid::Value(x[0] + u[0] * h + b[0]),
            Activation::Value(x[1] + u[1] * h + b[1]),
            Sigmoid::Value(x[2] + u[2] * h + b[2] + R(forget_bias)),
            Sigmoid::Value(x[3] + u[3] * h + b[3])};
  }
};

}  // namespace contrib_rnn

#endif  // CC_CELLS_INDY_LSTM_H_
