"""Calls a handler for XLA as XLA does, from Python: no program is compiled.

The structs are those of jaxlib's xla/ffi/api/c_api.h.
"""

import ctypes
import functools
import os
import re
from typing import NamedTuple

import jax
import numpy as np

# XLA's numbers for the types of elements, and their sizes.
DTYPES = {
  "PRED": (1, 1),
  "S32": (4, 4),
  "S64": (5, 8),
  "U16": (7, 2),
  "F16": (10, 2),
  "F32": (11, 4),
  "F64": (12, 8),
  "C64": (15, 8),
  "BF16": (16, 2),
}
INVALID_ARGUMENT = 3

_EXECUTE = 3
_BUFFER = 1
_ARRAY, _SCALAR, _STRING = 1, 3, 4


def _define(name, *fields):
  """A struct that begins with its size, as all do that may grow."""
  head = [("struct_size", ctypes.c_size_t), ("extension", ctypes.c_void_p)]
  return type(name, (ctypes.Structure,), {"_fields_": [*head, *fields]})


_Buffer = _define(
  "_Buffer",
  ("dtype", ctypes.c_int),
  ("data", ctypes.c_void_p),
  ("rank", ctypes.c_int64),
  ("dims", ctypes.c_void_p),
)
# Of arguments and of results.
_Buffers = _define(
  "_Buffers",
  ("size", ctypes.c_int64),
  ("types", ctypes.c_void_p),
  ("buffers", ctypes.c_void_p),
)
_Attributes = _define(
  "_Attributes",
  ("size", ctypes.c_int64),
  ("types", ctypes.c_void_p),
  ("names", ctypes.c_void_p),
  ("attributes", ctypes.c_void_p),
)
_CallFrame = _define(
  "_CallFrame",
  ("api", ctypes.c_void_p),
  ("context", ctypes.c_void_p),
  ("stage", ctypes.c_int),
  ("arguments", _Buffers),
  ("results", _Buffers),
  ("attributes", _Attributes),
  ("future", ctypes.c_void_p),
)
_CreateError = _define(
  "_CreateError", ("message", ctypes.c_char_p), ("code", ctypes.c_int)
)
_GetMessage = _define(
  "_GetMessage", ("error", ctypes.c_void_p), ("message", ctypes.c_char_p)
)
_Schedule = _define(
  "_Schedule",
  ("context", ctypes.c_void_p),
  ("task", ctypes.c_void_p),
  ("data", ctypes.c_void_p),
)
_CountThreads = _define(
  "_CountThreads",
  ("context", ctypes.c_void_p),
  ("count", ctypes.POINTER(ctypes.c_int64)),
)
_Task = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Function = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


