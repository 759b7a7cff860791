// The recurrence on a GPU: what each of its threads does, and how many there
// are. recurrence_gpu.cu.cc compiles this for the device; the code is as well
// C++ for the host, where recurrence_gpu_test.cc runs the threads one by one.
//
// A thread runs a few neighbouring units of one row of the batch from the first
// step to the last. Their states, u and b stay in registers, and in the
// gradient the sums for u and b; so do the numbers that the next steps will
// need, which are asked for well before. In the gradient each block leaves its
// sums in scratch memory, and a second launch adds them. Blocks depend on the
// sizes alone, so every run gives the same bits.

#ifndef CC_RECURRENCE_RECURRENCE_GPU_H_
#define CC_RECURRENCE_RECURRENCE_GPU_H_

#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "cc/cells/number.h"
#include "cc/recurrence/entries.h"
#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/visit_cell.h"

#if defined(__CUDACC__)
#define CONTRIB_RNN_UNROLL _Pragma("unroll")
#else
#define CONTRIB_RNN_UNROLL
#endif

namespace contrib_rnn {

// The threads of a launch: blocks along units and rows, in each of them
// neighbouring threads for neighbouring units.
struct Grid {
  int64_t unit_blocks, row_blocks;
  int32_t unit_threads, row_threads;
};

// Where in its grid a thread is.
struct Place {
  int64_t unit_block, row_block;
  int32_t unit_thread, row_thread;
};

constexpr int kWarp = 32;
constexpr int kBlockThreads = 128;
constexpr int kSumThreads = 512;

// As many neighbouring numbers as a thread reads at once.
template <class T, int kWidth>
struct alignas(sizeof(T) * kWidth) Vector {
  T numbers[kWidth];
};

template <int kWidth, class T>
CONTRIB_RNN_INLINE Vector<T, kWidth> ReadVector(const T* from) {
  return *reinterpret_cast<const Vector<T, kWidth>*>(from);
}

template <class T, int kWidth>
CONTRIB_RNN_INLINE void WriteVector(const Vector<T, kWidth>& vector, T* to) {
  *reinterpret_cast<Vector<T, kWidth>*>(to) = vector;
}

template <class T, int kWidth>
CONTRIB_RNN_INLINE void WriteZeros(T* to) {
  Vector<T, kWidth> zeros;
  for (int lane = 0; lane < kWidth; ++lane) zeros.numbers[lane] = Store<T>(0);
  WriteVector(zeros, to);
}

// How many steps ahead a thread asks for `values` vectors a step: as many as
// some of its registers hold. One unit a thread leaves room for more, and few
// threads need more, for nothing else hides how long the memory takes.
template <class T, int kWidth>
constexpr int CountStepsAhead(int values) {
  const int registers = (values * kWidth * static_cast<int>(sizeof(T)) + 3) / 4;
  const int most = (kWidth == 1 ? 64 : 32) / registers;
  int steps = 2;
  while (2 * steps <= most && 2 * steps * values <= 40) steps *= 2;
  return steps;
}

// A thread's units and row, and its place in the memory of a call.
template <int kWidth>
struct Span {
  int64_t row, unit;
  bool is_inside;

  CONTRIB_RNN_INLINE Span(const Grid& grid, const Place& place,
                          const Sequences& s)
      : row(place.row_block * grid.row_threads + place.row_thread),
        unit((place.unit_block * grid.unit_threads + place.unit_thread) *
             kWidth),
        is_inside(row < s.batch && unit < s.units) {}
};

// u and b of a thread's units.
template <class Cell, class R, int kWidth>
struct Weights {
  R u[kWidth][Cell::kGates], b[kWidth][Cell::kBiases];

