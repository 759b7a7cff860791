"""A candidate's process: it answers one request at a time, and waits."""

import multiprocessing
import os

# The first setting up of a candidate imports a framework and compiles.
_SECONDS_TO_ANSWER = 300


class Failure(Exception):
  """Why a candidate can't do what was asked."""


def _reason(error):
  """The first line of an error's message that says something."""
  if isinstance(error, ImportError):
    return f"not installed: {error}"
  lines = [line.strip() for line in str(error).splitlines()]
  first = next((line for line in lines if line), "")
  return f"{type(error).__name__}: {first}"[:200]


def _serve(connection, name):
  """Answers (method, arguments) with (whether it worked, result or reason)."""
  with open(os.devnull, "w", encoding="ascii") as nowhere:
    for stream in (1, 2):  # what frameworks print would tear the progress bar
      os.dup2(nowhere.fileno(), stream)
  import measure

  bench = measure.Bench(name)
  while True:
    try:
      method, arguments = connection.recv()
    except EOFError:
      return
    try:
      answer = True, getattr(bench, method)(*arguments)
    except Exception as error:
      answer = False, _reason(error)
    connection.send(answer)


class Worker:
  """Starts the process when it is first asked, and again if it has died."""

  def __init__(self, name):
    self.name = name
    self._process = None
    self._connection = None

  def _start(self):
    context = multiprocessing.get_context("spawn")
    self._connection, theirs = context.Pipe()
    self._process = context.Process(
      target=_serve, args=(theirs, self.name), daemon=True
    )
    self._process.start()
    theirs.close()

  def ask(self, method, *arguments):
    """Returns what `measure.Bench`'s method does; raises Failure."""
    if not self._process:
      self._start()
    try:
      self._connection.send((method, arguments))
      if not self._connection.poll(_SECONDS_TO_ANSWER):
        raise Failure(f"no answer within {_SECONDS_TO_ANSWER} s")
      is_done, answer = self._connection.recv()
    except (EOFError, OSError) as error:
      self._process.join()
      reason = f"its process ended with code {self._process.exitcode}"
      self.stop()
      raise Failure(reason) from error
    except Failure:
      self.stop()
      raise
    if not is_done:
      raise Failure(answer)
    return answer

  def stop(self):
    if self._process:
      self._process.kill()
      self._process.join()
      self._connection.close()
    self._process = None
