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
CHECK_JAX = ROOT / "tests" / "gpu" / "check_jax.py"
MEASURE_JAX = ROOT / "benchmarks" / "gpu_jax.py"

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
  pytest.mark.long,  # nvcc compiles for minutes
]
needs_torch = pytest.mark.skipif(
  importlib.util.find_spec("torch") is None,
  reason="PyTorch is not installed: make bench installs it",
)


def run(program, *arguments, **environment):
  return subprocess.run(
    [sys.executable, str(program), *arguments],
    capture_output=True,
    text=True,
    env={**os.environ, **environment},
  )


@needs_torch
@pytest.mark.parametrize("program", [CHECK, MEASURE])
def test_without_a_gpu_it_builds_and_asks_for_one(program):
  result = run(program, CUDA_VISIBLE_DEVICES="")
  assert result.returncode == 2, result.stdout + result.stderr
  assert "running them needs a GPU" in result.stderr


@needs_torch
def test_threads_of_the_gpu_on_the_host():
  result = run(CHECK, "--on-host", "--small")
  assert result.returncode == 0, result.stdout + result.stderr
  assert "528 of 528 cases passed on gpu_on_host" in result.stdout


@needs_torch
def test_measuring_program_runs():
  result = run(MEASURE, "--on-host")
  assert result.returncode == 0, result.stdout + result.stderr
  assert "these times mean nothing" in result.stdout


needs_jax = pytest.mark.skipif(
  importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)


@needs_jax
def test_handlers_inside_jax_on_the_host():
  result = run(CHECK_JAX, "--on-host")
  assert result.returncode == 0, result.stdout + result.stderr
  assert "400 of 400 cases passed in JAX on" in result.stdout


@needs_jax
def test_measuring_program_of_jax_runs():
  result = run(MEASURE_JAX, "--on-host")
  assert result.returncode == 0, result.stdout + result.stderr
  assert "these times mean nothing" in result.stdout


@needs_jax
@pytest.mark.parametrize("program", [CHECK_JAX, MEASURE_JAX])
def test_what_is_for_jax_on_a_gpu_is_left_out_without_one(program):
  result = run(program, CUDA_VISIBLE_DEVICES="")
  assert result.returncode == 0, result.stdout + result.stderr
  assert "left out, JAX sees no GPU" in result.stdout


def run_without_torch(folder, code):
  """Runs code beside kernels.py where PyTorch is not installed."""
  (folder / "torch.py").write_text("raise ImportError('no torch here')")
  path = os.pathsep.join([str(folder), str(CHECK.parent)])
  result = run("-c", code, PYTHONPATH=path, CUDA_VISIBLE_DEVICES="")
  assert result.returncode == 0, result.stdout + result.stderr
  return result.stdout


def test_library_builds_and_loads_without_torch(tmp_path):
  code = """
import kernels
print(kernels.Kernels(kernels.build("sm_75"), "gpu").architectures())
"""
  assert "sm_75,compute_75" in run_without_torch(tmp_path, code)
  # Nothing is compiled twice, whatever is younger.
  (ROOT / "cc" / "cells" / "sru.h").touch()
  assert "compiled" not in run_without_torch(tmp_path, code)


def test_what_is_built_of_other_sources_is_not_taken(tmp_path):
  code = f"""
import pathlib
import build_kernels
build_kernels.BUILD = pathlib.Path({str(tmp_path)!r})
folder = build_kernels.BUILD / "sm_75"
folder.mkdir()
for name in (build_kernels.LIBRARY, build_kernels.JAX_LIBRARY):
  (folder / name).write_text("")
stamp = folder / "sources.sha256"
stamp.write_text(build_kernels._hash_sources("sm_75"))
print("taken", build_kernels.build("sm_75"))
build_kernels.find_nvcc = lambda: "false"  # a compiler that fails
stamp.write_text("others")
try:
  build_kernels.build("sm_75")
except build_kernels.BuildError as error:
  print("refused", stamp.exists())
"""
  printed = run_without_torch(tmp_path, code)
  assert f"taken {tmp_path}" in printed and "refused False" in printed


def test_launch_without_a_gpu_is_an_error_in_words(tmp_path):
  code = """
import ctypes
import kernels
library = ctypes.CDLL(str(kernels.build()))
library.contrib_rnn_forward.restype = ctypes.c_char_p
arguments = [
  kernels._Options(),  # an IndRNN
  kernels._Sequences(time=2, batch=3, units=5),
  kernels._ForwardTensors(),
]
pointers = map(ctypes.byref, arguments)
print(library.contrib_rnn_forward(1, None, 2, *pointers).decode())
"""
  printed = run_without_torch(tmp_path, code)
  assert "a GPU kernel could not be launched: " in printed
