"""Random calls of the handlers for XLA, and what the documentation says of
each: the head of cc/xla_ffi/handlers.h."""

import ctypes
import dataclasses
import functools
import re

import fuzz_call_frame
import fuzz_drawing
import fuzz_reference
import numpy as np
from fuzz_call_frame import Attribute
from fuzz_drawing import Array
from fuzz_drawing import DTYPES
from fuzz_drawing import Failure
from fuzz_drawing import name_states
from fuzz_reference import GATES
from fuzz_reference import STATES

from tf_contrib_rnn.jax import _library

# XLA's names of the types that a call may have.
_NAMES = {
  "float16": "F16",
  "bfloat16": "BF16",
  "float32": "F32",
  "float64": "F64",
  "int32": "S32",
  "int64": "S64",
  "bool": "PRED",
  "complex64": "C64",
  "uint16": "U16",
}
_BUFFERS = ("arguments", "results")
_ATTRIBUTES = ("cell", "activation", "time_major", "reverse", "forget_bias")

# How many bytes around each result have to stay as they are.
_GUARD = 64
_UNTOUCHED = 0xFF  # of which a number is NaN


@dataclasses.dataclass
class Call:
  gradient: bool
  arguments: list[Array]
  results: list[Array]
  attributes: dict[str, Attribute]
  pool: fuzz_call_frame.ThreadPool

  def __str__(self):
    join = lambda items: "\n  ".join(map(str, items))
    return (
      f"{'gradient' if self.gradient else 'forward'}\n"
      f"arguments\n  {join(self.arguments)}\nresults\n  {join(self.results)}\n"
      f"attributes\n  {join(sorted(self.attributes.items()))}\n"
      f"{self.pool.threads} threads, tasks run {self.pool.when}"
    )

  def value(self, attribute):
    return self.attributes[attribute].value


# Calls that are well-formed.


def _draw_attributes(rng):
  text = lambda value: Attribute("string", "", value)
  truth = lambda: Attribute("scalar", "PRED", rng.random() < 0.5)
  forget_bias = rng.choice((0.0, 1.0, -1.5, 0.1, 1e30, -1e30))
  return {
    "cell": text(rng.choice(list(GATES))),
    "activation": text(rng.choice(fuzz_reference.ACTIVATIONS)),
    "time_major": truth(),
    "reverse": truth(),
    "forget_bias": Attribute("scalar", "F64", forget_bias),
  }


def _list_shapes(cell, gradient, sequence, batch, units):
  """Names and shapes of arguments and of results, as handlers.h has them."""
  width, state = GATES[cell] * units, [batch, units]
  outputs = [*sequence, units]
  cells = [("cells", outputs)] * (STATES[cell] - 1)
  arguments = [("inputs", [*sequence, width])]
  arguments += [("recurrent_kernel", [1, width]), ("bias", [width])]
  arguments += [(name, state) for name in name_states(cell, "initial_{}")]
  results = [(name + "_gradient", shape) for name, shape in arguments]
  arguments.append(("sequence_length", [batch]))
  finals = [(name, state) for name in name_states(cell, "final_{}")]
  if not gradient:
    return arguments, [("outputs", outputs), *finals, *cells]
  incoming = [("outputs", outputs), *finals]
  arguments += [("outputs", outputs), *cells]
  arguments += [(name + "_gradient", shape) for name, shape in incoming]
  return arguments, results


def _draw_well_formed(rng):
  gradient = rng.random() < 0.5
  attributes = _draw_attributes(rng)
  cell = attributes["cell"].value
  huge = rng.random() < 0.03
  draw_sizes = fuzz_drawing.draw_huge_sizes if huge else fuzz_drawing.draw_sizes
  time, batch, units = draw_sizes(rng)
  sequence = [batch, time]
  if attributes["time_major"].value:
    sequence.reverse()
  dtype = rng.choice(DTYPES)
  arguments, results = (
    [Array(name, dtype, list(shape)) for name, shape in shapes]
    for shapes in _list_shapes(cell, gradient, sequence, batch, units)
  )
  for array in arguments:
    if array.name == "sequence_length":
      array.dtype = "int32"
      absent = 0.5 if batch < 100 else 1
    else:
      later = array.name.endswith("_gradient")
      absent = 0.25 if later else 0
    if rng.random() < absent:
      array.shape = [0]
  pool = fuzz_call_frame.ThreadPool(
    rng.randint(1, 5), rng.choice(("now", "later", "never"))
  )
  return Call(gradient, arguments, results, attributes, pool)


