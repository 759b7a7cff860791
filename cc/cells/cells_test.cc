#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "cc/cells/activations.h"
#include "cc/cells/ind_rnn.h"
#include "cc/cells/indy_gru.h"
#include "cc/cells/indy_lstm.h"
#include "cc/cells/number.h"
#include "cc/cells/sru.h"
#include "gtest/gtest.h"

namespace contrib_rnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr uint16_t kSignBit = 0x8000;

// ---------------------------------------------------------------------------
// Storage types of 16 bits.
// ---------------------------------------------------------------------------

// What is particular about a format, so that one set of tests serves both.
template <class T>
struct Format;

template <>
struct Format<Float16> {
  static constexpr int kMantissaBits = 10;
  static constexpr int kMinExponent = -14;
  static constexpr uint16_t kInfinityBits = 0x7c00;
};

template <>
struct Format<BFloat16> {
  static constexpr int kMantissaBits = 7;
  static constexpr int kMinExponent = -126;
  static constexpr uint16_t kInfinityBits = 0x7f80;
};

// The value of a pattern without its sign, worked out from its fields. The
// pattern of infinity gives the first number that is too large to store.
template <class T>
double Decode(int magnitude) {
  constexpr int kBits = Format<T>::kMantissaBits;
  const int exponent = magnitude >> kBits;
  const int mantissa = magnitude & ((1 << kBits) - 1);
  const int significand = exponent == 0 ? mantissa : mantissa + (1 << kBits);
  return std::ldexp(
      significand, std::max(exponent, 1) - 1 + Format<T>::kMinExponent - kBits);
}

template <class T>
class StorageTest : public testing::Test {};

using StorageTypes = testing::Types<Float16, BFloat16>;
TYPED_TEST_SUITE(StorageTest, StorageTypes);

TYPED_TEST(StorageTest, LoadsEveryPattern) {
  for (int bits = 0; bits < 65536; ++bits) {
    const float x = Load(TypeParam{static_cast<uint16_t>(bits)});
    const int magnitude = bits & 0x7fff;
    ASSERT_EQ(std::signbit(x), bits >= kSignBit) << bits;
    if (magnitude > Format<TypeParam>::kInfinityBits) {
      ASSERT_TRUE(std::isnan(x)) << bits;
    } else if (magnitude == Format<TypeParam>::kInfinityBits) {
      ASSERT_TRUE(std::isinf(x)) << bits;
    } else {
      ASSERT_EQ(std::fabs(x), Decode<TypeParam>(magnitude)) << bits;
    }
  }
}

TYPED_TEST(StorageTest, StoresWhatItLoaded) {
  for (int bits = 0; bits < 65536; ++bits) {
    const float x = Load(TypeParam{static_cast<uint16_t>(bits)});
    const uint16_t stored = Store<TypeParam>(x).bits;
    if (!std::isnan(x)) {
      ASSERT_EQ(stored, bits);
      continue;
    }
    ASSERT_GT(stored & 0x7fff, Format<TypeParam>::kInfinityBits) << bits;
    ASSERT_EQ(stored & kSignBit, bits & kSignBit) << bits;
  }
}

template <class T>
void ExpectStored(float x, int magnitude) {
  ASSERT_EQ(Store<T>(x).bits, magnitude) << x;
  ASSERT_EQ(Store<T>(-x).bits, magnitude | kSignBit) << -x;
}

// Between each two neighbours, the last pair being the largest finite number
// and infinity: the middle goes to the even one, all else to the nearest.
TYPED_TEST(StorageTest, RoundsToNearestTiesToEven) {
  for (int low = 0; low < Format<TypeParam>::kInfinityBits; ++low) {
    const double middle =
        (Decode<TypeParam>(low) + Decode<TypeParam>(low + 1)) / 2;
    const float tie = static_cast<float>(middle);
    ASSERT_EQ(tie, middle);
    ExpectStored<TypeParam>(std::nextafter(tie, 0.0f), low);
    ExpectStored<TypeParam>(tie, low % 2 == 0 ? low : low + 1);
    ExpectStored<TypeParam>(std::nextafter(tie, kInfinity), low + 1);
  }
}