  template <class Tensors>
  CONTRIB_RNN_INLINE Weights(const Tensors& tensors, const Layout<Cell>& layout,
                             int64_t units, int64_t unit) {
    for (int lane = 0; lane < kWidth; ++lane) {
      for (int i = 0; i < Cell::kBiases; ++i) b[lane][i] = R(0);
      for (int gate = 0; gate < Cell::kGates; ++gate) {
        const int64_t at = layout.gates[gate] + unit + lane;
        u[lane][gate] = Load(tensors.recurrent_kernel[at]);
        b[lane][gate] += Load(tensors.bias[at]);
        if (layout.biases == 1) continue;
        b[lane][Cell::RecurrentBias(gate)] +=
            Load(tensors.bias[Cell::kGates * units + at]);
      }
    }
  }
};

// The initial state number i of a thread's units.
template <class Tensors>
CONTRIB_RNN_INLINE auto InitialState(const Tensors& tensors, const Sequences& s,
                                     int i, int64_t row, int64_t unit) {
  return tensors.initial_state[i] +
         (s.shared_initial_state[i] ? 0 : row) * s.units + unit;
}

template <class Cell, class T, int kWidth>
struct ForwardThreads {
  using R = Compute<T>;
  static constexpr int kGates = Cell::kGates;
  static constexpr int kStates = Cell::kStates;
  static constexpr int kAhead = CountStepsAhead<T, kWidth>(kGates);
  static constexpr int kThreads = kBlockThreads;
  static constexpr bool kFinishes = false;
  struct Shared {};

  Grid grid;
  Cell cell;
  Layout<Cell> layout;
  Sequences s;
  ForwardTensors<T> tensors;

  CONTRIB_RNN_INLINE void Run(const Place& place, Shared&) const {
    const Span<kWidth> span(grid, place, s);
    if (!span.is_inside) return;
    const int64_t length = LengthOf(s, span.row);
    R states[kWidth][kStates];
    for (int i = 0; i < kStates; ++i) {
      const T* from = InitialState(tensors, s, i, span.row, span.unit);
      for (int lane = 0; lane < kWidth; ++lane) {
        states[lane][i] = Load(from[lane]);
      }
    }
    if (length > 0) RunSteps(span, length, states);
    for (int i = 0; i < kStates; ++i) {
      for (int64_t time = length; time < s.time; ++time) {
        const int64_t at = EntryAt(s, span.row, time) * s.units + span.unit;
        WriteZeros<T, kWidth>(tensors.sequence[i] + at);
      }
      if (tensors.final_state[i] == nullptr) continue;
      WriteState(states, i,
                 tensors.final_state[i] + span.row * s.units + span.unit);
    }
  }

  CONTRIB_RNN_INLINE void RunSteps(const Span<kWidth>& span, int64_t length,
                                   R (&states)[kWidth][kStates]) const {
    const Weights<Cell, R, kWidth> weights(tensors, layout, s.units, span.unit);
    const int64_t time = TimeOf(s, length, 0);
    const int64_t stride = StepStride(s) * s.units;
    const T* read = tensors.inputs +
                    InputEntryAt(s, span.row, time) * kGates * s.units +
                    span.unit;
    int64_t written = EntryAt(s, span.row, time) * s.units + span.unit;
    Vector<T, kWidth> ahead[kAhead][kGates];
    CONTRIB_RNN_UNROLL
    for (int k = 0; k < kAhead; ++k) {
      if (k >= length) break;
      ReadGates(read, ahead[k]);
      read += stride * kGates;
    }
    for (int64_t done = 0; done < length; done += kAhead) {
      const int left = static_cast<int>(
          length - done < 2 * kAhead ? length - done : 2 * kAhead);
      CONTRIB_RNN_UNROLL
      for (int k = 0; k < kAhead; ++k) {
        if (k >= left) break;
        R x[kWidth][kGates];
        LoadGates(ahead[k], x);
        if (k + kAhead < left) {
          ReadGates(read, ahead[k]);
          read += stride * kGates;
        }
        CONTRIB_RNN_UNROLL
        for (int lane = 0; lane < kWidth; ++lane) {
          cell.Step(x[lane], weights.u[lane], weights.b[lane], states[lane]);
        }
        for (int i = 0; i < kStates; ++i) {
          WriteState(states, i, tensors.sequence[i] + written);
        }
        written += stride;
      }
    }
  }

  CONTRIB_RNN_INLINE void ReadGates(const T* from,
                                    Vector<T, kWidth> (&gates)[kGates]) const {
    CONTRIB_RNN_UNROLL
    for (int gate = 0; gate < kGates; ++gate) {
      gates[gate] = ReadVector<kWidth>(from + layout.gates[gate]);
    }
  }

  static CONTRIB_RNN_INLINE void LoadGates(
      const Vector<T, kWidth> (&gates)[kGates], R (&x)[kWidth][kGates]) {
    CONTRIB_RNN_UNROLL
    for (int gate = 0; gate < kGates; ++gate) {
      CONTRIB_RNN_UNROLL
      for (int lane = 0; lane < kWidth; ++lane) {
        x[lane][gate] = Load(gates[gate].numbers[lane]);
      }
    }
  }

