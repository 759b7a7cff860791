// Where the entries of sequences lie: an entry is what a tensor holds for one
// member of the batch at one time. For host and device.

#ifndef CC_RECURRENCE_ENTRIES_H_
#define CC_RECURRENCE_ENTRIES_H_

#include <cstdint>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence.h"

namespace contrib_rnn {

CONTRIB_RNN_INLINE int64_t CeilDivide(int64_t a, int64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

CONTRIB_RNN_INLINE int64_t LengthOf(const Sequences& s, int64_t row) {
  if (s.sequence_length == nullptr) return s.time;
  const int64_t length = s.sequence_length[row];
  return length < 0 ? 0 : length < s.time ? length : s.time;
}

// Where the entry of a row at a time lies, counted in entries.
CONTRIB_RNN_INLINE int64_t EntryAt(const Sequences& s, int64_t row,
                                   int64_t time) {
  return s.time_major ? time * s.batch + row : row * s.time + time;
}

CONTRIB_RNN_INLINE int64_t InputEntryAt(const Sequences& s, int64_t row,
                                        int64_t time) {
  return s.shared_inputs ? time : EntryAt(s, row, time);
}

// The time of a sequence's step number `step`.
CONTRIB_RNN_INLINE int64_t TimeOf(const Sequences& s, int64_t length,
                                  int64_t step) {
  return s.reverse ? length - 1 - step : step;
}

// Where the gates of a cell lie along the last axis of inputs, recurrent kernel
// and biases; and how many biases there are.
template <class Cell>
struct Layout {
  int64_t gates[Cell::kGates];
  int biases;
};

CONTRIB_RNN_INLINE int CountBiases(const CellOptions& options) {
  return options.has_recurrent_bias ? 2 : 1;
}

template <class Cell>
CONTRIB_RNN_INLINE Layout<Cell> MakeLayout(const CellOptions& options,
                                           int64_t units) {
  Layout<Cell> layout;
  layout.biases = CountBiases(options);
  for (int gate = 0; gate < Cell::kGates; ++gate) {
    layout.gates[gate] = gate * units;
  }
  if constexpr (Cell::kSwappedInKeras >= 0) {
    if (options.gate_order == GateOrder::kKeras) {
      constexpr int kFirst = Cell::kSwappedInKeras;
      layout.gates[kFirst] = (kFirst + 1) * units;
      layout.gates[kFirst + 1] = kFirst * units;
    }
  }
  return layout;
}

// How far a sequence's next step lies, counted in entries.
CONTRIB_RNN_INLINE int64_t StepStride(const Sequences& s) {
  return (s.time_major ? s.batch : 1) * (s.reverse ? -1 : 1);
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_ENTRIES_H_
