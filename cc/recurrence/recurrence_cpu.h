// The recurrence on the CPU, as templates: recurrence_cpu_*.cc compile it, one
// file a type of number, so that they compile side by side.
//
// A tile is a few rows of the batch by up to kTileUnits units, and one thread
// runs it from the first step to the last. Within a step, units go in groups.
// Their numbers are read where they lie, or copied into a buffer where tensors
// hold another type than the cell computes in. A group goes in blocks of a
// fixed number of lanes which the compiler turns into vectors; a last, partial
// block is padded. None of these depend on the number of threads, so neither do
// the results.

#ifndef CC_RECURRENCE_RECURRENCE_CPU_H_
#define CC_RECURRENCE_RECURRENCE_CPU_H_

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cc/cells/number.h"
#include "cc/recurrence/convert_cpu.h"
#include "cc/recurrence/entries.h"
#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/visit_cell.h"

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
template <class R>
constexpr int kForwardLanes = 128 / sizeof(R);
template <class R>
constexpr int kGradientLanes = 64 / sizeof(R);

// The units that the gradient takes at once, a group: few, so that what it
// keeps for them stays in the first-level cache. A step takes all of a tile.
constexpr int64_t kGradientUnits = 64;

// Units, padded to whole blocks.
template <int kLanes>
CONTRIB_RNN_INLINE int64_t PadUnits(int64_t units) {
  return CeilDivide(units, kLanes) * kLanes;
}

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

// The rows of the next step, to be asked for before it is that step's turn,
// also those that it writes. Steps lie too far apart for the processor to see
// them coming.
template <class T, int kRows>
struct NextRows {
  const T* rows[kRows];
  int count = 0;

  CONTRIB_RNN_INLINE void Add(const T* row) { rows[count++] = row; }

  // Those of a block, not of more at once: a processor waits for few at a time.
  template <int kLanes>
  CONTRIB_RNN_INLINE void Prefetch(int64_t first) const {
    constexpr int kLine = 64 / sizeof(T);
    for (int row = 0; row < count; ++row) {
      for (int lane = 0; lane < kLanes; lane += kLine) {
        __builtin_prefetch(rows[row] + first + lane);
      }
    }
  }
};

// Some units' numbers in several tensors or gates, a row each, in the type that
// the cell computes in: where they lie, or in a buffer.
template <class T, int kRows, int64_t kUnits, int kLanes>
class UnitRows {
 public:
  using R = Compute<T>;
  static_assert(kUnits % kLanes == 0, "room for whole blocks");

  explicit CONTRIB_RNN_INLINE UnitRows(InstructionSet instruction_set)
      : instruction_set_(instruction_set) {}

  // `end` is that of the tensor: up to there, what follows the units may as
  // well be read.
  CONTRIB_RNN_INLINE void Read(int row, const T* from, int64_t units,
                               const T* end) {
    if constexpr (std::is_same<T, R>::value) {
      // Never written through: only rows given to Aim are.
      rows_[row] = const_cast<T*>(from);
      if (end - from >= PadUnits<kLanes>(units)) return;
    }
    LoadRow(instruction_set_, from, units, buffer_[row]);
    rows_[row] = buffer_[row];
  }
  CONTRIB_RNN_INLINE void ReadZeros(int row) {
    static const R zeros[kUnits] = {};
    rows_[row] = const_cast<R*>(zeros);
  }
  CONTRIB_RNN_INLINE void Aim(int row, T* to, int64_t units) {
    rows_[row] = buffer_[row];
    if constexpr (std::is_same<T, R>::value) {
      if (units % kLanes == 0) rows_[row] = to;
    }
  }
  CONTRIB_RNN_INLINE void Write(int row, T* to, int64_t units) const {
    if constexpr (std::is_same<T, R>::value) {
      if (units % kLanes == 0) return;
    }
    StoreRow(instruction_set_, buffer_[row], units, to);
  }
  CONTRIB_RNN_INLINE R* operator[](int row) const { return rows_[row]; }

