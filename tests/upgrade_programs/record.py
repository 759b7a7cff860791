"""Runs the old programs with TensorFlow 1.15 and keeps what they save.

python tests/upgrade_programs/record.py COMMAND [NAME ...]

COMMAND starts a Python that has TensorFlow 1.15; NAME is a folder beside this
file, all of them by default. Its `program` runs in a copy, so that nothing is
left behind in it; its checkpoint and outputs go to `recorded`.

The test imports this file for how a program is called.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Program:
  """How a program is called.

  In arguments and environment, {mode}, {checkpoint} and {outputs} stand for
  "record" or "restore", the checkpoint's prefix and the file of the outputs.

  Attributes:
    file: what runs, below the folder `program`.
    arguments: of the command line.
    restore_flag: added to the arguments to restore a checkpoint.
    environment: variables to set.
  """

  file: str
  arguments: str = ""
  restore_flag: str = ""
  environment: dict = dataclasses.field(default_factory=dict)

  def run(self, command, folder, mode, checkpoint, outputs):
    """Runs the program that is in a folder; returns the finished process.

    Args:
      command: what starts Python, as a list.
      folder: where the program is.
      mode: "record" or "restore".
      checkpoint: the prefix of the checkpoint.
      outputs: the .npz file to write.
    """
    values = dict(mode=mode, checkpoint=checkpoint, outputs=outputs)
    arguments = self.arguments.format(**values)
    if mode == "restore":
      arguments += " " + self.restore_flag
    environment = {k: v.format(**values) for k, v in self.environment.items()}
    # The program itself has to say which Keras it needs.
    inherited = {
      k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"
    }
    return subprocess.run(
      [*command, make_script(folder / self.file), *shlex.split(arguments)],
      env={**inherited, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
      cwd=folder,
      stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT,
      text=True,
      check=False,
    )


PROGRAMS = {
  "language_model": Program(
    "language_model.py",
    "--mode={mode} --checkpoint={checkpoint} --outputs={outputs}",
  ),
  "seq2seq_encoder": Program("run.py", "{mode} {checkpoint} {outputs}"),
  "speech_package": Program(
    "train.py", "{checkpoint} {outputs}", restore_flag="--restore"
  ),
  "sru_regression": Program(
    "sru_regression.py",
    "--checkpoint={checkpoint} --outputs={outputs}",
    restore_flag="--restore",
  ),
  "static_classifier": Program(
    "classify.py",
    environment={
      "MODE": "{mode}",
      "CELL_CHECKPOINT": "{checkpoint}",
      "OUTPUTS": "{outputs}",
    },
  ),
  "sunspots_notebook": Program(
    "sunspots.ipynb",
    environment={
      "SUNSPOTS_MODE": "{mode}",
      "SUNSPOTS_CHECKPOINT": "{checkpoint}",
      "SUNSPOTS_OUTPUTS": "{outputs}",
    },
  ),
  "tagger": Program("tagger.py", "{mode} {checkpoint} {outputs}"),
  "video_frames": Program(
    "run.py",
    environment={
      "MODE": "{mode}",
      "CHECKPOINT": "{checkpoint}",
      "OUTPUTS": "{outputs}",
    },
  ),
}


def make_script(path):
  """What Python can run of a file: for a notebook a script beside it.

  The script has the code cells without IPython's own lines.
  """
  if path.suffix != ".ipynb":
    return path
  cells = json.loads(path.read_text("utf-8"))["cells"]
  lines = []
  for cell in cells:
    if cell["cell_type"] == "code":
      code = "".join(cell["source"]).split("\n")
      lines += [line for line in code if not _is_magic(line)]
  script = path.with_suffix(".cells")  # a .py would be a part of the program
  script.write_text("\n".join(lines) + "\n", "utf-8")
  return script


def _is_magic(line):
  return line.lstrip().startswith(("%", "!", "?")) or line.endswith("?")


def drop_names(path):
  """Leaves out the variables' names, which the checkpoint has, too."""
  with np.load(path) as arrays:
    kept = {key: arrays[key] for key in arrays if key != "names"}
  np.savez(path, **kept)


def record(name, command):
  """Runs a program and keeps its checkpoint and outputs."""
  recorded = HERE / name / "recorded"
  shutil.rmtree(recorded, ignore_errors=True)
  with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary, "program")
    saved = pathlib.Path(temporary, "recorded")
    shutil.copytree(HERE / name / "program", folder)
    saved.mkdir()
    done = PROGRAMS[name].run(
      command, folder, "record", saved / "model", saved / "outputs.npz"
    )
    if done.returncode:
      raise SystemExit(f"{name}: {done.stdout}")
    # The file "checkpoint" would hold the temporary folder's path.
    (saved / "checkpoint").unlink()
    drop_names(saved / "outputs.npz")
    shutil.copytree(saved, recorded)
  print(name, sum(file.stat().st_size for file in recorded.iterdir()), "bytes")


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("command", help="starts Python with TensorFlow 1.15")
  parser.add_argument("names", nargs="*", metavar="NAME")
  arguments = parser.parse_args()
  for name in arguments.names or PROGRAMS:
    record(name, shlex.split(arguments.command))


if __name__ == "__main__":
  main()
