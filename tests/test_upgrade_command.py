"""The commands upgrade and check: files, folders, notebooks, and bad ones."""

import json
import os
import subprocess
import sys

import pytest

from tf_contrib_rnn import command
from tf_contrib_rnn.upgrade import source

OLD = "import tensorflow as tf\nx = tf.contrib.rnn.GRUCell(3)\n"
NEW = (
  "import tensorflow.compat.v1 as tf\nimport tf_contrib_rnn\n"
  "tf.disable_v2_behavior()\nx = tf_contrib_rnn.GRUCell(3)\n"
)
OPEN = "import tensorflow as tf\nx = tf.contrib.seq2seq.sequence_loss(1)\n"


@pytest.fixture(name="file")
def fixture_file(tmp_path):
  path = tmp_path / "model.py"
  path.write_text(OLD)
  return path


def run(*arguments):
  return command.main([*map(str, arguments)])


def write(folder, **files):
  for name, text in files.items():
    (folder / f"{name}.py").write_text(text)


# What is written, and where.


def test_shows_and_writes_nothing(file, capsys):
  assert run("upgrade", file) == 0
  printed = capsys.readouterr().out
  assert "+import tf_contrib_rnn\n" in printed
  assert "1 file, 1 changed; nothing left to do" in printed
  assert "Nothing was written" in printed
  assert file.read_text() == OLD


def test_writes_in_place_and_only_once(file, capsys):
  file.chmod(0o750)
  assert run("upgrade", file, "--write") == 0
  assert f"wrote {file}\n" in capsys.readouterr().out
  assert file.read_text() == NEW
  assert file.stat().st_mode & 0o777 == 0o750
  time = file.stat().st_mtime_ns
  assert run("upgrade", file, "--write") == 0
  printed = capsys.readouterr().out
  assert "0 changed" in printed and "wrote" not in printed
  assert file.stat().st_mtime_ns == time
  assert os.listdir(file.parent) == ["model.py"]


def test_writes_a_copy_of_a_folder(file, tmp_path):
  (tmp_path / "data.txt").write_text("data")
  output = tmp_path / "out"  # inside of what is copied
  assert run("upgrade", tmp_path, "--output", output) == 0
  assert file.read_text() == OLD
  assert (output / "model.py").read_text() == NEW
  assert (output / "data.txt").read_text() == "data"
  assert sorted(os.listdir(output)) == ["data.txt", "model.py"]


def test_writes_a_copy_of_files(file, tmp_path):
  assert run("upgrade", file, "--output", tmp_path / "a" / "b") == 0
  assert (tmp_path / "a" / "b" / "model.py").read_text() == NEW
  assert file.read_text() == OLD


@pytest.mark.parametrize("ending", ["json", "md"])
def test_report(tmp_path, ending):
  write(tmp_path, a=OLD, b=OPEN)
  file = tmp_path / f"report.{ending}"
  assert run("upgrade", tmp_path, "--report", file) == 1
  text = file.read_text()
  if ending == "md":
    assert "| tf.contrib.seq2seq.sequence_loss |" in text
    assert "```diff" in text
    return
  report = json.loads(text)
  assert report["open"] == 1
  a, b = report["files"]
  assert a["changed"] and not a["findings"]
  (finding,) = b["findings"]
  assert (finding["line"], finding["open"]) == (2, True)


def test_status(tmp_path, capsys):
  write(tmp_path, a=OPEN)
  assert run("upgrade", tmp_path) == 1
  assert run("upgrade", tmp_path, "--write", "--output", tmp_path / "o") == 2
  for bad in (
    ["upgrade"],
    ["upgrade", tmp_path / "none"],
    ["upgrade", tmp_path, "--report", "report.txt"],
    ["upgrade", tmp_path, "--report", tmp_path / "none" / "report.md"],
    ["upgrade", tmp_path, "--output", tmp_path],
    ["rewrite", tmp_path],
  ):
    with pytest.raises(SystemExit) as error:
      run(*bad)
    assert error.value.code == 2
  assert "expected FILE.json or FILE.md" in capsys.readouterr().err