class _Span(ctypes.Structure):
  _fields_ = [("text", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class _Scalar(ctypes.Structure):
  _fields_ = [("dtype", ctypes.c_int), ("value", ctypes.c_void_p)]


class _Array(ctypes.Structure):
  _fields_ = [
    ("dtype", ctypes.c_int),
    ("size", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
  ]


class Attribute(NamedTuple):
  """An attribute: a text, a scalar or some scalars.

  Attributes:
    kind: "string", "scalar" or "array".
    dtype: the type of scalars.
    value: a str, a number or a tuple of numbers.
  """

  kind: str
  dtype: str
  value: object


class Error(NamedTuple):
  code: int
  message: str


class ThreadPool:
  """XLA's threads, of which this one is all that there is.

  Attributes:
    threads: how many the handler is told of.
    when: whether tasks run "now", "later", which is after the handler, or
      "never": the handler is told that there is no pool.
  """

  def __init__(self, threads, when):
    self.threads, self.when = threads, when
    self._tasks = []

  def schedule(self, task, data):
    if self.when == "never":
      return False
    if self.when == "now":
      _Task(task)(data)
    else:
      self._tasks.append((task, data))
    return True

  def finish(self):
    for task, data in self._tasks:
      _Task(task)(data)
    self._tasks.clear()


class Api:
  """The functions of XLA that a handler may call, in the order of the header.

  It is the one object for all calls, which come one after the other.
  """

  def __init__(self):
    self._errors = {}
    self._unexpected = []
    self.pool = None
    functions = {
      "Error_Create": self._create_error,
      "Error_GetMessage": self._get_message,
      "Error_Destroy": self._destroy_error,
      "ThreadPool_Schedule": self._schedule,
      "ThreadPool_NumThreads": self._count_threads,
    }
    self._kept = [
      _Function(functions.get(name, functools.partial(self._fail, name)))
      for name in self._list_functions()
    ]
    fields = [("version", ctypes.c_int64 * 3), ("internal", ctypes.c_void_p)]
    fields.append(("functions", ctypes.c_void_p * len(self._kept)))
    self._struct = _define("_Api", *fields)()
    self._struct.struct_size = ctypes.sizeof(self._struct)
    self._struct.functions[:] = [
      ctypes.cast(function, ctypes.c_void_p).value for function in self._kept
    ]
    self.address = ctypes.addressof(self._struct)

  @staticmethod
  def _list_functions():
    folder = os.path.join(jax.ffi.include_dir(), "xla", "ffi", "api")
    with open(os.path.join(folder, "c_api.h"), encoding="utf-8") as file:
      return re.findall(
        r"^ +_XLA_FFI_API_STRUCT_FIELD\(XLA_FFI_(\w+)\)",
        file.read(),
        re.MULTILINE,
      )

  def _create_error(self, address):
    arguments = _CreateError.from_address(address)
    key = len(self._errors) + 1
    text = arguments.message.decode()
    self._errors[key] = Error(arguments.code, text), arguments.message
    return key

  def _get_message(self, address):
    arguments = _GetMessage.from_address(address)
    arguments.message = self._errors[arguments.error][1]

  def _destroy_error(self, address):
    del self._errors[_GetMessage.from_address(address).error]

  def _schedule(self, address):
    arguments = _Schedule.from_address(address)
    if self.pool.schedule(arguments.task, arguments.data):
      return None
    self._errors[1] = Error(14, "there is no pool"), b"there is no pool"
    return 1

  def _count_threads(self, address):
    _CountThreads.from_address(address).count[0] = self.pool.threads

  def _fail(self, name, address):
    self._unexpected.append(name)  # to raise would only print it

  def take_error(self, key):
    if self._unexpected:
      raise AssertionError(f"the handler calls {self._unexpected}")
    if key is None:
      return None
    error, _ = self._errors.pop(key)
    return error


@functools.cache
def _api():
  return Api()


def _pack_buffers(arrays, keep):
  """A struct of arrays, each a (dtype, shape, address)."""
  count = len(arrays)
  buffers = (_Buffer * count)()
  size = ctypes.sizeof(_Buffer)
  for buffer, (dtype, shape, address) in zip(buffers, arrays):
    dims = (ctypes.c_int64 * len(shape))(*shape)
    buffer.struct_size = size
    buffer.dtype = DTYPES[dtype][0]
    buffer.data = address
    buffer.rank = len(shape)
    buffer.dims = ctypes.addressof(dims)
    keep.append(dims)
  first = ctypes.addressof(buffers)
  pointers = (ctypes.c_void_p * count)(
    *range(first, first + count * size, size)
  )
  types = (ctypes.c_int * count)(*[_BUFFER] * count)
  keep += [buffers, pointers, types]
  return _Buffers(
    ctypes.sizeof(_Buffers),
    None,
    count,
    ctypes.addressof(types),
    ctypes.addressof(pointers),
  )


_NUMPY_DTYPES = {"PRED": "bool", "S32": "int32", "S64": "int64"}
_NUMPY_DTYPES |= {"F32": "float32", "F64": "float64"}


@functools.cache
def _pack_attribute(attribute):
  """The type of a struct, the struct, and what it points to."""
  if attribute.kind == "string":
    text = attribute.value.encode()
    return _STRING, _Span(text, len(text)), text
  code = DTYPES[attribute.dtype][0]
  value = np.array(attribute.value, _NUMPY_DTYPES[attribute.dtype])
  if attribute.kind == "scalar":
    return _SCALAR, _Scalar(code, value.ctypes.data), value
  return _ARRAY, _Array(code, value.size, value.ctypes.data), value


@functools.cache
def _pack_name(name):
  text = name.encode()
  return _Span(text, len(text)), text


def _pack_attributes(attributes, keep):
  names = sorted(attributes)  # as XLA does, so that they can be searched
  packed = [_pack_attribute(attributes[name]) for name in names]
  count = len(names)
  types = (ctypes.c_int * count)(*[kind for kind, _, _ in packed])
  spans = (ctypes.c_void_p * count)(
    *[ctypes.addressof(_pack_name(name)[0]) for name in names]
  )
  structs = (ctypes.c_void_p * count)(
    *[ctypes.addressof(struct) for _, struct, _ in packed]
  )
  keep += [types, spans, structs]
  return _Attributes(
    ctypes.sizeof(_Attributes), None, count, *map(ctypes.addressof, keep[-3:])
  )


def call(handler, arguments, results, attributes, pool):
  """Calls a handler.

  Args:
    handler: the function of the library, whose `restype` is a pointer.
    arguments, results: lists of (dtype, shape, address), with XLA's names of
      the types.
    attributes: `Attribute`s by name.
    pool: a `ThreadPool`.

  Returns:
    None, or an `Error`.
  """
  keep = []
  api = _api()
  api.pool = pool
  frame = _CallFrame(
    _CallFrame.future.offset,
    None,
    api.address,
    api.address,  # the context, which only XLA reads
    _EXECUTE,
    _pack_buffers(arguments, keep),
    _pack_buffers(results, keep),
    _pack_attributes(attributes, keep),
  )
  key = handler(ctypes.addressof(frame))
  pool.finish()
  return api.take_error(key)
