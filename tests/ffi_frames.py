"""Calls a handler of the XLA library as XLA would, but with any numbers.

XLA itself can't be made to pass a type that its header doesn't know. The
structures are those of xla/ffi/api/c_api.h, and neither JAX nor TensorFlow is
needed, so that a process that crashes has not cost much.
"""

import ctypes

# Numbers of dtypes.
PRED = 1
F32 = 11
F64 = 12

_BUFFER = 1
_SCALAR = 3
_STRING = 4
_EXECUTE = 3


def _structure(*fields, with_size=True):
  start = [("struct_size", ctypes.c_size_t), ("extension", ctypes.c_void_p)]

  class Structure(ctypes.Structure):
    _fields_ = (start if with_size else []) + list(fields)

    def __init__(self, *values):
      size = (ctypes.sizeof(self), None) if with_size else ()
      super().__init__(*size, *values)

  return Structure


_POINTERS = ctypes.POINTER(ctypes.c_void_p)
_NUMBERS = ctypes.POINTER(ctypes.c_int)
_Buffer = _structure(
  ("dtype", ctypes.c_int),
  ("data", ctypes.c_void_p),
  ("rank", ctypes.c_int64),
  ("dims", ctypes.POINTER(ctypes.c_int64)),
)
_Buffers = _structure(
  ("size", ctypes.c_int64), ("types", _NUMBERS), ("buffers", _POINTERS)
)
_Attributes = _structure(
  ("size", ctypes.c_int64),
  ("types", _NUMBERS),
  ("names", _POINTERS),
  ("attributes", _POINTERS),
)
_Text = _structure(
  ("start", ctypes.c_char_p), ("size", ctypes.c_size_t), with_size=False
)
_Scalar = _structure(
  ("dtype", ctypes.c_int), ("value", ctypes.c_void_p), with_size=False
)
_Version = _structure(("major", ctypes.c_int), ("minor", ctypes.c_int))
_Error = _structure(("message", ctypes.c_char_p), ("code", ctypes.c_int))
_CreateError = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(_Error))
_Api = _structure(
  ("version", _Version),
  ("internal", ctypes.c_void_p),
  ("create_error", _CreateError),
)
_Frame = _structure(
  ("api", ctypes.POINTER(_Api)),
  ("context", ctypes.c_void_p),
  ("stage", ctypes.c_int),
  ("arguments", _Buffers),
  ("results", _Buffers),
  ("attributes", _Attributes),
)


def _point_at(items):
  pointers = [ctypes.cast(ctypes.pointer(i), ctypes.c_void_p) for i in items]
  return (ctypes.c_void_p * len(items))(*[p.value for p in pointers])


def _make_buffers(described):
  buffers = [
    _Buffer(dtype, None, len(shape), (ctypes.c_int64 * len(shape))(*shape))
    for dtype, shape in described
  ]
  types = (ctypes.c_int * len(buffers))(*[_BUFFER] * len(buffers))
  return buffers, _Buffers(len(buffers), types, _point_at(buffers))


def _make_attribute(value):
  """(its type, itself) of a string, or of (dtype, a scalar of ctypes)."""
  if isinstance(value, str):
    return _STRING, _Text(value.encode(), len(value))
  dtype, scalar = value
  return _SCALAR, _Scalar(dtype, ctypes.addressof(scalar))


def call(handler, arguments, results, attributes):
  """Calls a handler, which has to refuse the call.

  Args:
    handler: a function of a ctypes.CDLL.
    arguments: (number of the dtype, shape) of each buffer; there is no data.
    results: the same.
    attributes: by name, strings and (number of the dtype, a ctypes scalar).

  Returns:
    The message of the error.
  """
  messages = []

  @_CreateError
  def create_error(error):
    messages.append(error.contents.message.decode())
    return 1

  kept_arguments, arguments = _make_buffers(arguments)
  kept_results, results = _make_buffers(results)
  names = sorted(attributes)  # as XLA has them
  made = [_make_attribute(attributes[name]) for name in names]
  texts = [_Text(name.encode(), len(name)) for name in names]
  frame = _Frame(
    ctypes.pointer(_Api(_Version(0, 0), None, create_error)),
    None,
    _EXECUTE,
    arguments,
    results,
    _Attributes(
      len(names),
      (ctypes.c_int * len(names))(*[kind for kind, _ in made]),
      _point_at(texts),
      _point_at([value for _, value in made]),
    ),
  )
  handler.restype = ctypes.c_void_p
  handler(ctypes.byref(frame))
  del kept_arguments, kept_results
  (message,) = messages
  return message