 private:
  InstructionSet instruction_set_;
  R* rows_[kRows];
  R buffer_[kRows][kUnits] = {};
};

// Numbers half as wide as R. A loop that writes some of them beside its R's is
// compiled to run two vectors of R's at a time, instruction by instruction: one
// fills the time that the other's long chain of instructions waits.
template <class R>
using Narrow =
    std::conditional_t<std::is_same<R, double>::value, uint32_t, uint16_t>;

template <class Cell, class T>
struct ForwardTiles {
  using R = Compute<T>;
  static constexpr int kGates = Cell::kGates;
  static constexpr int kStates = Cell::kStates;
  static constexpr int kLanes = kForwardLanes<R>;

  const Cell cell;
  const Layout<Cell> layout;
  const Sequences& s;
  const ForwardTensors<T>& tensors;
  const InstructionSet instruction_set;

  using States = R[kStates][kTileUnits];
  using Inputs = UnitRows<T, kGates, kTileUnits, kLanes>;
  using Outputs = UnitRows<T, kStates, kTileUnits, kLanes>;
  using Next = NextRows<T, kGates>;

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

  CONTRIB_RNN_INLINE T* OutputsAt(const Tile& tile, int64_t row, int64_t time,
                                  int state) const {
    return tensors.sequence[state] + EntryAt(s, row, time) * s.units +
           tile.first_unit;
  }

  CONTRIB_RNN_INLINE void RunRow(const Tile& tile, int64_t row,
                                 const Weights<Cell, R>& weights) const {
    States states;
    for (int i = 0; i < kStates; ++i) {
      const int64_t state_row = s.shared_initial_state[i] ? 0 : row;
      LoadTile(tensors.initial_state[i] + state_row * s.units + tile.first_unit,
               tile.units, states[i]);
    }
    RunSteps(tile, row, weights, states);
    const int64_t length = LengthOf(s, row);
    for (int i = 0; i < kStates; ++i) {
      for (int64_t time = length; time < s.time; ++time) {
        memset(OutputsAt(tile, row, time, i), 0, tile.units * sizeof(T));
      }
      if (tensors.final_state[i] == nullptr) continue;
      StoreTile(states[i], tile.units,
                tensors.final_state[i] + row * s.units + tile.first_unit);
    }
  }

  CONTRIB_RNN_INLINE void RunSteps(const Tile& tile, int64_t row,
                                   const Weights<Cell, R>& weights,
                                   States& states) const {
    Inputs inputs(instruction_set);
    Outputs outputs(instruction_set);
    const T* inputs_end = tensors.inputs + CountInputs(s) * kGates;
    const int64_t length = LengthOf(s, row);
    for (int64_t step = 0; step < length; ++step) {
      const int64_t time = TimeOf(s, length, step);
      const T* x = InputsAt(tile, row, time);
      const Next next = InputRowsAt(
          tile, row, TimeOf(s, length, std::min(step + 1, length - 1)));
      for (int gate = 0; gate < kGates; ++gate) {
        inputs.Read(gate, x + layout.gates[gate], tile.units, inputs_end);
      }
      for (int i = 0; i < kStates; ++i) {
        outputs.Aim(i, OutputsAt(tile, row, time, i), tile.units);
      }
      StepUnits(PadUnits<kLanes>(tile.units), inputs, weights, next, states,
                outputs);
      for (int i = 0; i < kStates; ++i) {
        outputs.Write(i, OutputsAt(tile, row, time, i), tile.units);
      }
    }
  }

  CONTRIB_RNN_INLINE Next InputRowsAt(const Tile& tile, int64_t row,
                                      int64_t time) const {
    Next next;
    for (int gate = 0; gate < kGates; ++gate) {
      next.Add(InputsAt(tile, row, time) + gate * s.units);
    }
    return next;
  }

