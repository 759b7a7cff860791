// Running a cell along time: the interface between a framework's glue and the
// kernels. Tensors are plain pointers, dense and row-major; their sizes have
// been checked by the caller. No framework is known here.

#ifndef CC_RECURRENCE_RECURRENCE_H_
#define CC_RECURRENCE_RECURRENCE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "cc/cells/list.h"
#include "cc/cells/number.h"

namespace contrib_rnn {

#define CONTRIB_RNN_ENUMERATOR(Cell, gates, states, parameters) k##Cell,
enum class CellKind { CONTRIB_RNN_CELLS(CONTRIB_RNN_ENUMERATOR) };
#undef CONTRIB_RNN_ENUMERATOR
enum class ActivationKind {
  kTanh,
  kSigmoid,
  kRelu,
  kIdentity,
  kElu,
  kSoftsign
};

constexpr int kMaxStates = 2;

// How many gates (x, u and b hold one value each a unit) and states a cell has.
#define CONTRIB_RNN_GATES(Cell, gates, states, parameters) gates,
#define CONTRIB_RNN_STATES(Cell, gates, states, parameters) states,
constexpr int kCellGates[] = {CONTRIB_RNN_CELLS(CONTRIB_RNN_GATES)};
constexpr int kCellStates[] = {CONTRIB_RNN_CELLS(CONTRIB_RNN_STATES)};
#undef CONTRIB_RNN_GATES
#undef CONTRIB_RNN_STATES

constexpr int CountGates(CellKind cell) {
  return kCellGates[static_cast<int>(cell)];
}

constexpr int CountStates(CellKind cell) {
  return kCellStates[static_cast<int>(cell)];
}

// In what order the gates lie in inputs, recurrent kernel and bias: as in
// tf.contrib.rnn, r, z, c and i, j, f, o; or as in Keras, z, r, c and i, f, j,
// o. The SRU, which Keras has not, keeps s, f, r, t.
enum class GateOrder { kContrib, kKeras };

struct CellOptions {
  CellKind cell;
  ActivationKind activation;
  double forget_bias;  // of the IndyLSTM
  GateOrder gate_order = GateOrder::kContrib;
  // Whether a second bias follows the first: that of the recurrent terms.
  bool has_recurrent_bias = false;
};

// The sequences of one call. A single step is a sequence of time 1.
struct Sequences {
  int64_t time;
  int64_t batch;
  int64_t units;
  bool time_major;  // [time, batch, ...] rather than [batch, time, ...]
  bool reverse;     // each sequence from its own end to its start
  // [batch], each cut to [0, time]; null: all have length `time`.
  const int32_t* sequence_length;
  // Whether one row of inputs, or of an initial state, serves the whole batch.
  bool shared_inputs;
  bool shared_initial_state[kMaxStates];
};

// `sequence` holds every state along time, the outputs (h) last: entries past
// a sequence's length are zeros. `final_state` may hold null pointers.
template <class T>
struct ForwardTensors {
  const T* inputs;                     // [time, batch, gates * units]
  const T* recurrent_kernel;           // [gates * units]
  const T* bias;                       // [1 or 2, gates * units]
  const T* initial_state[kMaxStates];  // [batch, units]
  T* sequence[kMaxStates];             // [time, batch, units]
  T* final_state[kMaxStates];          // [batch, units]
};

// inputs_gradient may be the inputs themselves: kernels read a number before
// they write its gradient.
//
// Null pointers among the incoming gradients count as zeros. The gradients of
// inputs and initial state have a row for each member of the batch also where
// the forward call shared one: see SumRows.
template <class T>
struct GradientTensors {
  const T* inputs;
  const T* recurrent_kernel;
  const T* bias;
  const T* initial_state[kMaxStates];
  const T* sequence[kMaxStates];  // as ForwardTensors wrote them
  const T* sequence_gradient[kMaxStates];
  const T* final_state_gradient[kMaxStates];
  T* inputs_gradient;
  T* recurrent_kernel_gradient;
  T* bias_gradient;
  T* initial_state_gradient[kMaxStates];
  Compute<T>* scratch;  // CountScratch numbers
};

// Runs work(first, last) over parts of [0, count), perhaps in parallel;
// `cost` is a rough number of processor cycles for one of them.
using ParallelFor =
    std::function<void(int64_t count, int64_t cost,
                       const std::function<void(int64_t, int64_t)>& work)>;

// The instruction sets that the CPU kernels are compiled for.
enum class InstructionSet { kBaseline, kAvx2, kAvx512 };
InstructionSet BestInstructionSet();

// How the CPU kernels run. No choice of threads changes a bit of a result.
struct CpuContext {
  ParallelFor parallel_for;
  InstructionSet instruction_set = BestInstructionSet();
};

// How the GPU kernels run: behind what is on the stream, a cudaStream_t of the
// current device. The tensors are that device's; nothing waits for it.
struct GpuContext {
  void* stream;
};

// What went wrong, a sentence; empty if nothing did. On a CPU nothing can.
using Error = std::string;

template <class T>
Error Forward(const CpuContext& context, const CellOptions& options,
              const Sequences& sequences, const ForwardTensors<T>& tensors);

template <class T>
Error Gradient(const CpuContext& context, const CellOptions& options,
               const Sequences& sequences, const GradientTensors<T>& tensors);

// The numbers that Gradient needs in `scratch`: every group of batch rows
// leaves its part of the gradients of u and b there, to be summed in order.
int64_t CountScratch(const CpuContext& context, const CellOptions& options,
                     const Sequences& sequences);

// sums[k] = matrix[0, k] + matrix[1, k] + ..., in an order that depends on the
// sizes alone.
template <class From, class To>
Error SumRows(const CpuContext& context, const From* matrix, int64_t rows,
              int64_t columns, To* sums);

// The same on a GPU. All that follows is there only in a build with CUDA.
template <class T>
Error Forward(const GpuContext& context, const CellOptions& options,
              const Sequences& sequences, const ForwardTensors<T>& tensors);

template <class T>
Error Gradient(const GpuContext& context, const CellOptions& options,
               const Sequences& sequences, const GradientTensors<T>& tensors);

int64_t CountScratch(const GpuContext& context, const CellOptions& options,
                     const Sequences& sequences);

template <class From, class To>
Error SumRows(const GpuContext& context, const From* matrix, int64_t rows,
              int64_t columns, To* sums);

// The architectures that the GPU kernels were compiled for, as in
// "sm_75,sm_80,sm_90,compute_90": the last for all later GPUs.
const char* GpuArchitectures();

// Why the GPU kernels can't run with this machine's driver, a sentence; empty
// if they can, or if there is no driver and so no GPU.
Error CheckGpuDriver();

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_RECURRENCE_H_