# Calls that may not be.


def _spoil_attribute(rng, attribute):
  if attribute.kind == "string":
    return rng.choice(
      (
        Attribute("string", "", attribute.value[:-1]),
        Attribute("string", "", attribute.value + "x"),
        Attribute("string", "", ""),
        Attribute("scalar", "S32", 1),
      )
    )
  return rng.choice(
    (
      Attribute("string", "", "tanh"),
      Attribute("scalar", rng.choice(("PRED", "S32", "F32", "F64", "S64")), 1),
      Attribute("array", attribute.dtype, (1, 0)),
    )
  )


def _spoil_attributes(rng, call):
  name = rng.choice(_ATTRIBUTES)
  if name not in call.attributes:
    return
  kind = rng.random()
  if kind < 0.3:
    del call.attributes[name]
  elif kind < 0.6:
    call.attributes[name] = _spoil_attribute(rng, call.attributes[name])
  elif kind < 0.8:
    call.attributes["cell"] = Attribute("string", "", rng.choice(list(GATES)))
  else:
    other = Attribute("scalar", "PRED", rng.random() < 0.5)
    call.attributes["time_major"] = other


def _spoil_count(rng, arrays):
  if rng.random() < 0.6 or not arrays:
    arrays.append(Array("another", rng.choice(DTYPES), [1, 2]))
  else:
    del arrays[rng.randrange(len(arrays))]


def _spoil(rng, call):
  arrays = rng.choice((call.arguments, call.arguments, call.results))
  kind = rng.random()
  if not call.arguments + call.results:
    return
  if kind < 0.12:
    _spoil_attributes(rng, call)
  elif kind < 0.2 or not arrays:
    _spoil_count(rng, arrays)
  elif kind < 0.65:
    array = rng.choice(arrays)
    array.shape = fuzz_drawing.spoil_shape(rng, array.shape)
  elif kind < 0.73:
    array = rng.choice(arrays)
    array.shape = fuzz_drawing.draw_empty_shape(rng)
  elif kind < 0.8:
    array, other = rng.choice(arrays), rng.choice(arrays)
    array.shape, other.shape = other.shape, array.shape
  else:
    _spoil_dtypes(rng, call, rng.choice(list(_NAMES)))


def _spoil_dtypes(rng, call, dtype):
  if rng.random() < 0.8:
    rng.choice(call.arguments + call.results).dtype = dtype
    return
  for array in call.arguments + call.results:
    if array.name != "sequence_length":
      array.dtype = dtype


def draw(rng):
  """A call that is well-formed, or a change or two away from that."""
  call = _draw_well_formed(rng)
  for _ in range(rng.choice((0, 0, 1, 1, 2))):
    _spoil(rng, call)
  return call


# What the documentation says.

_COUNTS = ("too few", "too many")


def _group(name):
  """One name for c, h and the only state."""
  return re.sub("^(initial|final)_[ch]", r"\1_state", name)


def _list_faults():
  """All that `find_faults` may find."""
  faults = [
    f"{what} {name}" for what in ("no", "type of") for name in _ATTRIBUTES
  ]
  faults += ["cell", "activation"]
  for cell in GATES:
    for gradient in (False, True):
      arguments, results = _list_shapes(cell, gradient, [1, 1], 1, 1)
      for name, _ in arguments:
        faults += [f"shape of {_group(name)}", f"dtype of {_group(name)}"]
      faults += [f"result {_group(name)}" for name, _ in results]
  faults += [f"{count} {what}" for count in _COUNTS for what in _BUFFERS]
  return tuple(dict.fromkeys(faults))


def _find_faults_of_attributes(attributes):
  types = {"time_major": "PRED", "reverse": "PRED", "forget_bias": "F64"}
  names = {"cell": list(GATES), "activation": fuzz_reference.ACTIVATIONS}
  for name in _ATTRIBUTES:
    attribute = attributes.get(name)
    if attribute is None:
      yield "no " + name
    elif name in types:
      if attribute[:2] != ("scalar", types[name]):
        yield "type of " + name
    elif attribute.kind != "string":
      yield "type of " + name
    elif attribute.value not in names[name]:
      yield name


