"""Checkpoints in other formats and back, whole or not at all."""

import glob
import os
import stat
import sys

import h5py
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from tf_contrib_rnn import migrate
from tf_contrib_rnn.checkpoints import convert
from tf_contrib_rnn.checkpoints import formats
from tf_contrib_rnn.migrate import checkpoint

HERE = os.path.dirname(os.path.abspath(__file__))
FORMATS = ("npz", "h5", "safetensors")
ENDINGS = {"npz": ".npz", "h5": ".h5", "safetensors": ".safetensors", "tf1": ""}
# A checkpoint that TensorFlow 1.15 saved.
GOLDEN = os.path.join(HERE, "golden", "multi_lstm", "ckpt")

VARIABLES = {
  "rnn/kernel": np.arange(6, dtype="f").reshape(2, 3),
  "rnn/kernel/Adam": np.ones([2, 3], "f"),  # a dataset where a group has to be
  "rnn": np.float64([np.nan, -np.inf, -0.0]),
  "global_step": np.array(2**40, np.int64),
  "scalar": np.array(0.1),
  "nothing": np.zeros([0, 4], "f"),
  "flag": np.array([True, False]),
  "half": np.array([1.5], np.float16),
  "complex": np.array([1 + 2j], np.complex64),
  "unsigned": np.array([2**64 - 1], np.uint64),
  "文字/重み": np.array([3], np.int8),
  "100%2F/%25": np.array([4], np.uint8),
  ".": np.array([5], np.int16),
  "../up": np.array([6], np.int32),
  "a": np.array([7.0]),
  "a.npy": np.array([8.0]),
  "/": np.array([9.0]),
}


def read(path):
  """A file's arrays, by its library alone where that suffices."""
  if path.endswith(".npz"):
    with np.load(path) as file:
      return {n[: -len(".npy")]: file[n] for n in file.zip.namelist()}
  if path.endswith(".safetensors"):
    return safetensors.numpy.load_file(path)
  if path.endswith(".h5"):
    return formats.read(formats.FORMATS["h5"], path)
  loaded = checkpoint.load(path)
  return {name: np.asarray(loaded[name]) for name in loaded}


def expect_equal(got, want):
  assert got.keys() == want.keys()
  for name, array in want.items():
    assert got[name].dtype == array.dtype, name
    assert got[name].shape == array.shape, name
    assert got[name].tobytes() == array.tobytes(), name


@pytest.fixture
def prefix(tmp_path):
  """A checkpoint of all kinds of variables."""
  return migrate.write_checkpoint(VARIABLES, tmp_path / "model.ckpt")


def files_in(folder):
  return sorted(os.listdir(folder))


@pytest.mark.parametrize("to", FORMATS)
def test_there_and_back(to, prefix, tmp_path):
  path = convert.run(prefix, to)
  assert path == prefix + ENDINGS[to]
  expect_equal(read(path), VARIABLES)
  back = convert.run(path, "tf1", tmp_path / "back")
  assert back == str(tmp_path / "back")
  expect_equal(read(back), VARIABLES)


@pytest.mark.parametrize("to", (*FORMATS, "tf1"))
@pytest.mark.parametrize("source", FORMATS)
def test_from_each_format_to_each(source, to, prefix, tmp_path):
  first = convert.run(prefix, source)
  output = tmp_path / f"other{ENDINGS[to]}"
  expect_equal(read(convert.run(first, to, output)), VARIABLES)


@pytest.mark.parametrize("to", FORMATS)
def test_a_recorded_checkpoint_and_its_saver(to, tmp_path):
  expected = read(GOLDEN)
  path = convert.run(GOLDEN, to, tmp_path / f"model{ENDINGS[to]}")
  expect_equal(read(path), expected)
  back = convert.run(path, "tf1")
  assert back == str(tmp_path / "model")
  with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    own = [
      tf.compat.v1.get_variable(n, a.shape, a.dtype)
      for n, a in expected.items()
    ]
    tf.compat.v1.train.Saver().restore(session, back)
    for array, value in zip(expected.values(), session.run(own)):
      np.testing.assert_array_equal(value, array)


