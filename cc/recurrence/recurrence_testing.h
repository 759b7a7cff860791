// What the tests of the recurrence's kernels have in common: calls with numbers
// for them, a reference, and checks of any context's kernels.

#ifndef CC_RECURRENCE_RECURRENCE_TESTING_H_
#define CC_RECURRENCE_RECURRENCE_TESTING_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence.h"
#include "gtest/gtest.h"

namespace contrib_rnn {

// What a call is about, and where it finds its numbers.
struct Config {
  CellOptions options;
  Sequences sequences;
  bool with_lengths = false;

  // Some of each kind: within, below, at and past the end.
  std::vector<int32_t> Lengths() const {
    const int32_t time = static_cast<int32_t>(sequences.time);
    const int32_t some[] = {3, 0, time, -2, time + 5, 1, -2147483647};
    std::vector<int32_t> lengths(sequences.batch);
    for (size_t row = 0; row < lengths.size(); ++row) {
      lengths[row] = some[row % 7];
    }
    return lengths;
  }

  int64_t LengthOf(int64_t row) const {
    if (!with_lengths) return sequences.time;
    const int64_t length = Lengths()[row];
    return length < 0 ? 0 : std::min(length, sequences.time);
  }

  // Where the entry of a row at a time lies.
  int64_t EntryOf(int64_t row, int64_t time) const {
    return sequences.time_major ? time * sequences.batch + row
                                : row * sequences.time + time;
  }
  int64_t TimeOf(int64_t row, int64_t step) const {
    return sequences.reverse ? LengthOf(row) - 1 - step : step;
  }

  int Gates() const { return CountGates(options.cell); }
  int Biases() const { return options.has_recurrent_bias ? 2 : 1; }

  // Which of the tensors' gates is the cell's.
  int GateOf(int gate) const {
    constexpr int kOfGru[] = {1, 0, 2}, kOfLstm[] = {0, 2, 1, 3};
    if (options.gate_order == GateOrder::kContrib) return gate;
    if (options.cell == CellKind::kIndyGRU) return kOfGru[gate];
    return options.cell == CellKind::kIndyLSTM ? kOfLstm[gate] : gate;
  }
  int States() const { return CountStates(options.cell); }