def test_in_a_process_without_tensorflow(file):
  """It starts soon: nothing imports TensorFlow."""
  code = (
    "import sys, runpy; sys.argv[1:] = ['upgrade', sys.argv[1]]\n"
    "try: runpy.run_module('tf_contrib_rnn', run_name='__main__')\n"
    "except SystemExit as e: print('status', e.code)\n"
    "print('tensorflow' in sys.modules)"
  )
  printed = subprocess.run(
    [sys.executable, "-c", code, file], capture_output=True, text=True
  )
  assert printed.stdout.splitlines()[-2:] == ["status 0", "False"], printed


def test_says_what_to_install(file, monkeypatch, capsys):
  monkeypatch.setitem(command._NEEDED, "no_such_module", "no-such-package")
  assert run("upgrade", file) == 2
  assert "pip install no-such-package" in capsys.readouterr().err


def test_keep_tf_rnn(file):
  file.write_text("import tensorflow as tf\ny = tf.nn.dynamic_rnn(1, 2)\n")
  assert run("upgrade", file, "--write", "--keep-tf-rnn") == 0
  assert "tf.nn.dynamic_rnn(1, 2)" in file.read_text()
  assert run("upgrade", file, "--write") == 0
  assert "tf_contrib_rnn.dynamic_rnn(1, 2)" in file.read_text()


# Files that are not as they should be.


@pytest.mark.parametrize(
  "content, text",
  [
    (b"name = 'caf\xe9'\n", "is not valid UTF-8"),
    (b"# coding: none-such\n", "is not valid UTF-8"),
    (b"def f(:\n", "syntax error"),
    (b"x = (\n", "syntax error"),
    (b"print 'a'\nx = 1\n", "is Python 2"),
    (b"try:\n  x\nexcept E, e:\n  pass\n", "is Python 2"),
  ],
)
def test_lists_what_it_cant_read_and_does_the_others(
  file, content, text, capsys
):
  bad = file.with_name("bad.py")
  bad.write_bytes(content)
  assert run("upgrade", file.parent, "--write") == 1
  printed = " ".join(capsys.readouterr().out.split())
  assert text in printed and "1 thing left to do" in printed
  assert bad.read_bytes() == content
  assert file.read_text() == NEW


@pytest.mark.parametrize(
  "content",
  [
    OLD.replace("\n", "\r\n").encode(),
    b"\xef\xbb\xbf" + OLD.encode(),
    "# coding: latin-1\nname = 'é'\n".encode("latin-1") + OLD.encode(),
    OLD.rstrip().encode(),
  ],
)
def test_keeps_line_ends_and_encodings(file, content):
  file.write_bytes(content)
  assert run("upgrade", file, "--write") == 0
  lines = (OLD.encode() in content and OLD or NEW) and content
  new = file.read_bytes()
  assert new.endswith(b"\r\n") == lines.endswith(b"\r\n")
  assert new.endswith(b"\n") == lines.endswith(b"\n")
  assert new[:3] == content[:3] or not content.startswith(b"\xef")
  assert (b"\xe9" in new) == (b"\xe9" in content)
  assert b"tf_contrib_rnn.GRUCell(3)" in new
  assert new.count(b"\n") - new.count(b"\r\n") in (0, new.count(b"\n"))


def test_read_only_files_stay(file, capsys):
  file.chmod(0o444)
  assert run("upgrade", file, "--write") == 1
  assert "is read-only" in capsys.readouterr().out
  assert file.read_text() == OLD


def test_a_file_that_changes_meanwhile_stays(file):
  read = source.Source(file)
  file.write_text(OLD + "y = 1\n")
  with pytest.raises(source.Unreadable, match="changed"):
    read.write(NEW)
  assert file.read_text() == OLD + "y = 1\n"


def test_a_write_that_fails_leaves_the_file(file, monkeypatch):
  def fail(*_):
    raise OSError(28, "No space left on device")

  monkeypatch.setattr(os, "replace", fail)
  assert run("upgrade", file, "--write") == 1
  assert file.read_text() == OLD
  assert os.listdir(file.parent) == ["model.py"]


def test_follows_links(file, tmp_path):
  link = tmp_path / "link.py"
  link.symlink_to(file)
  assert run("upgrade", link, "--write") == 0
  assert link.is_symlink() and file.read_text() == NEW


def test_empty_folder_and_file(tmp_path, capsys):
  for command_name in ("upgrade", "check"):
    assert run(command_name, tmp_path) == 2
    assert "no Python files" in capsys.readouterr().err
  write(tmp_path, empty="")
  assert run("upgrade", tmp_path, "--write") == 0
  assert (tmp_path / "empty.py").read_text() == ""
  assert "1 file, 0 changed" in capsys.readouterr().out


