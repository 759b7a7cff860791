"""The wheel that pip builds from this tree."""

import importlib.util
import os
import pathlib
import subprocess
import sys
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


def test_name_says_the_minor_and_any_python(wheel):
  version = f"{tf_contrib_rnn.__version__}+tf{MINOR}"
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
