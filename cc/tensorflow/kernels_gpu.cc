// The ops' kernels for GPUs, and what Python asks about them. Built where there
// is a CUDA toolkit; no header of CUDA is needed.

#include <string>

#include "cc/cells/list.h"
#include "cc/recurrence/recurrence.h"
#include "cc/tensorflow/kernels.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/types.h"
#include "xla/stream_executor/stream.h"

namespace contrib_rnn {
namespace {

template <>
GpuContext MakeContext(OpKernelContext* context) {
  return {context->op_device_context()
              ->stream()
              ->platform_specific_handle()
              .stream};
}

#define CONTRIB_RNN_REGISTER_ON_GPU(Cell, gates, states, parameters) \
  CONTRIB_RNN_REGISTER_CELL(GpuContext, tensorflow::DEVICE_GPU, Cell);
CONTRIB_RNN_CELLS(CONTRIB_RNN_REGISTER_ON_GPU)

}  // namespace
}  // namespace contrib_rnn

// The architectures that the GPU kernels are for, "sm_75,...".
extern "C" const char* tf_contrib_rnn_gpu_architectures() {
  return contrib_rnn::GpuArchitectures();
}

// Why they can't run with this machine's driver; empty if they can.
extern "C" const char* tf_contrib_rnn_check_gpu_driver() {
  static const auto* const error =
      new std::string(contrib_rnn::CheckGpuDriver());
  return error->c_str();
}