  // The cell's mathematics on each unit of a tile.
  CONTRIB_RNN_INLINE void StepUnits(int64_t units, const Inputs& inputs,
                                    const Weights<Cell, R>& weights,
                                    const Next& next, States& states,
                                    const Outputs& outputs) const {
    for (int64_t block = 0; block < units; block += kLanes) {
      next.template Prefetch<kLanes>(block);
      Narrow<R> beside[kLanes];
      CONTRIB_RNN_VECTORISE
      for (int lane = 0; lane < kLanes; ++lane) {
        beside[lane] = Narrow<R>(lane);
        const int64_t k = block + lane;
        R x[kGates], u[kGates], b[Cell::kBiases], state[kStates];
        for (int gate = 0; gate < kGates; ++gate) {
          x[gate] = inputs[gate][k];
          u[gate] = weights.u[gate][k];
        }
        for (int i = 0; i < Cell::kBiases; ++i) b[i] = weights.b[i][k];
        for (int i = 0; i < kStates; ++i) state[i] = states[i][k];
        cell.Step(x, u, b, state);
        for (int i = 0; i < kStates; ++i) states[i][k] = state[i];
        for (int i = 0; i < kStates; ++i) outputs[i][k] = state[i];
      }
      asm volatile("" ::"m"(beside));  // keeps it
    }
  }
};

template <class Cell, class T>
struct GradientTiles {
  using R = Compute<T>;
  static constexpr int kGates = Cell::kGates;
  static constexpr int kStates = Cell::kStates;
  static constexpr int kLanes = kGradientLanes<R>;

  const Cell cell;
  const Layout<Cell> layout;
  const Sequences& s;
  const GradientTensors<T>& tensors;
  const InstructionSet instruction_set;

  // What the gradient of a tile keeps in fast memory from step to step.
  struct Carried {
    Weights<Cell, R> weights;
    R u_gradient[kGates][kTileUnits] = {};
    R b_gradient[Cell::kBiases][kTileUnits] = {};
    R states[kStates][kTileUnits];  // the gradients of the states
  };

  // The rows of tensors that one step reads and writes.
  struct Rows {
    explicit CONTRIB_RNN_INLINE Rows(InstructionSet instruction_set)
        : inputs(instruction_set),
          inputs_gradient(instruction_set),
          before(instruction_set),
          incoming(instruction_set),
          after(instruction_set) {}
    UnitRows<T, kGates, kGradientUnits, kLanes> inputs, inputs_gradient;
    UnitRows<T, kStates, kGradientUnits, kLanes> before, incoming;
    UnitRows<T, 1, kGradientUnits, kLanes> after;
  };

  // Where a step lies in the tensors.
  struct Place {
    const T* inputs;
    const T* before[kStates];
    const T* incoming[kStates];  // null: zeros
    const T* after;
    T* inputs_gradient;
  };

  using Next = NextRows<T, 2 * kGates + 2 * kStates>;

  CONTRIB_RNN_INLINE void operator()(int64_t index) const {
    const Tile tile = GetTile(s, index);
    Carried carried;
    carried.weights.Read(layout, tile, s, tensors);
    for (int64_t row = tile.first_row; row < tile.last_row; ++row) {
      RunRow(tile, row, carried);
    }
    const int64_t sums = CountParts(s) * kGates * s.units;
    for (int gate = 0; gate < kGates; ++gate) {
      R* const part = tensors.scratch + tile.row_group * kGates * s.units +
                      layout.gates[gate] + tile.first_unit;
      StoreTile(carried.u_gradient[gate], tile.units, part);
      StoreTile(carried.b_gradient[gate], tile.units, part + sums);
      if (layout.biases == 1) continue;
      StoreTile(carried.b_gradient[Cell::RecurrentBias(gate)], tile.units,
                part + 2 * sums);
    }
  }

