#include "cc/recurrence/recurrence_cpu.h"

namespace contrib_rnn {
CONTRIB_RNN_INSTANTIATE(float);
}  // namespace contrib_rnn
