"""Compiles the libraries with the system's C++ compiler.

The op library works with the TensorFlow minor that is installed where this
runs, and its file's name says which. The library for JAX works with any recent
JAX, but needs the headers of the one that is installed. pip has to see them:

  pip install --no-build-isolation .

Without one of the two, that one's library is not built. Without both, as in
pip's own environment for building, or without a compiler, the package has none:
what it runs is composed, and says so once.

tools/build_libraries.py builds the same libraries with Bazel, with GPU kernels
if asked to. TF_CONTRIB_RNN_PREBUILT=1 takes those that it put into the package.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import re
import runpy
import shlex
import shutil
import sys
import sysconfig

import setuptools
from setuptools.command.build_ext import build_ext

try:
  from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
  from wheel.bdist_wheel import bdist_wheel

ROOT = pathlib.Path(__file__).parent.resolve()
VERSION = runpy.run_path(str(ROOT / "tf_contrib_rnn/version.py"))["__version__"]
# As in tools/build_libraries.py.
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu")
PREBUILT = os.environ.get("TF_CONTRIB_RNN_PREBUILT") == "1"
# As in .bazelrc and cc/recurrence/BUILD.
FLAGS = ["-std=c++17", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math"]
FLAGS += ["-ffp-contract=fast", "-w"]
# What both libraries hold. setuptools compiles it once.
RECURRENCE = (
  "tf_contrib_rnn_recurrence",
  {
    "sources": sorted(
      str(path.relative_to(ROOT))
      for path in (ROOT / "cc/recurrence").glob("*.cc")
      if not path.name.endswith(("_test.cc", ".cu.cc"))
    ),
    "include_dirs": ["."],
    "cflags": FLAGS,
  },
)


def read_description():
  """README for a page without the repository's files: no links to them."""
  text = (ROOT / "README.md").read_text(encoding="utf-8")
  text = re.sub(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n*", "", text)
  return re.sub(r"\[([^]]*)\]\((?!https?:|#)[^)]*\)", r"\1", text)


def tensorflow_minor():
  """That of the TensorFlow that is installed, or None."""
  for name in TENSORFLOWS:
    try:
      return ".".join(importlib.metadata.version(name).split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
      pass
  return None


def xla_headers():
  """The folder of XLA's headers that jaxlib installs, or None."""
  jaxlib = importlib.util.find_spec("jaxlib")
  if not jaxlib:
    return None
  include = pathlib.Path(jaxlib.origin).parent / "include"
  return include if (include / "xla/ffi/api/ffi.h").exists() else None


def why_no_libraries():
  """Why there is nothing to build; None if there is."""
  if not tensorflow_minor() and not xla_headers():
    return "pip sees neither TensorFlow nor JAX (give it --no-build-isolation)"
  compiler = os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++"
  if not shutil.which(shlex.split(compiler)[0]):
    return (
      "there is no C++ compiler (install Debian's g++, or set CXX to the "
      "path of one)"
    )
  return None


def extension(name, folder, **options):
  return setuptools.Extension(
    name,
    sorted(
      str(path.relative_to(ROOT))
      for path in (ROOT / folder).glob("*.cc")
      if not path.name.endswith("_gpu.cc")
    ),
    extra_link_args=[
      *options.pop("link", []),
      f"-Wl,--version-script={folder}/exports.lds",
    ],
    language="c++",
    **options,
  )


def op_library():
  import tensorflow as tf

  return extension(
    "tf_contrib_rnn.libtf_contrib_rnn_ops",
    "cc/tensorflow",
    include_dirs=[".", tf.sysconfig.get_include()],
    # Of TensorFlow's own flags those that define something.
    extra_compile_args=FLAGS
    + [f for f in tf.sysconfig.get_compile_flags() if f.startswith("-D")],
    link=tf.sysconfig.get_link_flags(),
  )


def xla_library():
  return extension(
    "tf_contrib_rnn.jax.libtf_contrib_rnn_xla",
    "cc/xla_ffi",
    include_dirs=[".", str(xla_headers())],
    extra_compile_args=FLAGS,
  )


def list_extensions():
  if PREBUILT:
    return []
  reason = why_no_libraries()
  if reason:
    print(f"tf_contrib_rnn is built without its libraries: {reason}.")
    return []
  extensions = [op_library()] if tensorflow_minor() else []
  extensions += [xla_library()] if xla_headers() else []
  return extensions


class BuildLibraries(build_ext):
  """Names a library as the package looks for it."""

  def run(self):
    if not PREBUILT and os.environ.get("TF_CONTRIB_RNN_CUDA", "0") != "0":
      sys.exit(
        "TF_CONTRIB_RNN_CUDA asks for GPU kernels, which pip does not build: "
        "`make wheels CUDA=1` makes a wheel that has them, and `make build "
        "CUDA=1` builds them in a clone."
      )
    super().run()

  def get_ext_filename(self, fullname):
    # Loaded by TensorFlow or JAX, not by Python: no Python tag.
    path = fullname.replace(".", os.sep)
    minor = f"-tf{tensorflow_minor()}" if fullname.endswith("_ops") else ""
    return f"{path}{minor}.so"


class Distribution(setuptools.Distribution):
  """For a platform where it has libraries, whoever built them."""

  def has_ext_modules(self):
    return PREBUILT or super().has_ext_modules()


class WheelForAnyPython(bdist_wheel):
  """The libraries are for a platform, if there are any, but for any Python."""

  def get_tag(self):
    return "py3", "none", super().get_tag()[2]


EXTENSIONS = list_extensions()
LIBRARIES = ["*.so"] if PREBUILT else []

setuptools.setup(
  version=VERSION,
  long_description=read_description(),
  long_description_content_type="text/markdown",
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
  package_data={
    "tf_contrib_rnn": ["py.typed", *LIBRARIES],
    "tf_contrib_rnn.jax": LIBRARIES,
  },
  distclass=Distribution,
  libraries=[RECURRENCE] if EXTENSIONS else [],
  ext_modules=EXTENSIONS,
  cmdclass={
    "build_ext": BuildLibraries,
    "bdist_wheel": WheelForAnyPython,
  },
)
