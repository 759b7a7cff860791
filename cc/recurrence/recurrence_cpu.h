// The recurrence on the CPU, as templates: recurrence_cpu_*.cc compile it, one
// file a type of number, so that they compile side by side.
//
// A tile is a few rows of the batch by up to kTileUnits units, and one thread
// runs it from the first step to the last. Within a step, units go in blocks
// of a fixed number of lanes which the compiler turns into vectors; a last,
// partial block is padded. Neither the tiles nor the blocks depend on the
// number of threads, so neither do the results.

#ifndef CC_RECURRENCE_RECURRENCE_CPU_H_
#define CC_RECURRENCE_RECURRENCE_CPU_H_

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cc/cells/number.h"
#include "cc/recurrence/entries.h"
#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/visit_cell.h"

#if defined(__x86_64__) && !defined(CONTRIB_RNN_BASELINE_ONLY)
#define CONTRIB_RNN_HAS_AVX
#endif

#if defined(__clang__)
#define CONTRIB_RNN_VECTORISE _Pragma("clang loop vectorize(assume_safety)")
#else
#define CONTRIB_RNN_VECTORISE _Pragma("GCC ivdep")
#endif

namespace contrib_rnn {
namespace {

constexpr int64_t kMostTileRows = 2;
constexpr int64_t kTileUnits = 256;

// The lanes of a block: a vector of 512 bits, or several narrower ones. A step
// takes two (see Narrow); its gradient, with more numbers at hand, one.
template <class T>
constexpr int kForwardLanes = 128 / sizeof(Compute<T>);
template <class T>
constexpr int kGradientLanes = 64 / sizeof(Compute<T>);

// Fewer rows where the batch is small, or there would be too few tiles.
CONTRIB_RNN_INLINE int64_t CountTileRows(const Sequences& s) {
  return std::min(kMostTileRows, std::max<int64_t>(s.batch / 16, 1));
}

// The part of a call that one tile covers.
struct Tile {
  int64_t first_row, last_row, row_group;
  int64_t first_unit, units;
};

// The groups of rows: each leaves its part of the gradients of u and b.
CONTRIB_RNN_INLINE int64_t CountParts(const Sequences& s) {
  return CeilDivide(s.batch, CountTileRows(s));
}

CONTRIB_RNN_INLINE int64_t CountTiles(const Sequences& s) {
  return CountParts(s) * CeilDivide(s.units, kTileUnits);
}

CONTRIB_RNN_INLINE Tile GetTile(const Sequences& s, int64_t index) {
  const int64_t unit_groups = CeilDivide(s.units, kTileUnits);
  Tile tile;
  tile.row_group = index / unit_groups;
  tile.first_row = tile.row_group * CountTileRows(s);
  tile.last_row = std::min(s.batch, tile.first_row + CountTileRows(s));
  tile.first_unit = index % unit_groups * kTileUnits;
  tile.units = std::min(kTileUnits, s.units - tile.first_unit);
  return tile;
}

// The numbers of a gate in all inputs.
CONTRIB_RNN_INLINE int64_t CountInputs(const Sequences& s) {
  return (s.shared_inputs ? 1 : s.batch) * s.time * s.units;
}

// Copies `units` numbers into a tile's array, zeros where there are none.
template <class T>
CONTRIB_RNN_INLINE void LoadTile(const T* from, int64_t units, Compute<T>* to) {
  for (int64_t k = 0; k < units; ++k) {
    to[k] = from == nullptr ? Compute<T>(0) : Load(from[k]);
  }
  for (int64_t k = units; k < kTileUnits; ++k) to[k] = Compute<T>(0);
}

template <class T>
CONTRIB_RNN_INLINE void StoreTile(const Compute<T>* from, int64_t units,
                                  T* to) {
  for (int64_t k = 0; k < units; ++k) to[k] = Store<T>(from[k]);
}

// u and b of a tile.
template <class Cell, class R>
struct Weights {
  R u[Cell::kGates][kTileUnits], b[Cell::kBiases][kTileUnits] = {};