@pytest.mark.parametrize("to", FORMATS)
def test_twice_gives_the_same_bytes(to, prefix, tmp_path):
  first = convert.run(prefix, to)
  second = convert.run(prefix, to, tmp_path / f"second{ENDINGS[to]}")
  with open(first, "rb") as one, open(second, "rb") as other:
    assert one.read() == other.read()
  assert convert.run(prefix, to, overwrite=True) == first
  expect_equal(read(first), VARIABLES)


def test_what_the_names_are_in_an_h5_file(prefix):
  with h5py.File(convert.run(prefix, "h5")) as file:
    assert file.attrs["names"] == "percent-escaped"
    assert file["rnn%2Fkernel"].shape == (2, 3)
    assert file["rnn%2Fkernel%2FAdam"].shape == (2, 3)
    assert not any(isinstance(v, h5py.Group) for v in file.values())


def test_h5_files_with_links_and_attributes(tmp_path):
  path = str(tmp_path / "tied.h5")
  with h5py.File(path, "w") as file:
    file.attrs["names"] = np.array(["a", "b"], "S")
    file["encoder/kernel"] = np.ones([2])
    file["decoder/kernel"] = file["encoder/kernel"]
    file["soft"] = h5py.SoftLink("/encoder")
  arrays = read(convert.run(path, "npz"))
  assert {*arrays} == {"encoder/kernel", "decoder/kernel", "soft/kernel"}
  with h5py.File(path, "a") as file:
    file["broken"] = h5py.SoftLink("/nothing")
  expect_refusal("'broken' leads nowhere", path, "npz", overwrite=True)
  with h5py.File(path, "a") as file:
    del file["broken"]
    file["encoder/root"] = file["/"]
  expect_refusal(
    "the group 'encoder/root' is inside itself", path, "npz", overwrite=True
  )


def test_h5_files_of_other_programs(tmp_path):
  path = str(tmp_path / "other.hdf5")
  with h5py.File(path, "w") as file:
    file["rnn/kernel"] = np.ones([2])
    file["100%2F"] = np.ones([1])
    file.create_group("empty")
  output = convert.run(path, "npz")
  assert output == str(tmp_path / "other.npz")
  assert {*read(output)} == {"rnn/kernel", "100%2F"}


@pytest.mark.parametrize("to", (*FORMATS, "tf1"))
def test_arrays_in_any_order(to, tmp_path):
  path = str(tmp_path / "odd.npz")
  columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
  np.savez(path, columns=columns, swapped=np.arange(3, dtype=">f4"))
  written = read(convert.run(path, to, tmp_path / f"new{ENDINGS[to]}"))
  np.testing.assert_array_equal(written["columns"], columns)
  np.testing.assert_array_equal(written["swapped"], np.arange(3))
  assert written["swapped"].dtype == np.dtype("f")


def test_bfloat16_where_it_can_be(tmp_path):
  arrays = {"w": np.array([1.5, -2], ml_dtypes.bfloat16), "b": np.ones(1, "f")}
  prefix = migrate.write_checkpoint(arrays, tmp_path / "model")
  path = convert.run(prefix, "safetensors")
  expect_equal(read(path), arrays)
  expect_equal(read(convert.run(path, "tf1", tmp_path / "back")), arrays)


def expect_refusal(message, *arguments, **options):
  """Nothing is written but an error's text."""
  folder = os.path.dirname(os.path.join(os.getcwd(), arguments[0]))
  before = files_in(folder)
  with pytest.raises(ValueError) as error:
    convert.run(*arguments, **options)
  assert message in str(error.value)
  assert files_in(folder) == before