  static CONTRIB_RNN_INLINE void WriteState(const R (&states)[kWidth][kStates],
                                            int i, T* to) {
    Vector<T, kWidth> vector;
    CONTRIB_RNN_UNROLL
    for (int lane = 0; lane < kWidth; ++lane) {
      vector.numbers[lane] = Store<T>(states[lane][i]);
    }
    WriteVector(vector, to);
  }
};

template <class Cell, class T, int kWidth>
struct GradientThreads {
  using R = Compute<T>;
  static constexpr int kGates = Cell::kGates;
  static constexpr int kBiases = Cell::kBiases;
  static constexpr int kStates = Cell::kStates;
  static constexpr int kAhead =
      CountStepsAhead<T, kWidth>(kGates + 2 * kStates);
  static constexpr int kThreads = kBlockThreads;
  static constexpr bool kFinishes = true;
  // The block's sums: of u's gradient gate by gate, then of b's.
  static constexpr int kSums = (kGates + kBiases) * kWidth;
  struct Shared {
    R sums[kSums][kBlockThreads];
  };

  Grid grid;
  Cell cell;
  Layout<Cell> layout;
  Sequences s;
  GradientTensors<T> tensors;

  // What a step reads.
  struct Step {
    Vector<T, kWidth> inputs[kGates];
    Vector<T, kWidth> before[kStates], incoming[kStates];
  };

  // Where the next step to be read lies; steps come last to first.
  struct Reader {
    const T* inputs;
    int64_t entry;  // in units, of the step's states
    int64_t step;
  };

  // What a thread carries from step to step.
  struct Carried {
    R states[kWidth][kStates];  // the gradients of the states
    R after[kWidth];            // h after the step
    R u_gradient[kWidth][kGates], b_gradient[kWidth][kBiases];
  };

  CONTRIB_RNN_INLINE void Run(const Place& place, Shared& shared) const {
    const Span<kWidth> span(grid, place, s);
    Carried carried;
    for (int lane = 0; lane < kWidth; ++lane) {
      for (R& sum : carried.u_gradient[lane]) sum = R(0);
      for (R& sum : carried.b_gradient[lane]) sum = R(0);
    }
    if (span.is_inside) RunRow(span, carried);
    const int thread = place.row_thread * grid.unit_threads + place.unit_thread;
    CONTRIB_RNN_UNROLL
    for (int lane = 0; lane < kWidth; ++lane) {
      CONTRIB_RNN_UNROLL
      for (int gate = 0; gate < kGates; ++gate) {
        shared.sums[gate * kWidth + lane][thread] =
            carried.u_gradient[lane][gate];
      }
      CONTRIB_RNN_UNROLL
      for (int i = 0; i < kBiases; ++i) {
        shared.sums[(kGates + i) * kWidth + lane][thread] =
            carried.b_gradient[lane][i];
      }
    }
  }

  // Once all of the block's threads have run: adds its rows.
  CONTRIB_RNN_INLINE void Finish(const Place& place, Shared& shared) const {
    const Span<kWidth> span(grid, place, s);
    if (span.unit >= s.units) return;
    for (int sum = place.row_thread; sum < kSums; sum += grid.row_threads) {
      R total = R(0);
      for (int row = 0; row < grid.row_threads; ++row) {
        total += shared.sums[sum][row * grid.unit_threads + place.unit_thread];
      }
      const int number = sum / kWidth;
      const int64_t unit = span.unit + sum % kWidth;
      for (int gate = 0; gate < kGates; ++gate) {
        if (number == gate) *PartOf(place, 0, gate, unit) = total;
        if (number == kGates + gate) *PartOf(place, 1, gate, unit) = total;
        if (layout.biases == 2 &&
            number == kGates + Cell::RecurrentBias(gate)) {
          *PartOf(place, 2, gate, unit) = total;
        }
      }
    }
  }

  // Where a block leaves its part of a gradient: of u, of the first bias or of
  // the second.
  CONTRIB_RNN_INLINE R* PartOf(const Place& place, int gradient, int gate,
                               int64_t unit) const {
    const int64_t part = gradient * grid.row_blocks + place.row_block;
    return tensors.scratch + part * kGates * s.units + layout.gates[gate] +
           unit;
  }

