// The interface of recurrence.h on the CPU, as templates: recurrence_cpu_*.cc
// compile it, one file a type of number, so that they compile side by side.

#ifndef CC_RECURRENCE_RECURRENCE_CPU_H_
#define CC_RECURRENCE_RECURRENCE_CPU_H_

#include <algorithm>
#include <type_traits>

#include "cc/recurrence/forward_cpu.h"
#include "cc/recurrence/gradient_cpu.h"
#include "cc/recurrence/tiles_cpu.h"
#include "cc/recurrence/visit_cell.h"

namespace contrib_rnn {
namespace {

// SumRows, a block of columns at a time.
template <class From, class To>
struct ColumnTiles {
  const From* matrix;
  int64_t rows, columns;
  To* sums;

  CONTRIB_RNN_INLINE void operator()(int64_t index) const {
    const int64_t first = index * kTileUnits;
    const int64_t count = std::min(kTileUnits, columns - first);
    Compute<From> total[kTileUnits] = {};
    for (int64_t row = 0; row < rows; ++row) {
      const From* from = matrix + row * columns + first;
      for (int64_t k = 0; k < count; ++k) total[k] += Load(from[k]);
    }
    StoreTile(total, count, sums + first);
  }
};

// Runs tiles [first, last) as code for one instruction set: everything that
// they call is inlined here.
template <class Tiles>
void RunBaseline(const Tiles& tiles, int64_t first, int64_t last) {
  for (int64_t index = first; index < last; ++index) tiles(index);
}

#if defined(CONTRIB_RNN_HAS_AVX)
template <class Tiles>
__attribute__((target("avx2,fma"))) void RunAvx2(const Tiles& tiles,
                                                 int64_t first, int64_t last) {
  for (int64_t index = first; index < last; ++index) tiles(index);
}

template <class Tiles>
__attribute__((
    target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,"
           "prefer-vector-width=512"))) void
RunAvx512(const Tiles& tiles, int64_t first, int64_t last) {
  for (int64_t index = first; index < last; ++index) tiles(index);
}
#endif

template <class Tiles>
void RunTiles(const CpuContext& context, int64_t count, int64_t cost,
              const Tiles& tiles) {
  auto run = RunBaseline<Tiles>;
#if defined(CONTRIB_RNN_HAS_AVX)
  if (context.instruction_set == InstructionSet::kAvx2) run = RunAvx2<Tiles>;
  if (context.instruction_set == InstructionSet::kAvx512) {
    run = RunAvx512<Tiles>;
  }
#endif
  context.parallel_for(count, cost, [&](int64_t first, int64_t last) {
    run(tiles, first, last);
  });
}

// About what a tile costs, in cycles: an exponential a gate, in vectors.
int64_t CostOfTile(const CellOptions& options, const Sequences& s) {
  return 2 * CountGates(options.cell) * (s.time + 1) * CountTileRows(s) *
         std::min(s.units, kTileUnits);
}

}  // namespace

template <class T>
Error Forward(const CpuContext& context, const CellOptions& options,
              const Sequences& sequences, const ForwardTensors<T>& tensors) {
  if (CountTiles(sequences) == 0) return Error();
  VisitCell(options, [&](const auto& cell) {
    using Cell = std::decay_t<decltype(cell)>;
    RunTiles(
        context, CountTiles(sequences), CostOfTile(options, sequences),
        ForwardTiles<Cell, T>{cell, MakeLayout<Cell>(options, sequences.units),
                              sequences, tensors, context.instruction_set});
  });
  return Error();
}

template <class From, class To>
Error SumRows(const CpuContext& context, const From* matrix, int64_t rows,
              int64_t columns, To* sums) {
  if (columns == 0) return Error();
  RunTiles(context, CeilDivide(columns, kTileUnits), rows * kTileUnits,
           ColumnTiles<From, To>{matrix, rows, columns, sums});
  return Error();
}

template <class T>
Error Gradient(const CpuContext& context, const CellOptions& options,
               const Sequences& sequences, const GradientTensors<T>& tensors) {
  VisitCell(options, [&](const auto& cell) {
    if (CountTiles(sequences) == 0) return;
    using Cell = std::decay_t<decltype(cell)>;
    RunTiles(
        context, CountTiles(sequences), CostOfTile(options, sequences),
        GradientTiles<Cell, T>{cell, MakeLayout<Cell>(options, sequences.units),
                               sequences, tensors, context.instruction_set});
  });
  const int64_t parts = CountParts(sequences);
  const int64_t columns = CountGates(options.cell) * sequences.units;
  SumRows(context, tensors.scratch, parts, columns,
          tensors.recurrent_kernel_gradient);
  for (int bias = 0; bias < CountBiases(options); ++bias) {
    SumRows(context, tensors.scratch + (bias + 1) * parts * columns, parts,
            columns, tensors.bias_gradient + bias * columns);
  }
  return Error();
}

// Compiles the interface of recurrence.h for tensors of T.
#define CONTRIB_RNN_INSTANTIATE(T)                                      \
  template Error Forward(const CpuContext&, const CellOptions&,         \
                         const Sequences&, const ForwardTensors<T>&);   \
  template Error Gradient(const CpuContext&, const CellOptions&,        \
                          const Sequences&, const GradientTensors<T>&); \
  template Error SumRows(const CpuContext&, const T*, int64_t, int64_t, T*)

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_RECURRENCE_CPU_H_
