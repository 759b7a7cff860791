// What of the GPU's recurrence does not depend on the type of number.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

#include "cc/recurrence/recurrence.h"
#include "cc/recurrence/recurrence_gpu.h"

namespace contrib_rnn {
namespace {

// "13.0" for 13000.
std::string Version(int number) {
  return std::to_string(number / 1000) + "." +
         std::to_string(number % 1000 / 10);
}

}  // namespace

int64_t CountScratch(const GpuContext&, const CellOptions& options,
                     const Sequences& sequences) {
  return CountGpuScratch(options, sequences);
}

// The architectures that nvcc compiles for, from its __CUDA_ARCH_LIST__: 750
// for sm_75. The newest comes also in a form for later GPUs.
const char* GpuArchitectures() {
  static const std::string* const names = [] {
    auto* list = new std::string;
    int newest = 0;
    for (const int architecture : {__CUDA_ARCH_LIST__}) {
      *list += "sm_" + std::to_string(architecture / 10) + ",";
      newest = architecture / 10;
    }
    *list += "compute_" + std::to_string(newest);
    return list;
  }();
  return names->c_str();
}

Error CheckGpuDriver() {
  int driver = 0, runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0 ||
      cudaRuntimeGetVersion(&runtime) != cudaSuccess) {
    return Error();
  }
  // A release of CUDA takes a driver of any release of the same number.
  if (driver / 1000 >= runtime / 1000) return Error();
  return "the GPU kernels were built with CUDA " + Version(runtime) +
         ", and this machine's driver is for CUDA " + Version(driver) +
         ": install a driver for CUDA " + Version(runtime / 1000 * 1000) +
         " or newer, or build tf_contrib_rnn with an older CUDA";
}

}  // namespace contrib_rnn
