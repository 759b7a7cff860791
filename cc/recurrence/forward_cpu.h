// The steps of a tile on the CPU, forward.

#ifndef CC_RECURRENCE_FORWARD_CPU_H_
#define CC_RECURRENCE_FORWARD_CPU_H_

#include "cc/recurrence/tiles_cpu.h"

namespace contrib_rnn {
namespace {

// The lanes of a block: two vectors of 512 bits (see Narrow), or several
// narrower ones.
template <class R>
constexpr int kForwardLanes = 128 / sizeof(R);

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

}  // namespace
}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_FORWARD_CPU_H_
