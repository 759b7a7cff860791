// A C interface to the kernels, for Python's ctypes: tests/gpu and
// benchmarks/gpu drive them from PyTorch with it, without TensorFlow. The
// structures of recurrence.h are passed as they lie in memory; kernels.py
// repeats them.

#include <cstdint>
#include <string>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/recurrence_gpu_on_host.h"

namespace contrib_rnn {
namespace {

enum class Number { kFloat16, kBFloat16, kFloat32, kFloat64 };
enum class Where { kCpu, kGpu, kGpuOnHost };

// Calls visitor with a null pointer to the type of number.
template <class Visitor>
auto VisitNumber(Number number, const Visitor& visitor) {
  switch (number) {
    case Number::kFloat16:
      return visitor(static_cast<Float16*>(nullptr));
    case Number::kBFloat16:
      return visitor(static_cast<BFloat16*>(nullptr));
    case Number::kFloat32:
      return visitor(static_cast<float*>(nullptr));
    case Number::kFloat64:
      break;
  }
  return visitor(static_cast<double*>(nullptr));
}

// Calls visitor with the context in which the kernels are to run.
template <class Visitor>
auto VisitContext(Where where, void* stream, const Visitor& visitor) {
  if (where == Where::kGpu) return visitor(GpuContext{stream});
  if (where == Where::kGpuOnHost) return visitor(GpuOnHostContext());
  const auto serially = [](int64_t count, int64_t, const auto& work) {
    work(0, count);
  };
  return visitor(CpuContext{serially});
}

// Kept until the thread's next call.
const char* Keep(Error error) {
  static thread_local Error kept;
  kept = std::move(error);
  return kept.c_str();
}

}  // namespace
}  // namespace contrib_rnn

using contrib_rnn::CellOptions;
using contrib_rnn::Number;
using contrib_rnn::Sequences;
using contrib_rnn::Where;

// Both return what went wrong, an empty text if nothing did. `tensors` is a
// ForwardTensors or GradientTensors of the type of number.
extern "C" const char* contrib_rnn_forward(Where where, void* stream,
                                           Number number,
                                           const CellOptions* options,
                                           const Sequences* sequences,
                                           const void* tensors) {
  return contrib_rnn::Keep(VisitNumber(number, [&](auto* of_type) {
    using T = std::decay_t<decltype(*of_type)>;
    return VisitContext(where, stream, [&](const auto& context) {
      return Forward(
          context, *options, *sequences,
          *static_cast<const contrib_rnn::ForwardTensors<T>*>(tensors));
    });
  }));
}

extern "C" const char* contrib_rnn_gradient(Where where, void* stream,
                                            Number number,
                                            const CellOptions* options,
                                            const Sequences* sequences,
                                            const void* tensors) {
  return contrib_rnn::Keep(VisitNumber(number, [&](auto* of_type) {
    using T = std::decay_t<decltype(*of_type)>;
    return VisitContext(where, stream, [&](const auto& context) {
      return Gradient(
          context, *options, *sequences,
          *static_cast<const contrib_rnn::GradientTensors<T>*>(tensors));
    });
  }));
}

// The numbers (float64 for float64, else float32) in a gradient's scratch.
extern "C" int64_t contrib_rnn_count_scratch(Where where,
                                             const CellOptions* options,
                                             const Sequences* sequences) {
  return contrib_rnn::VisitContext(where, nullptr, [&](const auto& context) {
    return CountScratch(context, *options, *sequences);
  });
}

extern "C" const char* contrib_rnn_gpu_architectures() {
  return contrib_rnn::GpuArchitectures();
}

extern "C" const char* contrib_rnn_check_gpu_driver() {
  return contrib_rnn::Keep(contrib_rnn::CheckGpuDriver());
}
