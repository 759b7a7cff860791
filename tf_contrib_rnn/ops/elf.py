"""Says whether a file is a whole shared library, before it is loaded.

A loader maps the file into memory and reads what its headers promise. Where the
file ends before that, or holds zeros, the process is killed, which no caller
can catch. Both libraries are checked here: no framework is imported.
"""

import os
import platform
import stat
import struct
from typing import BinaryIO
from typing import NamedTuple
from typing import Optional

_MAGIC = b"\x7fELF"
_64_BITS = 2
_LITTLE_ENDIAN = 1
_SHARED_LIBRARY = 3
_LOADED_SEGMENT = 1
_STRING_TABLE = 3
# What headers have for a machine, by the name that Python has for it.
_MACHINES = {"x86_64": 62, "aarch64": 183}

_HEADER = struct.Struct("<16s HHIQ QQIH HHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION_START = struct.Struct("<II")
_SECTION_SIZE = 64


class _Header(NamedTuple):
  """The fields of an ELF header for 64 bits, in their order."""

  identification: bytes
  type: int
  machine: int
  version: int
  entry: int
  segments_offset: int
  sections_offset: int
  flags: int
  header_size: int
  segment_size: int
  segments: int
  section_size: int
  sections: int
  names_section: int


def why_not_loadable(path: str) -> Optional[str]:
  """Why a file is not a whole shared library for this machine.

  Args:
    path: of the file, or of a link to it.

  Returns:
    A sentence, or None where the file is one.
  """
  try:
    fault = _find_fault(path)
  except FileNotFoundError:
    if not os.path.islink(path):
      return f"{path} does not exist"
    target = os.path.realpath(path)
    return f"{path} is a link to a file that does not exist: {target}"
  except OSError as error:
    return f"{path} can't be read: {error.strerror}"
  return f"{path} {fault}" if fault else None


def _find_fault(path: str) -> Optional[str]:
  """What is wrong with a file, to be said after its name, or None."""
  mode = os.stat(path).st_mode
  if stat.S_ISDIR(mode):
    return "is a directory, expected a shared library"
  if not stat.S_ISREG(mode):  # to open a pipe could take forever
    return "is not a regular file, expected a shared library"
  with open(path, "rb") as file:
    size = os.fstat(file.fileno()).st_size
    start = file.read(_HEADER.size)
    if not start:
      return "is empty, expected a shared library"
    if start[: len(_MAGIC)] != _MAGIC:
      return (
        f"is not a shared library: it begins with {start[:8]!r}, expected "
        f"{_MAGIC!r}"
      )
    if len(start) < _HEADER.size:
      return _describe_end(size, _HEADER.size)
    header = _Header._make(_HEADER.unpack(start))
    return _find_foreign(header) or _find_missing(file, size, header)


def _find_foreign(header: _Header) -> Optional[str]:
  """Which field another machine, or another kind of file, has put there."""
  machine = platform.machine()
  for name, value, expected in (
    ("class", header.identification[4], _64_BITS),
    ("byte order", header.identification[5], _LITTLE_ENDIAN),
    ("type", header.type, _SHARED_LIBRARY),
    ("machine", header.machine, _MACHINES.get(machine, header.machine)),
    ("program headers' size", header.segment_size, _SEGMENT.size),
    (
      "section headers' size",
      header.section_size if header.sections else _SECTION_SIZE,
      _SECTION_SIZE,
    ),
  ):
    if value != expected:
      return (
        f"is not a shared library for {machine}: the {name} in its ELF header "
        f"is {value}, expected {expected}"
      )
  return None


def _find_missing(file: BinaryIO, size: int, header: _Header) -> Optional[str]:
  """What the headers promise and the file does not hold."""
  expected = max(
    header.segments_offset + header.segments * _SEGMENT.size,
    header.sections_offset + header.sections * header.section_size,
  )
  if expected <= size:
    file.seek(header.segments_offset)
    table = file.read(header.segments * _SEGMENT.size)
    for kind, _, offset, _, _, length, _, _ in _SEGMENT.iter_unpack(table):
      if kind == _LOADED_SEGMENT:
        expected = max(expected, offset + length)
  if expected > size:
    return _describe_end(size, expected)
  if not 0 < header.names_section < header.sections:
    return None
  # At the file's end: zeros where a copy was given its size but not all bytes.
  file.seek(header.sections_offset + header.names_section * header.section_size)
  _, kind = _SECTION_START.unpack(file.read(_SECTION_START.size))
  if kind == _STRING_TABLE:
    return None
  return (
    f"is damaged: the type of section {header.names_section}, of the names, is "
    f"{kind}, expected {_STRING_TABLE}"
  )


def _describe_end(size: int, expected: int) -> str:
  return f"is cut short: it has {size} bytes, expected at least {expected}"