@pytest.mark.parametrize("to", ["npz", "h5"])
def test_bfloat16_where_it_cannot_be(to, tmp_path):
  arrays = {"b": np.ones(1, "f"), "w": np.ones(2, ml_dtypes.bfloat16)}
  prefix = migrate.write_checkpoint(arrays, tmp_path / "model")
  expect_refusal(
    "the variable 'w' has dtype bfloat16, expected what", prefix, to
  )
  expect_refusal("float64", prefix, to)
  expect_refusal("; safetensors can hold it", prefix, to)


def test_complex128_in_safetensors(tmp_path):
  arrays = {"z": np.ones(2, np.complex128)}
  prefix = migrate.write_checkpoint(arrays, tmp_path / "model")
  expect_refusal("'z' has dtype complex128", prefix, "safetensors")
  expect_refusal("; npz or h5 can hold it", prefix, "safetensors")
  for to in ("npz", "h5"):
    expect_equal(read(convert.run(prefix, to)), arrays)


@pytest.mark.parametrize("to", (*FORMATS, "tf1"))
def test_strings_are_named(to, tmp_path):
  with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.compat.v1.get_variable("number", [])
    tf.compat.v1.get_variable("words", initializer=tf.constant(["a", "b"]))
    session.run(tf.compat.v1.global_variables_initializer())
    prefix = tf.compat.v1.train.Saver().save(session, str(tmp_path / "model"))
  output = str(tmp_path / f"new{ENDINGS[to]}")
  expect_refusal("'words' has dtype string", prefix, to, output)


def test_strings_in_other_files(tmp_path):
  path = str(tmp_path / "words.npz")
  np.savez(path, words=np.array(["a", "b"]))
  expect_refusal("the variable 'words' has dtype str", path, "h5")
  np.savez(path, words=np.array([b"a", None], object))
  expect_refusal("words.npz', expected a whole .npz file", path, "h5")
  path = str(tmp_path / "words.h5")
  with h5py.File(path, "w") as file:
    file["words"] = "text"
  expect_refusal("the variable 'words' has dtype bytes", path, "safetensors")


def test_object_based_checkpoint(tmp_path):
  saved = tf.train.Checkpoint(v=tf.Variable(1.0)).save(str(tmp_path / "ckpt"))
  expect_refusal("it is an object-based checkpoint", saved, "npz")


@pytest.mark.parametrize(
  "to, name",
  [
    ("npz", "file"),
    ("npz", "allow_pickle"),
    ("safetensors", "__metadata__"),
  ],
)
def test_names_that_a_format_has_for_itself(to, name, tmp_path):
  arrays = {"a": np.ones(1), name: np.ones(2)}
  prefix = migrate.write_checkpoint(arrays, tmp_path / "model")
  expect_refusal(f"a variable has the name {name!r}", prefix, to)
  expect_equal(read(convert.run(prefix, "h5")), arrays)


def test_names_that_a_zip_archive_cannot_have(tmp_path):
  for name in ("a" * 2**16, "a\0b"):
    arrays = {"a": np.ones(1), name: np.ones(2)}
    path = str(tmp_path / "model.safetensors")
    formats.FORMATS["safetensors"].write(arrays, path)
    expect_refusal(f"a variable has the name {name[:9]!r}"[:-1], path, "npz")
    again = convert.run(path, "h5", tmp_path / "model.h5", overwrite=True)
    expect_equal(read(again), arrays)


@pytest.mark.parametrize("source", FORMATS)
def test_no_variables(source, tmp_path):
  path = str(tmp_path / f"empty{ENDINGS[source]}")
  formats.FORMATS[source].write({}, path)
  expect_refusal("which has no variables", path, "tf1")


def test_one_variable(tmp_path):
  prefix = migrate.write_checkpoint({"x": np.array(1)}, tmp_path / "model")
  for to in FORMATS:
    expect_equal(read(convert.run(prefix, to)), {"x": np.array(1)})


# What is at the place already.


