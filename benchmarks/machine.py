"""What the figures were measured on: no names of hosts, no paths."""

import importlib.metadata
import os
import platform

_PACKAGES = {
  "TensorFlow": ("tensorflow", "tensorflow-cpu"),
  "tf_contrib_rnn": ("tf_contrib_rnn",),
  "Keras": ("keras",),
  "PyTorch": ("torch",),
  "JAX": ("jax",),
  "NumPy": ("numpy",),
}


def _processor():
  with open("/proc/cpuinfo", encoding="utf-8") as file:
    for line in file:
      if line.startswith("model name"):
        return line.split(":", 1)[1].strip()
  return platform.machine()


def _instruction_set():
  """Which of the library's CPU kernels run here: see BestInstructionSet."""
  with open("/proc/cpuinfo", encoding="utf-8") as file:
    flags = next((line.split() for line in file if "flags" in line), [])
  for name, needed in (
    ("AVX-512", ("avx512f", "avx512bw", "avx512dq", "avx512vl")),
    ("AVX2", ("avx2", "fma")),
  ):
    if all(flag in flags for flag in needed):
      return name
  return "any x86-64" if platform.machine() == "x86_64" else "any processor"


def _version(distributions):
  for distribution in distributions:
    try:
      return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
      continue
  return None


def describe() -> dict:
  versions = {name: _version(names) for name, names in _PACKAGES.items()}
  return {
    "processor": _processor(),
    "instruction_set": _instruction_set(),
    "cores": len(os.sched_getaffinity(0)),
    "system": f"{platform.system()} {platform.machine()}",
    "python": platform.python_version(),
    "versions": {
      name: version for name, version in versions.items() if version
    },
  }
