"""What optimizers keep beside the variables."""

import re
from collections.abc import Mapping
from typing import Optional

from tf_contrib_rnn.checkpoints.variables import Variable

GLOBAL_STEP = "global_step"

# The default names of TensorFlow 1's optimizers, those of tf.contrib.opt, and
# of the moving averages.
_OPTIMIZERS = frozenset(
  """
  Adadelta AdaDelta Adagrad AdagradDA Adam AdamW AdaMax AddSign
  ExponentialMovingAverage Ftrl GGT LARSOptimizer LazyAdam Momentum MomentumW
  Nadam PowerSign ProximalAdagrad RMSProp
  """.split()
)
_POWER = re.compile(r"beta[12]_power(_\d+)?")


def find_slots(
  variables: Mapping[str, Variable],
) -> dict[str, tuple[str, ...]]:
  """The names of what each optimizer keeps.

  A slot is the variable's name and the optimizer's: `rnn/kernel/Adam`. The name
  of the optimizer may be another than TensorFlow's where the slot has the
  variable's shape, and a scope may come before (`OptimizeLoss/rnn/...`).

  Args:
    variables: as of `list_variables`.

  Returns:
    By the optimizers' names; `global_step` under that name.

  Example:

  >>> from tf_contrib_rnn.checkpoints import slots
  >>> from tf_contrib_rnn.checkpoints.variables import Variable
  >>> names = ["bias", "bias/Adam", "bias/Adam_1", "beta1_power"]
  >>> slots.find_slots({n: Variable(n, (4,), "float32") for n in names})
  {'Adam': ('beta1_power', 'bias/Adam', 'bias/Adam_1')}
  """
  found: dict[str, list[str]] = {}
  for name in sorted(variables):
    optimizer = _optimizer_of(name, variables)
    if optimizer:
      found.setdefault(optimizer, []).append(name)
  return {name: tuple(found[name]) for name in sorted(found)}


def _optimizer_of(
  name: str, variables: Mapping[str, Variable]
) -> Optional[str]:
  """The optimizer that keeps a variable, or None."""
  owner, _, last = name.rpartition("/")
  if last == GLOBAL_STEP:
    return GLOBAL_STEP
  if _POWER.fullmatch(last):
    return "Adam"
  optimizer = re.sub(r"_\d+$", "", last)
  if owner and optimizer in _OPTIMIZERS:
    return optimizer
  shape = variables[name].shape
  if owner in variables and shape and variables[owner].shape == shape:
    return optimizer
  return None
