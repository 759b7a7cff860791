// The ops' kernels for the CPU.

#include "cc/recurrence/recurrence.h"
#include "cc/tensorflow/kernels.h"
#include "cc/tensorflow/parallel_for.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/types.h"

namespace contrib_rnn {
namespace {

template <>
CpuContext MakeContext(OpKernelContext* context) {
  return {MakeParallelFor(*context->device()->tensorflow_cpu_worker_threads())};
}

CONTRIB_RNN_REGISTER_CELLS(CpuContext, tensorflow::DEVICE_CPU);

}  // namespace
}  // namespace contrib_rnn
