// What a step of the recurrence and its gradient on the CPU have in common: the
// tiles that a call is cut into, their weights, and the rows of numbers that a
// step reads and writes.
//
// A tile is a few rows of the batch by up to kTileUnits units, and one thread
// runs it from the first step to the last. A step's numbers are read where they
// lie, or copied into a buffer where tensors hold another type than the cell
// computes in. Units go in blocks of a fixed number of lanes which the compiler
// turns into vectors; a last, partial block is padded. Neither the tiles nor
// the blocks depend on the number of threads, so neither do the results.

#ifndef CC_RECURRENCE_TILES_CPU_H_
#define CC_RECURRENCE_TILES_CPU_H_

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cc/cells/number.h"
#include "cc/recurrence/convert_cpu.h"
#include "cc/recurrence/entries.h"
#include "cc/recurrence/recurrence.h"

#if defined(__clang__)
#define CONTRIB_RNN_VECTORISE _Pragma("clang loop vectorize(assume_safety)")
#else
#define CONTRIB_RNN_VECTORISE _Pragma("GCC ivdep")
#endif

namespace contrib_rnn {
namespace {

constexpr int64_t kMostTileRows = 2;
constexpr int64_t kTileUnits = 256;

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

}  // namespace
}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_TILES_CPU_H_
