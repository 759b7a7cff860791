// cc/recurrence's ParallelFor on TensorFlow's threads.

#ifndef CC_TENSORFLOW_PARALLEL_FOR_H_
#define CC_TENSORFLOW_PARALLEL_FOR_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/shared_work.h"
#include "tensorflow/core/framework/device_base.h"
#include "tensorflow/core/util/work_sharder.h"

namespace contrib_rnn {

inline ParallelFor MakeParallelFor(
    const tensorflow::DeviceBase::CpuWorkerThreads& threads) {
  return [&threads](int64_t count, int64_t cost,
                    const std::function<void(int64_t, int64_t)>& work) {
    const int64_t most = std::min<int64_t>(
        threads.num_threads, tensorflow::GetPerThreadMaxParallelism());
    const auto schedule = [&threads](std::function<void()> function) {
      threads.workers->Schedule(std::move(function));
    };
    ShareWork(most, schedule, count, cost, work);
  };
}

}  // namespace contrib_rnn

#endif  // CC_TENSORFLOW_PARALLEL_FOR_H_
