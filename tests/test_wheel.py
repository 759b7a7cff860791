"""The wheel that pip builds from this tree."""

import importlib.util
import os
import pathlib
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


@pytest.fixture(scope="module", name="wheel")
def fixture_wheel(tmp_path_factory):
  """The path of a wheel, built as README says."""
  folder = tmp_path_factory.mktemp("wheel")
  options = ["--no-build-isolation", "--no-deps", "--quiet"]
  subprocess.run(
    [sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT],
    check=True,
  )
  (wheel,) = folder.glob("*.whl")
  return wheel


def test_name_says_any_python(wheel):
  version = tf_contrib_rnn.__version__
  assert wheel.name.startswith(f"tf_contrib_rnn-{version}-py3-none-linux_")


def test_wheel_holds_the_package_and_its_libraries(wheel):
  names = zipfile.ZipFile(wheel).namelist()
  libraries = {name for name in names if name.endswith(".so")}
  expected = {"tf_contrib_rnn/" + library.library_name(MINOR)}
  if importlib.util.find_spec("jaxlib"):
    expected.add("tf_contrib_rnn/jax/libtf_contrib_rnn_xla.so")
  assert libraries == expected
  package = pathlib.Path(ROOT, "tf_contrib_rnn")
  expected = {str(path.relative_to(ROOT)) for path in package.rglob("*.py")}
  assert expected | {"tf_contrib_rnn/py.typed"} <= set(names)
  assert not any(name.startswith(("tests", "examples")) for name in names)


def test_wheel_runs_fused(wheel, tmp_path):
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


def build_without_bazel(source, folder):
  """The wheel that pip makes of a folder or an sdist where no Bazel is."""
  options = ["--no-build-isolation", "--no-deps", "--quiet"]
  environment = {**os.environ, "PATH": os.path.dirname(sys.executable)}
  environment.pop("BAZEL", None)
  subprocess.run(
    [sys.executable, "-m", "pip", "wheel", *options, "-w", folder, source],
    check=True,
    env=environment,
  )
  (wheel,) = folder.glob("*.whl")
  return wheel


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


def test_sdist_without_bazel_gives_the_package_alone(sdist, tmp_path):
  wheel = build_without_bazel(sdist, tmp_path)
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
def test_sdist_builds_its_libraries(sdist, tmp_path):
  options = ["--no-build-isolation", "--no-deps", "--quiet"]
  subprocess.run(
    [sys.executable, "-m", "pip", "wheel", *options, "-w", tmp_path, sdist],
    check=True,
  )
  (wheel,) = tmp_path.glob("*.whl")
  names = zipfile.ZipFile(wheel).namelist()
  assert "tf_contrib_rnn/" + library.library_name(MINOR) in names
