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

// What a cell's struct is made of.
#define CONTRIB_RNN_VALUES_OF_None \
  {}
#define CONTRIB_RNN_VALUES_OF_ForgetBias {options.forget_bias}

template <class Activation, class Visitor>
void VisitCellWith(const CellOptions& options, const Visitor& visitor) {
  switch (options.cell) {
#define CONTRIB_RNN_CASE(Cell, gates, states, parameters)  \
  case CellKind::k##Cell:                                  \
    static_assert(Cell<Activation>::kGates == gates &&     \
                      Cell<Activation>::kStates == states, \
                  "cc/cells/list.h says something else");  \
    return visitor(Cell<Activation> CONTRIB_RNN_VALUES_OF_##parameters);
    CONTRIB_RNN_CELLS(CONTRIB_RNN_CASE)
#undef CONTRIB_RNN_CASE
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
