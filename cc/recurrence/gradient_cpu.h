// The steps of a tile on the CPU, backward: their gradients.

#ifndef CC_RECURRENCE_GRADIENT_CPU_H_
#define CC_RECURRENCE_GRADIENT_CPU_H_

#include "cc/recurrence/tiles_cpu.h"

namespace contrib_rnn {
namespace {

// The lanes of a block: a vector of 512 bits, or several narrower ones. With
// more numbers at hand than a step has, two would not fit into the registers.
template <class R>
constexpr int kGradientLanes = 64 / sizeof(R);

// The units that the gradient takes at once: few, so that what it keeps for
// them stays in the first-level cache.
constexpr int64_t kGradientUnits = 64;

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

}  // namespace
}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_GRADIENT_CPU_H_