TYPED_TEST(StorageTest, StoresSpecialNumbers) {
  constexpr int kInfinityBits = Format<TypeParam>::kInfinityBits;
  ExpectStored<TypeParam>(kInfinity, kInfinityBits);
  ExpectStored<TypeParam>(std::numeric_limits<float>::max(), kInfinityBits);
  ExpectStored<TypeParam>(0.0f, 0);
  ExpectStored<TypeParam>(0x1p-149f, 0);
  // Payloads in the highest and the lowest bit: neither may become infinity.
  for (const uint32_t bits : {0x7fc00000u, 0x7f800001u, 0xff800001u,
                              0x7fffffffu, 0xffffffffu, 0x7fbfffffu}) {
    const uint16_t stored = Store<TypeParam>(BitCast<float>(bits)).bits;
    EXPECT_GT(stored & 0x7fff, kInfinityBits) << bits;
    EXPECT_EQ((stored & kSignBit) != 0, bits >> 31 != 0) << bits;
  }
}

TEST(Float16Test, OverflowsFrom65520) {
  ExpectStored<Float16>(65504.0f, 0x7bff);
  ExpectStored<Float16>(std::nextafter(65520.0f, 0.0f), 0x7bff);
  ExpectStored<Float16>(65520.0f, 0x7c00);
  for (float x = 65520.0f; x < kInfinity; x *= 1.001f) {
    ExpectStored<Float16>(x, 0x7c00);
  }
}

TEST(StorageOfComputeTypesTest, KeepsFloatAndDouble) {
  EXPECT_EQ(Store<float>(Load(0.1f)), 0.1f);
  EXPECT_EQ(Store<double>(Load(0.1)), 0.1);
}

// ---------------------------------------------------------------------------
// Activations.
// ---------------------------------------------------------------------------

// The truth, in a type R wider than the one under test.
template <class R>
R Truth(Sigmoid, R x) {
  const R e = std::exp(-std::fabs(x));
  return (x < 0 ? e : R(1)) / (1 + e);
}
template <class R>
R Truth(Tanh, R x) {
  return std::tanh(x);
}
template <class R>
R Truth(Relu, R x) {
  return x < 0 ? R(0) : x;
}
template <class R>
R Truth(Identity, R x) {
  return x;
}
template <class R>
R Truth(Elu, R x) {
  return x < 0 ? std::expm1(x) : x;
}
template <class R>
R Truth(Softsign, R x) {
  return x / (1 + std::fabs(x));
}

// Where the truth is still told by the function: sigmoid ends at -kHighest.
template <class R, class Activation, class Wide>
Wide PointOfTruth(Activation, Wide x) {
  return x;
}
template <class R, class Wide>
Wide PointOfTruth(Sigmoid, Wide x) {
  return std::max<Wide>(x, -ExponentialOf<R>::kHighest);
}

// The error that is allowed, in ulps: see ExponentialOf<float>.
template <class Activation>
double AllowedUlps(Activation, double, double limit) {
  return limit;
}
double AllowedUlps(Sigmoid, double x, double limit) {
  return limit + 1.5 * std::max(-x, 0.0);
}

double UlpError(float value, double truth) {
  if (std::isnan(value) || std::isnan(truth)) {
    return std::isnan(value) && std::isnan(truth) ? 0 : HUGE_VAL;
  }
  if (value == truth) return 0;
  // Of a subnormal truth an ulp is 2^-149.
  const int exponent = truth == 0 ? -126 : std::max(std::ilogb(truth), -126);
  return std::fabs(value - truth) / std::ldexp(1.0, exponent - 23);
}

