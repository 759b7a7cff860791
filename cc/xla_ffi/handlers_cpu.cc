// The handlers for the CPU, on XLA's threads, and what Python asks about all.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <utility>

#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/shared_work.h"
#include "cc/xla_ffi/handlers.h"
#include "xla/ffi/api/ffi.h"

namespace contrib_rnn {
namespace {

CpuContext MakeContext(ffi::ThreadPool* threads) {
  CpuContext context;
  context.parallel_for =
      [threads](int64_t count, int64_t cost,
                const std::function<void(int64_t, int64_t)>& work) {
        const auto schedule = [threads](auto function) {
          threads->Schedule(std::move(function));
        };
        ShareWork(threads->num_threads(), schedule, count, cost, work);
      };
  return context;
}

ffi::Error ForwardOnCpu(ffi::ThreadPool threads, ffi::RemainingArgs arguments,
                        ffi::RemainingRets results,
                        ffi::Dictionary attributes) {
  return RunForward(MakeContext(&threads), arguments, results, attributes);
}

ffi::Error GradientOnCpu(ffi::ThreadPool threads, ffi::RemainingArgs arguments,
                         ffi::RemainingRets results,
                         ffi::Dictionary attributes) {
  std::unique_ptr<char[]> memory;
  const auto allocate = [&memory](size_t bytes) -> void* {
    memory.reset(new (std::nothrow) char[bytes]);
    return memory.get();
  };
  return RunGradient(MakeContext(&threads), allocate, arguments, results,
                     attributes);
}

}  // namespace
}  // namespace contrib_rnn

XLA_FFI_DEFINE_HANDLER_SYMBOL(tf_contrib_rnn_forward_on_cpu,
                              contrib_rnn::ForwardOnCpu,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .RemainingArgs()
                                  .RemainingRets()
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tf_contrib_rnn_gradient_on_cpu,
                              contrib_rnn::GradientOnCpu,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .RemainingArgs()
                                  .RemainingRets()
                                  .Attrs());

// The version of XLA's interface that the handlers were built for, as
// 1000 * major + minor: an older XLA would refuse to start with them.
extern "C" int tf_contrib_rnn_xla_interface() {
  return 1000 * XLA_FFI_API_MAJOR + XLA_FFI_API_MINOR;
}
