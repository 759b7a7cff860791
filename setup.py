"""Builds the libraries with Bazel and puts them into the package.

The op library works with the TensorFlow minor that is installed where this
runs, and its file's name says which. The library for JAX works with any recent
JAX, but needs the headers of the one that is installed. pip has to see them:

  pip wheel --no-build-isolation .

Without one of the two, that one's library is not built. Without both, as in
pip's own environment for building, or without Bazel, the package has none: what
it runs is composed, and says so once.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import runpy
import shutil
import subprocess
import sys

import setuptools
from setuptools.command.build_ext import build_ext

try:
  from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
  from wheel.bdist_wheel import bdist_wheel

ROOT = pathlib.Path(__file__).parent.resolve()
VERSION = runpy.run_path(str(ROOT / "tf_contrib_rnn/version.py"))["__version__"]
# What Bazel builds for each extension.
LIBRARIES = {
  "tf_contrib_rnn.libtf_contrib_rnn_ops": "cc/tensorflow",
  "tf_contrib_rnn.jax.libtf_contrib_rnn_xla": "cc/xla_ffi",
}
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly")


def tensorflow_minor():
  """That of the TensorFlow that is installed, or None."""
  for name in TENSORFLOWS:
    try:
      return ".".join(importlib.metadata.version(name).split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
      pass
  return None


def has_xla_headers():
  jaxlib = importlib.util.find_spec("jaxlib")
  if not jaxlib:
    return False
  include = pathlib.Path(jaxlib.origin).parent / "include"
  return (include / "xla/ffi/api/ffi.h").exists()


def find_bazel():
  for name in (os.environ.get("BAZEL"), "bazel", "bazelisk"):
    path = shutil.which(name) if name else None
    if path:
      return path
  return None


def why_no_libraries():
  """Why there is nothing to build; None if there is."""
  if not tensorflow_minor() and not has_xla_headers():
    return "pip sees neither TensorFlow nor JAX (give it --no-build-isolation)"
  if not find_bazel():
    return (
      "there is no Bazel (install Debian's bazel-bootstrap, or bazelisk, or "
      "set BAZEL to its path)"
    )
  return None


def list_extensions():
  reason = why_no_libraries()
  if reason:
    print(f"tf_contrib_rnn is built without its libraries: {reason}.")
    return []
  ops, xla = LIBRARIES
  names = [ops] if tensorflow_minor() else []
  names += [xla] if has_xla_headers() else []
  for name in LIBRARIES.keys() - names:
    framework = "TensorFlow" if name == ops else "jaxlib"
    print(f"There is no {framework} to build against: no {name}.")
  return [setuptools.Extension(name, []) for name in names]


class BuildWithBazel(build_ext):
  """Builds a library in place of a Python extension."""

  def get_ext_filename(self, fullname):
    # Loaded by TensorFlow or JAX, not by Python: no Python tag.
    path = fullname.replace(".", os.sep)
    minor = f"-tf{tensorflow_minor()}" if fullname.endswith("_ops") else ""
    return f"{path}{minor}.so"

  def build_extension(self, extension):
    folder = LIBRARIES[extension.name]
    library = extension.name.rpartition(".")[2] + ".so"
    failed = subprocess.call(
      [
        find_bazel(),
        "build",
        f"--repo_env=TF_CONTRIB_RNN_PYTHON={sys.executable}",
        f"//{folder}:{library}",
      ],
      cwd=ROOT,
    )
    if failed:
      sys.exit(f"Bazel could not build {library}: see above.")
    to = pathlib.Path(self.get_ext_fullpath(extension.name))
    to.parent.mkdir(parents=True, exist_ok=True)
    if not self.inplace:  # a wheel is for one minor: none of an earlier build
      for old in to.parent.glob(to.name.split("-")[0] + "*"):
        old.unlink()
    # Bazel's file is read-only, and a program may have the old one mapped.
    to.unlink(missing_ok=True)
    shutil.copyfile(ROOT / "bazel-bin" / folder / library, to)
    to.chmod(0o755)


class WheelForAnyPython(bdist_wheel):
  """The library is for a platform, if there is one, but for any Python 3."""

  def get_tag(self):
    return "py3", "none", super().get_tag()[2]


setuptools.setup(
  version=VERSION,
  packages=[
    "tf_contrib_rnn",
    "tf_contrib_rnn.cells",
    "tf_contrib_rnn.checkpoints",
    "tf_contrib_rnn.flax",
    "tf_contrib_rnn.flax.nnx",
    "tf_contrib_rnn.fused_rnn",
    "tf_contrib_rnn.jax",
    "tf_contrib_rnn.keras",
    "tf_contrib_rnn.migrate",
    "tf_contrib_rnn.ops",
    "tf_contrib_rnn.rnn",
    "tf_contrib_rnn.upgrade",
    "tf_contrib_rnn.wrappers",
  ],
  package_data={"tf_contrib_rnn": ["py.typed"]},
  ext_modules=list_extensions(),
  cmdclass={
    "build_ext": BuildWithBazel,
    "bdist_wheel": WheelForAnyPython,
  },
)
