"""Loading the two libraries: files that are none, or not whole, or another's;
each gives one clear reason, and what there is then composes."""

import ctypes
import json
import os
import pathlib
import re
import shutil
import types

import helpers
import pytest
import tensorflow as tf
from numpy.linalg import _umath_linalg

from tf_contrib_rnn.ops import elf
from tf_contrib_rnn.ops import library

PACKAGE = pathlib.Path(library.__file__).parents[1]
OPS = PACKAGE / library.library_name(library.tensorflow_minor())
XLA = PACKAGE / "jax" / "libtf_contrib_rnn_xla.so"
# A shared library, loaded already, that has nothing to do with this package.
ANOTHER = _umath_linalg.__file__


def import_jax_library():
  pytest.importorskip("jax", reason="JAX is not installed")
  from tf_contrib_rnn.jax import _library as jax_library

  return jax_library


@pytest.fixture(params=[OPS, XLA], ids=["ops", "xla"], name="library")
def fixture_library(request):
  """The installed library, and a function that gives the reason why a file
  under its name, in another folder, is not loaded."""
  if request.param == OPS:

    def why_not(folder):
      ops, reason = library.load(str(folder))
      assert ops is None
      return reason

  else:
    load = import_jax_library().load

    def why_not(folder):
      availability = load(str(folder / XLA.name))
      assert not availability
      assert availability.gpu_reason == availability.reason
      return availability.reason

  return request.param, why_not


def set_bytes(at, value):
  """Makes a file of the library's bytes with other ones somewhere."""

  def make(path, content):
    path.write_bytes(content[:at] + value + content[at + len(value) :])

  return make


def replace_bytes(old, new):
  def make(path, content):
    assert old in content and len(old) == len(new)
    path.write_bytes(content.replace(old, new))

  return make


def link_to(target):
  return lambda path, content: path.symlink_to(target)


def write(content):
  return lambda path, _: path.write_bytes(content)


BROKEN = {
  "empty": (write(b""), "is empty"),
  "text": (
    write(b"not a library"),
    "is not a shared library: it begins with b'not a li', expected b'.x7fELF'",
  ),
  "one byte": (write(b"\x7f"), "is not a shared library"),
  "start of a header": (
    write(b"\x7fELF\2\1"),
    "is cut short: it has 6 bytes, expected at least 64$",
  ),
  "folder": (lambda path, _: path.mkdir(), "is a directory"),
  "device": (link_to("/dev/null"), "is not a regular file"),
  "link to nothing": (
    link_to("absent.so"),
    "is a link to a file that does not exist: .*absent.so$",
  ),
  "link to itself": (
    lambda path, _: path.symlink_to(path),
    "can't be read: Too many levels of symbolic links$",
  ),
  "32 bits": (
    set_bytes(4, b"\1"),
    "the class in its ELF header is 1, exp.* 2$",
  ),
  "byte order": (set_bytes(5, b"\2"), "the byte order in .* is 2, expected 1$"),
  "program": (set_bytes(16, b"\2"), "the type in .* is 2, expected 3$"),
  "machine": (
    set_bytes(18, b"\xf3"),
    "not a shared library for .*: the machine in its ELF header is 243, expec",
  ),
  "segments": (set_bytes(54, b"\7"), "program headers' size in .* is 7, expec"),
  "sections": (set_bytes(58, b"\7"), "section headers' size in .* is 7, expec"),
  "offset of segments": (
    set_bytes(36, b"\7"),  # the upper half of a number
    r"is cut short: it has \d+ bytes, expected at least 300\d{8}$",
  ),
  "another": (
    link_to(ANOTHER),
    "of this version of tf_contrib_rnn: it has no ",
  ),
  "what it needs": (
    replace_bytes(b"libstdc++.so.6", b"libstdc--.so.6"),
    "could not be loaded: libstdc--.so.6: cannot open shared object file",
  ),
}