  CONTRIB_RNN_INLINE void RunRow(const Span<kWidth>& span,
                                 Carried& carried) const {
    const int64_t length = LengthOf(s, span.row);
    const int64_t state_at = span.row * s.units + span.unit;
    for (int i = 0; i < kStates; ++i) {
      const T* incoming = tensors.final_state_gradient[i];
      for (int lane = 0; lane < kWidth; ++lane) {
        carried.states[lane][i] =
            incoming == nullptr ? R(0) : Load(incoming[state_at + lane]);
      }
    }
    if (length > 0) RunSteps(span, length, carried);
    for (int64_t time = length; time < s.time; ++time) {
      const int64_t at = EntryAt(s, span.row, time) * kGates * s.units;
      for (int gate = 0; gate < kGates; ++gate) {
        WriteZeros<T, kWidth>(tensors.inputs_gradient + at + gate * s.units +
                              span.unit);
      }
    }
    for (int i = 0; i < kStates; ++i) {
      Vector<T, kWidth> vector;
      for (int lane = 0; lane < kWidth; ++lane) {
        vector.numbers[lane] = Store<T>(carried.states[lane][i]);
      }
      WriteVector(vector, tensors.initial_state_gradient[i] + state_at);
    }
  }

  CONTRIB_RNN_INLINE void RunSteps(const Span<kWidth>& span, int64_t length,
                                   Carried& carried) const {
    const Weights<Cell, R, kWidth> weights(tensors, layout, s.units, span.unit);
    const int64_t last = TimeOf(s, length, length - 1);
    const int64_t stride = StepStride(s) * s.units;
    const int64_t entry = EntryAt(s, span.row, last) * s.units;
    Reader reader = {tensors.inputs +
                         InputEntryAt(s, span.row, last) * kGates * s.units +
                         span.unit,
                     entry + span.unit, length - 1};
    T* write = tensors.inputs_gradient + entry * kGates + span.unit;
    for (int lane = 0; lane < kWidth; ++lane) {
      carried.after[lane] =
          Load(tensors.sequence[kStates - 1][entry + span.unit + lane]);
    }
    Step ahead[kAhead];
    CONTRIB_RNN_UNROLL
    for (int k = 0; k < kAhead; ++k) {
      if (k < length) ReadStep(span, stride, reader, ahead[k]);
    }
    for (int64_t done = 0; done < length; done += kAhead) {
      const int left = static_cast<int>(
          length - done < 2 * kAhead ? length - done : 2 * kAhead);
      CONTRIB_RNN_UNROLL
      for (int k = 0; k < kAhead; ++k) {
        if (k >= left) break;
        const Step step = ahead[k];
        if (k + kAhead < left) ReadStep(span, stride, reader, ahead[k]);
        RunStep(step, weights, carried, write);
        write -= stride * kGates;
      }
    }
  }

  CONTRIB_RNN_INLINE void ReadStep(const Span<kWidth>& span, int64_t stride,
                                   Reader& reader, Step& step) const {
    CONTRIB_RNN_UNROLL
    for (int gate = 0; gate < kGates; ++gate) {
      step.inputs[gate] =
          ReadVector<kWidth>(reader.inputs + layout.gates[gate]);
    }
    CONTRIB_RNN_UNROLL
    for (int i = 0; i < kStates; ++i) {
      const T* before = reader.step == 0
                            ? InitialState(tensors, s, i, span.row, span.unit)
                            : tensors.sequence[i] + (reader.entry - stride);
      for (int lane = 0; lane < kWidth; ++lane) {
        step.incoming[i].numbers[lane] = Store<T>(0);
      }
      if (tensors.sequence_gradient[i] != nullptr) {
        step.incoming[i] =
            ReadVector<kWidth>(tensors.sequence_gradient[i] + reader.entry);
      }
      step.before[i] = ReadVector<kWidth>(before);
    }
    reader.inputs -= stride * kGates;
    reader.entry -= stride;
    --reader.step;
  }

