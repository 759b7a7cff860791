"""What each rule of the upgrade makes of a file: tests/upgrade_rules.

A folder has the file before and after, and in left.txt what a person is told,
a line each: the line in the file, the name, and "know" where nothing is to be
done. `python tests/test_upgrade_rules.py` writes what the upgrade gives today,
to be looked at in the diff.
"""

import pathlib
import shutil

import pytest

from tf_contrib_rnn.upgrade.project import Project

RULES = pathlib.Path(__file__).parent / "upgrade_rules"
NAMES = sorted(path.name for path in RULES.iterdir())


def upgrade(path):
  """The one file's text after the upgrade, and what is left."""
  project = Project([path])
  project.upgrade()
  (module,) = project.modules
  left = [
    f"{f.line} {f.name}" + ("" if f.is_open else " (know)")
    for f in module.findings
  ]
  return module.new_text, left


def read_left(name):
  file = RULES / name / "left.txt"
  return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("name", NAMES)
def test_rule(name, tmp_path):
  shutil.copy(RULES / name / "before.py", tmp_path)
  text, left = upgrade(tmp_path / "before.py")
  assert text == (RULES / name / "after.py").read_text()
  assert left == read_left(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_upgraded_stays(name, tmp_path):
  after = (RULES / name / "after.py").read_text()
  (tmp_path / "after.py").write_text(after)
  text, left = upgrade(tmp_path / "after.py")
  assert text == after
  assert len([line for line in left if "(know)" not in line]) == len(
    [line for line in read_left(name) if "(know)" not in line]
  )


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_python(name):
  compile((RULES / name / "after.py").read_text(), name, "exec")


def write_all():
  for name in NAMES:
    folder = RULES / name
    for file in ("after.py", "left.txt"):
      (folder / file).unlink(missing_ok=True)
    text, left = upgrade(folder / "before.py")
    (folder / "after.py").write_text(text)
    if left:
      (folder / "left.txt").write_text("".join(line + "\n" for line in left))


if __name__ == "__main__":
  write_all()
