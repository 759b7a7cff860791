// One step of one IndRNN unit, and its gradient.
//
//   h' = act(x + u h + b)
//
// x is the unit's projected input. Li et al., "Independently Recurrent Neural
// Network (IndRNN)", arXiv:1803.04831.

#ifndef CC_CELLS_IND_RNN_H_
#define CC_CELLS_IND_RNN_H_

#include "cc/cells/number.h"

namespace contrib_rnn {

template <class Activation>
struct IndRNN {
  static constexpr int kGates = 1;
  static constexpr int kStates = 1;
  // The numbers that b holds; and which of them a bias of u h, rather than of
  // x, is added to.
  static constexpr int kBiases = 1;
  // The first of two gates that have changed places in Keras; none if negative.
  static constexpr int kSwappedInKeras = -1;
  static CONTRIB_RNN_INLINE constexpr int RecurrentBias(int gate) {
    return gate;
  }

  // x and u hold a value a gate; state becomes the next state.
  template <class R>
  CONTRIB_RNN_INLINE void Step(const R (&x)[1], const R (&u)[1],
                               const R (&b)[1], R (&state)[1]) const {
    state[0] = Value<Activation>(x[0] + u[0] * state[0] + b[0]);
  }

  // The gradient takes two functions, so that neither is one long chain of
  // dependent instructions.

  // What of the step is computed again, from the states before and after it.
  // The constants say which of these are read at all.
  static constexpr int kRecomputed = 1;
  static constexpr bool kGradientReadsInputs = Activation::kDerivativeReadsX;
  static constexpr bool kGradientReadsAfter = true;
  template <class R>
  CONTRIB_RNN_INLINE void Recompute(const R (&x)[1], const R (&u)[1],
                                    const R (&b)[1], const R (&before)[1],
                                    R after, R (&recomputed)[1]) const {
    const R sum = x[0] + u[0] * before[0] + b[0];
    recomputed[0] = Activation::Derivative(sum, after);
  }

  // From that and the gradient of the state after the step: the gradient of the
  // state before (in the same place), of x, of b, and what x's gradient is
  // multiplied with to give u's.
  template <class R>
  CONTRIB_RNN_INLINE void Gradient(const R (&recomputed)[1], const R (&u)[1],
                                   const R (&)[1], const R (&before)[1],
                                   R (&state_gradient)[1], R (&x_gradient)[1],
                                   R (&u_factor)[1], R (&b_gradient)[1]) const {
    x_gradient[0] = state_gradient[0] * recomputed[0];
    u_factor[0] = before[0];
    b_gradient[0] = x_gradient[0];
    state_gradient[0] = x_gradient[0] * u[0];
  }
};

}  // namespace contrib_rnn

#endif  // CC_CELLS_IND_RNN_H_
