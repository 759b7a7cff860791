// The ops' kernels for the CPU.

#include "cc/cells/list.h"
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

#define CONTRIB_RNN_REGISTER_ON_CPU(Cell, gates, states, parameters) \
  CONTRIB_RNN_REGISTER_CELL(CpuContext, tensorflow::DEVICE_CPU, Cell);
CONTRIB_RNN_CELLS(CONTRIB_RNN_REGISTER_ON_CPU)

}  // namespace
}  // namespace contrib_rnn
