// Rows of numbers between the type that tensors hold and the one that cells
// compute in.

#ifndef CC_RECURRENCE_CONVERT_CPU_H_
#define CC_RECURRENCE_CONVERT_CPU_H_

#include <cstdint>
#include <cstring>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence.h"

#if defined(__x86_64__) && !defined(CONTRIB_RNN_BASELINE_ONLY)
#define CONTRIB_RNN_HAS_AVX
#endif

namespace contrib_rnn {

void LoadRow(InstructionSet instruction_set, const Float16* from, int64_t count,
             float* to);
void LoadRow(InstructionSet instruction_set, const BFloat16* from,
             int64_t count, float* to);
void StoreRow(InstructionSet instruction_set, const float* from, int64_t count,
              Float16* to);
void StoreRow(InstructionSet instruction_set, const float* from, int64_t count,
              BFloat16* to);

// A copy, where the types are the same.
template <class R>
CONTRIB_RNN_INLINE void LoadRow(InstructionSet, const R* from, int64_t count,
                                R* to) {
  memcpy(to, from, count * sizeof(R));
}
template <class R>
CONTRIB_RNN_INLINE void StoreRow(InstructionSet, const R* from, int64_t count,
                                 R* to) {
  memcpy(to, from, count * sizeof(R));
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_CONVERT_CPU_H_
