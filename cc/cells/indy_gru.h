// One step of one IndyGRU unit, and its gradient.
//
//   r = sigmoid(x_r + u_r h + b_r)        reset gate
//   z = sigmoid(x_z + u_z h + b_z)        update gate
//   c = act(x_c + u_c (r h) + b_c + r d)  candidate
//   h' = z h + (1 - z) c
//
// Gates in the order r, z, c; b holds theirs, then d. tf.contrib.rnn has no d;
// it is what cuDNN and Keras's `reset_after` add to u_c h before r: the bias of
// the candidate's recurrent term.

#ifndef CC_CELLS_INDY_GRU_H_
#define CC_CELLS_INDY_GRU_H_

#include "cc/cells/activations.h"
#include "cc/cells/number.h"

namespace contrib_rnn {

template <class Activation>
struct IndyGRU {
  static constexpr int kGates = 3;
  static constexpr int kStates = 1;
  static constexpr int kBiases = 4;
  // r and z.
  static constexpr int kSwappedInKeras = 0;
  static CONTRIB_RNN_INLINE constexpr int RecurrentBias(int gate) {
    return gate == 2 ? 3 : gate;
  }

  // As IndRNN::Step.
  template <class R>
  CONTRIB_RNN_INLINE void Step(const R (&x)[3], const R (&u)[3],
                               const R (&b)[4], R (&state)[1]) const {
    const R h = state[0];
    const R r = Value<Sigmoid>(x[0] + u[0] * h + b[0]);
    const Fraction<R> z = Sigmoid::Parts(x[1] + u[1] * h + b[1]);
    const Fraction<R> c =
        Activation::Parts(x[2] + u[2] * (r * h) + b[2] + r * b[3]);
    state[0] = Divide(z.numerator * h * c.denominator +
                          (z.denominator - z.numerator) * c.numerator,
                      z.denominator * c.denominator);
  }

  // As IndRNN::Recompute: r, z, c, and the candidate's derivative.
  static constexpr int kRecomputed = 4;
  static constexpr bool kGradientReadsInputs = true;
  static constexpr bool kGradientReadsAfter = false;
  template <class R>
  CONTRIB_RNN_INLINE void Recompute(const R (&x)[3], const R (&u)[3],
                                    const R (&b)[4], const R (&before)[1], R,
                                    R (&recomputed)[4]) const {
    const R h = before[0];
    const R r = Value<Sigmoid>(x[0] + u[0] * h + b[0]);
    const R sum_c = x[2] + u[2] * (r * h) + b[2] + r * b[3];
    const R c = Value<Activation>(sum_c);
    recomputed[0] = r;
    recomputed[1] = Value<Sigmoid>(x[1] + u[1] * h + b[1]);
    recomputed[2] = c;
    recomputed[3] = Activation::Derivative(sum_c, c);
  }

  // As IndRNN::Gradient.
  template <class R>
  CONTRIB_RNN_INLINE void Gradient(const R (&recomputed)[4], const R (&u)[3],
                                   const R (&b)[4], const R (&before)[1],
                                   R (&state_gradient)[1], R (&x_gradient)[3],
                                   R (&u_factor)[3], R (&b_gradient)[4]) const {
    const R h = before[0];
    const R r = recomputed[0], z = recomputed[1], c = recomputed[2];
    const R dh = state_gradient[0];
    const R dx_c = dh * (R(1) - z) * recomputed[3];
    const R d_reset_state = dx_c * u[2];
    const R dr = d_reset_state * h + dx_c * b[3];
    const R dx_r = dr * (r * (R(1) - r));
    const R dx_z = dh * (h - c) * (z * (R(1) - z));
    x_gradient[0] = dx_r;
    x_gradient[1] = dx_z;
    x_gradient[2] = dx_c;
    u_factor[0] = h;
    u_factor[1] = h;
    u_factor[2] = r * h;
    b_gradient[0] = dx_r;
    b_gradient[1] = dx_z;
    b_gradient[2] = dx_c;
    b_gradient[3] = dx_c * r;
    state_gradient[0] = dh * z + d_reset_state * r + dx_r * u[0] + dx_z * u[1];
  }
};

}  // namespace contrib_rnn

#endif  // CC_CELLS_INDY_GRU_H_
