"""Starts the tasks of a cluster as processes of this machine, and follows them.

Each task finds the cluster and its own place in TF_CONFIG, as on a cluster of
many machines. Nothing here imports TensorFlow: the processes do.
"""

import contextlib
import dataclasses
import importlib
import json
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import os
import pathlib
import signal
import socket
import tempfile
import time
import traceback

_context = multiprocessing.get_context("forkserver")
# What TensorFlow says where another program listens at a port.
_PORT_TAKEN = "Could not start gRPC server"
_SECONDS_TO_END = 5


class TaskError(Exception):
  """A task failed, was killed or took too long."""


class PortTakenError(TaskError):
  """Another program has taken a port that was free when it was chosen."""


@dataclasses.dataclass(frozen=True, order=True)
class Task:
  """A place in a cluster."""

  job: str
  index: int = 0

  def __str__(self):
    return f"{self.job} {self.index}"


def import_once(*modules):
  """Lets processes start with these modules imported: it saves seconds."""
  _context.set_forkserver_preload(list(modules))
  # Ctrl-C is for this process, which then ends all others.
  handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
  multiprocessing.forkserver.ensure_running()
  signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def _interrupt_later():
  """Lets Ctrl-C take effect at the end of a block, not in the middle."""
  came = []
  handler = signal.signal(signal.SIGINT, lambda *_: came.append(True))
  try:
    yield
  finally:
    signal.signal(signal.SIGINT, handler)
  if came:
    raise KeyboardInterrupt


def choose_addresses(jobs):
  """Free ports on the loopback address, as {job: ["127.0.0.1:port", ...]}."""
  # All are open at once, so that no port is chosen twice.
  sockets = {
    job: [socket.socket() for _ in range(count)] for job, count in jobs.items()
  }
  addresses = {}
  for job, opened in sockets.items():
    for one in opened:
      one.bind(("127.0.0.1", 0))
    addresses[job] = ["{}:{}".format(*one.getsockname()) for one in opened]
  for opened in sockets.values():
    for one in opened:
      one.close()
  return addresses


class Processes:
  """The processes of one cluster. A `with` block ends them all.

  Args:
    jobs: how many tasks each job has, {"ps": 2, "worker": 2}. Empty for a
      process that is no cluster.
    seconds: how long they may take, together.
  """

  def __init__(self, jobs, seconds):
    self._addresses = choose_addresses(jobs)
    self._deadline = time.monotonic() + seconds
    self._processes = {}
    self._connections = {}
    self._folder = tempfile.TemporaryDirectory()

  def __enter__(self):
    return self

  def __exit__(self, *_):
    for process in self._processes.values():
      process.kill()
    for process in self._processes.values():
      process.join(_SECONDS_TO_END)
    for connection in self._connections:
      connection.close()
    self._folder.cleanup()

  def start(self, task, function, *arguments, **environment):
    """Starts the process of a task, or starts it again.

    Args:
      task: which one.
      function: what it does, "module:function". It is called with a function
        that reports a step, and the arguments.
      *arguments: of the function.
      **environment: variables to set before the module is imported.
    """
    place = {"type": task.job, "index": task.index}
    config = {"cluster": self._addresses, "task": place}
    environment["TF_CONFIG"] = json.dumps(config if self._addresses else {})
    receiver, sender = _context.Pipe(duplex=False)
    seconds = max(1, round(self._deadline - time.monotonic()))
    process = _context.Process(
      target=_run,
      args=(sender, function, arguments, environment, self._log(task), seconds),
      daemon=True,
    )
    # A process that was started, and is not known here, would not be ended.
    with _interrupt_later():
      process.start()
      self._processes[task] = process
    sender.close()
    self._connections[receiver] = task

  def stop(self, task):
    """Sends SIGTERM: a server then answers, and ends."""
    self._processes[task].terminate()

  def follow(self):
    """Yields what tasks report: (task, "step" | "done" | "killed", value).

    Raises:
      PortTakenError: if a server could not start.
      TaskError: if a task failed, or time is over.
    """
    while self._connections:
      seconds = max(0, self._deadline - time.monotonic())
      connections = multiprocessing.connection.wait(self._connections, seconds)
      if not connections:
        waiting = ", ".join(sorted(map(str, self._connections.values())))
        raise TaskError(f"time is over, and these have not ended: {waiting}")
      for connection in connections:
        task = self._connections[connection]
        try:
          kind, value = connection.recv()
        except (EOFError, ConnectionResetError):
          del self._connections[connection]
          connection.close()
          yield from self._ended(task)
          continue
        if kind == "failed":
          is_port = _PORT_TAKEN in value
          raise (PortTakenError if is_port else TaskError)(f"{task}: {value}")
        yield task, kind, value

  def _ended(self, task):
    process = self._processes[task]
    process.join(_SECONDS_TO_END)
    if process.exitcode == -signal.SIGKILL:
      yield task, "killed", None
    elif process.exitcode != 0:
      path = pathlib.Path(self._log(task))
      log = path.read_text("utf-8", "replace") if path.exists() else ""
      raise TaskError(f"{task} ended with {process.exitcode}: {log[-3000:]}")

  def _log(self, task):
    return os.path.join(self._folder.name, f"{task.job}_{task.index}.log")


def _run(connection, function, arguments, environment, log, seconds):
  """What the process of a task does."""
  # After Ctrl-C, the parent ends all of them. Nothing outlives its time.
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  signal.alarm(seconds)
  for number in (1, 2):
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
  os.environ.update(environment)

  def report_step(step):
    connection.send(("step", step))

  try:
    module, name = function.split(":")
    function = getattr(importlib.import_module(module), name)
    connection.send(("done", function(report_step, *arguments)))
  except Exception:
    connection.send(("failed", traceback.format_exc()))
  connection.close()
