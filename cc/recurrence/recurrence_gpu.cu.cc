// The recurrence on a GPU: the kernels of recurrence_gpu.h, launched on a CUDA
// stream. CONTRIB_RNN_NUMBER is the type of number to compile for, from
// outside: the types compile side by side.

#include "cc/recurrence/recurrence_gpu.h"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence.h"

namespace contrib_rnn {
namespace {

template <class Threads>
__global__ void __launch_bounds__(Threads::kThreads)
    Kernel(const __grid_constant__ Threads threads) {
  __shared__ typename Threads::Shared shared;
  const uint32_t unit_blocks = threads.grid.unit_blocks;
  const Place place = {blockIdx.x % unit_blocks, blockIdx.x / unit_blocks,
                       static_cast<int32_t>(threadIdx.x),
                       static_cast<int32_t>(threadIdx.y)};
  threads.Run(place, shared);
  if constexpr (Threads::kFinishes) {
    __syncthreads();
    threads.Finish(place, shared);
  }
}

// Launches on a stream, and keeps the first error.
class Launcher {
 public:
  explicit Launcher(const GpuContext& context)
      : stream_(static_cast<cudaStream_t>(context.stream)) {}

  template <class Threads>
  void operator()(const Threads& threads) const {
    if (!error_.empty()) return;
    const Grid& grid = threads.grid;
    if (grid.row_blocks > INT32_MAX / grid.unit_blocks) {
      error_ = "batch and units are more than a GPU has blocks for";
      return;
    }
    Threads copy = threads;
    void* arguments[] = {&copy};
    Keep(cudaLaunchKernel(
        reinterpret_cast<const void*>(Kernel<Threads>),
        dim3(static_cast<unsigned>(grid.unit_blocks * grid.row_blocks)),
        dim3(grid.unit_threads, grid.row_threads), arguments, 0, stream_));
  }

  const Error& error() const { return error_; }

 private:
  void Keep(cudaError_t status) const {
    if (status == cudaSuccess) return;
    // A driver's own word is of less help than what to do.
    error_ = CheckGpuDriver();
    if (!error_.empty()) return;
    error_ = std::string("a GPU kernel could not be launched: ") +
             cudaGetErrorString(status) + "; the kernels are for " +
             GpuArchitectures();
  }

  cudaStream_t stream_;
  mutable Error error_;
};

}  // namespace

template <class T>
Error Forward(const GpuContext& context, const CellOptions& options,
              const Sequences& sequences, const ForwardTensors<T>& tensors) {
  const Launcher launch(context);
  LaunchForward(options, sequences, tensors, launch);
  return launch.error();
}

template <class T>
Error Gradient(const GpuContext& context, const CellOptions& options,
               const Sequences& sequences, const GradientTensors<T>& tensors) {
  const Launcher launch(context);
  LaunchGradient(options, sequences, tensors, launch);
  return launch.error();
}

template <class From, class To>
Error SumRows(const GpuContext& context, const From* matrix, int64_t rows,
              int64_t columns, To* sums) {
  const Launcher launch(context);
  LaunchSums<From, To>(1, {matrix}, rows, columns, {sums}, launch);
  return launch.error();
}

#define CONTRIB_RNN_INSTANTIATE(T)                                      \
  template Error Forward(const GpuContext&, const CellOptions&,         \
                         const Sequences&, const ForwardTensors<T>&);   \
  template Error Gradient(const GpuContext&, const CellOptions&,        \
                          const Sequences&, const GradientTensors<T>&); \
  template Error SumRows(const GpuContext&, const T*, int64_t, int64_t, T*)

CONTRIB_RNN_INSTANTIATE(CONTRIB_RNN_NUMBER);

}  // namespace contrib_rnn