// The whole range of floats of both signs, and the points where a formula
// might break.
std::vector<float> SweepFloats() {
  std::vector<float> points;
  for (uint64_t bits = 0; bits <= 0xffffffffu; bits += 1009) {
    const float x = BitCast<float>(static_cast<uint32_t>(bits));
    if (!std::isnan(x)) points.push_back(x);
  }
  for (const float x :
       {0.0f,        0x1p-149f, 0x1p-127f,
        0x1p-126f,   0x1p-24f,  0x1p-12f,
        0.34657359f, 1.0f,      9.0f,
        17.0f,       20.0f,     40.0f,
        87.33f,      88.0f,     88.73f,
        103.97f,     103.98f,   104.0f,
        104.1f,      1e30f,     std::numeric_limits<float>::max()}) {
    for (const float y :
         {x, std::nextafter(x, 0.0f), std::nextafter(x, kInfinity)}) {
      points.insert(points.end(), {y, -y});
    }
  }
  return points;
}

using Values = void (*)(const std::vector<float>&, std::vector<float>*);

template <class Activation>
void PlainValues(const std::vector<float>& x, std::vector<float>* y) {
  for (size_t i = 0; i < x.size(); ++i) (*y)[i] = Value<Activation>(x[i]);
}

#if defined(__x86_64__)
// Contracted products and sums round otherwise, so they get a sweep as well.
template <class Activation>
__attribute__((target("avx2,fma"))) void FusedValues(
    const std::vector<float>& x, std::vector<float>* y) {
  for (size_t i = 0; i < x.size(); ++i) (*y)[i] = Value<Activation>(x[i]);
}
#endif

template <class Activation>
std::vector<Values> Implementations() {
  std::vector<Values> all = {PlainValues<Activation>};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    all.push_back(FusedValues<Activation>);
  }
#endif
  return all;
}

template <class Activation>
void ExpectUlps(double limit) {
  const std::vector<float> points = SweepFloats();
  std::vector<float> values(points.size());
  for (const Values compute : Implementations<Activation>()) {
    compute(points, &values);
    double worst = 0;
    float worst_at = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      const double x =
          PointOfTruth<float>(Activation(), static_cast<double>(points[i]));
      const double error = UlpError(values[i], Truth(Activation(), x)) * limit /
                           AllowedUlps(Activation(), x, limit);
      if (error > worst) worst_at = points[i];
      worst = std::max(worst, error);
    }
    EXPECT_LE(worst, limit) << "at " << worst_at;
    const bool plain = compute == PlainValues<Activation>;
    testing::Test::RecordProperty(plain ? "ulps" : "ulps_fused",
                                  std::to_string(worst));
  }
}

TEST(FloatActivationTest, SigmoidIsAccurate) { ExpectUlps<Sigmoid>(4); }
TEST(FloatActivationTest, TanhIsAccurate) { ExpectUlps<Tanh>(4); }
TEST(FloatActivationTest, EluIsAccurate) { ExpectUlps<Elu>(4); }
TEST(FloatActivationTest, SoftsignIsAccurate) { ExpectUlps<Softsign>(2); }
TEST(FloatActivationTest, ReluIsExact) { ExpectUlps<Relu>(0); }
TEST(FloatActivationTest, IdentityIsExact) { ExpectUlps<Identity>(0); }

TEST(FloatActivationTest, LimitsAreExact) {
  EXPECT_EQ(Value<Sigmoid>(0.0f), 0.5f);
  EXPECT_EQ(Value<Sigmoid>(-0.0f), 0.5f);
  EXPECT_EQ(Value<Sigmoid>(kInfinity), 1.0f);
  EXPECT_LT(Value<Sigmoid>(-kInfinity), 2e-38f);
  EXPECT_EQ(Value<Tanh>(kInfinity), 1.0f);
  EXPECT_EQ(Value<Tanh>(-kInfinity), -1.0f);
  EXPECT_EQ(Value<Elu>(-kInfinity), -1.0f);
  EXPECT_EQ(Value<Elu>(kInfinity), kInfinity);
}

