// The handlers for GPUs, and what Python asks about them. Built where there is
// a CUDA toolkit; no header of CUDA is needed.

#include <cstddef>
#include <string>
#include <utility>

#include "cc/recurrence/recurrence.h"
#include "cc/xla_ffi/handlers.h"
#include "xla/ffi/api/ffi.h"

namespace contrib_rnn {
namespace {

ffi::Error ForwardOnGpu(void* stream, ffi::RemainingArgs arguments,
                        ffi::RemainingRets results,
                        ffi::Dictionary attributes) {
  return RunForward(GpuContext{stream}, arguments, results, attributes);
}

ffi::Error GradientOnGpu(void* stream, ffi::ScratchAllocator scratch,
                         ffi::RemainingArgs arguments,
                         ffi::RemainingRets results,
                         ffi::Dictionary attributes) {
  const auto allocate = [&scratch](size_t bytes) -> void* {
    return bytes == 0 ? nullptr : scratch.Allocate(bytes).value_or(nullptr);
  };
  return RunGradient(GpuContext{stream}, allocate, arguments, results,
                     attributes);
}

}  // namespace
}  // namespace contrib_rnn

XLA_FFI_DEFINE_HANDLER_SYMBOL(tf_contrib_rnn_forward_on_gpu,
                              contrib_rnn::ForwardOnGpu,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .RemainingArgs()
                                  .RemainingRets()
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tf_contrib_rnn_gradient_on_gpu,
                              contrib_rnn::GradientOnGpu,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Ctx<xla::ffi::ScratchAllocator>()
                                  .RemainingArgs()
                                  .RemainingRets()
                                  .Attrs());

// Why the GPU kernels can't run with this machine's driver; empty if they can.
extern "C" const char* tf_contrib_rnn_check_gpu_driver() {
  static const auto* const error =
      new std::string(contrib_rnn::CheckGpuDriver());
  return error->c_str();
}
