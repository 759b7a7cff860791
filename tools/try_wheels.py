"""Installs the wheel in dist/ into clean environments, and uses it there.

  python tools/try_wheels.py              # or: make test-wheels
  python tools/try_wheels.py 2.15.1 jax   # some of the environments

Each environment gets what a user would install: Python, a framework from its
registry and the wheel, by plain pip. No compiler is on its PATH. In it the
digits example has to run as fused ops, and to get TensorFlow 1.15's accuracy.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Python, what is installed beside the wheel, and the wheel's extras. Each
# TensorFlow minor and each Python comes at least once.
ENVIRONMENTS = {
  "2.15.1": ("3.9", "tensorflow-cpu==2.15.1", ""),
  "2.16.2": ("3.12", "tensorflow-cpu==2.16.2", ""),
  "2.17.1": ("3.10", "tensorflow-cpu==2.17.1", ""),
  "2.18.1": ("3.11", "tensorflow-cpu==2.18.1", ""),
  "2.19.1": ("3.12", "tensorflow-cpu==2.19.1", ""),
  "2.20.0": ("3.13", "tensorflow-cpu==2.20.0", ""),
  "2.21.0": ("3.13", "tensorflow-cpu==2.21.0", "[upgrade]"),
  "jax": ("3.13", "", "[flax]"),
  "none": ("3.9", "", ""),
}
# Says whether the fused ops are there, and why not.
ASK = {
  "legacy_digits": "import tf_contrib_rnn as r; print(r.fused_ops_available())",
  "legacy_digits_flax": (
    "from tf_contrib_rnn import jax as r; print(r.fused_available())"
  ),
}
# What JAX needs of the checkpoint, which only TensorFlow reads.
CONVERT = """
import sys, numpy as np, tensorflow as tf
reader = tf.train.load_checkpoint(sys.argv[1])
names = reader.get_variable_to_shape_map()
np.savez(sys.argv[2], **{name: reader.get_tensor(name) for name in names})
"""
# Before the framework is there, the package says what is missing.
WITHOUT = """
try:
  import tf_contrib_rnn
  tf_contrib_rnn.IndyGRUCell
except ImportError as error:
  print("said:", error)
"""


def find_python(version):
  """The path of a Python, and its version: this one's where there is none."""
  found = shutil.which(f"python{version}")
  # pyenv's commands are there for Pythons that are not.
  quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
  if found and not subprocess.call([found, "-V"], **quiet):
    return found, version
  return sys.executable, f"{sys.version_info.major}.{sys.version_info.minor}"


def run(*command, **options):
  """What a command prints. It is shown where the command fails."""
  done = subprocess.run(
    [*map(str, command)],
    text=True,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    **options,
  )
  if done.returncode:
    raise RuntimeError(f"{' '.join(map(str, command))}:\n{done.stdout}")
  return done.stdout


def use(name, bin_folder, examples):
  """Runs what a user would; returns a line that says what came out."""
  python = bin_folder / "python"
  # Nothing of the machine's: no compiler above all.
  options = {"cwd": examples, "env": {"PATH": str(bin_folder)}}
  if name == "none":
    return run(python, "-c", WITHOUT, **options).strip()
  program = "legacy_digits_flax" if name == "jax" else "legacy_digits"
  available = run(python, "-c", ASK[program], **options)
  if ", reason=None" not in available:
    raise RuntimeError(available)
  arguments = ["eval"]
  if name == "jax":
    arguments = ["--checkpoint", convert_checkpoint(examples), "eval"]
  printed = run(python, f"{program}/{program}.py", *arguments, **options)
  accuracy = re.search(r"test accuracy: +([\d.]+)", printed)
  if not accuracy or accuracy.group(1) != "0.966667":
    raise RuntimeError(printed)
  result = f"fused, accuracy {accuracy.group(1)}"
  return result + (use_command(bin_folder, options) if name == "2.21.0" else "")


def use_command(bin_folder, options):
  """Upgrades a program and looks into a checkpoint."""
  program = options["cwd"] / "program.py"
  program.write_text(
    "import tensorflow as tf\ncell = tf.contrib.rnn.IndRNNCell(4)\n"
  )
  command = bin_folder / "tf-contrib-rnn"
  run(command, "upgrade", program, "--write", **options)
  if "tf_contrib_rnn.IndRNNCell(4)" not in program.read_text():
    raise RuntimeError(program.read_text())
  checkpoint = "legacy_digits/checkpoint/model.ckpt"
  if "IndyLSTM" not in run(command, "checkpoint", checkpoint, **options):
    raise RuntimeError("checkpoint finds no IndyLSTM")
  return ", the command works"


def convert_checkpoint(examples):
  """The checkpoint as a file of NumPy's, by the TensorFlow of make wheels."""
  path = examples / "checkpoint.npz"
  python = ROOT / "build/wheels/tf2.21.0/bin/python"
  checkpoint = examples / "legacy_digits/checkpoint/model.ckpt"
  run(python, "-c", CONVERT, checkpoint, path)
  return path


def try_environment(name, wheel):
  wanted, beside, extras = ENVIRONMENTS[name]
  python, version = find_python(wanted)
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    run(python, "-m", "venv", folder / "env")
    bin_folder = folder / "env/bin"
    pip = [bin_folder / "python", "-m", "pip", "install", "-q"]
    run(*pip, *beside.split(), f"{wheel}{extras}")
    # Away from the repository, whose package would be found before the wheel's.
    shutil.copytree(ROOT / "examples", folder / "examples")
    return version, use(name, bin_folder, folder / "examples")


def main():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("names", nargs="*", metavar="environment")
  names = parser.parse_args().names or [*ENVIRONMENTS]
  for name in names:
    if name not in ENVIRONMENTS:
      parser.error(f"no environment {name!r}: one of {', '.join(ENVIRONMENTS)}")
  wheels = [*(ROOT / "dist").glob("*manylinux*.whl")]
  if len(wheels) != 1:
    parser.error(f"dist/ has {len(wheels)} wheels, expected 1: run make wheels")
  failed = 0
  for name in names:
    try:
      version, result = try_environment(name, wheels[0])
      print(f"{name:8} Python {version:5} {result}", flush=True)
    except RuntimeError as error:
      failed += 1
      print(f"{name:8} FAILED\n{error}", flush=True)
  print(f"{len(names) - failed} passed, {failed} failed")
  sys.exit(bool(failed))


if __name__ == "__main__":
  main()
