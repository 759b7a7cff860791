#include "cc/recurrence/recurrence_cpu.h"

namespace contrib_rnn {
CONTRIB_RNN_INSTANTIATE(BFloat16);
}  // namespace contrib_rnn