@pytest.mark.parametrize(("make", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_library_is_named(library, tmp_path, make, reason):
  path, why_not = library
  make(tmp_path / path.name, path.read_bytes())
  got = why_not(tmp_path)
  assert re.search(reason, got), got
  assert path.name in got and "\n" not in got


def test_what_may_not_be_read_is_named(library, tmp_path, monkeypatch):
  path, why_not = library
  (tmp_path / path.name).write_bytes(path.read_bytes())
  (tmp_path / path.name).chmod(0)
  if os.access(tmp_path / path.name, os.R_OK):  # root may read it all the same

    def refuse(*_):
      raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(elf, "open", refuse, raising=False)
  assert why_not(tmp_path).endswith("can't be read: Permission denied")


def test_no_file_is_named(library, tmp_path):
  path, why_not = library
  reason = why_not(tmp_path)
  assert "was installed without" in reason
  assert f"there is no {path.name} in {tmp_path}" in reason


def test_the_libraries_and_links_to_them_are_whole(tmp_path):
  for path in (OPS, XLA):
    if path == OPS or path.exists():  # without JAX there is none
      (tmp_path / path.name).symlink_to(path)
      assert elf.why_not_loadable(str(path)) is None
      assert elf.why_not_loadable(str(tmp_path / path.name)) is None


def test_library_of_another_minor_is_named(tmp_path):
  folder = tmp_path / "a[b]"
  folder.mkdir()
  (folder / library.library_name("2.3")).write_bytes(b"")
  loaded, reason = library.load(str(folder))
  assert loaded is None
  assert "built for TensorFlow 2.3, and this is TensorFlow " in reason


# In processes of their own, which are killed if such a file is loaded. There
# the package's own library is one of them.


def cut(size):
  """Cuts at a size, or so many bytes before the end."""
  return lambda path, content: path.write_bytes(content[:size])


def end_in_zeros(path, content):
  """As a copy that stopped, in a file that was given its size before."""
  half = len(content) // 2
  path.write_bytes(content[:half] + bytes(len(content) - half))


SHORT = [
  (cut(1000), "is cut short: it has 1000 bytes, expected at least {size}$"),
  (cut(64), "is cut short: it has 64 bytes, expected at least {size}$"),
  (cut(4096), "is cut short: it has 4096 bytes, expected at least {size}$"),
  (cut(1_000_000), "is cut short"),
  (cut(-1), "is cut short"),
  (end_in_zeros, r"is damaged: the type of section \d+, .* is 0, expected 3$"),
]


def copy_broken(library, tmp_path):
  """Copies the package with the first of the broken files, and the others into
  folders. Returns where all of them lie, a good one last."""
  package = tmp_path / "path" / "tf_contrib_rnn"
  without = shutil.ignore_patterns("*.so", "__pycache__")
  shutil.copytree(PACKAGE, package, ignore=without)
  (package / library.relative_to(PACKAGE)).symlink_to(tmp_path / "0")
  content = library.read_bytes()
  folders = [tmp_path / f"folder {i}" for i in range(len(SHORT) + 1)]
  for folder in folders:
    folder.mkdir()
  for folder, (make, _) in zip(folders, SHORT):
    make(folder / library.name, content)
  shutil.copyfile(folders[0] / library.name, tmp_path / "0")
  shutil.copyfile(library, folders[-1] / library.name)
  return [package.parent, *folders]


def check_reasons(library, reasons):
  size = library.stat().st_size
  assert len(reasons) == len(SHORT)
  for got, (_, expected) in zip(reasons, SHORT):
    assert re.search(expected.format(size=size), got), got


WITH_SHORT_OPS = """
  import json, sys, warnings
  _, path, *folders = sys.argv
  sys.path.insert(0, path)
  import tensorflow as tf
  import tf_contrib_rnn
  from tf_contrib_rnn.ops import library

  available = tf_contrib_rnn.fused_ops_available()
  assert not available and available.reason == available.gpu_reason
  warned = []
  warnings.showwarning = lambda message, *_: warned.append(str(message))
  cell = tf_contrib_rnn.IndyGRUCell(4)
  for _ in range(2):
    output, _ = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  assert output.shape == [2, 4]
  results = [library.load(folder) for folder in folders]
  ops, reason = results.pop()
  assert reason is None
  library.ops = ops
  with tf_contrib_rnn.implementation("fused"):
    fused, _ = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
  tf.debugging.assert_near(output, fused)
  assert all(ops is None for ops, _ in results)
  print(json.dumps([available.reason, warned, [why for _, why in results]]))
"""


def test_an_op_library_that_is_cut_short_composes(tmp_path):
  printed = helpers.run_fresh_script(
    WITH_SHORT_OPS, *copy_broken(OPS, tmp_path)
  )
  reason, warned, reasons = json.loads(printed.splitlines()[-1])
  check_reasons(OPS, reasons)
  assert "is cut short: it has 1000 bytes" in reason
  (warning,) = warned
  assert warning.endswith("slower: " + reason)


WITH_SHORT_XLA = """
  import json, os, sys
  _, path, *folders = sys.argv
  sys.path.insert(0, path)
  import jax.numpy as jnp
  import tf_contrib_rnn.jax
  from tf_contrib_rnn.jax import _library

  available = tf_contrib_rnn.jax.fused_available()
  assert not available and available.reason == available.gpu_reason
  x = jnp.ones([2, 3, 4])
  outputs, _ = tf_contrib_rnn.jax.ind_rnn(x, x[:1, 0], x[0, 0], x[:, 0])
  assert outputs.shape == x.shape
  name = os.path.basename(_library._PATH)
  results = [_library.load(os.path.join(folder, name)) for folder in folders]
  assert "cpu" in results.pop().platforms
  assert not any(results)
  print(json.dumps([available.reason, [one.reason for one in results]]))
"""


def test_a_library_for_xla_that_is_cut_short_composes(tmp_path):
  import_jax_library()
  paths = copy_broken(XLA, tmp_path)
  printed = helpers.run_fresh_script(
    WITH_SHORT_XLA, *paths, TF_CONTRIB_RNN_JAX_LIBRARY=""
  )
  reason, reasons = json.loads(printed.splitlines()[-1])
  check_reasons(XLA, reasons)
  assert "is cut short: it has 1000 bytes" in reason


# Libraries of another version.


def load_instead(monkeypatch, **functions):
  """Loads a library whose ops are the installed one's but for these."""
  functions = {**vars(library.ops), **functions}
  present = {name: f for name, f in functions.items() if f is not None}
  ops = types.SimpleNamespace(**present)
  monkeypatch.setattr(tf, "load_op_library", lambda path: ops)
  return library.load()


@pytest.mark.parametrize("suffix", ["", "_grad"])
@pytest.mark.parametrize("name", ["ind_rnn", "indy_gru", "indy_lstm"])
def test_an_op_that_is_missing_is_named(name, suffix, monkeypatch):
  name = f"contrib_rnn_{name}{suffix}"
  ops, reason = load_instead(monkeypatch, **{name: None})
  assert ops is None
  assert reason.endswith(
    f"is not the op library of this version of tf_contrib_rnn: it has no op "
    f"{name}"
  )
  assert load_instead(monkeypatch)[1] is None


def before_gate_order(
  inputs,
  recurrent_kernel,
  more_recurrent_kernels,
  bias,
  more_biases,
  initial_state,
  sequence_length,
  activation="tanh",
  time_major=False,
  reverse=False,
  name=None,
):
  """An op as it could have been in another version."""


def without_state(
  inputs,
  recurrent_kernel,
  more_recurrent_kernels,
  bias,
  more_biases,
  sequence_length,
  activation="tanh",
  gate_order="contrib",
  time_major=False,
  reverse=False,
  name=None,
):
  """Another such op."""


def with_weights(
  inputs,
  recurrent_kernel,
  more_recurrent_kernels,
  bias,
  more_biases,
  initial_state,
  sequence_length,
  kernel,
  activation="tanh",
  gate_order="contrib",
  time_major=False,
  reverse=False,
  name=None,
):
  """Another such op."""


@pytest.mark.parametrize(
  ("function", "reason"),
  [
    (before_gate_order, "unexpected keyword argument 'gate_order'"),
    (without_state, "multiple values for argument 'activation'"),
    (with_weights, "missing a required argument: 'kernel'"),
  ],
)
def test_an_op_that_takes_other_arguments_is_named(
  function, reason, monkeypatch
):
  ops, got = load_instead(monkeypatch, contrib_rnn_indy_gru=function)
  assert ops is None
  assert "its op contrib_rnn_indy_gru takes other arguments" in got
  assert reason in got


def test_whatever_tensorflow_says_of_a_library_is_the_reason(monkeypatch):
  def refuse(path):
    raise ValueError("refused, for this test")

  monkeypatch.setattr(tf, "load_op_library", refuse)
  ops, reason = library.load()
  assert ops is None
  assert reason.endswith("could not be loaded: refused, for this test")


class Pretended:
  """The XLA library without some functions, or with others."""

  def __init__(self, without=(), **functions):
    self._without = without
    self._library = ctypes.CDLL(str(XLA))
    vars(self).update(functions)

  def __getattr__(self, name):
    if name in self._without:
      raise AttributeError(name)
    return getattr(self._library, name)


@pytest.mark.parametrize(
  "name", ["xla_interface", "forward_on_cpu", "gradient_on_cpu"]
)
def test_a_function_for_xla_that_is_missing_is_named(name, monkeypatch):
  jax_library = import_jax_library()
  library = Pretended(without=["tf_contrib_rnn_" + name])
  monkeypatch.setattr(ctypes, "CDLL", lambda path: library)
  availability = jax_library.load()
  assert not availability
  assert availability.reason.endswith(
    "of this version of tf_contrib_rnn: it has no function tf_contrib_rnn_"
    + name
  )


def test_gpu_handlers_that_are_missing_are_no_error(monkeypatch):
  jax_library = import_jax_library()
  library = Pretended(
    without=["tf_contrib_rnn_forward_on_gpu"],
    tf_contrib_rnn_check_gpu_driver=None,
  )
  monkeypatch.setattr(ctypes, "CDLL", lambda path: library)
  availability = jax_library.load()
  assert availability.platforms == ("cpu",)
  assert availability.reason is None
  assert "no function tf_contrib_rnn_forward_on_gpu" in availability.gpu_reason


def test_a_library_that_is_too_new_is_refused(monkeypatch):
  jax_library = import_jax_library()
  monkeypatch.setattr(jax_library, "_read_interface", lambda: (0, 0))
  availability = jax_library.load()
  assert not availability
  assert "this jaxlib has 0.0: build it again" in availability.reason