  template <class Tensors>
  CONTRIB_RNN_INLINE void Read(const Layout<Cell>& layout, const Tile& tile,
                               const Sequences& s, const Tensors& tensors) {
    R row[kTileUnits];
    for (int gate = 0; gate < Cell::kGates; ++gate) {
      const int64_t at = layout.gates[gate] + tile.first_unit;
      LoadTile(tensors.recurrent_kernel + at, tile.units, u[gate]);
      LoadTile(tensors.bias + at, tile.units, row);
      for (int64_t k = 0; k < kTileUnits; ++k) b[gate][k] += row[k];
      if (layout.biases == 1) continue;
      LoadTile(tensors.bias + Cell::kGates * s.units + at, tile.units, row);
      R(&recurrent)[kTileUnits] = b[Cell::RecurrentBias(gate)];
      for (int64_t k = 0; k < kTileUnits; ++k) recurrent[k] += row[k];
    }
  }
};

// Asks for a step's numbers, a block of them, before it is that step's turn.
// Steps lie too far apart for the processor to see them coming.
template <int kLanes, class T>
CONTRIB_RNN_INLINE void Prefetch(const T* first) {
  constexpr int kLine = 64 / sizeof(T);
  for (int lane = 0; lane < kLanes; lane += kLine) {
    __builtin_prefetch(first + lane);
  }
}

// A block's lanes of several rows of a tensor, one row a gate or a state: in
// place where the block is full or may be read past its end, else in a padded
// copy.
template <class T, int kRows, int kLanes>
class BlockRows {
 public:
  CONTRIB_RNN_INLINE void Read(const T* first, const int64_t (&rows)[kRows],
                               int64_t lanes, const T* end) {
    for (int row = 0; row < kRows; ++row) {
      ReadRow(row, first + rows[row], lanes, end);
    }
  }
  // `end` is that of the tensor: up to there, what follows the lanes may as
  // well be read.
  CONTRIB_RNN_INLINE void ReadRow(int row, const T* from, int64_t lanes,
                                  const T* end) {
    const bool in_place = lanes >= kLanes || end - from >= kLanes;
    // Never written through: only rows given to Aim are.
    rows_[row] = in_place ? const_cast<T*>(from) : padded_[row];
    if (!in_place) memcpy(padded_[row], from, lanes * sizeof(T));
  }
  CONTRIB_RNN_INLINE void Aim(int row, T* to, int64_t lanes) {
    rows_[row] = lanes < kLanes ? padded_[row] : to;
  }
  CONTRIB_RNN_INLINE void Write(int row, T* to, int64_t lanes) const {
    if (lanes < kLanes) memcpy(to, padded_[row], lanes * sizeof(T));
  }
  CONTRIB_RNN_INLINE T* operator[](int row) const { return rows_[row]; }

 private:
  T* rows_[kRows];
  T padded_[kRows][kLanes] = {};
};

// Numbers half as wide as R. A loop that writes some of them beside its R's is
// compiled to run two vectors of R's at a time, instruction by instruction: one
// fills the time that the other's long chain of instructions waits.
template <class R>
using Narrow =
    std::conditional_t<std::is_same<R, double>::value, uint32_t, uint16_t>;

// One step of one block: the cell's mathematics on each lane.
template <class Cell, class T, int kLanes, class R = Compute<T>>
CONTRIB_RNN_INLINE void StepBlock(
    const Cell& cell, const BlockRows<T, Cell::kGates, kLanes>& inputs,
    const Weights<Cell, R>& weights, R (*states)[kTileUnits], int64_t first,
    const BlockRows<T, Cell::kStates, kLanes>& outputs) {
  constexpr int kGates = Cell::kGates;
  constexpr int kStates = Cell::kStates;
  Narrow<R> beside[kLanes];
  CONTRIB_RNN_VECTORISE
  for (int lane = 0; lane < kLanes; ++lane) {
    beside[lane] = Narrow<R>(lane);
    R x[kGates], u[kGates], b[Cell::kBiases], state[kStates];
    for (int gate = 0; gate < kGates; ++gate) {
      x[gate] = Load(inputs[gate][lane]);
      u[gate] = weights.u[gate][first + lane];
    }
    for (int i = 0; i < Cell::kBiases; ++i) b[i] = weights.b[i][first + lane];
    for (int s = 0; s < kStates; ++s) state[s] = states[s][first + lane];
    cell.Step(x, u, b, state);
    for (int s = 0; s < kStates; ++s) {
      states[s][first + lane] = state[s];
      outputs[s][lane] = Store<T>(state[s]);
    }
  }
  asm volatile("" ::"m"(beside));  // keeps it
}

template <class Cell, class T>
struct ForwardTiles {
  using R = Compute<T>;
  static constexpr int kGates = Cell::kGates;
  static constexpr int kStates = Cell::kStates;
  static constexpr int kLanes = kForwardLanes<T>;

