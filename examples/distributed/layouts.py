"""The layouts: which processes each has, and what they run."""

import dataclasses
import importlib.metadata
import shutil
from typing import Optional

import numpy as np
import processes
from processes import Task

SECONDS = 180  # more than enough for a layout; then it has failed
_TRIES = 3  # if another program takes a port

_SERVERS = {"ps": "parameter_server:serve", "worker": "parameter_server:serve"}


@dataclasses.dataclass(frozen=True)
class Layout:
  """A way to spread a training over devices and processes.

  Attributes:
    name: on the command line.
    jobs: how many tasks each job has; empty for one process.
    function: what the job runs that trains, "module:function".
    servers: what other jobs run. They do not end by themselves.
    trainers: how many places train: processes, or devices of one process.
    keras: which Keras, or None for none.
    kills: whether workers are killed during the training.
  """

  name: str
  jobs: dict
  function: str
  servers: dict = dataclasses.field(default_factory=dict)
  trainers: int = 2
  keras: Optional[int] = None
  kills: bool = False

  @property
  def trained_by(self):
    """The tasks that run `function`."""
    jobs = {job: n for job, n in self.jobs.items() if job not in self.servers}
    jobs = jobs or {"process": 1}
    return [Task(job, i) for job, count in jobs.items() for i in range(count)]

  @property
  def served_by(self):
    jobs = self.servers
    return [Task(job, i) for job in jobs for i in range(self.jobs[job])]


_COORDINATED = {"ps": 2, "worker": 2, "chief": 1}
_CLUSTER = {"ps": 2, "worker": 2}
_PS = {"ps": "tensorflow1:serve"}

LAYOUTS = [
  Layout("one-process", {}, "tensorflow1:train_alone", trainers=1),
  Layout("mirrored-loop", {}, "strategies:mirrored_loop"),
  Layout("mirrored-graph", {}, "strategies:mirrored_graph"),
  Layout("mirrored-keras2", {}, "keras_fit:mirrored", keras=2),
  Layout("mirrored-keras3", {}, "keras_fit:mirrored", keras=3),
  Layout("workers-loop", {"worker": 2}, "strategies:multi_worker_loop"),
  Layout("workers-keras2", {"worker": 2}, "keras_fit:multi_worker", keras=2),
  Layout("servers-loop", _COORDINATED, "parameter_server:coordinate", _SERVERS),
  Layout(
    "servers-keras2", _COORDINATED, "keras_fit:coordinate", _SERVERS, keras=2
  ),
  Layout("cluster", _CLUSTER, "tensorflow1:work", _PS),
  Layout("cluster-killed", _CLUSTER, "tensorflow1:work", _PS, kills=True),
]
BY_NAME = {layout.name: layout for layout in LAYOUTS}


@dataclasses.dataclass
class Outcome:
  """How a layout went.

  Attributes:
    weights: by their names in a checkpoint.
    devices: where fused ops ran, in any process.
    steps: those that were reported, in order.
    killed: which tasks were killed.
  """

  weights: dict
  devices: list
  steps: list
  killed: list


def why_not(layout):
  """Why a layout cannot run with the installed Keras, or None."""
  if layout.keras is None:
    return None
  package = "keras" if layout.keras == 3 or not _has_keras(3) else "tf_keras"
  if _has_keras(layout.keras, package):
    return None
  return f"needs Keras {layout.keras}, as {package}"


def _has_keras(major, package="keras"):
  try:
    version = importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return False
  return version.startswith(f"{major}.")


def steps_of_kills(steps):
  """The step at which each worker kills itself: one that is its turn."""
  return {
    Task("worker", 1): steps // 3 | 1,  # odd
    Task("worker", 0): steps * 2 // 3 & ~1,  # even; the chief
  }


def run(layout, plan, on_step=lambda count: None):
  """Runs a layout.

  Args:
    layout: which one.
    plan: what to train.
    on_step: is called after each step, with the count of different steps.

  Returns:
    Its Outcome.

  Raises:
    processes.TaskError: if it fails.
  """
  for tries_left in reversed(range(_TRIES)):
    # A cluster would go on from what an earlier one has left.
    shutil.rmtree(plan.folder, ignore_errors=True)
    try:
      with processes.Processes(layout.jobs, SECONDS) as cluster:
        _start(layout, plan, cluster)
        return _follow(layout, plan, cluster, on_step)
    except processes.PortTakenError:
      if not tries_left:
        raise
  raise AssertionError


def _environment(layout):
  return {"TF_USE_LEGACY_KERAS": "1" if layout.keras == 2 else "0"}


def _start(layout, plan, cluster):
  kills = steps_of_kills(plan.steps) if layout.kills else {}
  environment = _environment(layout)
  for task in layout.served_by:
    cluster.start(task, layout.servers[task.job], **environment)
  for task in layout.trained_by:
    arguments = [plan, kills[task]] if task in kills else [plan]
    cluster.start(task, layout.function, *arguments, **environment)


def _follow(layout, plan, cluster, on_step):
  outcome = Outcome({}, [], [], [])
  running = {*layout.trained_by}
  asked = {task for task in layout.served_by if task.job == "worker"}
  for task, kind, value in cluster.follow():
    if kind == "killed":
      outcome.killed.append(task)
      cluster.start(task, layout.function, plan, **_environment(layout))
    elif kind == "step":
      outcome.steps.append(value)
      on_step(len({*outcome.steps}))
    else:
      outcome.weights = value.weights or outcome.weights
      outcome.devices += value.devices
      running.discard(task)
      if not running and asked:  # the servers say what they ran
        for server in asked:
          cluster.stop(server)
        running, asked = asked, set()
      if not running:
        break
  return outcome


def measure_accuracies(seed, weights):
  """The accuracy with each of several layouts' weights."""
  with processes.Processes({}, SECONDS) as cluster:
    function = "tensorflow1:measure_accuracies"
    cluster.start(Task("process"), function, seed, weights)
    _, _, accuracies = next(cluster.follow())
  return accuracies


def largest_difference(weights, others):
  return max(float(np.abs(weights[n] - others[n]).max()) for n in weights)
