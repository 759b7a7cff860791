// The activations of the cells, and the exponential under them: without
// branches, so that a compiler can run many units in one vector.

#ifndef CC_CELLS_ACTIVATIONS_H_
#define CC_CELLS_ACTIVATIONS_H_

#include <cmath>
#include <cstdint>

#include "cc/cells/number.h"

namespace contrib_rnn {

// What the exponential needs to know of a type. The polynomial q in
// exp(r) = 1 + r + r^2 q(r), for |r| <= ln(2)/2, is a Chebyshev fit; its error
// is under a fifth of an ulp of the result.
template <class R>
struct ExponentialOf;

template <>
struct ExponentialOf<float> {
  using Bits = uint32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr float kRound = 12582912.0f;  // 1.5 * 2^23
  static constexpr float kLog2e = 1.44269504088896341f;
  static constexpr float kLn2High = 0.693359375f;
  static constexpr float kLn2Low = -2.12194440054690583e-4f;
  static constexpr float kScale = 64;
  static constexpr float kUnscale = 0x1p-64f;
  static constexpr float kHighest = 104.0f;  // exp(-kHighest) rounds to 0

  static CONTRIB_RNN_INLINE float Polynomial(float r, float r2) {
    const float low = 0.16666573381900846023f * r + 0.5f;
    const float high = 0.0083637738744055734983f * r + 0.041666550110305124444f;
    return (0.001392692661402190648f * r2 + high) * r2 + low;
  }
};

template <>
struct ExponentialOf<double> {
  using Bits = uint64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double kLog2e = 1.44269504088896340736;
  static constexpr double kLn2High = 6.93147180369123816490e-01;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  static constexpr double kScale = 128;
  static constexpr double kUnscale = 0x1p-128;
  static constexpr double kHighest = 746.0;

  static CONTRIB_RNN_INLINE double Polynomial(double r, double r2) {
    const double r4 = r2 * r2;
    const double q0 = 0.16666666666666671438 * r + 0.5;
    const double q2 = 8.3333333333255446996e-3 * r + 0.041666666666666670074;
    const double q4 = 1.9841269876864354929e-4 * r + 1.3888888888883326674e-3;
    const double q6 = 2.7557252833516909748e-6 * r + 2.4801587327007186731e-5;
    const double q8 = 2.5106274733573294687e-8 * r + 2.7557271810219799569e-7;
    const double low = q2 * r2 + q0;
    const double high = q6 * r2 + q4;
    return ((2.0915442297780115216e-9 * r2 + q8) * r4 + high) * r4 + low;
  }
};

// -x = n ln(2) + r with |r| <= ln(2)/2, for x >= 0. The low bits of `shifted`
// hold n + offset: adding an offset to the constant that rounds is free.
template <class R>
struct Reduced {
  R shifted, r;
};

template <class R>
CONTRIB_RNN_INLINE Reduced<R> Reduce(R x, R offset) {
  using E = ExponentialOf<R>;
  const R shifted = (E::kRound + offset) - x * E::kLog2e;
  const R n = shifted - (E::kRound + offset);
  return {shifted, (-x - n * E::kLn2High) - n * E::kLn2Low};
}

// The low bits of `shifted`, moved to where a number's exponent lies.
template <class R>
CONTRIB_RNN_INLINE typename ExponentialOf<R>::Bits ExponentBits(R shifted) {
  using E = ExponentialOf<R>;
  return BitCast<typename E::Bits>(shifted) << E::kMantissaBits;
}

// exp(-x) for x >= 0, subnormal results included; NaN for NaN.
template <class R>
CONTRIB_RNN_INLINE R ExpOfMinus(R x) {
  using E = ExponentialOf<R>;
  const Reduced<R> y = Reduce(E::kHighest < x ? E::kHighest : x, E::kScale);
  const R mantissa = y.r * y.r * E::Polynomial(y.r, y.r * y.r) + (y.r + R(1));
  // 2^kScale keeps the exponent in range until the last product.
  const auto scaled =
      BitCast<typename E::Bits>(mantissa) + ExponentBits(y.shifted);
  return BitCast<R>(scaled) * E::kUnscale;
}

// exp(-x) - 1 for x >= 0, without cancellation near 0; NaN for NaN.
template <class R>
CONTRIB_RNN_INLINE R ExpOfMinusMinusOne(R x) {
  using E = ExponentialOf<R>;
  // From 40 on the result rounds to -1.
  const Reduced<R> y = Reduce(R(40) < x ? R(40) : x, R(0));
  const R scale =
      BitCast<R>(BitCast<typename E::Bits>(R(1)) + ExponentBits(y.shifted));
  const R tail = y.r * y.r * E::Polynomial(y.r, y.r * y.r) + y.r;
  return scale * tail + (scale - R(1));
}

// Each activation has its value y of x, and its derivative. That is a function
// of y alone wherever this loses no digits: such a gradient needs no x.
struct Sigmoid {
  template <class R>
  static CONTRIB_RNN_INLINE R Value(R x) {
    const R e = ExpOfMinus(std::fabs(x));
    return (x < R(0) ? e : R(1)) / (R(1) + e);
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return y * (R(1) - y);
  }
};

struct Tanh {
  template <class R>
  static CONTRIB_RNN_INLINE R Value(R x) {
    const R e = ExpOfMinusMinusOne(R(2) * std::fabs(x));
    return std::copysign(-e / (R(2) + e), x);
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return R(1) - y * y;
  }
};

struct Relu {
  template <class R>
  static CONTRIB_RNN_INLINE R Value(R x) {
    return x < R(0) ? R(0) : x;
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return y > R(0) ? R(1) : R(0);
  }
};

struct Identity {
  template <class R>
  static CONTRIB_RNN_INLINE R Value(R x) {
    return x;
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R) {
    return R(1);
  }
};

struct Elu {
  template <class R>
  static CONTRIB_RNN_INLINE R Value(R x) {
    const R e = ExpOfMinusMinusOne(x < R(0) ? -x : R(0));
    return x < R(0) ? e : x;
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return y < R(0) ? y + R(1) : R(1);
  }
};

struct Softsign {
  template <class R>
  static CONTRIB_RNN_INLINE R Value(R x) {
    return x / (R(1) + std::fabs(x));
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R x, R) {
    const R root = R(1) / (R(1) + std::fabs(x));
    return root * root;
  }
};

}  // namespace contrib_rnn

#endif  // CC_CELLS_ACTIVATIONS_H_