  std::string Name() const {
    const Sequences& s = sequences;
    return testing::PrintToString(std::vector<int64_t>{
        int64_t(options.cell), int64_t(options.activation), s.time, s.batch,
        s.units, s.time_major, s.reverse, with_lengths,
        int64_t(options.gate_order), options.has_recurrent_bias});
  }
};

// Where each result of a call is kept; of the first three, one for each state.
constexpr int kSequence = 0, kFinalState = 2, kInitialGradient = 4;
constexpr int kInputsGradient = 6, kKernelGradient = 7, kBiasGradient = 8;
constexpr int kResults = 9;

// Each is an allocation of exactly its size, for AddressSanitizer to guard.
template <class T>
struct Tensors {
  std::vector<T> inputs, kernel, bias, initial[2];
  std::vector<T> sequence_gradient[2], final_gradient[2];
  std::vector<T> results[kResults];
};

// Fills the results with `result`: NaN shows what was never written.
template <class T>
Tensors<T> MakeTensors(const Config& config, double result) {
  const Sequences& s = config.sequences;
  const int64_t row = s.units * config.Gates();
  const int64_t entries = s.time * s.batch;
  std::mt19937 generator(7);
  const auto random = [&](int64_t count, double scale) {
    std::vector<T> numbers(count);
    for (T& x : numbers) {
      x = Store<T>(scale * ((generator() % 20001) / 10000.0 - 1.00003));
    }
    return numbers;
  };
  const T fill = Store<T>(result);
  Tensors<T> t;
  t.inputs = random((s.shared_inputs ? s.time : entries) * row, 1.5);
  t.kernel = random(row, 0.95);
  t.bias = random(config.Biases() * row, 0.5);
  for (int i = 0; i < config.States(); ++i) {
    t.initial[i] =
        random((s.shared_initial_state[i] ? 1 : s.batch) * s.units, 1);
    t.sequence_gradient[i] = random(entries * s.units, 1);
    t.final_gradient[i] = random(s.batch * s.units, 1);
    t.results[kSequence + i].assign(entries * s.units, fill);
    t.results[kFinalState + i].assign(s.batch * s.units, fill);
    t.results[kInitialGradient + i].assign(s.batch * s.units, fill);
  }
  t.results[kInputsGradient].assign(entries * row, fill);
  t.results[kKernelGradient].assign(row, fill);
  t.results[kBiasGradient].assign(t.bias.size(), fill);
  return t;
}

// Forward, then Gradient. An empty tensor is a null pointer: absent.
template <class Context, class T>
void Run(const Context& context, const Config& config, Tensors<T>& t) {
  const std::vector<int32_t> lengths = config.Lengths();
  Sequences sequences = config.sequences;
  if (config.with_lengths) sequences.sequence_length = lengths.data();
  std::vector<Compute<T>> scratch(
      CountScratch(context, config.options, sequences), Compute<T>(NAN));
  ForwardTensors<T> forward = {};
  GradientTensors<T> gradient = {};
  gradient.inputs = forward.inputs = t.inputs.data();
  gradient.recurrent_kernel = forward.recurrent_kernel = t.kernel.data();
  gradient.bias = forward.bias = t.bias.data();
  for (int i = 0; i < config.States(); ++i) {
    T* const sequence = t.results[kSequence + i].data();
    gradient.initial_state[i] = forward.initial_state[i] = t.initial[i].data();
    gradient.sequence[i] = forward.sequence[i] = sequence;
    forward.final_state[i] = t.results[kFinalState + i].data();
    gradient.sequence_gradient[i] = t.sequence_gradient[i].data();
    gradient.final_state_gradient[i] = t.final_gradient[i].data();
    gradient.initial_state_gradient[i] = t.results[kInitialGradient + i].data();
  }
  gradient.inputs_gradient = t.results[kInputsGradient].data();
  gradient.recurrent_kernel_gradient = t.results[kKernelGradient].data();
  gradient.bias_gradient = t.results[kBiasGradient].data();
  gradient.scratch = scratch.data();
  EXPECT_EQ(Forward(context, config.options, sequences, forward), "");
  EXPECT_EQ(Gradient(context, config.options, sequences, gradient), "");
  if (sequences.shared_inputs || t.inputs.empty()) return;
  // Once more in place of the inputs: the same numbers.
  const std::vector<T>& apart = t.results[kInputsGradient];
  std::vector<T> in_place = t.inputs;
  gradient.inputs = gradient.inputs_gradient = in_place.data();
  EXPECT_EQ(Gradient(context, config.options, sequences, gradient), "");
  EXPECT_EQ(memcmp(in_place.data(), apart.data(), apart.size() * sizeof(T)), 0);
}

// The reference: one unit of one row after the other, in double. Gradients
// are central differences of a weighted sum of all states.

inline double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline double Activate(ActivationKind activation, double x) {
  if (activation == ActivationKind::kTanh) return std::tanh(x);
  if (activation == ActivationKind::kSigmoid) return Sigmoid(x);
  if (activation == ActivationKind::kRelu) return std::max(x, 0.0);
  if (activation == ActivationKind::kElu) return x < 0 ? std::expm1(x) : x;
  if (activation == ActivationKind::kSoftsign) return x / (1 + std::fabs(x));
  return x;
}

using State = std::array<double, 2>;

struct Unit {
  std::vector<std::array<double, 4>> x;          // by step
  std::array<double, 4> u = {}, b = {}, d = {};  // d: the recurrent bias
  State initial = {};
  std::vector<State> weights;  // by step
  State final_weights = {};
};

inline State Step(const CellOptions& options, const Unit& unit,
                  const std::array<double, 4>& x, State state) {
  const auto act = [&](double y) { return Activate(options.activation, y); };
  // What a gate sees when the state that recurs is h, of which `reset` is kept.
  const auto in = [&](int gate, double h, double reset = 1) {
    return x[gate] + unit.b[gate] + reset * (unit.u[gate] * h + unit.d[gate]);
  };
  if (options.cell == CellKind::kIndRNN) return {act(in(0, state[0]))};
  if (options.cell == CellKind::kIndyGRU) {
    const double h = state[0];
    const double reset = Sigmoid(in(0, h)), update = Sigmoid(in(1, h));
    return {update * h + (1 - update) * act(in(2, h, reset))};
  }
  if (options.cell == CellKind::kSRU) {
    const double forget = Sigmoid(in(1, state[0]));
    const double reset = Sigmoid(in(2, state[0]));
    const double c = forget * state[0] + (1 - forget) * in(0, state[0]);
    return {c, reset * act(c) + (1 - reset) * in(3, state[0])};
  }
  const double h = state[1];
  const double forget = Sigmoid(in(2, h) + options.forget_bias);
  const double c = forget * state[0] + Sigmoid(in(0, h)) * act(in(1, h));
  return {c, act(c) * Sigmoid(in(3, h))};
}

inline double Loss(const CellOptions& options, const Unit& unit) {
  State state = unit.initial;
  double loss = 0;
  for (size_t step = 0; step < unit.x.size(); ++step) {
    state = Step(options, unit, unit.x[step], state);
    for (int i = 0; i < 2; ++i) loss += unit.weights[step][i] * state[i];
  }
  for (int i = 0; i < 2; ++i) loss += unit.final_weights[i] * state[i];
  return loss;
}

// How the loss grows with one of the numbers that `unit` holds.
inline double Slope(const CellOptions& options, const Unit& unit,
                    double& number) {
  constexpr double kStep = 1e-5;
  const double kept = number;
  number = kept + kStep;
  const double above = Loss(options, unit);
  number = kept - kStep;
  const double below = Loss(options, unit);
  number = kept;
  return (above - below) / (2 * kStep);
}

template <class T>
Unit TakeUnit(const Config& config, const Tensors<T>& t, int64_t row,
              int64_t k) {
  const Sequences& s = config.sequences;
  const int64_t units = s.units;
  Unit unit;
  unit.x.resize(config.LengthOf(row));
  unit.weights.resize(unit.x.size());
  for (size_t step = 0; step < unit.x.size(); ++step) {
    const int64_t time = config.TimeOf(row, step);
    const int64_t entry = config.EntryOf(row, time);
    const int64_t input = config.Gates() * (s.shared_inputs ? time : entry);
    for (int gate = 0; gate < config.Gates(); ++gate) {
      const int64_t at = input + config.GateOf(gate);
      unit.x[step][gate] = Load(t.inputs[at * units + k]);
    }
    for (int i = 0; i < config.States(); ++i) {
      unit.weights[step][i] = Load(t.sequence_gradient[i][entry * units + k]);
    }
  }
  for (int gate = 0; gate < config.Gates(); ++gate) {
    const int64_t at = config.GateOf(gate) * units + k;
    unit.u[gate] = Load(t.kernel[at]);
    unit.b[gate] = Load(t.bias[at]);
    if (config.Biases() == 1) continue;
    unit.d[gate] = Load(t.bias[config.Gates() * units + at]);
  }
  for (int i = 0; i < config.States(); ++i) {
    const int64_t initial_row = s.shared_initial_state[i] ? 0 : row;
    unit.initial[i] = Load(t.initial[i][initial_row * units + k]);
    unit.final_weights[i] = Load(t.final_gradient[i][row * units + k]);
  }
  return unit;
}

// Writes what is expected of one unit of one row where it lies.
void PutUnit(const Config& config, Unit unit, int64_t row, int64_t k,
             std::vector<double> (&want)[kResults]) {
  const int64_t units = config.sequences.units;
  const auto slope = [&](double& number) {
    return Slope(config.options, unit, number);
  };
  State state = unit.initial;
  for (size_t step = 0; step < unit.x.size(); ++step) {
    const int64_t entry = config.EntryOf(row, config.TimeOf(row, step));
    state = Step(config.options, unit, unit.x[step], state);
    for (int i = 0; i < config.States(); ++i) {
      want[kSequence + i][entry * units + k] = state[i];
    }
    for (int gate = 0; gate < config.Gates(); ++gate) {
      const int64_t at = entry * config.Gates() + config.GateOf(gate);
      want[kInputsGradient][at * units + k] = slope(unit.x[step][gate]);
    }
  }
  for (int gate = 0; gate < config.Gates(); ++gate) {
    const int64_t at = config.GateOf(gate) * units + k;
    want[kKernelGradient][at] += slope(unit.u[gate]);
    want[kBiasGradient][at] += slope(unit.b[gate]);
    if (config.Biases() == 1) continue;
    want[kBiasGradient][config.Gates() * units + at] += slope(unit.d[gate]);
  }
  for (int i = 0; i < config.States(); ++i) {
    want[kFinalState + i][row * units + k] = state[i];
    want[kInitialGradient + i][row * units + k] = slope(unit.initial[i]);
  }
}

// Half an ulp of a stored state. Beyond that only the computation may err, for
// states are not rounded on their way from step to step.
template <class T>
constexpr double kHalfUlp = sizeof(T) > 2                     ? 0
                            : std::is_same<T, Float16>::value ? 0x1p-11
                                                              : 0x1p-8;
template <class T>
constexpr double kStateError = std::is_same<T, double>::value ? 1e-13 : 3e-6;

// Rounded states enter the gradients; the differences are good to 1e-9.
template <class T>
constexpr double kGradientError =
    std::is_same<T, double>::value ? 1e-8 : 1e-5 + 8 * kHalfUlp<T>;

// `slack`: how often over the tolerances may be taken; above 1, what is
// expected is rounded itself, zeros too.
//
// States are compared each relatively; gradients with the largest of their
// tensor. An expected zero (past an end; the sum of nothing) is exact, unless
// it may have been rounded to that.
template <class T>
void ExpectResult(int result, const std::vector<T>& got,
                  const std::vector<double>& want, double slack = 1) {
  ASSERT_EQ(got.size(), want.size());
  double largest = 1;
  for (const double x : want) largest = std::max(largest, std::fabs(x));
  for (size_t i = 0; i < got.size(); ++i) {
    double tolerance = result < kInitialGradient
                           ? kHalfUlp<T> * std::fabs(want[i]) + kStateError<T>
                           : kGradientError<T> * largest;
    if (want[i] == 0 && slack == 1) tolerance = 0;
    ASSERT_NEAR(Load(got[i]), want[i], slack * tolerance) << result << " " << i;
  }
}

// Each context's results against the reference.
template <class T, class Context>
void Check(const std::vector<Context>& contexts, const Config& config) {
  SCOPED_TRACE(config.Name());
  const Tensors<T> fresh = MakeTensors<T>(config, NAN);
  // Zeros stay where no step writes: past the ends of the sequences.
  Tensors<double> want = MakeTensors<double>(config, 0);
  for (int64_t row = 0; row < config.sequences.batch; ++row) {
    for (int64_t k = 0; k < config.sequences.units; ++k) {
      PutUnit(config, TakeUnit(config, fresh, row, k), row, k, want.results);
    }
  }
  for (size_t i = 0; i < contexts.size(); ++i) {
    SCOPED_TRACE(i);
    Tensors<T> got = fresh;
    Run(contexts[i], config, got);
    for (int result = 0; result < kResults; ++result) {
      ExpectResult(result, got.results[result], want.results[result]);
    }
  }
}

template <class T>
void ExpectSameBits(const Tensors<T>& a, const Tensors<T>& b) {
  for (int result = 0; result < kResults; ++result) {
    const std::vector<T>& x = a.results[result];
    const std::vector<T>& y = b.results[result];
    if (x.empty() || y.empty()) continue;
    EXPECT_EQ(memcmp(x.data(), y.data(), x.size() * sizeof(T)), 0) << result;
  }
}

constexpr CellKind kCells[] = {CellKind::kIndRNN, CellKind::kIndyGRU,
                               CellKind::kIndyLSTM, CellKind::kSRU};

inline Config MakeConfig(CellKind cell, int64_t time, int64_t batch,
                         int64_t units) {
  return {{cell, ActivationKind::kTanh, 0.6},
          {time, batch, units, false, false, nullptr, false, false}};
}

template <class T, class Context>
void CheckEveryOrder(const std::vector<Context>& contexts) {
  for (const CellKind cell : kCells) {
    for (int bits = 0; bits < 16; ++bits) {
      Config config = MakeConfig(cell, 7, 5, 17);
      // An SRU's c lies near ReLU's kink at times, and 16 bits round it across.
      const bool is_smooth = cell == CellKind::kSRU && sizeof(T) == 2;
      if (bits & 8) {
        config.options.activation =
            is_smooth ? ActivationKind::kElu : ActivationKind::kRelu;
      }
      config.sequences.time_major = bits & 1;
      config.sequences.reverse = bits & 2;
      config.with_lengths = bits & 4;
      Check<T>(contexts, config);
    }
  }
}

// Keras's order of gates, and a second bias.
template <class T, class Context>
void CheckEveryLayout(const std::vector<Context>& contexts) {
  for (const CellKind cell : kCells) {
    for (int bits = 1; bits < 16; ++bits) {
      Config config = MakeConfig(cell, 5, 3, bits & 8 ? 259 : 17);
      if (bits & 1) config.options.gate_order = GateOrder::kKeras;
      config.options.has_recurrent_bias = bits & 2;
      config.with_lengths = bits & 4;
      Check<T>(contexts, config);
    }
  }
}

template <class T, class Context>
void CheckEveryActivation(const std::vector<Context>& contexts) {
  for (const CellKind cell : kCells) {
    for (int activation = 0; activation < 6; ++activation) {
      Config config = MakeConfig(cell, 4, 2, 5);
      config.options.activation = static_cast<ActivationKind>(activation);
      Check<T>(contexts, config);
    }
  }
}

// About the edges of vectors, tiles and warps, and where there is nothing at
// all.
template <class T, class Context>
void CheckEverySize(const std::vector<Context>& contexts) {
  constexpr int64_t kSizes[][3] = {
      {1, 1, 1},   {7, 3, 2},   {1, 9, 16},   {0, 3, 5},    {0, 5, 129},
      {7, 0, 5},   {7, 3, 0},   {0, 0, 0},    {7, 4, 8},    {1, 5, 128},
      {7, 3, 129}, {7, 9, 151}, {7, 1, 151},  {3, 33, 257}, {2, 3, 513},
      {3, 6, 31},  {2, 5, 33},  {2, 2, 1134}, {1000, 1, 1},
  };
  int number = 0;
  for (const CellKind cell : kCells) {
    for (const auto& size : kSizes) {
      Config config = MakeConfig(cell, size[0], size[1], size[2]);
      // An odd count of sizes: each cell meets another combination.
      config.sequences.time_major = number & 1;
      config.sequences.reverse = number & 2;
      config.with_lengths = number & 4;
      ++number;
      Check<T>(contexts, config);
    }
  }
}

template <class T, class Context>
void CheckSharedRows(const std::vector<Context>& contexts) {
  for (const CellKind cell : kCells) {
    for (int bits = 1; bits < 16; ++bits) {
      Config config = MakeConfig(cell, 3, 5, 17);
      config.sequences.shared_inputs = bits & 1;
      config.sequences.shared_initial_state[0] = bits & 2;
      config.sequences.shared_initial_state[1] = bits & 4;
      config.sequences.reverse = bits & 8;
      config.with_lengths = true;
      Check<T>(contexts, config);
    }
  }
}

// Bits of `absent` name the states whose tensors are null.
template <class T, class Context>
void CheckAbsent(const Context& context, const Config& config, int absent) {
  Tensors<T> zeros = MakeTensors<T>(config, NAN);
  Tensors<T> nulls = zeros;
  const auto drop = [](std::vector<T>& zeroed, std::vector<T>& dropped) {
    std::fill(zeroed.begin(), zeroed.end(), Store<T>(0));
    dropped = std::vector<T>();
  };
  for (int i = 0; i < 2; ++i) {
    if (absent >> i & 1) {
      drop(zeros.sequence_gradient[i], nulls.sequence_gradient[i]);
    }
    if (absent >> i & 4) drop(zeros.final_gradient[i], nulls.final_gradient[i]);
    if (absent >> i & 16) nulls.results[kFinalState + i] = std::vector<T>();
  }
  Run(context, config, zeros);
  Run(context, config, nulls);
  ExpectSameBits(zeros, nulls);
}

// An absent gradient counts as zeros, and no final state need be given.
template <class T, class Context>
void CheckNullPointers(const Context& context) {
  for (const CellKind cell : kCells) {
    for (int absent = 0; absent < 64; ++absent) {
      SCOPED_TRACE(absent);
      CheckAbsent<T>(context, MakeConfig(cell, 7, 5, 17), absent);
    }
  }
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_RECURRENCE_TESTING_H_
