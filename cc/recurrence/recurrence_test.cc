// The CPU's kernels.

#include "cc/recurrence/recurrence.h"

#include <cstdint>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence_testing.h"
#include "gtest/gtest.h"

namespace contrib_rnn {
namespace {

using Work = std::function<void(int64_t, int64_t)>;

void Serially(int64_t count, int64_t, const Work& work) { work(0, count); }

void BackwardsOneByOne(int64_t count, int64_t, const Work& work) {
  for (int64_t index = count - 1; index >= 0; --index) work(index, index + 1);
}

void InThreads(int64_t count, int64_t, const Work& work) {
  std::vector<std::thread> threads;
  for (int64_t index = 0; index < count; ++index) {
    threads.emplace_back(work, index, index + 1);
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<InstructionSet> InstructionSets() {
  std::vector<InstructionSet> sets;
  for (int set = 0; set <= static_cast<int>(BestInstructionSet()); ++set) {
    sets.push_back(static_cast<InstructionSet>(set));
  }
  return sets;
}

// On one thread, with each instruction set that this processor has.
std::vector<CpuContext> Contexts() {
  std::vector<CpuContext> contexts;
  for (const InstructionSet set : InstructionSets()) {
    contexts.push_back({Serially, set});
  }
  return contexts;
}

template <class T>
class RecurrenceTest : public testing::Test {};

using Types = testing::Types<float, double, Float16, BFloat16>;
TYPED_TEST_SUITE(RecurrenceTest, Types);

TYPED_TEST(RecurrenceTest, EveryOrderOfSteps) {
  CheckEveryOrder<TypeParam>(Contexts());
}

TYPED_TEST(RecurrenceTest, EveryLayout) {
  CheckEveryLayout<TypeParam>(Contexts());
}

TYPED_TEST(RecurrenceTest, EveryActivation) {
  CheckEveryActivation<TypeParam>(Contexts());
}

TYPED_TEST(RecurrenceTest, EverySize) { CheckEverySize<TypeParam>(Contexts()); }

TYPED_TEST(RecurrenceTest, OneRowForTheWholeBatch) {
  CheckSharedRows<TypeParam>(Contexts());
}

TYPED_TEST(RecurrenceTest, TakesNullPointers) {
  CheckNullPointers<TypeParam>(CpuContext{Serially});
}

TYPED_TEST(RecurrenceTest, SplitsOfTheWorkGiveTheSameBits) {
  for (const CellKind cell : kCells) {
    Config config = MakeConfig(cell, 7, 9, 151);
    config.with_lengths = true;
    for (const InstructionSet set : InstructionSets()) {
      SCOPED_TRACE(config.Name());
      Tensors<TypeParam> serial = MakeTensors<TypeParam>(config, NAN);
      Tensors<TypeParam> backwards = serial, threads = serial;
      Run(CpuContext{Serially, set}, config, serial);
      Run(CpuContext{BackwardsOneByOne, set}, config, backwards);
      Run(CpuContext{InThreads, set}, config, threads);
      ExpectSameBits(backwards, serial);
      ExpectSameBits(threads, serial);
    }
  }
}

template <class T>
void CheckSums(const CpuContext& context, int64_t rows, int64_t columns) {
  std::mt19937 generator(3);
  std::vector<T> matrix(rows * columns);
  for (T& x : matrix) x = Store<T>((generator() % 20001) / 1000.0 - 10);
  std::vector<T> sums(columns, Store<T>(NAN));
  SumRows(context, matrix.data(), rows, columns, sums.data());
  for (int64_t k = 0; k < columns; ++k) {
    Compute<T> total = 0;
    for (int64_t row = 0; row < rows; ++row) {
      total += Load(matrix[row * columns + k]);
    }
    ASSERT_EQ(Load(sums[k]), Load(Store<T>(total))) << rows << " " << columns;
  }
}

TYPED_TEST(RecurrenceTest, SumsRowsInOrder) {
  for (const InstructionSet set : InstructionSets()) {
    for (const int64_t rows : {0, 1, 2, 9, 100}) {
      for (const int64_t columns : {0, 1, 5, 256, 257, 600}) {
        CheckSums<TypeParam>({Serially, set}, rows, columns);
        CheckSums<TypeParam>({BackwardsOneByOne, set}, rows, columns);
      }
    }
  }
}

}  // namespace
}  // namespace contrib_rnn
