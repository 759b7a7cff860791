"""The layers that gpu.py measures: ours, and loops of PyTorch's operations."""

import kernels as library
import torch

# The activation that each cell is mostly used with.
ACTIVATION = {
  "IndRNN": "relu",
  "IndyGRU": "tanh",
  "IndyLSTM": "tanh",
  "SRU": "tanh",
}


class _Recurrence(torch.autograd.Function):
  """Outputs along time, [time, batch, units]; states start at zero."""

  @staticmethod
  def forward(context, x, u, b, kernels, cell):
    call = _make_call(cell, x, u, b)
    sequence = kernels.forward(call).sequence
    # Kept on the context, the outputs would keep themselves alive.
    context.save_for_backward(x, u, b, *sequence)
    context.made_by = kernels, cell
    return sequence[-1]

  @staticmethod
  def backward(context, incoming):
    kernels, cell = context.made_by
    x, u, b, *sequence = context.saved_tensors
    absent = [None] * len(sequence)
    gradients = kernels.gradient(
      _make_call(cell, x, u, b),
      sequence,
      [*absent[1:], incoming.contiguous()],
      absent,
    )
    weights = gradients.recurrent_kernel, gradients.bias
    return gradients.inputs, *weights, None, None


def _make_call(cell, x, u, b) -> library.Call:
  state = x.new_zeros(x.shape[1], u.shape[0] // library.GATES[cell])
  return library.Call(
    cell,
    x,
    u,
    b,
    (state,) * library.STATES[cell],
    activation=ACTIVATION[cell],
    time_major=True,
  )


class Layer:
  """x [time, batch, depth] to outputs [time, batch, units]."""

  def __init__(self, cell, kernels, depth, units, device):
    generator = torch.Generator().manual_seed(1)
    width = library.GATES[cell] * units

    def draw(*shape):
      drawn = torch.rand(shape, generator=generator) - 0.5
      return (drawn * depth**-0.5).to(device).requires_grad_()

    self.cell, self.kernels = cell, kernels
    self.weights = [draw(depth, width), draw(width), draw(width)]

  def __call__(self, x):
    kernel, u, b = self.weights
    return _Recurrence.apply(x @ kernel, u, b, self.kernels, self.cell)


def loop_step(cell, x, u, h, c):
  """States h and c after a step; x [batch, gates, units] with the bias."""
  if cell == "IndRNN":
    h = torch.relu(x[:, 0] + u[0] * h)
  elif cell == "IndyGRU":
    r = torch.sigmoid(x[:, 0] + u[0] * h)
    z = torch.sigmoid(x[:, 1] + u[1] * h)
    h = z * h + (1 - z) * torch.tanh(x[:, 2] + u[2] * (r * h))
  elif cell == "IndyLSTM":
    i, j, f, o = (x + u * h[:, None]).unbind(1)
    c = torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(j)
    h = torch.tanh(c) * torch.sigmoid(o)
  else:
    s, f, r, t = (x + u * c[:, None]).unbind(1)
    f, r = torch.sigmoid(f), torch.sigmoid(r)
    c = f * c + (1 - f) * s
    h = r * torch.tanh(c) + (1 - r) * t
  return h, c


class LoopLayer(Layer):
  """The same, step by step, of PyTorch's own operations."""

  step = staticmethod(loop_step)

  def __call__(self, x):
    kernel, u, b = self.weights
    projected = x @ kernel
    gates = library.GATES[self.cell]
    u, b = u.view(gates, -1), b.view(gates, -1)
    h = c = projected.new_zeros(x.shape[1], u.shape[1])
    outputs = []
    for step in (projected.unflatten(-1, u.shape) + b).unbind(0):
      h, c = self.step(self.cell, step, u, h, c)
      outputs.append(h)
    return torch.stack(outputs)


class CompiledLoopLayer(LoopLayer):
  """A loop whose step is compiled: a kernel or two a step."""

  step = staticmethod(torch.compile(loop_step, dynamic=False))


def train_step(layer, weights, x, incoming) -> list[torch.Tensor]:
  """Forward and gradient of everything, the inputs' too."""
  outputs = layer(x)
  outputs = outputs[0] if isinstance(outputs, tuple) else outputs
  return torch.autograd.grad(outputs, [x, *weights], incoming)