@pytest.mark.parametrize("to", (*FORMATS, "tf1"))
def test_what_is_there_stays_or_is_replaced(to, prefix, tmp_path):
  output = str(tmp_path / f"there{ENDINGS[to]}")
  convert.run(GOLDEN, to, output)
  before = files_in(tmp_path)
  with pytest.raises(FileExistsError, match="output is .*overwrite replaces"):
    convert.run(prefix, to, output)
  expect_equal(read(output), read(GOLDEN))
  convert.run(prefix, to, output, overwrite=True)
  expect_equal(read(output), VARIABLES)
  assert files_in(tmp_path) == before


def test_a_checkpoint_is_not_its_own_output(prefix):
  with pytest.raises(FileExistsError, match="model.ckpt.data-00000"):
    convert.run(prefix, "tf1")
  assert convert.run(prefix, "tf1", overwrite=True) == prefix
  expect_equal(read(prefix), VARIABLES)


def break_the_library(monkeypatch, to, error):
  """Has the library write half of a file, and fail."""

  def fail(*arguments, **_):
    if to in ("safetensors", "tf1"):
      _, path = arguments
      with open(path, "wb") as file:
        file.write(b"half")
    elif to == "npz":
      arguments[0].write(b"half")
    raise error

  place, name = {
    "npz": (np, "savez"),
    "h5": (h5py.Group, "create_dataset"),
    "safetensors": (safetensors.numpy, "save_file"),
    "tf1": (migrate, "write_checkpoint"),
  }[to]
  monkeypatch.setattr(place, name, fail)


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("to", (*FORMATS, "tf1"))
def test_a_failed_write_leaves_nothing(
  to, error, prefix, tmp_path, monkeypatch
):
  output = str(tmp_path / f"new{ENDINGS[to]}")
  before = files_in(tmp_path)
  with monkeypatch.context() as broken:
    break_the_library(broken, to, error)
    with pytest.raises(type(error)):
      convert.run(prefix, to, output)
    assert files_in(tmp_path) == before
  convert.run(GOLDEN, to, output)
  with monkeypatch.context() as broken:
    break_the_library(broken, to, error)
    with pytest.raises(type(error)):
      convert.run(prefix, to, output, overwrite=True)
  expect_equal(read(output), read(GOLDEN))
  assert not glob.glob(str(tmp_path / ".tf_contrib_rnn*"))


@pytest.mark.parametrize("to", FORMATS)
def test_others_may_read_what_the_user_lets_them(to, prefix, tmp_path):
  usual = tmp_path / "usual"
  usual.touch()
  mode = stat.S_IMODE(os.stat(usual).st_mode)
  assert stat.S_IMODE(os.stat(convert.run(prefix, to)).st_mode) == mode


# Arguments.


def test_a_folder_with_a_checkpoint(tmp_path):
  folder = tmp_path / "model"
  prefix = migrate.write_checkpoint(VARIABLES, folder / "model.ckpt-7")
  state = 'model_checkpoint_path: "model.ckpt-7"'
  (folder / "checkpoint").write_text(state)
  path = convert.run(folder, "npz")
  assert path == prefix + ".npz"
  expect_equal(read(path), VARIABLES)


@pytest.mark.parametrize("ending", [".index", ".data-00000-of-00001"])
def test_any_file_of_a_checkpoint(ending, prefix):
  assert convert.run(prefix + ending, "npz") == prefix + ".npz"


