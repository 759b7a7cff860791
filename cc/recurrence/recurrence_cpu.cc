// What of the CPU's recurrence does not depend on the type of number.

#include "cc/recurrence/recurrence_cpu.h"

namespace contrib_rnn {

InstructionSet BestInstructionSet() {
#if defined(CONTRIB_RNN_HAS_AVX)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return InstructionSet::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return InstructionSet::kAvx2;
  }
#endif
  return InstructionSet::kBaseline;
}

int64_t CountScratch(const CpuContext&, const CellOptions& options,
                     const Sequences& sequences) {
  return (1 + CountBiases(options)) * CountParts(sequences) *
         CountGates(options.cell) * sequences.units;
}

}  // namespace contrib_rnn
