// The activations of the cells, and the exponential under them: without
// branches, so that a compiler can run many units in one vector.

#ifndef CC_CELLS_ACTIVATIONS_H_
#define CC_CELLS_ACTIVATIONS_H_

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cc/cells/number.h"

namespace contrib_rnn {

// exp(-x) = 2^n g(f), for x >= 0: a power of 2, which the low bits of `shifted`
// hold, and a rest for a polynomial.
template <class R>
struct Reduced {
  R shifted, f;
};

// What the exponential needs to know of a type. The polynomial is p in
// g(f) = 1 + f p(f), a minimax fit with an error under a tenth of an ulp of g.
template <class R>
struct ExponentialOf;

// g(f) = 2^f, |f| <= 1/2. The product x log2(e) rounds, so that exp(-x) is off
// by up to 1.5 x ulp; that is nothing beside the 1 which such an exp(-x) is
// added to, and only sigmoid's small values show it.
template <>
struct ExponentialOf<float> {
  using Bits = uint32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr float kHighest = 87.0f;  // exp(-kHighest) is normal

  static CONTRIB_RNN_INLINE Reduced<float> Reduce(float x, float scale) {
    const float round = 12582912.0f;  // 1.5 * 2^23
    const float log2e = 1.44269504088896341f * scale;
    const float shifted = round - x * log2e;
    return {shifted, -(x * log2e) - (shifted - round)};
  }
  static CONTRIB_RNN_INLINE float Polynomial(float f) {
    float p = 0.00015469735156466412f;
    p = p * f + 0.00133908668597961934f;
    p = p * f + 0.00961803077074392981f;
    p = p * f + 0.05550357105493990312f;
    p = p * f + 0.24022651084212637244f;
    return p * f + 0.69314718802894130948f;
  }
};

// g(f) = exp(f), |f| <= ln(2)/2, and ln(2) in two parts: precise for every x.
template <>
struct ExponentialOf<double> {
  using Bits = uint64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr double kHighest = 708.0;

  static CONTRIB_RNN_INLINE Reduced<double> Reduce(double x, double scale) {
    const double round = 6755399441055744.0;  // 1.5 * 2^52
    const double ln2_high = 6.93147180369123816490e-01;
    const double ln2_low = 1.90821492927058770002e-10;
    x *= scale;
    const double shifted = round - x * 1.44269504088896340736;
    const double n = shifted - round;
    return {shifted, (-x - n * ln2_high) - n * ln2_low};
  }
  static CONTRIB_RNN_INLINE double Polynomial(double f) {
    double p = 2.511488598314861248535e-8;
    p = p * f + 2.762637189400399004661e-7;
    p = p * f + 2.755722635986255883612e-6;
    p = p * f + 2.480150431154516266722e-5;
    p = p * f + 1.984126990534786122110e-4;
    p = p * f + 1.388888893251680282475e-3;
    p = p * f + 8.333333333313037308345e-3;
    p = p * f + 4.166666666657306096451e-2;
    p = p * f + 0.1666666666666669065869;
    p = p * f + 0.5000000000000005623153;
    return p * f + 1.0;
  }
};

// 2^n.
template <class R>
CONTRIB_RNN_INLINE R PowerOf2(R shifted) {
  using E = ExponentialOf<R>;
  using Bits = typename E::Bits;
  return BitCast<R>(BitCast<Bits>(R(1)) +
                    (BitCast<Bits>(shifted) << E::kMantissaBits));
}

// exp(-x) for x >= 0, at least exp(-kHighest); NaN for NaN.
template <class R>
CONTRIB_RNN_INLINE R ExpOfMinus(R x) {
#if defined(__CUDA_ARCH__)
  // One instruction, good to 2 ulp, and 0 where exp(-x) is not normal.
  if constexpr (std::is_same<R, float>::value) {
    return exp2f(x * -1.44269504088896341f);
  }
#endif
  using E = ExponentialOf<R>;
  const Reduced<R> y = E::Reduce(E::kHighest < x ? E::kHighest : x, R(1));
  const R power = PowerOf2(y.shifted);
  return power * (y.f * E::Polynomial(y.f)) + power;
}

// exp(-scale x) - 1 for x >= 0, without cancellation near 0; NaN for NaN.
template <class R>
CONTRIB_RNN_INLINE R ExpOfMinusMinusOne(R x, R scale) {
  using E = ExponentialOf<R>;
  // From 40 on the result rounds to -1.
  const Reduced<R> y = E::Reduce(R(40) < x ? R(40) : x, scale);
  const R power = PowerOf2(y.shifted);
  return power * (y.f * E::Polynomial(y.f)) + (power - R(1));
}

// A value as numerator / denominator, the latter from 1 to 2. Divisions take
// longest of all in a step: a cell puts several over one denominator. States
// that are larger than a quarter of the largest number so overflow a little
// early.
template <class R>
struct Fraction {
  R numerator, denominator;
};

template <class R>
CONTRIB_RNN_INLINE R Divide(Fraction<R> f) {
  return Divide(f.numerator, f.denominator);
}

// Each activation has its value y of x, in parts, and its derivative. That is a
// function of y alone wherever this loses no digits: kDerivativeReadsX is then
// false, and a gradient need not load x.
template <class Activation, class R>
CONTRIB_RNN_INLINE R Value(R x) {
  return Divide(Activation::Parts(x));
}

struct Sigmoid {
  static constexpr bool kDerivativeReadsX = false;
  template <class R>
  static CONTRIB_RNN_INLINE Fraction<R> Parts(R x) {
    const R e = ExpOfMinus(std::fabs(x));
    return {x < R(0) ? e : R(1), R(1) + e};
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return y * (R(1) - y);
  }
};

struct Tanh {
  static constexpr bool kDerivativeReadsX = false;
  template <class R>
  static CONTRIB_RNN_INLINE Fraction<R> Parts(R x) {
    const R e = ExpOfMinusMinusOne(std::fabs(x), R(2));
    return {std::copysign(e, x), R(2) + e};
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return R(1) - y * y;
  }
};

struct Relu {
  static constexpr bool kDerivativeReadsX = false;
  template <class R>
  static CONTRIB_RNN_INLINE Fraction<R> Parts(R x) {
    return {x < R(0) ? R(0) : x, R(1)};
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return y > R(0) ? R(1) : R(0);
  }
};

struct Identity {
  static constexpr bool kDerivativeReadsX = false;
  template <class R>
  static CONTRIB_RNN_INLINE Fraction<R> Parts(R x) {
    return {x, R(1)};
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R) {
    return R(1);
  }
};

struct Elu {
  static constexpr bool kDerivativeReadsX = false;
  template <class R>
  static CONTRIB_RNN_INLINE Fraction<R> Parts(R x) {
    const R e = ExpOfMinusMinusOne(x < R(0) ? -x : R(0), R(1));
    return {x < R(0) ? e : x, R(1)};
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R, R y) {
    return y < R(0) ? y + R(1) : R(1);
  }
};

struct Softsign {
  static constexpr bool kDerivativeReadsX = true;
  template <class R>
  static CONTRIB_RNN_INLINE Fraction<R> Parts(R x) {
    return {x / (R(1) + std::fabs(x)), R(1)};
  }
  template <class R>
  static CONTRIB_RNN_INLINE R Derivative(R x, R) {
    const R root = R(1) / (R(1) + std::fabs(x));
    return root * root;
  }
};

}  // namespace contrib_rnn

#endif  // CC_CELLS_ACTIVATIONS_H_