def test_paths_without_a_folder(prefix, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  assert convert.run("model.ckpt", "npz") == "model.ckpt.npz"
  assert convert.run("model.ckpt.npz", "tf1", "new") == "new"
  expect_equal(read("new"), VARIABLES)


@pytest.mark.parametrize("to", FORMATS)
def test_a_prefix_like_a_file_of_another_format(to, tmp_path):
  path = str(tmp_path / f"model{ENDINGS[to]}")
  prefix = migrate.write_checkpoint(VARIABLES, path)
  output = convert.run(prefix, to)
  assert output == path + ENDINGS[to]
  expect_equal(read(output), VARIABLES)
  both = convert.run(output, to, path)  # beside model.h5.index
  expect_equal(read(both), VARIABLES)


def test_endings_in_capitals(prefix, tmp_path):
  path = convert.run(prefix, "npz", tmp_path / "MODEL.NPZ")
  assert path == str(tmp_path / "MODEL.NPZ") and os.path.exists(path)
  assert convert.run(path, "h5") == str(tmp_path / "MODEL.h5")


@pytest.mark.parametrize("to", ["", "NPZ", "pickle", "hdf5", None])
def test_formats_that_are_none(to, prefix):
  expect_refusal(f"to is {to!r}, expected one of 'npz', 'h5',", prefix, to)


@pytest.mark.parametrize(
  "to, output, expected",
  [
    ("npz", "model.h5", "that ends in .npz"),
    ("npz", "model", "that ends in .npz"),
    ("safetensors", "model.npz", "that ends in .safetensors"),
    ("tf1", "model.npz", "a prefix, without an ending of files"),
    ("tf1", "model.index", "a prefix, without an ending of files"),
    ("tf1", "", "a prefix, without an ending of files"),
    ("npz", "folder.npz", "that ends in .npz"),
    ("tf1", "folder.npz", "a prefix"),
  ],
)
def test_outputs_of_another_kind(to, output, expected, prefix, tmp_path):
  (tmp_path / "folder.npz").mkdir()
  output = os.path.join(str(tmp_path), output)
  expect_refusal(f"output is {output!r}, expected", prefix, to, output)
  expect_refusal(expected, prefix, to, output, overwrite=True)


def test_output_in_a_folder_that_is_not_there(prefix, tmp_path):
  with pytest.raises(FileNotFoundError, match="a folder that exists"):
    convert.run(prefix, "npz", tmp_path / "none" / "model.npz")


def test_inputs_that_are_not_there(tmp_path):
  with pytest.raises(FileNotFoundError, match="none.npz', and there is no"):
    convert.run(tmp_path / "none.npz", "h5")
  with pytest.raises(tf.errors.NotFoundError, match="none"):
    convert.run(tmp_path / "none", "h5")
  assert files_in(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"text", "half", "changed"])
@pytest.mark.parametrize("source", FORMATS)
def test_damaged_files(source, content, prefix, tmp_path):
  path = convert.run(prefix, source)
  with open(path, "rb") as file:
    whole = file.read()
  if content == "half":
    content = whole[: len(whole) // 2]
  elif content == "changed":
    content = b"\x00" * 16 + whole[16:]
  with open(path, "wb") as file:
    file.write(content)
  message = f"path is {path!r}, expected a whole {ENDINGS[source]} file"
  expect_refusal(message, path, "tf1", str(tmp_path / "new"))


def test_damaged_checkpoint(prefix):
  with open(prefix + ".index", "r+b") as file:
    file.truncate(40)
  expect_refusal("whose files are cut short, damaged", prefix, "npz")


@pytest.mark.parametrize("to", ["h5", "safetensors"])
def test_a_library_that_is_not_installed(to, prefix, monkeypatch):
  library = {"h5": "h5py", "safetensors": "safetensors"}[to]
  path = convert.run(prefix, to)
  for module in [*sys.modules]:
    if module.split(".")[0] == library:
      monkeypatch.delitem(sys.modules, module)
  monkeypatch.setitem(sys.modules, library, None)
  before = files_in(os.path.dirname(prefix))
  message = f"^a .{to} file needs|^an .{to} file needs"
  for arguments in ((prefix, to, None, True), (path, "npz")):
    with pytest.raises(ModuleNotFoundError, match=message) as error:
      convert.run(*arguments)
    assert str(error.value).endswith(f": pip install {library}")
  assert files_in(os.path.dirname(prefix)) == before
