"""Builds the op library with Bazel and puts it into the package.

The library works with the TensorFlow minor that is installed where this runs,
and the wheel's version says which. pip has to see that TensorFlow, so:

  pip wheel --no-build-isolation .
"""

import importlib.metadata
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
LIBRARY = "cc/tensorflow/libtf_contrib_rnn_ops.so"
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly")


def tensorflow_minor():
  for name in TENSORFLOWS:
    try:
      return ".".join(importlib.metadata.version(name).split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
      pass
  sys.exit(
    "tf_contrib_rnn is built for the TensorFlow that is installed, and "
    "pip sees none: install tensorflow or tensorflow-cpu first, and "
    "give pip --no-build-isolation."
  )


def find_bazel():
  for name in (os.environ.get("BAZEL"), "bazel", "bazelisk"):
    path = shutil.which(name) if name else None
    if path:
      return path
  sys.exit(
    "tf_contrib_rnn is built with Bazel, and there is none: install "
    "Debian's bazel-bootstrap, or bazelisk, or set BAZEL to its path."
  )


class BuildWithBazel(build_ext):
  """Builds the op library in place of a Python extension."""

  def get_ext_filename(self, fullname):
    # Loaded by TensorFlow, not by Python: no Python tag, but TensorFlow's.
    return f"{fullname.replace('.', os.sep)}-tf{tensorflow_minor()}.so"

  def build_extension(self, extension):
    failed = subprocess.call(
      [
        find_bazel(),
        "build",
        f"--repo_env=TF_CONTRIB_RNN_PYTHON={sys.executable}",
        "//" + LIBRARY.replace("/lib", ":lib"),
      ],
      cwd=ROOT,
    )
    if failed:
      sys.exit("Bazel could not build the op library: see above.")
    to = pathlib.Path(self.get_ext_fullpath(extension.name))
    to.parent.mkdir(parents=True, exist_ok=True)
    if not self.inplace:  # a wheel is for one minor: none of an earlier build
      for old in to.parent.glob(to.name.split("-")[0] + "*"):
        old.unlink()
    # Bazel's file is read-only, and a program may have the old one mapped.
    to.unlink(missing_ok=True)
    shutil.copyfile(ROOT / "bazel-bin" / LIBRARY, to)
    to.chmod(0o755)


class WheelForAnyPython(bdist_wheel):
  """The library is for a platform, but for any Python 3."""

  def get_tag(self):
    return "py3", "none", super().get_tag()[2]


setuptools.setup(
  version=f"{VERSION}+tf{tensorflow_minor()}",
  packages=[
    "tf_contrib_rnn",
    "tf_contrib_rnn.jax",
    "tf_contrib_rnn.keras",
    "tf_contrib_rnn.migrate",
  ],
  package_data={"tf_contrib_rnn": ["py.typed"]},
  ext_modules=[
    setuptools.Extension("tf_contrib_rnn.libtf_contrib_rnn_ops", [])
  ],
  cmdclass={
    "build_ext": BuildWithBazel,
    "bdist_wheel": WheelForAnyPython,
  },
)
