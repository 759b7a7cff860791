// One step of one IndyLSTM unit, and its gradient.
//
//   i = sigmoid(x_i + u_i h + b_i)                   input gate
//   j = act(x_j + u_j h + b_j)                       candidate
//   f = sigmoid(x_f + u_f h + b_f + forget_bias)     forget gate
//   o = sigmoid(x_o + u_o h + b_o)                   output gate
//   c' = f c + i j
//   h' = act(c') o
//
// Gates in the order i, j, f, o; states in the order c, h. Gonnet and
// Deselaers, "IndyLSTMs: Independently Recurrent LSTMs", arXiv:1903.08023.

#ifndef CC_CELLS_INDY_LSTM_H_
#define CC_CELLS_INDY_LSTM_H_

#include "cc/cells/activations.h"
#include "cc/cells/number.h"

namespace contrib_rnn {

template <class Activation>
struct IndyLSTM {
  static constexpr int kGates = 4;
  static constexpr int kStates = 2;
  static constexpr int kBiases = 4;
  // j and f.
  static constexpr int kSwappedInKeras = 1;
  static CONTRIB_RNN_INLINE constexpr int RecurrentBias(int gate) {
    return gate;
  }

  double forget_bias;

  // As IndRNN::Step.
  template <class R>
  CONTRIB_RNN_INLINE void Step(const R (&x)[4], const R (&u)[4],
                               const R (&b)[4], R (&state)[2]) const {
    R sum[kGates];
    ComputeSums(x, u, b, state[1], sum);
    const Fraction<R> i = Sigmoid::Parts(sum[0]);
    const Fraction<R> j = Activation::Parts(sum[1]);
    const Fraction<R> f = Sigmoid::Parts(sum[2]);
    const Fraction<R> o = Sigmoid::Parts(sum[3]);
    const R denominator = i.denominator * j.denominator;
    state[0] = Divide(state[0] * f.numerator * denominator +
                          i.numerator * j.numerator * f.denominator,
                      f.denominator * denominator);
    const Fraction<R> c = Activation::Parts(state[0]);
    state[1] = Divide(c.numerator * o.numerator, c.denominator * o.denominator);
  }

  // As IndRNN::Recompute: i, j, f, o, act(c'), and the derivatives of the
  // candidate and of act(c').
  static constexpr int kRecomputed = 7;
  static constexpr bool kGradientReadsInputs = true;
  static constexpr bool kGradientReadsAfter = false;
  template <class R>
  CONTRIB_RNN_INLINE void Recompute(const R (&x)[4], const R (&u)[4],
                                    const R (&b)[4], const R (&before)[2], R,
                                    R (&recomputed)[7]) const {
    R sum[kGates];
    ComputeSums(x, u, b, before[1], sum);
    const R i = Value<Sigmoid>(sum[0]);
    const R j = Value<Activation>(sum[1]);
    const R f = Value<Sigmoid>(sum[2]);
    const R new_c = before[0] * f + i * j;
    const R act_c = Value<Activation>(new_c);
    recomputed[0] = i;
    recomputed[1] = j;
    recomputed[2] = f;
    recomputed[3] = Value<Sigmoid>(sum[3]);
    recomputed[4] = act_c;
    recomputed[5] = Activation::Derivative(sum[1], j);
    recomputed[6] = Activation::Derivative(new_c, act_c);
  }

  // As IndRNN::Gradient.
  template <class R>
  CONTRIB_RNN_INLINE void Gradient(const R (&recomputed)[7], const R (&u)[4],
                                   const R (&)[4], const R (&before)[2],
                                   R (&state_gradient)[2], R (&x_gradient)[4],
                                   R (&u_factor)[4], R (&b_gradient)[4]) const {
    const R i = recomputed[0], j = recomputed[1], f = recomputed[2];
    const R o = recomputed[3];
    const R dh = state_gradient[1];
    const R dc = state_gradient[0] + dh * o * recomputed[6];
    x_gradient[0] = dc * j * (i * (R(1) - i));
    x_gradient[1] = dc * i * recomputed[5];
    x_gradient[2] = dc * before[0] * (f * (R(1) - f));
    x_gradient[3] = dh * recomputed[4] * (o * (R(1) - o));
    R dh_before = R(0);
    for (int gate = 0; gate < kGates; ++gate) {
      u_factor[gate] = before[1];
      b_gradient[gate] = x_gradient[gate];
      dh_before += x_gradient[gate] * u[gate];
    }
    state_gradient[0] = dc * f;
    state_gradient[1] = dh_before;
  }

 private:
  template <class R>
  CONTRIB_RNN_INLINE void ComputeSums(const R (&x)[4], const R (&u)[4],
                                      const R (&b)[4], R h, R (&sum)[4]) const {
    for (int gate = 0; gate < kGates; ++gate) {
      sum[gate] = x[gate] + u[gate] * h + b[gate];
    }
    sum[2] += R(forget_bias);
  }
};

}  // namespace contrib_rnn

#endif  // CC_CELLS_INDY_LSTM_H_
