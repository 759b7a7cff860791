// From the options of a call to the cell's type.

#ifndef CC_RECURRENCE_VISIT_CELL_H_
#define CC_RECURRENCE_VISIT_CELL_H_

#include "cc/cells/activations.h"
#include "cc/cells/ind_rnn.h"
#include "cc/cells/indy_gru.h"
#include "cc/cells/indy_lstm.h"
#include "cc/cells/sru.h"
#include "cc/recurrence/recurrence.h"

namespace contrib_rnn {

template <class Activation, class Visitor>
void VisitCellWith(const CellOptions& options, const Visitor& visitor) {
  switch (options.cell) {
    case CellKind::kIndRNN:
      return visitor(IndRNN<Activation>());
    case CellKind::kIndyGRU:
      return visitor(IndyGRU<Activation>());
    case CellKind::kIndyLSTM:
      return visitor(IndyLSTM<Activation>{options.forget_bias});
    case CellKind::kSRU:
      return visitor(SRU<Activation>());
  }
}

// Calls visitor with the cell that the options name, as a type of its own.
template <class Visitor>
void VisitCell(const CellOptions& options, const Visitor& visitor) {
  switch (options.activation) {
    case ActivationKind::kTanh:
      return VisitCellWith<Tanh>(options, visitor);
    case ActivationKind::kSigmoid:
      return VisitCellWith<Sigmoid>(options, visitor);
    case ActivationKind::kRelu:
      return VisitCellWith<Relu>(options, visitor);
    case ActivationKind::kIdentity:
      return VisitCellWith<Identity>(options, visitor);
    case ActivationKind::kElu:
      return VisitCellWith<Elu>(options, visitor);
    case ActivationKind::kSoftsign:
      return VisitCellWith<Softsign>(options, visitor);
  }
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_VISIT_CELL_H_