  const Cell cell;
  const Layout<Cell> layout;
  const Sequences& s;
  const ForwardTensors<T>& tensors;

  CONTRIB_RNN_INLINE void operator()(int64_t index) const {
    const Tile tile = GetTile(s, index);
    Weights<Cell, R> weights;
    weights.Read(layout, tile, s, tensors);
    for (int64_t row = tile.first_row; row < tile.last_row; ++row) {
      RunRow(tile, row, weights);
    }
  }

  CONTRIB_RNN_INLINE const T* InputsAt(const Tile& tile, int64_t row,
                                       int64_t time) const {
    return tensors.inputs + InputEntryAt(s, row, time) * kGates * s.units +
           tile.first_unit;
  }

  CONTRIB_RNN_INLINE void RunRow(const Tile& tile, int64_t row,
                                 const Weights<Cell, R>& weights) const {
    R states[kStates][kTileUnits];
    for (int i = 0; i < kStates; ++i) {
      const int64_t state_row = s.shared_initial_state[i] ? 0 : row;
      LoadTile(tensors.initial_state[i] + state_row * s.units + tile.first_unit,
               tile.units, states[i]);
    }
    BlockRows<T, kGates, kLanes> inputs;
    BlockRows<T, kStates, kLanes> outputs;
    const T* inputs_end = tensors.inputs + CountInputs(s) * kGates;
    const int64_t length = LengthOf(s, row);
    for (int64_t step = 0; step < length; ++step) {
      const int64_t time = TimeOf(s, length, step);
      const T* x = InputsAt(tile, row, time);
      const T* next_x = InputsAt(
          tile, row, TimeOf(s, length, std::min(step + 1, length - 1)));
      const int64_t out = EntryAt(s, row, time) * s.units + tile.first_unit;
      for (int64_t first = 0; first < tile.units; first += kLanes) {
        const int64_t lanes = tile.units - first;
        for (int gate = 0; gate < kGates; ++gate) {
          Prefetch<kLanes>(next_x + gate * s.units + first);
        }
        inputs.Read(x + first, layout.gates, lanes, inputs_end);
        for (int i = 0; i < kStates; ++i) {
          outputs.Aim(i, tensors.sequence[i] + out + first, lanes);
        }
        StepBlock<Cell, T, kLanes>(cell, inputs, weights, states, first,
                                   outputs);
        for (int i = 0; i < kStates; ++i) {
          outputs.Write(i, tensors.sequence[i] + out + first, lanes);
        }
      }
    }
    for (int i = 0; i < kStates; ++i) {
      for (int64_t time = length; time < s.time; ++time) {
        memset(tensors.sequence[i] + EntryAt(s, row, time) * s.units +
                   tile.first_unit,
               0, tile.units * sizeof(T));
      }
      if (tensors.final_state[i] == nullptr) continue;
      StoreTile(states[i], tile.units,
                tensors.final_state[i] + row * s.units + tile.first_unit);
    }
  }
};

// What the gradient of a tile keeps in fast memory from step to step.
template <class Cell, class T, class R = Compute<T>>
struct GradientState {
  Weights<Cell, R> weights;
  R u_gradient[Cell::kGates][kTileUnits] = {};
  R b_gradient[Cell::kBiases][kTileUnits] = {};
  R states[Cell::kStates][kTileUnits];  // the gradients of the states
};

// The blocks of tensors that one step of the gradient reads and writes.
template <class Cell, class T>
struct GradientBlocks {
  static constexpr int kLanes = kGradientLanes<T>;
  BlockRows<T, Cell::kGates, kLanes> inputs, inputs_gradient;
  BlockRows<T, Cell::kStates, kLanes> before, incoming;
  BlockRows<T, 1, kLanes> after;
};

template <class Cell, class T, class R = Compute<T>>
CONTRIB_RNN_INLINE void GradientBlock(const Cell& cell, int64_t first,
                                      const GradientBlocks<Cell, T>& blocks,
                                      GradientState<Cell, T>& tile) {
  constexpr int kGates = Cell::kGates;
  constexpr int kStates = Cell::kStates;
  CONTRIB_RNN_VECTORISE
  for (int lane = 0; lane < kGradientLanes<T>; ++lane) {
    R x[kGates], u[kGates], x_gradient[kGates], u_factor[kGates];
    R b[Cell::kBiases], b_gradient[Cell::kBiases];
    R before[kStates], state[kStates];
    for (int gate = 0; gate < kGates; ++gate) {
      x[gate] = Load(blocks.inputs[gate][lane]);
      u[gate] = tile.weights.u[gate][first + lane];
    }
    for (int i = 0; i < Cell::kBiases; ++i) {
      b[i] = tile.weights.b[i][first + lane];
    }
    for (int i = 0; i < kStates; ++i) {
      before[i] = Load(blocks.before[i][lane]);
      state[i] = tile.states[i][first + lane] + Load(blocks.incoming[i][lane]);
    }
    cell.Gradient(x, u, b, before, Load(blocks.after[0][lane]), state,
                  x_gradient, u_factor, b_gradient);
    for (int gate = 0; gate < kGates; ++gate) {
      blocks.inputs_gradient[gate][lane] = Store<T>(x_gradient[gate]);
      tile.u_gradient[gate][first + lane] += x_gradient[gate] * u_factor[gate];
    }
    for (int i = 0; i < Cell::kBiases; ++i) {
      tile.b_gradient[i][first + lane] += b_gradient[i];
    }
    for (int i = 0; i < kStates; ++i) tile.states[i][first + lane] = state[i];
  }
}

template <class Cell, class T>
struct GradientTiles {
  using R = Compute<T>;
  static constexpr int kGates = Cell::kGates;
  static constexpr int kStates = Cell::kStates;
  static constexpr int kLanes = kGradientLanes<T>;

