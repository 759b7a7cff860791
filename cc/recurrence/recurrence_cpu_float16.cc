#include "cc/recurrence/recurrence_cpu.h"

namespace contrib_rnn {
CONTRIB_RNN_INSTANTIATE(Float16);
}  // namespace contrib_rnn