  CONTRIB_RNN_INLINE void RunStep(const Step& step,
                                  const Weights<Cell, R, kWidth>& weights,
                                  Carried& carried, T* write) const {
    Vector<T, kWidth> inputs_gradient[kGates];
    CONTRIB_RNN_UNROLL
    for (int lane = 0; lane < kWidth; ++lane) {
      R x[kGates], before[kStates], recomputed[Cell::kRecomputed];
      R x_gradient[kGates], u_factor[kGates], b_gradient[kBiases];
      for (int gate = 0; gate < kGates; ++gate) {
        x[gate] = Load(step.inputs[gate].numbers[lane]);
      }
      for (int i = 0; i < kStates; ++i) {
        before[i] = Load(step.before[i].numbers[lane]);
        carried.states[lane][i] += Load(step.incoming[i].numbers[lane]);
      }
      cell.Recompute(x, weights.u[lane], weights.b[lane], before,
                     carried.after[lane], recomputed);
      cell.Gradient(recomputed, weights.u[lane], weights.b[lane], before,
                    carried.states[lane], x_gradient, u_factor, b_gradient);
      carried.after[lane] = before[kStates - 1];
      for (int gate = 0; gate < kGates; ++gate) {
        inputs_gradient[gate].numbers[lane] = Store<T>(x_gradient[gate]);
        carried.u_gradient[lane][gate] += x_gradient[gate] * u_factor[gate];
      }
      for (int i = 0; i < kBiases; ++i) {
        carried.b_gradient[lane][i] += b_gradient[i];
      }
    }
    for (int gate = 0; gate < kGates; ++gate) {
      WriteVector(inputs_gradient[gate], write + layout.gates[gate]);
    }
  }
};

// The sums of the columns of up to three matrices, each of [rows, columns]. A
// block's threads take every so manieth row each; then these are added.
template <class From, class To>
struct SumThreads {
  using R = Compute<From>;
  static constexpr int kThreads = kSumThreads;
  static constexpr bool kFinishes = true;
  struct Shared {
    R sums[kSumThreads];
  };

  Grid grid;  // row blocks: the matrices
  const From* matrices[3];
  To* sums[3];
  int64_t rows, columns;

  CONTRIB_RNN_INLINE void Run(const Place& place, Shared& shared) const {
    const int64_t column = ColumnOf(place);
    R total = R(0);
    if (column < columns) {
      const From* matrix = matrices[place.row_block];
      for (int64_t row = place.row_thread; row < rows;
           row += grid.row_threads) {
        total += Load(matrix[row * columns + column]);
      }
    }
    shared.sums[place.row_thread * grid.unit_threads + place.unit_thread] =
        total;
  }

  CONTRIB_RNN_INLINE void Finish(const Place& place, Shared& shared) const {
    const int64_t column = ColumnOf(place);
    if (place.row_thread != 0 || column >= columns) return;
    R total = R(0);
    for (int row = 0; row < grid.row_threads; ++row) {
      total += shared.sums[row * grid.unit_threads + place.unit_thread];
    }
    sums[place.row_block][column] = Store<To>(total);
  }

