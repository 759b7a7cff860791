"""What the examples' command lines have in common.

Types for argparse: each says what it expected. Nothing here imports TensorFlow,
so that mistakes are found, and --help is printed, at once.
"""

import argparse
import math
import os


def whole_number(least):
  """A type: whole numbers of `least` or more."""

  def parse(text):
    if not text.isdecimal() or not least <= int(text) < 2**31:
      raise argparse.ArgumentTypeError(
        f"is {text!r}, expected a whole number from {least} to 2**31 - 1"
      )
    return int(text)

  return parse


def positive(text):
  """A type: numbers over 0."""
  try:
    number = float(text)
  except ValueError:
    number = math.nan
  if not 0 < number < math.inf:
    raise argparse.ArgumentTypeError(
      f"is {text!r}, expected a finite number over 0"
    )
  return number


def checkpoint(text):
  """A type: checkpoints that are there."""
  # What ends in .npz is a file of NumPy's, which one of the examples reads.
  file = text if text.endswith(".npz") else text + ".index"
  if not os.path.isfile(file):
    raise argparse.ArgumentTypeError(
      f"is {text!r}, expected a checkpoint: there is no file {file!r}"
    )
  return text


def new_file(ending=""):
  """A type: names of files that can be written, with this ending."""

  def parse(text):
    folder = os.path.dirname(text) or "."
    if not text.endswith(ending):
      expected = f"a name that ends in {ending}"
    elif os.path.isdir(text) or not os.path.basename(text):
      expected = "the name of a file, not of a folder"
    elif not (os.path.isdir(folder) and os.access(folder, os.W_OK)):
      expected = f"a folder {folder!r} that is there and can be written to"
    else:
      return text
    raise argparse.ArgumentTypeError(f"is {text!r}, expected {expected}")

  return parse


def output_folder(text):
  """A type: folders that are there or can be made."""
  there = os.path.abspath(text)
  while not os.path.exists(there):
    there = os.path.dirname(there)
  if not text:
    expected = "the name of a folder"
  elif not os.path.isdir(there):
    expected = f"a folder: {there!r} is a file"
  elif not os.access(there, os.W_OK):
    expected = f"a folder: {there!r} can't be written to"
  else:
    return text
  raise argparse.ArgumentTypeError(f"is {text!r}, expected {expected}")


def new_folder(text):
  """A type: folders that can be made, or are there and empty."""
  output_folder(text)
  if os.path.isdir(text) and os.listdir(text):
    raise argparse.ArgumentTypeError(
      f"is {text!r}, expected a new folder or an empty one"
    )
  return text
