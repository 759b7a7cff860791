"""The command tf-contrib-rnn, and python -m tf_contrib_rnn."""

import argparse
import importlib.util
import os
import pathlib
import shutil
import sys
from collections.abc import Sequence
from typing import Optional

from tf_contrib_rnn.version import __version__

_NEEDED = {"libcst": "libcst", "rich": "rich"}


def _path(text: str) -> pathlib.Path:
  path = pathlib.Path(text)
  if not text or not path.exists():
    raise argparse.ArgumentTypeError(f"{text!r} does not exist")
  if path.is_file() and path.suffix not in (".py", ".ipynb"):
    raise argparse.ArgumentTypeError(
      f"{text!r}, expected a folder, or a file that ends in .py or .ipynb"
    )
  return path


def _report(text: str) -> pathlib.Path:
  path = pathlib.Path(text)
  if path.suffix not in (".json", ".md"):
    raise argparse.ArgumentTypeError(f"{text!r}, expected FILE.json or FILE.md")
  if not path.parent.is_dir():
    raise argparse.ArgumentTypeError(f"{text!r} is in no folder that exists")
  if path.exists() and not _is_report(path):
    raise argparse.ArgumentTypeError(
      f"{text!r} exists and is no report of this command, expected a new file"
    )
  return path


def _is_report(path: pathlib.Path) -> bool:
  """Whether a file is a report of before, which may be replaced."""
  start = path.read_bytes()[:30] if path.is_file() else b""
  return start.startswith((b'{\n  "open": ', b"# Upgrade from tf.contrib\n"))


def _output(text: str) -> pathlib.Path:
  path = pathlib.Path(text)
  if path.exists() and (not path.is_dir() or any(path.iterdir())):
    raise argparse.ArgumentTypeError(
      f"{text!r} exists, expected a new folder or an empty one"
    )
  return path


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    "tf-contrib-rnn",
    description="Moves TensorFlow 1 programs and checkpoints off tf.contrib. "
    "Without a command it prints versions, and what runs as fused ops, to be "
    "pasted into an issue.",
  )
  parser.add_argument("--version", action="version", version=__version__)
  commands = parser.add_subparsers(dest="command")
  _add_upgrade(commands)
  add = commands.add_parser(
    "check",
    help="list what of tf.contrib is left in a program, for CI",
    description="Lists what of tf.contrib is left. Nothing is run or changed. "
    "The exit status is 0 if nothing is left, else 1.",
  ).add_argument
  add("paths", nargs="+", type=_path, metavar="PATH")
  _add_checkpoints(commands)
  return parser


def _add_upgrade(commands) -> None:
  add = commands.add_parser(
    "upgrade",
    help="rewrite a program so that it runs on TensorFlow 2",
    description="Rewrites TensorFlow 1 programs so that they run on TensorFlow "
    "2 with their old checkpoints. Without --write and --output it shows the "
    "changes and writes nothing. The exit status is 0 if nothing is left for "
    "you to do, 1 if something is, 2 for wrong arguments.",
  ).add_argument
  add(
    "paths",
    nargs="+",
    type=_path,
    metavar="PATH",
    help="a .py or .ipynb file, or a folder",
  )
  add("--write", action="store_true", help="change the files in place")
  add("--output", type=_output, metavar="DIR", help="write a changed copy")
  add(
    "--report",
    type=_report,
    metavar="FILE",
    help="write a report, .json or .md",
  )
  add(
    "--keep-tf-rnn",
    action="store_true",
    help="do not change tf.nn.dynamic_rnn and similar calls; the four cells "
    "with fused ops then run slower",
  )