def _find_sizes(call):
  """The sizes of time and batch, as the inputs have them, and the units."""
  inputs = call.arguments[0].shape
  gates = GATES[call.value("cell")]
  if len(inputs) != 3 or inputs[2] % gates:
    return None
  return inputs[:2], inputs[2] // gates


def _find_faults_of_arrays(call):
  if not call.arguments:
    yield "too few arguments"
    return
  sizes, dtype = _find_sizes(call), call.arguments[0].dtype
  if sizes is None:
    yield "shape of inputs"
    return
  sequence, units = sizes
  batch = sequence[1 if call.value("time_major") else 0]
  cell = call.value("cell")
  arguments, results = _list_shapes(cell, call.gradient, sequence, batch, units)
  if dtype not in DTYPES:
    yield "dtype of inputs"
  for array, (name, shape) in zip(call.arguments, arguments):
    optional = name == "sequence_length" or name.endswith("_gradient")
    if optional and not array.size:  # stands for none, whatever it is
      continue
    if array.shape != shape:
      yield "shape of " + _group(name)
    if array.dtype != ("int32" if name == "sequence_length" else dtype):
      yield "dtype of " + _group(name)
  for array, (name, shape) in zip(call.results, results):
    if array.shape != shape or array.dtype != dtype:
      yield "result " + _group(name)
  pairs = (call.arguments, arguments), (call.results, results)
  for what, (got, want) in zip(_BUFFERS, pairs):
    if len(got) != len(want):
      yield f"{_COUNTS[len(got) > len(want)]} {what}"


FAULTS = _list_faults()


def find_faults(call):
  """Why a call is malformed, of FAULTS; none if it is not."""
  faults = list(_find_faults_of_attributes(call.attributes))
  return faults or list(_find_faults_of_arrays(call))


# Calling.


@functools.cache
def _load(gradient):
  direction = "gradient" if gradient else "forward"
  library = ctypes.CDLL(_library._PATH)
  handler = getattr(library, f"tf_contrib_rnn_{direction}_on_cpu")
  handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
  return handler


def _draw_all_numbers(rng, call):
  """The arguments' numbers; None for those that are too huge to be arrays."""
  numbers = []
  for array in call.arguments:
    if array.is_huge:
      numbers.append(None)
    elif array.name == "sequence_length":
      time = rng.choice(call.arguments[0].shape or [1])
      lengths = fuzz_drawing.draw_lengths(rng, array.shape, time, array.dtype)
      numbers.append(lengths)
    else:
      numbers.append(fuzz_drawing.draw_numbers(rng, array))
  return numbers


def _make_results(call):
  """Memory for the results, with guards around."""
  sizes = [
    array.size * fuzz_drawing.numpy_dtype(array.dtype).itemsize
    for array in call.results
  ]
  return [np.full(size + 2 * _GUARD, _UNTOUCHED, "uint8") for size in sizes]


def _apply(call, rng, numbers, memory):
  null = rng.random() < 0.5  # XLA may have no address for no elements
  address = lambda array, data: None if null and not array.size else data
  arguments = [
    (_NAMES[array.dtype], array.shape, address(array, data))
    for array, data in zip(
      call.arguments, (_GUARD if n is None else n.ctypes.data for n in numbers)
    )
  ]
  results = [
    (_NAMES[array.dtype], array.shape, address(array, m.ctypes.data + _GUARD))
    for array, m in zip(call.results, memory)
  ]
  handler = _load(call.gradient)
  return fuzz_call_frame.call(
    handler, arguments, results, call.attributes, call.pool
  )


# The numbers of well-formed calls.


def _pose_problem(call, numbers):
  """What the reference has for a call that is not huge."""
  cell = call.value("cell")
  _, units = _find_sizes(call)
  gates, first = GATES[cell], 3 + STATES[cell]
  inputs, u, b, *states = (n.astype(np.float64) for n in numbers[:first])
  x = _turn(call, inputs)
  return fuzz_reference.Problem(
    cell=cell,
    activation=call.value("activation"),
    forget_bias=call.value("forget_bias"),
    reverse=call.value("reverse"),
    x=x.reshape(*x.shape[:2], gates, units),
    u=u.reshape(gates, units),
    b=b.reshape(gates, units),
    d=np.zeros([gates, units]),
    states=states,
    lengths=numbers[first] if numbers[first].size else None,
  )


