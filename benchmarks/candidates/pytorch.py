"""PyTorch's layers, in its eager mode."""

import torch

from candidates import Calls

_LAYERS = {"IndRNN": "RNN", "IndyGRU": "GRU", "IndyLSTM": "LSTM"}


def build(_, problem):
  layer = getattr(torch.nn, _LAYERS[problem.cell])(
    problem.inputs, problem.units, batch_first=True
  )
  x = torch.from_numpy(problem.x()).requires_grad_()
  dy = torch.from_numpy(problem.output_gradients())
  sources = [x, *layer.parameters()]

  def forward():
    with torch.no_grad():
      return layer(x)[0]

  def train():
    y, _ = layer(x)
    return y, torch.autograd.grad(y, sources, dy)

  return Calls(forward, train)
