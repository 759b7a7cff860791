"""What runs inside a candidate's process: timing, and peak memory."""

import ctypes
import dataclasses
import gc
import time

import candidates

# Untimed calls before a block: the caches hold another process's data.
_WARM_UP_SECONDS = 0.02
_MOST_RUNS = 200


class Stopwatch:
  """Times one call in blocks, each of as many runs as fit into some seconds."""

  def __init__(self, call, seconds, least_runs):
    self._call = call
    call()  # traces, compiles
    call()
    once = min(self._time() for _ in range(2))
    self._runs = min(max(least_runs, int(seconds / once)), _MOST_RUNS)

  def _time(self):
    start = time.perf_counter()
    self._call()
    return time.perf_counter() - start

  def block(self) -> list[float]:
    """Seconds of each run, after warming up."""
    until = time.perf_counter() + _WARM_UP_SECONDS
    self._call()
    while time.perf_counter() < until:
      self._call()
    gc.disable()  # a collection would be the framework's, not the layer's
    try:
      return [self._time() for _ in range(self._runs)]
    finally:
      gc.enable()


class Bench:
  """A candidate, with the problem that it has been given last."""

  def __init__(self, name):
    self._name = name
    self._problem = None
    self._calls = None
    self._stopwatches = {}

  def _set_up(self, problem):
    if problem != self._problem:
      self.close()
      self._calls = candidates.build(self._name, problem)
      self._problem = problem

  def warm_up(self, problem, direction, seconds, least_runs):
    self._set_up(problem)
    call = getattr(self._calls, direction)
    self._stopwatches[direction] = Stopwatch(call, seconds, least_runs)

  def time(self, problem, direction):
    assert problem == self._problem
    return self._stopwatches[direction].block()

  def results(self, problem):
    """Outputs and gradients of the inputs, to see that the function is one."""
    self._set_up(problem)
    return self._calls.results()

  def peak_memory(self, problem):
    """Bytes that a first training step needs above the variables'.

    Not all that setting up frees goes back to the system, and the step uses
    some of it again: so what is held is read before setting up, and the
    variables are counted. What is not used again makes this too large.
    """
    self._set_up(dataclasses.replace(problem, batch=2, time=3))
    self._calls.train()
    held = memory("VmRSS") + problem.variable_bytes()
    self._set_up(problem)
    restart_peak()
    self._calls.train()
    return memory("VmHWM") - held

  def close(self):
    if self._calls:
      self._calls.close()
    self._problem = self._calls = None
    self._stopwatches = {}
    gc.collect()


def restart_peak():
  """Lets the peak, VmHWM, start again from what is held now."""
  ctypes.CDLL(None).malloc_trim(0)
  with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
    file.write("5")


def memory(name):
  """Bytes that the process holds (VmRSS) or held at most (VmHWM)."""
  with open("/proc/self/status", encoding="ascii") as file:
    line = next(line for line in file if line.startswith(name + ":"))
  return int(line.split()[1]) * 1024
