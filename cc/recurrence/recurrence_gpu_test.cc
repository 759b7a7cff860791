// The GPU's kernels, their threads run one by one on the host: which numbers
// each reads and writes, and the mathematics as a host computes it.

#include "cc/recurrence/recurrence_gpu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/recurrence_gpu_on_host.h"
#include "cc/recurrence/recurrence_testing.h"
#include "gtest/gtest.h"

namespace contrib_rnn {
namespace {

const std::vector<GpuOnHostContext> kContexts(1);

template <class T>
class RecurrenceGpuTest : public testing::Test {};

using Types = testing::Types<float, double, Float16, BFloat16>;
TYPED_TEST_SUITE(RecurrenceGpuTest, Types);

TYPED_TEST(RecurrenceGpuTest, EveryOrderOfSteps) {
  CheckEveryOrder<TypeParam>(kContexts);
}

TYPED_TEST(RecurrenceGpuTest, EveryLayout) {
  CheckEveryLayout<TypeParam>(kContexts);
}

TYPED_TEST(RecurrenceGpuTest, EveryActivation) {
  CheckEveryActivation<TypeParam>(kContexts);
}

TYPED_TEST(RecurrenceGpuTest, EverySize) {
  CheckEverySize<TypeParam>(kContexts);
}

TYPED_TEST(RecurrenceGpuTest, OneRowForTheWholeBatch) {
  CheckSharedRows<TypeParam>(kContexts);
}

TYPED_TEST(RecurrenceGpuTest, TakesNullPointers) {
  CheckNullPointers<TypeParam>(kContexts[0]);
}

// About the steps that a thread asks for ahead, for either width.
TYPED_TEST(RecurrenceGpuTest, EveryLength) {
  for (const CellKind cell : kCells) {
    for (int64_t time = 0; time < 20; ++time) {
      Config config = MakeConfig(cell, time, 3, 2);
      config.sequences.reverse = time & 1;
      Check<TypeParam>(kContexts, config);
    }
    Check<TypeParam>(kContexts, MakeConfig(cell, 67, 1, 1));
  }
}

// Threads of several units, which take large calls: against the CPU's kernels.
TYPED_TEST(RecurrenceGpuTest, SeveralUnitsAThread) {
  constexpr int64_t kUnits = 1024;
  constexpr int64_t kBatch = kManyThreads * kWide<TypeParam> / kUnits + 1;
  const auto serially = [](int64_t count, int64_t, const auto& work) {
    work(0, count);
  };
  int number = 0;
  for (const CellKind cell : kCells) {
    for (const int64_t time : {1, 2, 5, 19}) {  // asked for: up to 8 ahead
      Config config = MakeConfig(cell, time, kBatch, kUnits);
      config.sequences.time_major = number & 1;
      config.sequences.reverse = number & 2;
      config.with_lengths = time > 1;
      if (number & 1) config.options.gate_order = GateOrder::kKeras;
      config.options.has_recurrent_bias = number & 2;
      ++number;
      SCOPED_TRACE(config.Name());
      Tensors<TypeParam> want = MakeTensors<TypeParam>(config, NAN);
      ASSERT_TRUE(IsWide<TypeParam>(config.sequences, {want.inputs.data()}));
      Tensors<TypeParam> got = want;
      Run(CpuContext{serially}, config, want);
      Run(kContexts[0], config, got);
      for (int result = 0; result < kResults; ++result) {
        std::vector<double> numbers;
        for (const TypeParam x : want.results[result]) {
          numbers.push_back(Load(x));
        }
        // Either may err as far as the tolerances allow.
        ExpectResult(result, got.results[result], numbers, 2);
      }
    }
  }
}

TEST(IsWide, WantsManyThreadsAndAlignedRows) {
  alignas(16) float memory[4];
  Sequences many = {1, kManyThreads, 4, false, false, nullptr, false, {}};
  EXPECT_TRUE(IsWide<float>(many, {memory, nullptr}));
  EXPECT_FALSE(IsWide<float>(many, {memory, memory + 1}));
  Sequences odd = many;
  odd.units = 6;
  EXPECT_FALSE(IsWide<float>(odd, {memory}));
  Sequences few = many;
  few.batch -= 1;
  EXPECT_FALSE(IsWide<float>(few, {memory}));
}

template <class T>
void CheckSums(int64_t rows, int64_t columns) {
  std::mt19937 generator(3);
  std::vector<T> matrix(rows * columns);
  for (T& x : matrix) x = Store<T>((generator() % 20001) / 1000.0 - 10);
  std::vector<T> sums(columns, Store<T>(NAN));
  SumRows(kContexts[0], matrix.data(), rows, columns, sums.data());
  for (int64_t k = 0; k < columns; ++k) {
    double total = 0, magnitudes = 0;
    for (int64_t row = 0; row < rows; ++row) {
      total += Load(matrix[row * columns + k]);
      magnitudes += std::fabs(Load(matrix[row * columns + k]));
    }
    const double tolerance = kHalfUlp<T> * std::fabs(total) + 1e-6 * magnitudes;
    ASSERT_NEAR(Load(sums[k]), total, tolerance) << rows << " " << columns;
  }
}

TYPED_TEST(RecurrenceGpuTest, SumsRows) {
  for (const int64_t rows : {0, 1, 2, 15, 16, 17, 100}) {
    for (const int64_t columns : {0, 1, 5, 32, 33, 600}) {
      CheckSums<TypeParam>(rows, columns);
    }
  }
}

}  // namespace
}  // namespace contrib_rnn
