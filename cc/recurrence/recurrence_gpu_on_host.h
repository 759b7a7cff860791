// The GPU's threads, run one after the other on the host: for tests where there
// is no GPU.

#ifndef CC_RECURRENCE_RECURRENCE_GPU_ON_HOST_H_
#define CC_RECURRENCE_RECURRENCE_GPU_ON_HOST_H_

#include <cstdint>
#include <cstring>
#include <memory>

#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/recurrence_gpu.h"

namespace contrib_rnn {

struct HostThreads {
  template <class Threads>
  void operator()(const Threads& threads) const {
    const Grid& grid = threads.grid;
    auto shared = std::make_unique<typename Threads::Shared>();
    for (int64_t row = 0; row < grid.row_blocks; ++row) {
      for (int64_t unit = 0; unit < grid.unit_blocks; ++unit) {
        // NaNs: what a block reads, its own threads have to have written.
        memset(static_cast<void*>(shared.get()), 0xff, sizeof(*shared));
        VisitBlock(grid, unit, row,
                   [&](const Place& place) { threads.Run(place, *shared); });
        if constexpr (Threads::kFinishes) {
          VisitBlock(grid, unit, row, [&](const Place& place) {
            threads.Finish(place, *shared);
          });
        }
      }
    }
  }

 private:
  template <class Visitor>
  static void VisitBlock(const Grid& grid, int64_t unit_block,
                         int64_t row_block, const Visitor& visitor) {
    for (int32_t row = 0; row < grid.row_threads; ++row) {
      for (int32_t unit = 0; unit < grid.unit_threads; ++unit) {
        visitor(Place{unit_block, row_block, unit, row});
      }
    }
  }
};

// The interface of recurrence.h.
struct GpuOnHostContext {};

template <class T>
Error Forward(const GpuOnHostContext&, const CellOptions& options,
              const Sequences& sequences, const ForwardTensors<T>& tensors) {
  LaunchForward(options, sequences, tensors, HostThreads());
  return Error();
}

template <class T>
Error Gradient(const GpuOnHostContext&, const CellOptions& options,
               const Sequences& sequences, const GradientTensors<T>& tensors) {
  LaunchGradient(options, sequences, tensors, HostThreads());
  return Error();
}

inline int64_t CountScratch(const GpuOnHostContext&, const CellOptions& options,
                            const Sequences& sequences) {
  return CountGpuScratch(options, sequences);
}

template <class From, class To>
Error SumRows(const GpuOnHostContext&, const From* matrix, int64_t rows,
              int64_t columns, To* sums) {
  LaunchSums<From, To>(1, {matrix}, rows, columns, {sums}, HostThreads());
  return Error();
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_RECURRENCE_GPU_ON_HOST_H_