 private:
  CONTRIB_RNN_INLINE int64_t ColumnOf(const Place& place) const {
    return place.unit_block * grid.unit_threads + place.unit_thread;
  }
};

// The smallest power of 2 that is not below `number`, at most `most`.
inline int32_t PowerOf2From(int64_t number, int32_t most) {
  int32_t power = 1;
  while (power < most && power < number) power *= 2;
  return power;
}

// The rows of a block, by the sizes alone: whatever the width of the threads,
// the sums of a block are of the same rows.
inline int32_t CountBlockRows(const Sequences& s) {
  return PowerOf2From(s.batch, kBlockThreads / PowerOf2From(s.units, kWarp));
}

// The groups of rows: each leaves its part of the gradients of u and b.
inline int64_t CountRowBlocks(const Sequences& s) {
  return CeilDivide(s.batch, CountBlockRows(s));
}

inline int64_t CountGpuScratch(const CellOptions& options, const Sequences& s) {
  return (1 + CountBiases(options)) * CountRowBlocks(s) *
         CountGates(options.cell) * s.units;
}

// A grid of threads that have `width` units each.
inline Grid MakeGrid(const Sequences& s, int width) {
  Grid grid;
  grid.unit_threads = PowerOf2From(s.units / width, kWarp);
  grid.row_threads = CountBlockRows(s);
  grid.unit_blocks = CeilDivide(s.units / width, grid.unit_threads);
  grid.row_blocks = CountRowBlocks(s);
  return grid;
}

// With so many threads of several units each a GPU is busy.
constexpr int64_t kManyThreads = int64_t{1} << 15;

// The units of a thread that reads and writes 16 bytes at once.
template <class T>
constexpr int kWide = 16 / sizeof(T);

// In the gradient of a cell of four gates, 8 units a thread would need more
// registers than it can have.
template <class Cell, class T>
constexpr int kGradientWide = Cell::kGates == 4 && kWide<T> > 4 ? 4 : kWide<T>;

// Whether a call's threads take kWide units: there have to be enough of them,
// and its tensors, rows and all, have to lie on multiples of 16 bytes.
template <class T>
bool IsWide(const Sequences& s, std::initializer_list<const void*> tensors) {
  if (s.units % kWide<T> != 0) return false;
  if (s.units / kWide<T> * s.batch < kManyThreads) return false;
  for (const void* tensor : tensors) {
    if (reinterpret_cast<uintptr_t>(tensor) % 16 != 0) return false;
  }
  return true;
}

// Below, launch(threads) runs every thread of threads.grid, and all of a
// block's Run before any of its Finish.

template <class T, class Launcher>
void LaunchForward(const CellOptions& options, const Sequences& s,
                   const ForwardTensors<T>& t, const Launcher& launch) {
  if (s.batch == 0 || s.units == 0) return;
  const bool is_wide = IsWide<T>(s, {t.inputs, t.sequence[0], t.sequence[1],
                                     t.final_state[0], t.final_state[1]});
  VisitCell(options, [&](const auto& cell) {
    using Cell = std::decay_t<decltype(cell)>;
    const auto layout = MakeLayout<Cell>(options, s.units);
    if (is_wide) {
      launch(ForwardThreads<Cell, T, kWide<T>>{MakeGrid(s, kWide<T>), cell,
                                               layout, s, t});
    } else {
      launch(ForwardThreads<Cell, T, 1>{MakeGrid(s, 1), cell, layout, s, t});
    }
  });
}

// The sums of `count` matrices.
template <class From, class To, class Launcher>
void LaunchSums(int count, const From* const (&matrices)[3], int64_t rows,
                int64_t columns, To* const (&sums)[3], const Launcher& launch) {
  if (columns == 0) return;
  Grid grid;
  grid.unit_threads = PowerOf2From(columns, kWarp);
  grid.row_threads = PowerOf2From(rows, kSumThreads / kWarp);
  grid.unit_blocks = CeilDivide(columns, grid.unit_threads);
  grid.row_blocks = count;
  launch(SumThreads<From, To>{grid,
                              {matrices[0], matrices[1], matrices[2]},
                              {sums[0], sums[1], sums[2]},
                              rows,
                              columns});
}

template <class T, class Launcher>
void LaunchGradient(const CellOptions& options, const Sequences& s,
                    const GradientTensors<T>& t, const Launcher& launch) {
  const bool is_wide =
      IsWide<T>(s, {t.inputs, t.initial_state[0], t.initial_state[1],
                    t.sequence[0], t.sequence[1], t.sequence_gradient[0],
                    t.sequence_gradient[1], t.inputs_gradient,
                    t.initial_state_gradient[0], t.initial_state_gradient[1]});
  if (s.batch > 0 && s.units > 0) {
    VisitCell(options, [&](const auto& cell) {
      using Cell = std::decay_t<decltype(cell)>;
      const auto layout = MakeLayout<Cell>(options, s.units);
      if (is_wide) {
        constexpr int kWidth = kGradientWide<Cell, T>;
        launch(GradientThreads<Cell, T, kWidth>{MakeGrid(s, kWidth), cell,
                                                layout, s, t});
      } else {
        launch(GradientThreads<Cell, T, 1>{MakeGrid(s, 1), cell, layout, s, t});
      }
    });
  }
  const int64_t parts = CountRowBlocks(s);
  const int64_t columns = CountGates(options.cell) * s.units;
  const int64_t size = parts * columns;
  LaunchSums<Compute<T>, T>(
      1 + CountBiases(options),
      {t.scratch, t.scratch + size, t.scratch + 2 * size}, parts, columns,
      {t.recurrent_kernel_gradient, t.bias_gradient, t.bias_gradient + columns},
      launch);
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_RECURRENCE_GPU_H_