def _turn(call, array):
  """Between the call's order of axes and [time, batch, ...]."""
  return array if call.value("time_major") else array.swapaxes(0, 1)


def _want_states(call, problem):
  """What the forward handler should give: h, then c, h, and c of each step."""
  sequences, finals = fuzz_reference.run(problem)
  *cells, outputs = (_turn(call, sequence) for sequence in sequences)
  return [outputs, *finals, *cells]


def _round_outputs(call, problem, numbers):
  """Gives the gradient what forward gives."""
  states = STATES[problem.cell]
  outputs, *others = _want_states(call, problem)
  dtype = fuzz_drawing.numpy_dtype(call.arguments[0].dtype)
  for i, sequence in enumerate([outputs, *others[states:]]):
    numbers[4 + states + i] = sequence.astype(dtype, order="C")


def _want_gradients(call, problem, numbers):
  states = STATES[problem.cell]
  outputs, *finals = (
    n.astype(np.float64) if n.size else None for n in numbers[4 + 2 * states :]
  )
  sequences = [None] * (states - 1)
  sequences.append(None if outputs is None else _turn(call, outputs))
  x, u, b, _, *rest = fuzz_reference.differentiate(problem, sequences, finals)
  gradients = [_turn(call, x), u, b, *rest]
  return [g.reshape(r.shape) for g, r in zip(gradients, call.results)]


def _read_results(call, memory):
  """Reads them, if all of them and nothing around them has been written."""
  results = []
  for array, bytes_around in zip(call.results, memory):
    guards = bytes_around[:_GUARD], bytes_around[len(bytes_around) - _GUARD :]
    if not all(np.all(guard == _UNTOUCHED) for guard in guards):
      raise Failure(f"written around {array}")
    numbers = bytes_around[_GUARD:-_GUARD].view(
      fuzz_drawing.numpy_dtype(array.dtype)
    )
    if not np.all(np.isfinite(numbers)):
      raise Failure(f"{array} is not finite: {numbers}")
    results.append(None if array.is_huge else numbers.reshape(array.shape))
  return results


def _check_numbers(call, results, problem, numbers):
  """Compares them if that says anything."""
  dtype = call.arguments[0].dtype
  if call.gradient:
    want = _want_gradients(call, problem, numbers)
    error = fuzz_drawing.gradient_error(dtype)
    if problem.kink < error:
      return "well-formed"
  else:
    want = _want_states(call, problem)
    error = fuzz_drawing.state_error(dtype)
  for array, result, expected in zip(call.results, results, want):
    fuzz_drawing.compare(array.name, result, expected, error)
  return "numbers"


def _check_refusal(error, memory, faults):
  if error.code != fuzz_call_frame.INVALID_ARGUMENT:
    raise Failure(f"{error}, for {faults}")
  if not error.message.startswith("tf_contrib_rnn: "):
    raise Failure(f"not the handler's own words: {error}")
  if not all(np.all(bytes_around == _UNTOUCHED) for bytes_around in memory):
    raise Failure(f"refused for {faults}, but results were written")


def _is_worth_comparing(call):
  return not find_faults(call) and fuzz_drawing.is_worth_comparing(
    call.arguments, GATES[call.value("cell")]
  )


def check(call, rng, oracle=find_faults):
  """Makes a call, and raises Failure if it does anything but what it should.

  Args:
    call: of `draw`.
    rng: for what the call has besides.
    oracle: what says whether the call is well-formed.

  Returns:
    What the call was: "well-formed", "numbers" if these were compared as well,
    or its fault, or "several".
  """
  faults = oracle(call)
  numbers = _draw_all_numbers(rng, call)
  problem = None
  if not faults and rng.random() < 0.2 and _is_worth_comparing(call):
    problem = _pose_problem(call, numbers)
    if call.gradient:
      _round_outputs(call, problem, numbers)
  memory = _make_results(call)
  error = _apply(call, rng, numbers, memory)
  if error is not None:
    if not faults:
      raise Failure(f"well-formed, but {error}")
    _check_refusal(error, memory, faults)
    return faults[0] if len(faults) == 1 else "several"
  if faults:
    raise Failure(f"accepted, in spite of {faults}")
  results = _read_results(call, memory)
  if problem is None:
    return "well-formed"
  return _check_numbers(call, results, problem, numbers)