  const Cell cell;
  const Layout<Cell> layout;
  const Sequences& s;
  const GradientTensors<T>& tensors;

  CONTRIB_RNN_INLINE void operator()(int64_t index) const {
    const Tile tile = GetTile(s, index);
    GradientState<Cell, T> state;
    state.weights.Read(layout, tile, s, tensors);
    for (int64_t row = tile.first_row; row < tile.last_row; ++row) {
      RunRow(tile, row, state);
    }
    const int64_t sums = CountParts(s) * kGates * s.units;
    for (int gate = 0; gate < kGates; ++gate) {
      R* const part = tensors.scratch + tile.row_group * kGates * s.units +
                      layout.gates[gate] + tile.first_unit;
      StoreTile(state.u_gradient[gate], tile.units, part);
      StoreTile(state.b_gradient[gate], tile.units, part + sums);
      if (layout.biases == 1) continue;
      StoreTile(state.b_gradient[Cell::RecurrentBias(gate)], tile.units,
                part + 2 * sums);
    }
  }

  CONTRIB_RNN_INLINE void RunRow(const Tile& tile, int64_t row,
                                 GradientState<Cell, T>& state) const {
    const int64_t row_offset = row * s.units + tile.first_unit;
    for (int i = 0; i < kStates; ++i) {
      const T* incoming = tensors.final_state_gradient[i];
      LoadTile(incoming == nullptr ? incoming : incoming + row_offset,
               tile.units, state.states[i]);
    }
    const int64_t length = LengthOf(s, row);
    RunSteps(tile, row, length, state);
    for (int64_t time = length; time < s.time; ++time) {
      for (int gate = 0; gate < kGates; ++gate) {
        memset(tensors.inputs_gradient +
                   (EntryAt(s, row, time) * kGates + gate) * s.units +
                   tile.first_unit,
               0, tile.units * sizeof(T));
      }
    }
    for (int i = 0; i < kStates; ++i) {
      StoreTile(state.states[i], tile.units,
                tensors.initial_state_gradient[i] + row_offset);
    }
  }

  // Where a step of the gradient reads; null: zeros.
  struct StepInputs {
    const T* inputs;
    const T* before[kStates];
    const T* incoming[kStates];
  };