TEST(FloatActivationTest, OddFunctionsKeepTheSignOfZero) {
  for (const float zero : {0.0f, -0.0f}) {
    EXPECT_EQ(std::signbit(Value<Tanh>(zero)), std::signbit(zero));
    EXPECT_EQ(std::signbit(Value<Softsign>(zero)), std::signbit(zero));
  }
}

template <class Activation>
class ActivationTest : public testing::Test {};

using Activations =
    testing::Types<Sigmoid, Tanh, Relu, Identity, Elu, Softsign>;
TYPED_TEST_SUITE(ActivationTest, Activations);

TYPED_TEST(ActivationTest, PassesNanOn) {
  EXPECT_TRUE(std::isnan(Value<TypeParam>(kNan)));
  EXPECT_TRUE(std::isnan(Value<TypeParam>(static_cast<double>(kNan))));
  // Others than what operations make: R's missing value is one.
  EXPECT_TRUE(std::isnan(Value<TypeParam>(BitCast<float>(0x7fc00001u))));
  EXPECT_TRUE(std::isnan(Value<TypeParam>(BitCast<float>(0xff8001ffu))));
  EXPECT_TRUE(std::isnan(
      Value<TypeParam>(BitCast<double>(uint64_t{0x7ff00000000007a2u}))));
}

// Compared relatively, but below the normal numbers as if at the least one.
TYPED_TEST(ActivationTest, IsAccurateInDouble) {
  std::vector<double> points = {0.0, 744.0, 745.1, 745.2, 746.0, 1e3, 1e300};
  for (int k = 0; k < 75000; ++k) points.push_back(k * 0.01 + 1e-4);
  for (int k = 0; k < 80000; ++k) points.push_back(k * 0.0005);
  for (int k = -1070; k < 20; ++k) points.push_back(std::ldexp(1.37, k));
  for (const double magnitude : points) {
    for (const double x : {magnitude, -magnitude}) {
      const long double truth =
          Truth(TypeParam(),
                PointOfTruth<double>(TypeParam(), static_cast<long double>(x)));
      const long double scale = std::max<long double>(
          std::fabs(truth), std::numeric_limits<double>::min());
      ASSERT_LE(std::fabs(Value<TypeParam>(x) - truth), 2e-15L * scale) << x;
    }
  }
}

TYPED_TEST(ActivationTest, DerivativeIsTheSlopeOfTheTruth) {
  constexpr long double kStep = 1e-5L;
  // None of the points is 0, where some have a kink.
  for (double x = -6.05; x < 6; x += 0.1) {
    const long double slope =
        (Truth(TypeParam(), x + kStep) - Truth(TypeParam(), x - kStep)) /
        (2 * kStep);
    const double y = Value<TypeParam>(x);
    const double expected = static_cast<double>(slope);
    EXPECT_NEAR(TypeParam::Derivative(x, y), expected, 1e-9);
    EXPECT_NEAR(
        TypeParam::Derivative(static_cast<float>(x), static_cast<float>(y)),
        expected, 1e-6);
  }
}

// Written from the output it would lose most of its digits here.
TEST(SoftsignTest, DerivativeKeepsItsDigitsFarFromZero) {
  const float x = 1e4f;
  const double truth = 1 / ((1 + 1e4) * (1 + 1e4));
  EXPECT_NEAR(Softsign::Derivative(x, Value<Softsign>(x)), truth, 1e-6 * truth);
}

// ---------------------------------------------------------------------------
// Cells.
// ---------------------------------------------------------------------------

constexpr double kForgetBias = 0.7;

// The arguments of one step of one unit, one row of numbers each.
template <class Cell, class R>
struct Unit {
  R x[Cell::kGates], u[Cell::kGates], b[Cell::kBiases], state[Cell::kStates];
};

// The equations at the head of each cell, word for word.
template <class A>
void TrueStep(IndRNN<A>, Unit<IndRNN<A>, long double>& v) {
  v.state[0] = Truth(A(), v.x[0] + v.u[0] * v.state[0] + v.b[0]);
}

