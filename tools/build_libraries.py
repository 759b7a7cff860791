"""Builds the libraries with Bazel and puts them into the package.

  python tools/build_libraries.py --python .venv/bin/python3

They are for the TensorFlow and the JAX that --python has; without one of the
two, that one's library is not built. The environment's BAZEL says which Bazel,
TF_CONTRIB_RNN_CUDA=1 that the GPU kernels are wanted.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OP_LIBRARY = "cc/tensorflow/libtf_contrib_rnn_ops.so"
XLA_LIBRARY = "cc/xla_ffi/libtf_contrib_rnn_xla.so"
# Asked without importing TensorFlow, which takes seconds.
ASK = """
import importlib.metadata, importlib.util
minor = None
for name in "tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu":
  try:
    minor = ".".join(importlib.metadata.version(name).split(".")[:2])
  except importlib.metadata.PackageNotFoundError:
    pass
print(minor, bool(importlib.util.find_spec("jaxlib")))
"""


def list_libraries(python):
  """What there is to build: what Bazel builds, and the name in the package."""
  minor, has_jaxlib = subprocess.run(
    [python, "-c", ASK], check=True, capture_output=True, text=True
  ).stdout.split()
  libraries = {}
  if minor != "None":
    libraries[OP_LIBRARY] = f"libtf_contrib_rnn_ops-tf{minor}.so"
  if has_jaxlib == "True":
    libraries[XLA_LIBRARY] = "jax/libtf_contrib_rnn_xla.so"
  return libraries


def build(python, package):
  """Builds the libraries for what a Python has, and puts them into a folder."""
  libraries = list_libraries(python)
  if not libraries:
    sys.exit(f"{python} has neither TensorFlow nor jaxlib to build against.")
  targets = ["//" + ":".join(name.rsplit("/", 1)) for name in libraries]
  failed = subprocess.call(
    [
      os.environ.get("BAZEL", "bazel"),
      "build",
      # Not resolved: the environment of a link to Python is the link's.
      f"--repo_env=TF_CONTRIB_RNN_PYTHON={os.path.abspath(python)}",
      *targets,
    ],
    cwd=ROOT,
  )
  if failed:
    sys.exit("Bazel could not build the libraries: see above.")
  for built, name in libraries.items():
    install(ROOT / "bazel-bin" / built, package / name)


def install(built, path):
  """Copies a library to where the package looks for it."""
  path.parent.mkdir(parents=True, exist_ok=True)
  # Bazel's file is read-only, and a program may have the old one mapped.
  path.unlink(missing_ok=True)
  shutil.copyfile(built, path)
  path.chmod(0o755)


def main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument(
    "--python", default=sys.executable, help="has TensorFlow, JAX or both"
  )
  build(parser.parse_args().python, ROOT / "tf_contrib_rnn")


if __name__ == "__main__":
  main()