  CONTRIB_RNN_INLINE StepInputs InputsOf(const Tile& tile, int64_t row,
                                         int64_t length, int64_t step) const {
    const int64_t time = TimeOf(s, length, step);
    const int64_t entry = EntryAt(s, row, time) * s.units + tile.first_unit;
    StepInputs from;
    from.inputs = tensors.inputs +
                  InputEntryAt(s, row, time) * kGates * s.units +
                  tile.first_unit;
    for (int i = 0; i < kStates; ++i) {
      const T* incoming = tensors.sequence_gradient[i];
      from.incoming[i] = incoming == nullptr ? nullptr : incoming + entry;
      from.before[i] = StateBefore(tile, row, length, step, i);
    }
    return from;
  }

  CONTRIB_RNN_INLINE void PrefetchStep(const StepInputs& from,
                                       int64_t first) const {
    for (int gate = 0; gate < kGates; ++gate) {
      Prefetch<kLanes>(from.inputs + layout.gates[gate] + first);
    }
    for (int i = 0; i < kStates; ++i) {
      Prefetch<kLanes>(from.before[i] + first);
      if (from.incoming[i] != nullptr) {
        Prefetch<kLanes>(from.incoming[i] + first);
      }
    }
  }

  CONTRIB_RNN_INLINE void RunSteps(const Tile& tile, int64_t row,
                                   int64_t length,
                                   GradientState<Cell, T>& state) const {
    GradientBlocks<Cell, T> blocks;
    if (length == 0) return;
    StepInputs next = InputsOf(tile, row, length, length - 1);
    for (int64_t step = length - 1; step >= 0; --step) {
      const StepInputs from = next;
      if (step > 0) next = InputsOf(tile, row, length, step - 1);
      const int64_t entry = EntryAt(s, row, TimeOf(s, length, step));
      const T* after =
          tensors.sequence[kStates - 1] + entry * s.units + tile.first_unit;
      T* x_gradient =
          tensors.inputs_gradient + entry * kGates * s.units + tile.first_unit;
      for (int64_t first = 0; first < tile.units; first += kLanes) {
        const int64_t lanes = tile.units - first;
        PrefetchStep(next, first);
        ReadBlocks(from, after, step == 0, first, lanes, blocks);
        for (int gate = 0; gate < kGates; ++gate) {
          blocks.inputs_gradient.Aim(
              gate, x_gradient + layout.gates[gate] + first, lanes);
        }
        GradientBlock<Cell, T>(cell, first, blocks, state);
        for (int gate = 0; gate < kGates; ++gate) {
          blocks.inputs_gradient.Write(
              gate, x_gradient + layout.gates[gate] + first, lanes);
        }
      }
    }
  }

  CONTRIB_RNN_INLINE void ReadBlocks(const StepInputs& from, const T* after,
                                     bool is_first_step, int64_t first,
                                     int64_t lanes,
                                     GradientBlocks<Cell, T>& blocks) const {
    static const T zeros[kLanes] = {};
    const int64_t count = s.batch * s.time * s.units;
    blocks.inputs.Read(from.inputs + first, layout.gates, lanes,
                       tensors.inputs + CountInputs(s) * kGates);
    blocks.after.ReadRow(0, after + first, lanes,
                         tensors.sequence[kStates - 1] + count);
    for (int i = 0; i < kStates; ++i) {
      const bool has_incoming = from.incoming[i] != nullptr;
      blocks.incoming.ReadRow(
          i, has_incoming ? from.incoming[i] + first : zeros, lanes,
          has_incoming ? tensors.sequence_gradient[i] + count : zeros + kLanes);
      const T* before = from.before[i] + first;
      blocks.before.ReadRow(
          i, before, lanes,
          is_first_step ? before : tensors.sequence[i] + count);
    }
  }

  // The state number i before a step: the initial one, or what the step
  // before left in the sequence.
  CONTRIB_RNN_INLINE const T* StateBefore(const Tile& tile, int64_t row,
                                          int64_t length, int64_t step,
                                          int i) const {
    if (step == 0) {
      const int64_t state_row = s.shared_initial_state[i] ? 0 : row;
      return tensors.initial_state[i] + state_row * s.units + tile.first_unit;
    }
    return tensors.sequence[i] +
           EntryAt(s, row, TimeOf(s, length, step - 1)) * s.units +
           tile.first_unit;
  }
};

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
                              sequences, tensors});
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
                               sequences, tensors});
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