  CONTRIB_RNN_INLINE void RunRow(const Tile& tile, int64_t row,
                                 Carried& carried) const {
    const int64_t row_offset = row * s.units + tile.first_unit;
    for (int i = 0; i < kStates; ++i) {
      const T* incoming = tensors.final_state_gradient[i];
      LoadTile(incoming == nullptr ? incoming : incoming + row_offset,
               tile.units, carried.states[i]);
    }
    const int64_t length = LengthOf(s, row);
    if (length > 0) RunSteps(tile, row, length, carried);
    for (int64_t time = length; time < s.time; ++time) {
      for (int gate = 0; gate < kGates; ++gate) {
        memset(tensors.inputs_gradient +
                   (EntryAt(s, row, time) * kGates + gate) * s.units +
                   tile.first_unit,
               0, tile.units * sizeof(T));
      }
    }
    for (int i = 0; i < kStates; ++i) {
      StoreTile(carried.states[i], tile.units,
                tensors.initial_state_gradient[i] + row_offset);
    }
  }

  CONTRIB_RNN_INLINE Place PlaceOf(const Tile& tile, int64_t row,
                                   int64_t length, int64_t step) const {
    const int64_t time = TimeOf(s, length, step);
    const int64_t entry = EntryAt(s, row, time);
    const int64_t offset = entry * s.units + tile.first_unit;
    Place place;
    place.inputs = tensors.inputs +
                   InputEntryAt(s, row, time) * kGates * s.units +
                   tile.first_unit;
    for (int i = 0; i < kStates; ++i) {
      const T* incoming = tensors.sequence_gradient[i];
      place.incoming[i] = incoming == nullptr ? nullptr : incoming + offset;
      place.before[i] = StateBefore(tile, row, length, step, i);
    }
    place.after = tensors.sequence[kStates - 1] + offset;
    place.inputs_gradient =
        tensors.inputs_gradient + entry * kGates * s.units + tile.first_unit;
    return place;
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

  CONTRIB_RNN_INLINE Next RowsAt(const Place& place) const {
    Next next;
    for (int gate = 0; gate < kGates; ++gate) {
      if constexpr (Cell::kGradientReadsInputs) {
        next.Add(place.inputs + gate * s.units);
      }
      next.Add(place.inputs_gradient + gate * s.units);
    }
    for (int i = 0; i < kStates; ++i) {
      next.Add(place.before[i]);
      if (place.incoming[i] != nullptr) next.Add(place.incoming[i]);
    }
    return next;
  }

  CONTRIB_RNN_INLINE void RunSteps(const Tile& tile, int64_t row,
                                   int64_t length, Carried& carried) const {
    Rows rows(instruction_set);
    Place next = PlaceOf(tile, row, length, length - 1);
    for (int64_t step = length - 1; step >= 0; --step) {
      const Place place = next;
      if (step > 0) next = PlaceOf(tile, row, length, step - 1);
      const Next next_rows = RowsAt(next);
      for (int64_t first = 0; first < tile.units; first += kGradientUnits) {
        const int64_t units = std::min(kGradientUnits, tile.units - first);
        T* x_gradient = place.inputs_gradient + first;
        ReadRows(place, step == 0, first, units, rows);
        for (int gate = 0; gate < kGates; ++gate) {
          rows.inputs_gradient.Aim(gate, x_gradient + layout.gates[gate],
                                   units);
        }
        GradientUnits(first, PadUnits<kLanes>(units), next_rows, rows, carried);
        for (int gate = 0; gate < kGates; ++gate) {
          rows.inputs_gradient.Write(gate, x_gradient + layout.gates[gate],
                                     units);
        }
      }
    }
  }

  CONTRIB_RNN_INLINE void ReadRows(const Place& place, bool is_first_step,
                                   int64_t first, int64_t units,
                                   Rows& rows) const {
    const int64_t count = s.batch * s.time * s.units;
    if constexpr (Cell::kGradientReadsInputs) {
      for (int gate = 0; gate < kGates; ++gate) {
        rows.inputs.Read(gate, place.inputs + layout.gates[gate] + first, units,
                         tensors.inputs + CountInputs(s) * kGates);
      }
    }
    if constexpr (Cell::kGradientReadsAfter) {
      rows.after.Read(0, place.after + first, units,
                      tensors.sequence[kStates - 1] + count);
    }
    for (int i = 0; i < kStates; ++i) {
      const T* before = place.before[i] + first;
      rows.before.Read(i, before, units,
                       is_first_step ? before : tensors.sequence[i] + count);
      if (place.incoming[i] == nullptr) {
        rows.incoming.ReadZeros(i);
      } else {
        rows.incoming.Read(i, place.incoming[i] + first, units,
                           tensors.sequence_gradient[i] + count);
      }
    }
  }

  // In two loops: a processor that looks ahead finds more to do in each of them
  // than in one, whose instructions wait for each other.
  CONTRIB_RNN_INLINE void GradientUnits(int64_t first, int64_t units,
                                        const Next& next, const Rows& rows,
                                        Carried& carried) const {
    R recomputed[Cell::kRecomputed][kGradientUnits];
    for (int64_t block = 0; block < units; block += kLanes) {
      next.template Prefetch<kLanes>(first + block);
      RecomputeBlock(first, block, rows, carried.weights, recomputed);
    }
    for (int64_t block = 0; block < units; block += kLanes) {
      GradientBlock(first, block, rows, recomputed, carried);
    }
  }

  CONTRIB_RNN_INLINE void RecomputeBlock(
      int64_t first, int64_t block, const Rows& rows,
      const Weights<Cell, R>& weights,
      R (&recomputed)[Cell::kRecomputed][kGradientUnits]) const {
    CONTRIB_RNN_VECTORISE
    for (int lane = 0; lane < kLanes; ++lane) {
      const int64_t k = block + lane;
      R x[kGates], u[kGates], b[Cell::kBiases], before[kStates];
      R after = R(0), values[Cell::kRecomputed];
      for (int gate = 0; gate < kGates; ++gate) {
        x[gate] = R(0);
        if constexpr (Cell::kGradientReadsInputs)
          x[gate] = rows.inputs[gate][k];
        u[gate] = weights.u[gate][first + k];
      }
      for (int i = 0; i < Cell::kBiases; ++i) b[i] = weights.b[i][first + k];
      for (int i = 0; i < kStates; ++i) before[i] = rows.before[i][k];
      if constexpr (Cell::kGradientReadsAfter) after = rows.after[0][k];
      cell.Recompute(x, u, b, before, after, values);
      for (int i = 0; i < Cell::kRecomputed; ++i) recomputed[i][k] = values[i];
    }
  }

  CONTRIB_RNN_INLINE void GradientBlock(
      int64_t first, int64_t block, const Rows& rows,
      const R (&recomputed)[Cell::kRecomputed][kGradientUnits],
      Carried& carried) const {
    CONTRIB_RNN_VECTORISE
    for (int lane = 0; lane < kLanes; ++lane) {
      const int64_t k = block + lane;
      R values[Cell::kRecomputed], u[kGates], b[Cell::kBiases];
      R before[kStates], state[kStates];
      R x_gradient[kGates], u_factor[kGates], b_gradient[Cell::kBiases];
      for (int i = 0; i < Cell::kRecomputed; ++i) values[i] = recomputed[i][k];
      for (int gate = 0; gate < kGates; ++gate) {
        u[gate] = carried.weights.u[gate][first + k];
      }
      for (int i = 0; i < Cell::kBiases; ++i) {
        b[i] = carried.weights.b[i][first + k];
      }
      for (int i = 0; i < kStates; ++i) {
        before[i] = rows.before[i][k];
        state[i] = carried.states[i][first + k] + rows.incoming[i][k];
      }
      cell.Gradient(values, u, b, before, state, x_gradient, u_factor,
                    b_gradient);
      for (int gate = 0; gate < kGates; ++gate) {
        rows.inputs_gradient[gate][k] = x_gradient[gate];
        carried.u_gradient[gate][first + k] +=
            x_gradient[gate] * u_factor[gate];
      }
      for (int i = 0; i < Cell::kBiases; ++i) {
        carried.b_gradient[i][first + k] += b_gradient[i];
      }
      for (int i = 0; i < kStates; ++i) carried.states[i][first + k] = state[i];
    }
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
