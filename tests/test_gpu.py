"""The programs that prove and measure the GPU kernels, short of a GPU."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHECK = ROOT / "tests" / "gpu" / "check_kernels.py"
MEASURE = ROOT / "benchmarks" / "gpu.py"

has_nvcc = bool(shutil.which("nvcc")) or any(
  os.path.exists(os.path.join(folder, "bin", "nvcc"))
  for folder in (
    os.environ.get("CUDA_HOME", ""),
    os.environ.get("CUDA_PATH", ""),
    "/usr/local/cuda",
  )
)
pytestmark = [
  pytest.mark.skipif(not has_nvcc, reason="there is no nvcc here"),
  pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="PyTorch is not installed: make bench installs it",
  ),
]


def run(program, *arguments, **environment):
  return subprocess.run(
    [sys.executable, str(program), *arguments],
    capture_output=True,
    text=True,
    env={**os.environ, **environment},
  )


@pytest.mark.parametrize("program", [CHECK, MEASURE])
def test_without_a_gpu_it_builds_and_asks_for_one(program):
  result = run(program, CUDA_VISIBLE_DEVICES="")
  assert result.returncode == 2, result.stdout + result.stderr
  assert "running them needs a GPU" in result.stderr


def test_threads_of_the_gpu_on_the_host():
  result = run(CHECK, "--on-host", "--small")
  assert result.returncode == 0, result.stdout + result.stderr
  assert "324 of 324 cases passed on gpu_on_host" in result.stdout


def test_measuring_program_runs():
  result = run(MEASURE, "--on-host")
  assert result.returncode == 0, result.stdout + result.stderr
  assert "these times mean nothing" in result.stdout


def test_launch_without_a_driver_is_an_error_in_words():
  code = """
import sys
import types
import torch
import kernels
torch.cuda.current_stream = lambda: types.SimpleNamespace(cuda_stream=None)
x = torch.zeros(2, 3, 5)
call = kernels.Call("IndRNN", x, x[0, 0], x[0, 1], (x[0, :2].clone(),))
try:
  kernels.Kernels(kernels.build(), "gpu").forward(call)
except RuntimeError as error:
  print(error)
"""
  result = run("-c", code, PYTHONPATH=str(CHECK.parent))
  if "CUDA" not in result.stdout and shutil.which("nvidia-smi"):
    pytest.skip("there is a GPU here")
  assert "a GPU kernel could not be launched: " in result.stdout, result
