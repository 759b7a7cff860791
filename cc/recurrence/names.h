// The names by which frameworks know what recurrence.h enumerates.

#ifndef CC_RECURRENCE_NAMES_H_
#define CC_RECURRENCE_NAMES_H_

#include <string_view>

#include "cc/recurrence/recurrence.h"

namespace contrib_rnn {

template <class Kind>
struct Named {
  const char* name;
  Kind kind;
};

#define CONTRIB_RNN_NAMED(Cell, gates, states, parameters) \
  {#Cell, CellKind::k##Cell},
constexpr Named<CellKind> kCellNames[] = {CONTRIB_RNN_CELLS(CONTRIB_RNN_NAMED)};
#undef CONTRIB_RNN_NAMED

constexpr Named<ActivationKind> kActivationNames[] = {
    {"tanh", ActivationKind::kTanh}, {"sigmoid", ActivationKind::kSigmoid},
    {"relu", ActivationKind::kRelu}, {"identity", ActivationKind::kIdentity},
    {"elu", ActivationKind::kElu},   {"softsign", ActivationKind::kSoftsign}};

constexpr Named<GateOrder> kGateOrderNames[] = {
    {"contrib", GateOrder::kContrib}, {"keras", GateOrder::kKeras}};

// Finds what a name stands for; false if it is not among `names`.
template <class Kind, int kCount>
bool ParseName(std::string_view name, const Named<Kind> (&names)[kCount],
               Kind* kind) {
  for (const Named<Kind>& candidate : names) {
    if (name != candidate.name) continue;
    *kind = candidate.kind;
    return true;
  }
  return false;
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_NAMES_H_
