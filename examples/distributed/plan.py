"""What a layout is asked to train, and what its tasks answer."""

import dataclasses
from typing import Optional


@dataclasses.dataclass(frozen=True)
class Plan:
  """What to train.

  Attributes:
    steps: the count of steps, and of batches, since the first start.
    seed: of the data, and of weights that are drawn.
    save_to: the checkpoint to write at the end, with TensorFlow 1's names.
    start: the checkpoint to start from, or None to draw weights. Layouts in
      graph mode restore all of it: the optimizer's variables and the step too.
  """

  steps: int
  seed: int
  save_to: str
  start: Optional[str] = None

  @property
  def folder(self):
    """Where a cluster writes checkpoints during the training."""
    return self.save_to + "-during-training"

  @property
  def steps_between_checkpoints(self):
    return max(1, self.steps // 4)


@dataclasses.dataclass
class Result:
  """What a task answers.

  Attributes:
    devices: where fused ops ran.
    weights: by their names in a checkpoint; None where another task has them.
  """

  devices: list
  weights: Optional[dict] = None