# Notebooks.


def make_notebook(*cells):
  return {
    "cells": [
      {
        "cell_type": kind,
        "metadata": {},
        "source": text,
        **({"outputs": [], "execution_count": 3} if kind == "code" else {}),
      }
      for kind, text in cells
    ],
    "metadata": {"kernelspec": {"name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 2,
  }


def test_notebook(tmp_path):
  magics = ["%matplotlib inline\n", "!ls *.py\n", "import tensorflow as tf"]
  notebook = make_notebook(
    ("markdown", ["# tf.contrib.rnn\n", "text é"]),
    ("code", magics),
    ("code", []),
    ("code", ["%%time\n", "x = tf.contrib.rnn.GRUCell(3)\n"]),
    ("code", "%%bash\necho tf.contrib.rnn\n"),
    ("code", ["if x:\n", "  %timeit x\n", "y = tf.contrib.rnn.NASCell(3)\n"]),
    ("code", ["?x"]),
  )
  path = tmp_path / "model.ipynb"
  path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
  assert run("upgrade", path, "--write") == 0
  new = json.loads(path.read_text())
  codes = ["".join(cell["source"]) for cell in new["cells"]]
  assert codes[1] == (
    "%matplotlib inline\n!ls *.py\nimport tensorflow.compat.v1 as tf\n"
    "import tf_contrib_rnn\ntf.disable_v2_behavior()"
  )
  assert codes[3] == "%%time\nx = tf_contrib_rnn.GRUCell(3)\n"
  assert codes[5] == ("if x:\n  %timeit x\ny = tf_contrib_rnn.NASCell(3)\n")
  for number in (0, 2, 4, 6):
    assert new["cells"][number] == notebook["cells"][number]
  assert new["metadata"] == notebook["metadata"]
  before = path.read_bytes()
  assert run("upgrade", path, "--write") == 0
  assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["", "[]", '{"worksheets": []}', "{"])
def test_what_is_no_notebook(tmp_path, content, capsys):
  path = tmp_path / "model.ipynb"
  path.write_text(content)
  assert run("upgrade", path, "--write") == 1
  assert "is not a notebook" in capsys.readouterr().out


# Several files.


def test_names_from_another_file(tmp_path):
  write(
    tmp_path,
    common="import tensorflow as tf\nfrom tensorflow import contrib\n"
    "import tensorflow.contrib.rnn as R\nrnn_cell = tf.contrib.rnn\n",
    a="from common import *\nx = [R.GRUCell(3), contrib.rnn.NASCell(3)]\n"
    "y = tf.nn.rnn_cell.GRUCell(3), rnn_cell.GRUCell(3)\n",
    b="from common import contrib, R as r\n"
    "x = [contrib.rnn.GRUCell(3), r.GRUCell(3)]\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0
  assert (tmp_path / "common.py").read_text() == (
    "import tensorflow.compat.v1 as tf\nimport tf_contrib_rnn\n"
    "import tf_contrib_rnn as R\nrnn_cell = tf_contrib_rnn\n"
  )
  assert (tmp_path / "a.py").read_text() == (
    "import tensorflow.compat.v1 as tf\nimport tf_contrib_rnn\n"
    "tf.disable_v2_behavior()\nfrom common import *\n"
    "x = [R.GRUCell(3), tf_contrib_rnn.NASCell(3)]\n"
    "y = tf_contrib_rnn.GRUCell(3), rnn_cell.GRUCell(3)\n"
  )
  assert (tmp_path / "b.py").read_text() == (
    "import tensorflow.compat.v1 as tf\nimport tf_contrib_rnn\n"
    "tf.disable_v2_behavior()\nfrom common import R as r\n"
    "x = [tf_contrib_rnn.GRUCell(3), r.GRUCell(3)]\n"
  )
  assert run("check", tmp_path) == 0


def test_only_programs_switch_tensorflow_2_off(tmp_path):
  package = tmp_path / "package"
  package.mkdir()
  switch = "tf.disable_v2_behavior()"
  write(
    package,
    __init__="from package import model\n",
    model="import tensorflow as tf\nx = tf.layers.dense(1, 2)\n",
    both="import tensorflow as tf\nfrom .model import x\n"
    'if __name__ == "__main__":\n  x = tf.zeros([])\n',
  )
  write(
    tmp_path,
    main="import sys\nfrom package import both\nimport package.model as m\n",
    other="import sys\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0
  model = (package / "model.py").read_text()
  assert switch not in model and "TF_USE_LEGACY_KERAS" not in model
  assert (package / "__init__.py").read_text() == "from package import model\n"
  both = (package / "both.py").read_text()  # a program only by itself
  assert both == (
    'import os\nif __name__ == "__main__":\n'
    '  os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 2, from tf_keras\n'
    "import tensorflow.compat.v1 as tf\n"
    f'if __name__ == "__main__":\n  {switch}\nfrom .model import x\n'
    'if __name__ == "__main__":\n  x = tf.zeros([])\n'
  )
  main = (tmp_path / "main.py").read_text()
  assert main.index("TF_USE_LEGACY_KERAS") < main.index(switch)
  assert main.index(switch) < main.index("from package import both")
  assert (tmp_path / "other.py").read_text() == "import sys\n"


def test_files_that_import_each_other(tmp_path):
  write(
    tmp_path,
    a="from b import *\nimport tensorflow as tf\nx = y = tf.contrib.rnn\n",
    b="from a import *\nimport a\nz = tf.contrib.rnn.GRUCell(3), x, y\n",
    c="from c import c\nc = c\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0
  assert "tf_contrib_rnn.GRUCell(3)" in (tmp_path / "b.py").read_text()


def test_a_name_that_another_file_gives_two_meanings(tmp_path, capsys):
  write(
    tmp_path,
    helper="from tensorflow.contrib import layers, rnn\nrnn = layers\n"
    "try:\n  from tensorflow.contrib import rnn as cells\n"
    "except ImportError:\n  from tensorflow.contrib import layers as cells\n",
    main="from helper import cells, rnn\nimport helper\n"
    "x = rnn.fully_connected(1, 2), helper.rnn.fully_connected(1, 2)\n"
    "y = cells.GRUCell(3), helper.cells.GRUCell(3)\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0, capsys.readouterr().out


def test_a_name_that_another_file_makes_its_own(tmp_path):
  write(
    tmp_path,
    helper="from mine import Wrapper\nimport tensorflow as tf\n"
    "tf = Wrapper()\nimport tensorflow as rnn\n\n\ndef rnn():\n  pass\n",
    main="import helper\nfrom helper import rnn, tf\n"
    "a = tf.contrib.rnn.GRUCell(1), helper.tf.contrib.rnn.GRUCell(1)\n"
    "b = rnn.contrib.rnn.GRUCell(1), helper.rnn.contrib.rnn.GRUCell(1)\n",
  )
  main = (tmp_path / "main.py").read_text()
  run("upgrade", tmp_path, "--write")
  assert (tmp_path / "main.py").read_text() == main


def test_a_file_whose_neighbours_import_it(tmp_path):
  write(tmp_path, model=OLD, main="import model\n")
  assert run("upgrade", tmp_path / "model.py", "--write") == 0
  assert "disable_v2_behavior" not in (tmp_path / "model.py").read_text()
  assert (tmp_path / "main.py").read_text() == "import model\n"


def test_a_copied_file_whose_neighbours_import_it(tmp_path):
  program, output = tmp_path / "program", tmp_path / "copy"
  program.mkdir()
  main = "from common import contrib_rnn\nimport model\n"
  common = "from tensorflow.contrib import rnn as contrib_rnn\n"
  write(program, model=OLD, main=main, common=common)
  paths = program / "model.py", program / "main.py"
  for path in paths:
    assert run("upgrade", path, "--output", output / path.stem) == 0
    assert os.listdir(output / path.stem) == [path.name]
  copy = output / "model" / "model.py"
  assert "tf_contrib_rnn.GRUCell" in copy.read_text()
  assert "disable_v2_behavior" not in copy.read_text()  # main does it
  assert "disable_v2_behavior" in (output / "main" / "main.py").read_text()
  assert (program / "main.py").read_text() == main


@pytest.mark.parametrize("order", [1, -1])
def test_copied_files_of_folders_with_like_named_neighbours(order, tmp_path):
  for name in "ab":
    (tmp_path / name).mkdir()
  write(
    tmp_path / "a",
    helper="import tensorflow as tf\n",
    train="from helper import tf\nc = tf.contrib.rnn.GRUCell(3)\n",
  )
  write(tmp_path / "b", helper="tf = None\n", serve="from helper import tf\n")
  paths = [tmp_path / "a" / "train.py", tmp_path / "b" / "serve.py"][::order]
  output = tmp_path / "copy"
  assert run("upgrade", *paths, "--output", output) == 0
  assert "tf_contrib_rnn.GRUCell(3)" in (output / "train.py").read_text()
  assert (output / "serve.py").read_text() == "from helper import tf\n"


def test_hidden_folders_are_left_alone(tmp_path):
  for name in (".git", "__pycache__", "venv"):
    (tmp_path / name).mkdir()
    write(tmp_path / name, model=OLD)
  assert run("upgrade", tmp_path, "--write") == 2
  assert (tmp_path / ".git" / "model.py").read_text() == OLD


# check


def test_check(tmp_path, capsys):
  write(
    tmp_path,
    a=OLD,
    b=OPEN,
    c="import tensorflow as tf\ntf.nn.dynamic_rnn(1)\n",
    d="def f(:\n",
    e="import importlib\nx = importlib.import_module('tf.contrib.rnn')\n",
    f="from tensorflow.contrib import rnn\n",
  )
  assert run("check", tmp_path) == 1
  *lines, last = capsys.readouterr().out.splitlines()
  start = f"{tmp_path}/"
  assert [line.removeprefix(start).split(": ")[0] for line in lines] == [
    "a.py:2",
    "b.py:2",
    "d.py:1",
    "e.py:2",
    "f.py:1",
  ]
  assert "5 things are left" in last
  assert (tmp_path / "a.py").read_text() == OLD
  write(tmp_path, a=NEW, b="", d="", e="", f="")
  assert run("check", tmp_path) == 0
  assert "nothing of tf.contrib is left" in capsys.readouterr().out


def test_what_is_no_python_file(tmp_path, capsys):
  (tmp_path / "a.txt").write_text("tf.contrib")
  for name in ("upgrade", "check"):
    with pytest.raises(SystemExit) as error:
      run(name, tmp_path / "a.txt")
    assert error.value.code == 2
  assert "ends in .py or .ipynb" in capsys.readouterr().err


def test_places_in_notebooks(tmp_path, capsys):
  path = tmp_path / "a.ipynb"
  cells = [("code", "import tensorflow as tf\n"), ("code", ["\n", OPEN])]
  path.write_text(json.dumps(make_notebook(*cells)))
  assert run("upgrade", path) == 1
  assert "a.ipynb:cell 2, line 3: tf.contrib" in capsys.readouterr().out


def test_names_as_attributes_of_another_file(tmp_path):
  package = tmp_path / "package"
  package.mkdir()
  write(
    package,
    __init__="",
    helper="import tensorflow as tf\n"
    "from tensorflow import contrib, contrib as c\nrnn = tf.contrib.rnn\n",
    inner="from . import helper as h\nx = h.contrib.rnn.GRUCell(3)\n",
  )
  write(
    tmp_path,
    main="import package.helper\nfrom package import helper\n"
    "x = [package.helper.tf.contrib.rnn.GRUCell(3), helper.rnn.NASCell(3)]\n"
    "y = helper.tf.nn.dynamic_rnn(x, helper.nothing.contrib.rnn)\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0
  helper = (package / "helper.py").read_text()
  assert helper == (
    "import tensorflow.compat.v1 as tf\nimport tf_contrib_rnn\n"
    "rnn = tf_contrib_rnn\n"
  )
  inner = (package / "inner.py").read_text()
  assert inner.endswith("x = tf_contrib_rnn.GRUCell(3)\n")
  main = (tmp_path / "main.py").read_text()
  assert "x = [tf_contrib_rnn.GRUCell(3), helper.rnn.NASCell(3)]" in main
  assert "y = tf_contrib_rnn.dynamic_rnn(x, helper.nothing.contrib" in main


def test_lines_of_ipython_in_notebooks(tmp_path, capsys):
  code = [
    "import tensorflow as tf\n",
    "print('%d'\n",
    "      % tf.contrib.rnn)\n",
    "files = !ls\n",
    "path = %pwd\n",
    "text = '''\n",
    "%not one\n",
    "'''\n",
    "tf.contrib?\n",
    "x = 7 \\\n",
    "  % 3\n",
  ]
  notebook = make_notebook(("code", code), ("code", "%%writefile a.py\n"))
  path = tmp_path / "model.ipynb"
  path.write_text(json.dumps(notebook))
  assert run("upgrade", path, "--write") == 0
  new = "".join(json.loads(path.read_text())["cells"][0]["source"])
  assert new.splitlines()[3:] == [
    "print('%d'",
    "      % tf_contrib_rnn)",
    *map(str.rstrip, code[3:]),
  ]
  notebook = make_notebook(("code", "%%writefile a.py\ntf.contrib.rnn\n"))
  path.write_text(json.dumps(notebook))
  assert run("upgrade", path) == 1
  assert "%%writefile a.py" in capsys.readouterr().out


def test_lines_are_those_of_the_file_that_is_written(tmp_path, capsys):
  write(tmp_path, a="import tensorflow as tf\nx = tf.contrib.rnn\n" + OPEN)
  file = tmp_path / "a.py"
  assert run("upgrade", file) == 1
  assert "a.py:4: tf.contrib.seq2seq" in capsys.readouterr().out
  assert run("upgrade", file, "--write") == 1
  assert "a.py:6: tf.contrib.seq2seq" in capsys.readouterr().out
  assert "seq2seq" in file.read_text().splitlines()[5]
  assert run("upgrade", file, "--write") == 1
  assert "a.py:6: tf.contrib.seq2seq" in capsys.readouterr().out


def test_a_program_of_tensorflow_2_stays(tmp_path, capsys):
  text = "import tensorflow as tf\nprint(tf.constant([1.0]))\n"
  write(
    tmp_path,
    a=text,
    b="import tensorflow as tf\n@tf.function\ndef f():\n  pass\n",
    d="import tensorflow as tf\nprint(tf.constant([1.0]).numpy())\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0
  assert (tmp_path / "a.py").read_text() == text
  # Beside one of TensorFlow 1 it is a part of that.
  write(tmp_path, c="import a\nimport tensorflow as tf\nx = tf.Session()\n")
  assert run("upgrade", tmp_path, "--write") == 0
  assert "compat.v1" in (tmp_path / "a.py").read_text()
  assert "a.py: the file" in capsys.readouterr().out  # it is told
  for name in ("b.py", "d.py"):
    assert "compat.v1" not in (tmp_path / name).read_text()


# Links, several paths, and other ways to lose something.


def test_a_copy_leaves_what_links_lead_to(tmp_path):
  library, project = tmp_path / "library", tmp_path / "project"
  for folder in (library, project):
    folder.mkdir()
  write(library, common=OLD)
  write(project, a=OLD)
  (project / "common.py").symlink_to("../library/common.py")
  (project / "b.py").symlink_to(project / "a.py")
  (project / "c.py").symlink_to("a.py")
  (project / "broken.py").symlink_to("nothing.py")
  output = tmp_path / "far" / "copy"
  assert run("upgrade", project, "--output", output) == 1  # broken.py
  assert (library / "common.py").read_text() == OLD
  assert (project / "a.py").read_text() == OLD
  for name in ("a", "b", "c", "common"):
    assert (output / f"{name}.py").read_text() == NEW


def test_a_copy_of_read_only_files(file, tmp_path):
  file.chmod(0o444)
  assert run("upgrade", file, "--output", tmp_path / "copy") == 0
  assert (tmp_path / "copy" / "model.py").read_text() == NEW


def test_copies_are_not_written_over_each_other(tmp_path, capsys, monkeypatch):
  for name in "ab":
    (tmp_path / name).mkdir()
    write(tmp_path / name, model=OLD)
  paths = [tmp_path / name / "model.py" for name in "ab"]
  output = tmp_path / "copy"
  assert run("upgrade", *paths, "--output", output) == 2
  assert "would both be" in capsys.readouterr().err
  assert not output.exists()
  assert run("upgrade", paths[0], paths[0], "--output", output) == 0
  assert (output / "model.py").read_text() == NEW
  monkeypatch.chdir(tmp_path / "a")
  assert run("upgrade", "..", paths[1], "--output", tmp_path / "other") == 0
  assert sorted(os.listdir(tmp_path / "other")) == ["model.py", tmp_path.name]


def test_no_path_is_not_this_folder(file, monkeypatch):
  monkeypatch.chdir(file.parent)
  with pytest.raises(SystemExit):
    run("upgrade", "", "--write")
  assert file.read_text() == OLD


def test_only_reports_are_replaced(file, capsys):
  for name in ("notes.md", "data.json"):
    path = file.with_name(name)
    path.write_text("something else")
    with pytest.raises(SystemExit):
      run("upgrade", file, "--report", path)
    assert "is no report of this command" in capsys.readouterr().err
    assert path.read_text() == "something else"
    path.unlink()
    for _ in range(2):
      assert run("upgrade", file, "--report", path) == 0


def test_half_a_surrogate_in_a_notebook(tmp_path):
  notebook = make_notebook(("code", OLD), ("code", "x = '\ud83d'"))
  notebook["cells"][0]["outputs"] = [{"text": "bad \ud83d here"}]
  path = tmp_path / "model.ipynb"
  path.write_text(json.dumps(notebook))
  assert run("upgrade", path, "--write") == 1
  assert json.loads(path.read_text()) == notebook  # a cell can't be parsed
  del notebook["cells"][1]
  path.write_text(json.dumps(notebook))
  assert run("upgrade", path, "--write") == 0
  new = json.loads(path.read_text())["cells"][0]
  assert new["outputs"] == [{"text": "bad \ud83d here"}]
  assert new["source"] == NEW


def test_lines_of_ipython_that_hold_python_are_listed(tmp_path, capsys):
  cell = (
    "%tensorflow_version 1.x\n!ls \\\n  -l\nimport tensorflow as tf\n"
    "%time x = tf.contrib.rnn.GRUCell(3)\n%time y = 1"
  )
  path = tmp_path / "model.ipynb"
  path.write_text(json.dumps(make_notebook(("code", cell))))
  assert run("upgrade", path) == 1
  printed = capsys.readouterr().out
  assert "%tensorflow_version 1.x" in printed and "%time x" in printed
  assert "2 things left to do" in printed


def test_a_file_that_sys_path_leads_to(tmp_path):
  for name in ("app", "lib"):
    (tmp_path / name).mkdir()
  write(
    tmp_path / "lib",
    compat="import tensorflow as tf\nimport tensorflow.contrib as contrib\n",
  )
  write(
    tmp_path / "app",
    train="import sys\nsys.path.append('../lib')\n"
    "from compat import tf, contrib\n"
    "x = contrib.rnn.GRUCell(3), tf.placeholder(tf.float32)\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0
  train = (tmp_path / "app" / "train.py").read_text()
  assert "from compat import tf\n" in train
  assert "x = tf_contrib_rnn.GRUCell(3), tf.placeholder" in train


def test_what_a_file_does_when_it_is_imported_stays(tmp_path):
  package = tmp_path / "package"
  package.mkdir()
  common = "import tensorflow as tf\nfrom tensorflow import contrib\n"
  write(tmp_path, common=common, a="from common import contrib\n")
  write(
    package,
    __init__="",
    inner=common,
    b="from .inner import contrib\nx = contrib.rnn.GRUCell(3)\n",
  )
  for _ in range(2):
    assert run("upgrade", tmp_path, "--write") == 0
    assert (tmp_path / "common.py").read_text() == (
      "import tensorflow.compat.v1 as tf\n"
    )
    assert (tmp_path / "a.py").read_text().endswith("import common\n")
    b = (package / "b.py").read_text()
    assert "from . import inner\nx = tf_contrib_rnn.GRUCell(3)\n" in b


def test_a_program_that_another_file_imports(tmp_path):
  write(
    tmp_path,
    train="import tensorflow as tf\nsession = tf.Session()\n",
    guarded="import tensorflow as tf\nif '__main__' == __name__:\n"
    "  session = tf.Session()\n",
    evaluate="import train, guarded\n",
  )
  assert run("upgrade", tmp_path, "--write") == 0
  assert (tmp_path / "train.py").read_text() == (
    "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"
    "session = tf.Session()\n"
  )
  guarded = (tmp_path / "guarded.py").read_text()
  assert 'if __name__ == "__main__":\n  tf.disable_v2_behavior()\n' in guarded