def _add_checkpoints(commands) -> None:
  add = commands.add_parser(
    "checkpoint",
    help="say what a checkpoint holds, or compare it",
    description="Lists the cells, optimizer slots and other variables of a "
    "checkpoint, or compares them with another's or with a graph's.",
  ).add_argument
  add("path", metavar="PATH", help="a checkpoint's prefix, or its folder")
  one = commands.choices["checkpoint"].add_mutually_exclusive_group()
  add = one.add_argument
  add("--json", action="store_true", help="print JSON, for programs")
  add("--diff", metavar="OTHER", help="compare with another checkpoint")
  add(
    "--against",
    metavar="MODULE:FUNCTION",
    help="compare with the variables of the graph that a function builds",
  )
  add = commands.add_parser(
    "convert",
    help="write a checkpoint in another format",
    description="Writes a checkpoint's variables into a file of another "
    "format, wholly or not at all.",
  ).add_argument
  add(
    "path",
    metavar="PATH",
    help="a checkpoint, or an .npz, .h5 or .safetensors file",
  )
  add("--to", required=True, choices=("npz", "h5", "safetensors", "tf1"))
  add("--output", metavar="FILE", help="where to; beside PATH by default")
  add("--overwrite", action="store_true", help="replace what is there")


def _missing_packages() -> list[str]:
  return [
    p for name, p in _NEEDED.items() if not importlib.util.find_spec(name)
  ]


def main(arguments: Optional[Sequence[str]] = None) -> int:
  """Runs the command.

  Args:
    arguments: those of the command line; by default the process's.

  Returns:
    The exit status.
  """
  options = _parser().parse_args(arguments)
  if options.command is None:
    from tf_contrib_rnn import about

    _quieten()
    print(about.describe())
    return 0
  missing = _missing_packages()
  if missing:
    print(
      f"tf-contrib-rnn needs {' and '.join(missing)}: pip install "
      f"{' '.join(missing)}",
      file=sys.stderr,
    )
    return 2
  if options.command in ("upgrade", "check"):
    return _upgrade(options)
  return _checkpoint(options)


def _quieten() -> None:
  """Keeps TensorFlow's lines about itself out of what is printed."""
  os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
  # It announces oneDNN at any level of logging.
  os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def _upgrade(options) -> int:
  from tf_contrib_rnn.upgrade import run

  if options.command == "check":
    return run.check(options.paths)
  if options.write and options.output:
    print("--write and --output DIR: expected one of the two", file=sys.stderr)
    return 2
  try:
    return run.upgrade(
      options.paths,
      options.write,
      options.output,
      options.report,
      options.keep_tf_rnn,
    )
  except (OSError, shutil.Error) as error:  # of --output and --report
    print(f"tf-contrib-rnn upgrade: {error}", file=sys.stderr)
    return 2


def _checkpoint(options) -> int:
  """The commands that read checkpoints, for which TensorFlow is imported."""
  _quieten()
  if getattr(options, "against", None) and importlib.util.find_spec("tf_keras"):
    # As in an upgraded program that uses tf.layers.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
  import tensorflow as tf

  try:
    return _run_checkpoint(options)
  except tf.errors.NotFoundError as error:
    print(
      f"tf-contrib-rnn {options.command}: {_what_is_missing(options) or error}",
      file=sys.stderr,
    )
    return 2
  except (ImportError, OSError, ValueError, tf.errors.OpError) as error:
    print(f"tf-contrib-rnn {options.command}: {error}", file=sys.stderr)
    return 2


def _what_is_missing(options) -> Optional[str]:
  """Which of the checkpoints that the command is given is not there."""
  from tf_contrib_rnn.migrate import checkpoint

  for path in (options.path, getattr(options, "diff", None)):
    if path is not None and not checkpoint.files_of(path):
      return (
        f"there is no checkpoint {path!r}: expected what the names of its "
        "files have before .index, as in model.ckpt-1000"
      )
  return None


def _run_checkpoint(options) -> int:
  import tensorflow as tf

  from tf_contrib_rnn.checkpoints import compare
  from tf_contrib_rnn.checkpoints import contents
  from tf_contrib_rnn.checkpoints import convert

  if options.command == "convert":
    path = convert.run(
      options.path, options.to, options.output, options.overwrite
    )
    print(path)
    return 0
  if options.against is not None:
    tf.compat.v1.disable_v2_behavior()
  if options.diff is not None or options.against is not None:
    return compare.show(options.path, options.diff, options.against)
  return contents.show(options.path, options.json)
