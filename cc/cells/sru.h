// One step of one SRU unit, and its gradient.
//
//   s = x_s + u_s c + b_s                            what is new
//   f = sigmoid(x_f + u_f c + b_f)                   forget gate
//   r = sigmoid(x_r + u_r c + b_r)                   reset gate
//   t = x_t + u_t c + b_t                            what goes past the state
//   c' = f c + (1 - f) s
//   h' = r act(c') + (1 - r) t
//
// Gates in the order s, f, r, t; states in the order c, h, of which only c
// counts for the next step. tf.contrib.rnn's has no u, and only b_f and b_r.
// Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly
// Parallelizable Recurrence", arXiv:1709.02755.

#ifndef CC_CELLS_SRU_H_
#define CC_CELLS_SRU_H_

#include "cc/cells/activations.h"
#include "cc/cells/number.h"

namespace contrib_rnn {

template <class Activation>
struct SRU {
  static constexpr int kGates = 4;
  static constexpr int kStates = 2;
  static constexpr int kBiases = 4;
  static constexpr int kSwappedInKeras = -1;
  static CONTRIB_RNN_INLINE constexpr int RecurrentBias(int gate) {
    return gate;
  }

  // As IndRNN::Step.
  template <class R>
  CONTRIB_RNN_INLINE void Step(const R (&x)[4], const R (&u)[4],
                               const R (&b)[4], R (&state)[2]) const {
    R sum[kGates];
    ComputeSums(x, u, b, state[0], sum);
    const Fraction<R> f = Sigmoid::Parts(sum[1]);
    const Fraction<R> r = Sigmoid::Parts(sum[2]);
    state[0] =
        Divide(f.numerator * state[0] + (f.denominator - f.numerator) * sum[0],
               f.denominator);
    const Fraction<R> c = Activation::Parts(state[0]);
    state[1] =
        Divide(r.numerator * c.numerator +
                   (r.denominator - r.numerator) * sum[3] * c.denominator,
               r.denominator * c.denominator);
  }

  // As IndRNN::Recompute: s, f, r, t, act(c'), and its derivative.
  static constexpr int kRecomputed = 6;
  static constexpr bool kGradientReadsInputs = true;
  static constexpr bool kGradientReadsAfter = false;
  template <class R>
  CONTRIB_RNN_INLINE void Recompute(const R (&x)[4], const R (&u)[4],
                                    const R (&b)[4], const R (&before)[2], R,
                                    R (&recomputed)[6]) const {
    R sum[kGates];
    ComputeSums(x, u, b, before[0], sum);
    const R f = Value<Sigmoid>(sum[1]);
    const R new_c = f * before[0] + (R(1) - f) * sum[0];
    const R act_c = Value<Activation>(new_c);
    recomputed[0] = sum[0];
    recomputed[1] = f;
    recomputed[2] = Value<Sigmoid>(sum[2]);
    recomputed[3] = sum[3];
    recomputed[4] = act_c;
    recomputed[5] = Activation::Derivative(new_c, act_c);
  }

  // As IndRNN::Gradient.
  template <class R>
  CONTRIB_RNN_INLINE void Gradient(const R (&recomputed)[6], const R (&u)[4],
                                   const R (&)[4], const R (&before)[2],
                                   R (&state_gradient)[2], R (&x_gradient)[4],
                                   R (&u_factor)[4], R (&b_gradient)[4]) const {
    const R c = before[0];
    const R f = recomputed[1], r = recomputed[2];
    const R dh = state_gradient[1];
    const R dc = state_gradient[0] + dh * r * recomputed[5];
    x_gradient[0] = dc * (R(1) - f);
    x_gradient[1] = dc * (c - recomputed[0]) * (f * (R(1) - f));
    x_gradient[2] = dh * (recomputed[4] - recomputed[3]) * (r * (R(1) - r));
    x_gradient[3] = dh * (R(1) - r);
    R dc_before = dc * f;
    for (int gate = 0; gate < kGates; ++gate) {
      u_factor[gate] = c;
      b_gradient[gate] = x_gradient[gate];
      dc_before += x_gradient[gate] * u[gate];
    }
    state_gradient[0] = dc_before;
    state_gradient[1] = R(0);
  }

 private:
  template <class R>
  CONTRIB_RNN_INLINE void ComputeSums(const R (&x)[4], const R (&u)[4],
                                      const R (&b)[4], R c, R (&sum)[4]) const {
    for (int gate = 0; gate < kGates; ++gate) {
      sum[gate] = x[gate] + u[gate] * c + b[gate];
    }
  }
};

}  // namespace contrib_rnn

#endif  // CC_CELLS_SRU_H_
