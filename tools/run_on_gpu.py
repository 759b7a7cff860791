"""Runs all that proves and measures the GPU kernels, on a machine with a GPU.

  python tools/run_on_gpu.py kernels --output FOLDER      with PyTorch
  python tools/run_on_gpu.py jax --output FOLDER          inside JAX
  python tools/run_on_gpu.py tensorflow --output FOLDER   inside TensorFlow

A step that fails, hangs or takes longer than its limit is noted, and the next
one runs; without a build there is none. FOLDER gets log.txt, what the steps
print; report.json, what became of each; and the figures of the measuring ones.
With --on-host all that needs no GPU runs on the CPU: it shows that the steps
run.

For a machine that is lent for minutes, build beforehand: tests/gpu/
build_kernels.py --architecture sm_90, say, and bring build/gpu/sm_90 along.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "gpu"))
from build_kernels import ask_gpu  # noqa: E402

LINES_OF_A_FAILURE = 15
MINUTES = 9.5  # for all steps, unless they are given
LEFT_OUT = ": left out, "  # what programs say that have nothing to run on


@dataclasses.dataclass(frozen=True)
class Step:
  """A program that is run.

  Attributes:
    name: in the report.
    program: its path in the repository, and arguments.
    seconds: its limit.
    output: the name of a JSON file that it writes, given as --output.
    needs_gpu: whether --on-host leaves it out.
    takes_on_host: whether it has an argument --on-host.
  """

  name: str
  program: str
  seconds: int
  output: str = ""
  needs_gpu: bool = False
  takes_on_host: bool = True


BUILD = Step("build", "tests/gpu/build_kernels.py", 400, takes_on_host=False)
PARTS = {
  "kernels": [
    BUILD,
    Step("check", "tests/gpu/check_kernels.py", 150),
    Step(
      "sanitize", "tests/gpu/check_kernels.py --sanitize", 180, needs_gpu=True
    ),
    Step("measure", "benchmarks/gpu.py", 240, "benchmark.json"),
  ],
  "jax": [
    BUILD,
    Step("check", "tests/gpu/check_jax.py", 300),
    Step("measure", "benchmarks/gpu_jax.py", 200, "benchmark_jax.json"),
  ],
  "tensorflow": [Step("check", "tests/gpu/check_tensorflow.py", 300)],
}


def describe_machine() -> dict:
  """The GPU, its driver and the Python, as far as they can be found."""
  return {
    "date": time.strftime("%Y-%m-%d"),
    "gpu": ask_gpu("name,driver_version,memory.total,clocks.max.sm")
    or "none that nvidia-smi knows",
    "processors": os.cpu_count(),
    "python": platform.python_version(),
  }


def wait(process: subprocess.Popen, limit: float) -> str:
  """The verdict on a process; it, and what it started, ends here."""
  try:
    status = process.wait(limit)
    return "passed" if status == 0 else f"FAILED ({status})"
  except subprocess.TimeoutExpired:
    return f"FAILED: took longer than {limit:.0f} s"
  finally:
    with contextlib.suppress(ProcessLookupError):
      os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_step(
  step: Step, on_host: bool, folder: pathlib.Path, limit: float
) -> dict:
  """Runs one; what the report has of it, and the lines that it printed."""
  program, *arguments = step.program.split()
  command = [sys.executable, str(ROOT / program), *arguments]
  if on_host and step.takes_on_host:
    command.append("--on-host")
  if step.output:
    command += ["--output", str(folder / step.output)]
  start = time.monotonic()
  with open(folder / "log.txt", "a+b") as log:
    log.write(f"\n=== {step.name}: {step.program}\n".encode())
    log.flush()
    begin = log.tell()
    process = subprocess.Popen(
      command,
      stdout=log,
      stderr=subprocess.STDOUT,
      # Else what is printed before the end is lost where that is a kill.
      env={**os.environ, "PYTHONUNBUFFERED": "1"},
      # No session of its own: it is to end with this program's.
      preexec_fn=os.setpgrp,
    )
    verdict = wait(process, limit)
    log.seek(begin)
    printed = log.read().decode(errors="replace").splitlines()
  last = next((line for line in printed[::-1] if line.strip()), "")
  if verdict == "passed" and LEFT_OUT in last:
    verdict = "LEFT OUT"
  return {
    "step": step.name,
    "program": step.program,
    "verdict": verdict,
    "seconds": round(time.monotonic() - start, 1),
    "last line": last,
    "printed": printed,
  }


def print_step(done: dict) -> None:
  """The tables of a step, and the last lines of one that failed."""
  print(f"  {done['verdict']} in {done['seconds']} s", flush=True)
  lines = [line for line in done["printed"] if line.startswith("|")]
  if done["verdict"] != "passed":
    lines += done["printed"][-LINES_OF_A_FAILURE:]
  print("\n".join("  " + line for line in lines), flush=True)


def run(part: str, folder: pathlib.Path, on_host: bool, minutes: float) -> int:
  """Runs a part's steps; the exit status."""
  folder.mkdir(parents=True, exist_ok=True)
  (folder / "log.txt").write_text("")
  steps = [s for s in PARTS[part] if not (on_host and s.needs_gpu)]
  report = {"part": part, "machine": describe_machine(), "steps": []}
  end = time.monotonic() + 60 * minutes
  for step in steps:
    left = end - time.monotonic()
    print(f"{step.name}: {step.program} ...", flush=True)
    done = run_step(step, on_host, folder, max(1, min(step.seconds, left)))
    print_step(done)
    del done["printed"]
    report["steps"].append(done)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    if step is BUILD and done["verdict"] != "passed":
      break  # each of the others would build again
  print("\n| step | verdict | seconds | last line |")
  print("|---|---|---|---|")
  for done in report["steps"]:
    print(
      "| "
      + " | ".join(
        str(done[key]) for key in ("step", "verdict", "seconds", "last line")
      )
      + " |"
    )
  print(f"{report['machine']['gpu']}; all in {folder}")
  return int(any(done["verdict"] != "passed" for done in report["steps"]))


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("part", choices=PARTS)
  parser.add_argument("--output", type=pathlib.Path, required=True)
  parser.add_argument("--on-host", action="store_true")
  parser.add_argument(
    "--minutes",
    type=float,
    default=MINUTES,
    help="for all steps (default: %(default)s)",
  )
  arguments = parser.parse_args()
  return run(
    arguments.part,
    arguments.output.resolve(),
    arguments.on_host,
    arguments.minutes,
  )


if __name__ == "__main__":
  sys.exit(main())
