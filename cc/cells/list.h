// All cells: their names, how many gates and states each has, and what
// parameters beside its weights.

#ifndef CC_CELLS_LIST_H_
#define CC_CELLS_LIST_H_

// CELL(name, gates, states, parameters). The name is that of the struct in the
// cell's header, of its op after "ContribRnn>", and of what JAX's handlers are
// told. parameters: None or ForgetBias.
#define CONTRIB_RNN_CELLS(CELL)    \
  CELL(IndRNN, 1, 1, None)         \
  CELL(IndyGRU, 3, 1, None)        \
  CELL(IndyLSTM, 4, 2, ForgetBias) \
  CELL(SRU, 4, 2, None)

#endif  // CC_CELLS_LIST_H_
