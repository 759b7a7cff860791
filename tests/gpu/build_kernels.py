"""Builds the GPU kernels without TensorFlow: by nvcc and g++, no Bazel.

  python tests/gpu/build_kernels.py                        for the GPU here
  python tests/gpu/build_kernels.py --architecture sm_90   for another machine's

Leaves the libraries in build/gpu/ARCHITECTURE: one that kernels.py drives from
PyTorch and, where jaxlib is installed, whose headers it needs, one for JAX.
What is built from the sources as they are is not built again: a machine with a
GPU needs no nvcc if the folder is brought along.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "gpu"
LIBRARY = "libcontrib_rnn_kernels.so"
JAX_LIBRARY = "libtf_contrib_rnn_xla.so"
_STAMP = "sources.sha256"
_OLDEST = "sm_75"

NUMBERS = {  # as recurrence_c.cc numbers them, and their names in C++
  "float16": (0, "contrib_rnn::Float16"),
  "bfloat16": (1, "contrib_rnn::BFloat16"),
  "float32": (2, "float"),
  "float64": (3, "double"),
}

_CXX_OPTIONS = ["-std=c++17", "-O3", "-fPIC", "-I."]
# What cc/recurrence/BUILD gives the CPU's kernels.
_CPU_OPTIONS = [
  "-fno-math-errno",
  "-fno-trapping-math",
  "-ffp-contract=fast",
]


class BuildError(Exception):
  """The kernels could not be built; says why."""


def find_nvcc() -> str:
  """The path of nvcc.

  Raises:
    BuildError: if there is none.
  """
  looked = []
  for folder in (os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")):
    if folder:
      looked.append(os.path.join(folder, "bin", "nvcc"))
  looked += [shutil.which("nvcc") or "nvcc", "/usr/local/cuda/bin/nvcc"]
  for path in looked:
    if os.path.isfile(path) and os.access(path, os.X_OK):
      return path
  raise BuildError(
    f"no CUDA compiler: looked for {', '.join(looked)}; set CUDA_HOME to the "
    "folder of a CUDA toolkit"
  )


def ask_gpu(fields: str) -> str:
  """What nvidia-smi says of the first GPU; empty if there is none.

  Args:
    fields: as nvidia-smi names them, with commas.
  """
  program = shutil.which("nvidia-smi")
  if program is None:
    return ""
  query = [program, "--query-gpu=" + fields, "--format=csv,noheader"]
  result = subprocess.run(query, capture_output=True, text=True)
  return "" if result.returncode else result.stdout.split("\n")[0].strip()


def find_architecture() -> str:
  """That of the GPU here, or the oldest that the kernels are for."""
  number = ask_gpu("compute_cap").replace(".", "")
  return f"sm_{number}" if number.isdigit() else _OLDEST


def _find_jax_headers() -> pathlib.Path | None:
  jaxlib = importlib.util.find_spec("jaxlib")
  include = jaxlib and pathlib.Path(jaxlib.origin).parent / "include"
  has_headers = include and (include / "xla/ffi/api/ffi.h").exists()
  return include if has_headers else None


def _commands_of_kernels(nvcc: str, architecture: str) -> dict[str, list[str]]:
  """What compiles each object file that is in every library."""
  cuda = [nvcc, "-x", "cu", "-std=c++17", "-O3", "-ftz=true", "-I."]
  cuda += ["-arch=" + architecture, "-Xcompiler", "-fPIC"]
  commands = {}
  for number, (_, name) in NUMBERS.items():
    commands[f"recurrence_gpu_{number}.o"] = [
      *cuda,
      "-DCONTRIB_RNN_NUMBER=" + name,
      "cc/recurrence/recurrence_gpu.cu.cc",
    ]
  commands["gpu_support.o"] = [*cuda, "cc/recurrence/gpu_support.cu.cc"]
  for path in sorted(ROOT.glob("cc/recurrence/*_cpu*.cc")):
    source = str(path.relative_to(ROOT))
    commands[path.stem + ".o"] = ["g++", *_CXX_OPTIONS, *_CPU_OPTIONS, source]
  return commands


def _commands_of_libraries() -> dict[str, dict[str, list[str]]]:
  """What compiles each library's own object files."""
  source = "cc/c_interface/recurrence_c.cc"
  libraries = {LIBRARY: {"recurrence_c.o": ["g++", *_CXX_OPTIONS, source]}}
  include = _find_jax_headers()
  if include:
    options = [*_CXX_OPTIONS, "-isystem", str(include)]
    source = "cc/xla_ffi/handlers_"
    libraries[JAX_LIBRARY] = {
      f"handlers_{device}.o": ["g++", *options, f"{source}{device}.cc"]
      for device in ("cpu", "gpu")
    }
  return libraries


def _run(command: list[str]) -> None:
  result = subprocess.run(
    command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
  )
  if result.returncode:
    output = result.stdout.decode(errors="replace")
    raise BuildError(f"{' '.join(command)}\n{output}")


def _hash_sources(architecture: str) -> str:
  """What tells these sources, and how they are compiled, from others."""
  commands = _commands_of_kernels("nvcc", architecture)
  digest = hashlib.sha256(repr(commands).encode())
  for path in sorted(ROOT.glob("cc/*/*.*")):
    digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
    digest.update(path.read_bytes() + b"\0")
  return digest.hexdigest()


def _compile(commands: dict[str, list[str]], folder: pathlib.Path) -> None:
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    running = {
      pool.submit(_run, [*command, "-c", "-o", str(folder / name)]): name
      for name, command in commands.items()
    }
    for done, future in enumerate(concurrent.futures.as_completed(running), 1):
      if future.exception():
        print(future.exception(), flush=True)  # before the others have ended
        pool.shutdown(wait=False, cancel_futures=True)
      future.result()
      print(f"compiled {done}/{len(running)}: {running[future]}", flush=True)


def build(architecture: str | None = None) -> pathlib.Path:
  """Builds the libraries, unless they are there, made from these sources.

  Args:
    architecture: such as "sm_90"; None for that of the GPU here.

  Returns:
    The path of LIBRARY; JAX_LIBRARY lies beside it.

  Raises:
    BuildError: if there is no nvcc, or if a compiler fails.
  """
  architecture = architecture or find_architecture()
  folder = BUILD / architecture
  stamp, sources = folder / _STAMP, _hash_sources(architecture)
  libraries = _commands_of_libraries()
  is_made = stamp.exists() and stamp.read_text() == sources
  if is_made and all((folder / name).exists() for name in libraries):
    return folder / LIBRARY
  nvcc = find_nvcc()
  folder.mkdir(parents=True, exist_ok=True)
  stamp.unlink(missing_ok=True)
  kernels = _commands_of_kernels(nvcc, architecture)
  commands = {**kernels}
  for own in libraries.values():
    commands.update(own)
  _compile(commands, folder)
  for library, own in libraries.items():
    objects = [str(folder / name) for name in (*kernels, *own)]
    link = [nvcc, "-shared", "-cudart=static", *objects]
    _run([*link, "-o", str(folder / library)])
  for name in commands:
    (folder / name).unlink()
  stamp.write_text(sources)
  return folder / LIBRARY


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--architecture", help="such as sm_90")
  try:
    path = build(parser.parse_args().architecture)
  except BuildError as error:
    sys.exit(f"build_kernels.py: {error}")
  print(f"built {path.relative_to(ROOT)}")
  return 0


if __name__ == "__main__":
  sys.exit(main())