template <class A>
void TrueStep(IndyGRU<A>, Unit<IndyGRU<A>, long double>& v) {
  const long double h = v.state[0];
  const auto r = Truth(Sigmoid(), v.x[0] + v.u[0] * h + v.b[0]);
  const auto z = Truth(Sigmoid(), v.x[1] + v.u[1] * h + v.b[1]);
  const auto c = Truth(A(), v.x[2] + v.u[2] * (r * h) + v.b[2] + r * v.b[3]);
  v.state[0] = z * h + (1 - z) * c;
}

template <class A>
void TrueStep(IndyLSTM<A>, Unit<IndyLSTM<A>, long double>& v) {
  const long double h = v.state[1];
  const auto i = Truth(Sigmoid(), v.x[0] + v.u[0] * h + v.b[0]);
  const auto j = Truth(A(), v.x[1] + v.u[1] * h + v.b[1]);
  const auto f = Truth(Sigmoid(), v.x[2] + v.u[2] * h + v.b[2] +
                                      static_cast<long double>(kForgetBias));
  const auto o = Truth(Sigmoid(), v.x[3] + v.u[3] * h + v.b[3]);
  v.state[0] = f * v.state[0] + i * j;
  v.state[1] = Truth(A(), v.state[0]) * o;
}

template <class A>
void TrueStep(SRU<A>, Unit<SRU<A>, long double>& v) {
  const long double c = v.state[0];
  const auto s = v.x[0] + v.u[0] * c + v.b[0];
  const auto f = Truth(Sigmoid(), v.x[1] + v.u[1] * c + v.b[1]);
  const auto r = Truth(Sigmoid(), v.x[2] + v.u[2] * c + v.b[2]);
  const auto t = v.x[3] + v.u[3] * c + v.b[3];
  v.state[0] = f * c + (1 - f) * s;
  v.state[1] = r * Truth(A(), v.state[0]) + (1 - r) * t;
}

template <class Cell>
Cell MakeCell() {
  if constexpr (std::is_empty_v<Cell>) {
    return Cell{};
  } else {
    return Cell{kForgetBias};
  }
}

template <class Cell>
Unit<Cell, double> RandomUnit(std::mt19937& generator) {
  const auto next = [&] { return (generator() % 4001) / 1000.0 - 2.0003; };
  Unit<Cell, double> unit;
  for (double& x : unit.x) x = next();
  for (double& u : unit.u) u = next();
  for (double& b : unit.b) b = next();
  for (double& state : unit.state) state = next();
  return unit;
}

template <class R, class Cell>
Unit<Cell, R> Convert(const Unit<Cell, double>& from) {
  Unit<Cell, R> to;
  std::copy(std::begin(from.x), std::end(from.x), to.x);
  std::copy(std::begin(from.u), std::end(from.u), to.u);
  std::copy(std::begin(from.b), std::end(from.b), to.b);
  std::copy(std::begin(from.state), std::end(from.state), to.state);
  return to;
}

template <class Cell, class R>
void ExpectStep(const Unit<Cell, double>& from, double tolerance) {
  Unit<Cell, R> unit = Convert<R>(from);
  MakeCell<Cell>().Step(unit.x, unit.u, unit.b, unit.state);
  auto truth = Convert<long double>(from);
  TrueStep(MakeCell<Cell>(), truth);
  for (int i = 0; i < Cell::kStates; ++i) {
    const double want = static_cast<double>(truth.state[i]);
    EXPECT_NEAR(unit.state[i], want, tolerance * (1 + std::fabs(want)));
  }
}

template <class Cell>
void CheckSteps() {
  std::mt19937 generator(1);
  for (int trial = 0; trial < 200; ++trial) {
    const auto unit = RandomUnit<Cell>(generator);
    ExpectStep<Cell, double>(unit, 1e-14);
    ExpectStep<Cell, float>(unit, 3e-6);
  }
}

