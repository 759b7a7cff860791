"""Random calls of the ops or of the handlers for XLA, each checked against what
the documentation says of it.

  python tests/fuzz_run.py ops --calls 20000
  python tests/fuzz_run.py handlers --seed 5 --first 1234 --calls 1

A call depends on the seed and its number alone, so that any of them can be made
again by itself.
"""

import argparse
import collections
import importlib
import json
import os
import random
import sys
import traceback

SUBJECTS = {"ops": "fuzz_ops", "handlers": "fuzz_handlers"}


def run_calls(subject, seed, first, calls, progress=None, **options):
  """Makes calls until one does what it should not.

  Args:
    subject: one of SUBJECTS.
    seed, first, calls: which calls.
    progress: a file descriptor, in which the number of each call is left for
      whoever finds this process dead.
    options: of the subject's `check`.

  Returns:
    How many calls were what: `collections.Counter`.

  Raises:
    AssertionError: with the call, and how to repeat it.
  """
  module = importlib.import_module(SUBJECTS[subject])
  outcomes = collections.Counter()
  for number in range(first, first + calls):
    if progress is not None:
      os.pwrite(progress, b"%-20d" % number, 0)
    rng = random.Random(f"{seed} {number}")
    call = module.draw(rng)
    described = str(call)
    try:
      outcomes[module.check(call, rng, **options)] += 1
    except Exception:
      raise AssertionError(
        f"{traceback.format_exc()}\n{described}\n"
        f"{describe_repetition(subject, seed, number)}"
      ) from None
  return outcomes


def describe_repetition(subject, seed, number):
  return (
    f"Call {number} of seed {seed}; to repeat it: python tests/fuzz_run.py "
    f"{subject} --seed {seed} --first {number} --calls 1"
  )


def main():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("subject", choices=SUBJECTS)
  parser.add_argument("--seed", type=int, default=1)
  parser.add_argument("--first", type=int, default=0)
  parser.add_argument("--calls", type=int, default=10000)
  parser.add_argument("--progress", type=int, help="a file descriptor")
  arguments = parser.parse_args()
  try:
    print(json.dumps(run_calls(**vars(arguments))))
  except AssertionError as error:
    sys.exit(f"{error}")


if __name__ == "__main__":
  main()
