"""What pip builds from this tree: with the libraries that are there, from the
sources, and without a compiler. tools/try_wheels.py installs the wheel of a
release."""

import email
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

import helpers
import pytest

import tf_contrib_rnn
from tf_contrib_rnn.ops import library

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MINOR = library.tensorflow_minor()


def make_wheel(source, folder, **environment):
  """The wheel that pip makes of a folder or a source distribution."""
  options = ["--no-build-isolation", "--no-deps", "--quiet"]
  subprocess.run(
    [sys.executable, "-m", "pip", "wheel", *options, "-w", folder, source],
    check=True,
    env={**os.environ, **environment},
  )
  (wheel,) = folder.glob("*.whl")
  return wheel


@pytest.fixture(scope="module", name="wheel")
def fixture_wheel(tmp_path_factory):
  """The path of a wheel with the libraries that the package has."""
  folder = tmp_path_factory.mktemp("wheel")
  return make_wheel(ROOT, folder, TF_CONTRIB_RNN_PREBUILT="1")


def test_name_says_any_python(wheel):
  version = tf_contrib_rnn.__version__
  assert wheel.name.startswith(f"tf_contrib_rnn-{version}-py3-none-linux_")


def test_wheel_holds_the_package_and_its_libraries(wheel):
  names = zipfile.ZipFile(wheel).namelist()
  libraries = {name for name in names if name.endswith(".so")}
  package = pathlib.Path(ROOT, "tf_contrib_rnn")
  expected = {str(path.relative_to(ROOT)) for path in package.rglob("*.so")}
  assert libraries == expected
  assert "tf_contrib_rnn/" + library.library_name(MINOR) in libraries
  expected = {str(path.relative_to(ROOT)) for path in package.rglob("*.py")}
  assert expected | {"tf_contrib_rnn/py.typed"} <= set(names)
  assert not any(name.startswith(("tests", "examples")) for name in names)


def test_description_needs_no_other_file(wheel):
  """An index shows it without the repository: no image or link of that."""
  archive = zipfile.ZipFile(wheel)
  (name,) = (n for n in archive.namelist() if n.endswith("/METADATA"))
  metadata = email.message_from_bytes(archive.read(name))
  description = metadata.get_payload()
  assert metadata["Description-Content-Type"] == "text/markdown"
  assert "tf_contrib_rnn is tf.contrib.rnn for TensorFlow 2" in description
  targets = re.findall(r"\]\(([^)]*)\)", description)
  assert not [t for t in targets if not t.startswith(("http", "#"))]


def test_wheel_runs_fused(wheel, tmp_path):
  assert_runs_fused(wheel, tmp_path)


def assert_runs_fused(wheel, tmp_path):
  zipfile.ZipFile(wheel).extractall(tmp_path)
  printed = helpers.run_fresh_script(
    """
    import sys
    sys.path.insert(0, sys.argv[1])
    import tensorflow as tf, tf_contrib_rnn
    print(tf_contrib_rnn.__file__.startswith(sys.argv[1]))
    with tf_contrib_rnn.implementation("fused"):
      cell = tf_contrib_rnn.IndyGRUCell(4)
      cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
    """,
    tmp_path,
  )
  assert printed.split()[-1] == "True"


@pytest.fixture(scope="module", name="sdist")
def fixture_sdist(tmp_path_factory):
  """The path of a source distribution."""
  folder = tmp_path_factory.mktemp("sdist")
  code = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
  subprocess.run(
    [sys.executable, "-c", code, folder],
    check=True,
    cwd=ROOT,
    stdout=subprocess.DEVNULL,
  )
  (sdist,) = folder.glob("*.tar.gz")
  return sdist


def test_sdist_holds_all_sources(sdist):
  names = {name.partition("/")[2] for name in tarfile.open(sdist).getnames()}
  listed = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
  )
  if listed.returncode:
    pytest.skip("this is no clone of a repository")
  folders = ("cc/", "third_party/", "tf_contrib_rnn/")
  sources = {n for n in listed.stdout.split() if n.startswith(folders)}
  assert sources | {"BUILD", ".bazelrc", "setup.py", "LICENSE"} <= names
  assert not any(name.endswith(".so") for name in names)


@pytest.mark.long
def test_sdist_without_a_compiler_gives_the_package_alone(sdist, tmp_path):
  wheel = make_wheel(sdist, tmp_path, CXX="no-such-compiler")
  version = tf_contrib_rnn.__version__
  assert wheel.name == f"tf_contrib_rnn-{version}-py3-none-any.whl"
  zipfile.ZipFile(wheel).extractall(tmp_path)
  printed = helpers.run_fresh_script(
    """
    import sys
    sys.path.insert(0, sys.argv[1])
    import tensorflow as tf, tf_contrib_rnn
    cell = tf_contrib_rnn.IndyGRUCell(4)
    output, _ = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
    print(output.shape, tf_contrib_rnn.fused_ops_available())
    """,
    tmp_path,
  )
  assert "(2, 4)" in printed
  assert "installed without an op library" in printed


@pytest.mark.long
def test_gpu_kernels_are_not_built_by_pip():
  done = subprocess.run(
    [sys.executable, "setup.py", "-q", "build_ext"],
    cwd=ROOT,
    env={**os.environ, "TF_CONTRIB_RNN_CUDA": "1"},
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 1
  assert "make wheels CUDA=1" in done.stderr


@pytest.mark.long
def test_sdist_compiles_its_libraries(sdist, tmp_path):
  wheel = make_wheel(sdist, tmp_path)
  names = zipfile.ZipFile(wheel).namelist()
  assert "tf_contrib_rnn/" + library.library_name(MINOR) in names
  assert_runs_fused(wheel, tmp_path)