// The states after a step, each multiplied with its weight: what the gradient
// of states `weights` is the gradient of.
template <class Cell>
double Loss(Unit<Cell, double> unit,
            const std::array<double, Cell::kStates>& weights) {
  MakeCell<Cell>().Step(unit.x, unit.u, unit.b, unit.state);
  double loss = 0;
  for (int i = 0; i < Cell::kStates; ++i) loss += weights[i] * unit.state[i];
  return loss;
}

// How the loss grows with one of the numbers that `unit` holds.
template <class Cell>
double Slope(Unit<Cell, double>& unit, double& number,
             const std::array<double, Cell::kStates>& weights) {
  constexpr double kStep = 1e-5;
  const double kept = number;
  number = kept + kStep;
  const double above = Loss(unit, weights);
  number = kept - kStep;
  const double below = Loss(unit, weights);
  number = kept;
  return (above - below) / (2 * kStep);
}

template <class Cell>
void ExpectGradient(Unit<Cell, double> unit, double tolerance) {
  constexpr int kLast = Cell::kStates - 1;
  std::array<double, Cell::kStates> weights = {};
  for (int i = 0; i <= kLast; ++i) weights[i] = 0.8 - 1.3 * i;
  Unit<Cell, double> after = unit;
  MakeCell<Cell>().Step(after.x, after.u, after.b, after.state);
  double state[Cell::kStates], x[Cell::kGates], factor[Cell::kGates];
  double b[Cell::kBiases], recomputed[Cell::kRecomputed];
  std::copy(weights.begin(), weights.end(), state);
  MakeCell<Cell>().Recompute(unit.x, unit.u, unit.b, unit.state,
                             after.state[kLast], recomputed);
  MakeCell<Cell>().Gradient(recomputed, unit.u, unit.b, unit.state, state, x,
                            factor, b);
  for (int gate = 0; gate < Cell::kGates; ++gate) {
    EXPECT_NEAR(x[gate], Slope(unit, unit.x[gate], weights), tolerance);
    EXPECT_NEAR(x[gate] * factor[gate], Slope(unit, unit.u[gate], weights),
                tolerance);
  }
  for (int i = 0; i < Cell::kBiases; ++i) {
    EXPECT_NEAR(b[i], Slope(unit, unit.b[i], weights), tolerance);
  }
  for (int i = 0; i <= kLast; ++i) {
    EXPECT_NEAR(state[i], Slope(unit, unit.state[i], weights), tolerance);
  }
}

template <class Cell>
void CheckGradients() {
  std::mt19937 generator(2);
  for (int trial = 0; trial < 200; ++trial) {
    ExpectGradient(RandomUnit<Cell>(generator), 1e-8);
  }
}

template <class Activation>
class CellTest : public testing::Test {};
TYPED_TEST_SUITE(CellTest, Activations);

TYPED_TEST(CellTest, IndRNNSteps) { CheckSteps<IndRNN<TypeParam>>(); }
TYPED_TEST(CellTest, IndyGRUSteps) { CheckSteps<IndyGRU<TypeParam>>(); }
TYPED_TEST(CellTest, IndyLSTMSteps) { CheckSteps<IndyLSTM<TypeParam>>(); }
TYPED_TEST(CellTest, IndRNNGradient) { CheckGradients<IndRNN<TypeParam>>(); }
TYPED_TEST(CellTest, IndyGRUGradient) { CheckGradients<IndyGRU<TypeParam>>(); }
TYPED_TEST(CellTest, IndyLSTMGradient) {
  CheckGradients<IndyLSTM<TypeParam>>();
}
TYPED_TEST(CellTest, SRUSteps) { CheckSteps<SRU<TypeParam>>(); }
TYPED_TEST(CellTest, SRUGradient) { CheckGradients<SRU<TypeParam>>(); }

}  // namespace
}  // namespace contrib_rnn
