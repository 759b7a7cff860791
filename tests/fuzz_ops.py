"""Random calls of TensorFlow's ops, and what the documentation says of each."""

import dataclasses

import fuzz_drawing
import fuzz_reference
import numpy as np
import tensorflow as tf
from fuzz_drawing import Array
from fuzz_drawing import DTYPES
from fuzz_drawing import Failure
from fuzz_drawing import name_states
from fuzz_reference import GATES
from fuzz_reference import STATES

from tf_contrib_rnn.ops import library

_FUNCTIONS = {
  "IndRNN": "contrib_rnn_ind_rnn",
  "IndyGRU": "contrib_rnn_indy_gru",
  "IndyLSTM": "contrib_rnn_indy_lstm",
  "SRU": "contrib_rnn_sru",
}
_OTHER_DTYPES = ("int32", "int64", "bool", "complex64", "uint8", "string")
_GATE_ORDERS = ("contrib", "keras")

# What TensorFlow itself refuses, which knows the ops' types and attributes.
_TYPE_FAULTS = ("dtype", "dtype of lengths", "activation", "gate_order")
_SHAPE_FAULTS = (
  "inputs",
  "recurrent_kernel",
  "bias",
  "states",
  "broadcast states",
  "sequence_length",
  "sequence_length of a step",
  "two vectors of lengths",
  "outputs",
  "cells",
  "sequences' gradients",
  "final gradients",
)
FAULTS = _TYPE_FAULTS + _SHAPE_FAULTS


@dataclasses.dataclass
class Call:
  """A call of an op: `arrays` are all inputs but the list of lengths."""

  cell: str
  gradient: bool
  arrays: list[Array]
  lengths: list[Array]
  attributes: dict
  parts: int  # those of recurrent kernel and bias, where these are vectors

  def __str__(self):
    op = "ContribRnn>" + self.cell + ("Grad" if self.gradient else "")
    arrays = "\n  ".join(map(str, self.arrays + self.lengths))
    return f"{op}\n  {arrays}\n  {self.attributes}"

  @property
  def first(self):
    """How many arrays come before the list of lengths."""
    return 3 + STATES[self.cell]

  def shape(self, name):
    return next(a.shape for a in self.arrays if a.name == name)


# Calls that are well-formed.


def _draw_attributes(rng, cell):
  attributes = {
    "activation": rng.choice(fuzz_reference.ACTIVATIONS),
    "gate_order": rng.choice(_GATE_ORDERS),
    "time_major": rng.random() < 0.5,
    "reverse": rng.random() < 0.5,
  }
  if cell == "IndyLSTM":
    attributes["forget_bias"] = rng.choice((0.0, 1.0, -1.5, 1e30, -1e30))
    attributes["forget_bias_rest"] = rng.choice((0.0, 0.0, 1e-9))
  return attributes


def _draw_incoming(rng, shape):
  if rng.random() < 0.25:
    return fuzz_drawing.draw_empty_shape(rng)
  return list(shape)


def _list_gradient_arrays(rng, cell, sequence, state):
  """Of names and shapes: what only a gradient op has."""
  names = ["outputs", "cells"][: STATES[cell]]
  arrays = [(name, sequence) for name in names]
  arrays += [(n + "_gradient", _draw_incoming(rng, sequence)) for n in names]
  final = [0] if len(sequence) == 2 and rng.random() < 0.8 else state
  return arrays + [
    (name, _draw_incoming(rng, final))
    for name in name_states(cell, "final_{}_gradient")
  ]


def _draw_leading_sizes(rng, cell, is_step, time_major):
  """Sizes: the inputs' before the last, the states' batches, the results'."""
  huge = rng.random() < 0.03
  draw_sizes = fuzz_drawing.draw_huge_sizes if huge else fuzz_drawing.draw_sizes
  time, batch, units = draw_sizes(rng)
  if not is_step:
    sequence = [time, batch] if time_major else [batch, time]
    return sequence, [batch] * STATES[cell], batch, sequence, units
  draw_batch = lambda: 1 if rng.random() < 0.3 else batch
  of_inputs, *of_states = (draw_batch() for _ in range(1 + STATES[cell]))
  if {of_inputs, *of_states} == {1}:
    batch = 1
  return [of_inputs], of_states, batch, [batch], units


def _draw_well_formed(rng):
  cell, gradient = rng.choice(list(GATES)), rng.random() < 0.5
  attributes = _draw_attributes(rng, cell)
  is_step = rng.random() < 0.3
  inputs, of_states, batch, sequence, units = _draw_leading_sizes(
    rng, cell, is_step, attributes["time_major"]
  )
  width = GATES[cell] * units
  biases = [2] if rng.random() < 0.3 else []
  shapes = [("inputs", [*inputs, width]), ("recurrent_kernel", [1, width])]
  shapes.append(("bias", [*biases, width]))
  for name, rows in zip(name_states(cell, "initial_{}"), of_states):
    shapes.append((name, [rows, units]))
  if gradient:
    sequence = [*sequence, units]
    shapes += _list_gradient_arrays(rng, cell, sequence, [batch, units])
  dtype = rng.choice(DTYPES)
  arrays = [Array(name, dtype, list(shape)) for name, shape in shapes]
  lengths = []
  if not is_step and batch < 100 and rng.random() < 0.5:
    lengths.append(Array("sequence_length", "int32", [batch]))
  parts = rng.choice((1, 1, 2))
  return Call(cell, gradient, arrays, lengths, attributes, parts)


# Calls that may not be.


def _spoil_lengths(rng, call):
  kind = rng.randrange(4)
  if kind == 0 or not call.lengths:
    inputs = call.arrays[0].shape
    shape = [rng.choice(inputs)] if inputs else []
    if max(shape, default=0) < 100:
      call.lengths.append(Array("sequence_length", "int32", shape))
  elif kind == 1:
    call.lengths.pop()
  elif kind == 2:
    shape = fuzz_drawing.spoil_shape(rng, call.lengths[0].shape)
    call.lengths[0] = Array("sequence_length", "int32", shape)
  else:
    dtype = rng.choice(("int64", "float32"))
    shape = call.lengths[0].shape
    call.lengths[0] = Array("sequence_length", dtype, shape)


def _spoil_attributes(rng, call):
  kind = rng.randrange(5)
  if kind == 0:
    call.attributes["activation"] = rng.choice(("gelu", "", "TANH"))
  elif kind == 1:
    call.attributes["gate_order"] = rng.choice(("flax", ""))
  else:
    call.attributes["time_major"] = not call.attributes["time_major"]


def _spoil_dtypes(rng, call):
  dtype = rng.choice(DTYPES + _OTHER_DTYPES)
  if rng.random() < 0.3:
    for array in call.arrays:
      array.dtype = dtype
  else:
    rng.choice(call.arrays).dtype = dtype


def _spoil(rng, call):
  kind = rng.random()
  array = rng.choice(call.arrays)
  if kind < 0.6:
    array.shape = fuzz_drawing.spoil_shape(rng, array.shape)
  elif kind < 0.7:
    other = rng.choice(call.arrays)
    array.shape, other.shape = other.shape, array.shape
  elif kind < 0.75:
    array.shape = fuzz_drawing.draw_empty_shape(rng)
  elif kind < 0.88:
    _spoil_lengths(rng, call)
  elif kind < 0.94:
    _spoil_attributes(rng, call)
  else:
    _spoil_dtypes(rng, call)


def draw(rng):
  """A call that is well-formed, or a change or two away from that."""
  call = _draw_well_formed(rng)
  for _ in range(rng.choice((0, 0, 1, 1, 2))):
    _spoil(rng, call)
  return call


# What the documentation says: docs/design.md, "The ops", and cc/tensorflow's
# ops.cc.


def _find_faults_of_types(call):
  dtypes = {array.dtype for array in call.arrays}
  if len(dtypes) > 1 or not dtypes <= set(DTYPES):
    yield "dtype"
  if any(array.dtype != "int32" for array in call.lengths):
    yield "dtype of lengths"
  if call.attributes["activation"] not in fuzz_reference.ACTIVATIONS:
    yield "activation"
  if call.attributes["gate_order"] not in _GATE_ORDERS:
    yield "gate_order"


def _broadcast(batches):
  """The batch of a step, None if there is none."""
  others = set(batches) - {1}
  return (others or {1}).pop() if len(others) < 2 else None


@dataclasses.dataclass
class Sizes:
  """What the inputs and the states of a call say."""

  is_step: bool
  batch: int
  units: int
  sequence: list[int]  # the shape of outputs


def find_sizes(call):
  """The sizes, or the fault because of which there are none."""
  inputs = call.shape("inputs")
  if len(inputs) not in (2, 3) or inputs[-1] % GATES[call.cell]:
    return None, "inputs"
  units = inputs[-1] // GATES[call.cell]
  states = [a.shape for a in call.arrays[3 : call.first]]
  if any(len(state) != 2 or state[1] != units for state in states):
    return None, "states"
  batches = [state[0] for state in states]
  if len(inputs) == 2:
    batch = _broadcast([inputs[0], *batches])
    if batch is None:
      return None, "broadcast states"
    return Sizes(True, batch, units, [batch, units]), None
  batch = inputs[1 if call.attributes["time_major"] else 0]
  if any(one != batch for one in batches):
    return None, "states"
  return Sizes(False, batch, units, [*inputs[:2], units]), None


def _find_faults_of_shapes(call, sizes):
  width = GATES[call.cell] * sizes.units
  if call.shape("recurrent_kernel") != [1, width]:
    yield "recurrent_kernel"
  if call.shape("bias") not in ([width], [2, width]):
    yield "bias"
  if call.lengths and sizes.is_step:
    yield "sequence_length of a step"
  elif len(call.lengths) > 1:
    yield "two vectors of lengths"
  elif call.lengths and call.lengths[0].shape != [sizes.batch]:
    yield "sequence_length"


def _find_faults_of_gradient(call, sizes):
  later = call.arrays[call.first :]
  states = STATES[call.cell]
  for array in later[:states]:
    if array.shape != sizes.sequence:
      yield array.name
  state = [sizes.batch, sizes.units]
  for i, array in enumerate(later[states:]):
    # A step's final states are its outputs, so their gradients may come so too.
    expected = sizes.sequence if i < states else state
    if array.size and array.shape != expected:
      yield "sequences' gradients" if i < states else "final gradients"


def find_faults(call):
  """Why a call is malformed, of FAULTS; none if it is not."""
  faults = list(_find_faults_of_types(call))
  sizes, fault = find_sizes(call)
  if sizes is None:
    return [*faults, fault]
  faults += _find_faults_of_shapes(call, sizes)
  if call.gradient:
    faults += _find_faults_of_gradient(call, sizes)
  return faults


def list_results(call):
  """The shapes of the results of a well-formed call."""
  if call.gradient:
    return [array.shape for array in call.arrays[: call.first]]
  sizes, _ = find_sizes(call)
  final = [0] if sizes.is_step else [sizes.batch, sizes.units]
  states = STATES[call.cell]
  return [sizes.sequence] * states + [final] * states


# Calling.


def _make_tensor(array, numbers):
  if array.dtype == "string":
    return tf.fill(array.shape, "text")
  if array.is_huge:
    return tf.zeros(array.shape, array.dtype)
  return tf.constant(numbers)


def _apply(call, tensors, lengths):
  name = _FUNCTIONS[call.cell] + ("_grad" if call.gradient else "")
  op = getattr(library.ops, name)
  inputs, kernel, bias, *states = tensors[: call.first]
  results = op(
    inputs,
    *_split_weights(call, kernel, bias),
    *states,
    lengths,
    *tensors[call.first :],
    **call.attributes,
  )
  joined = []
  for result in results:
    if not isinstance(result, list):
      joined.append(result)
    elif result:  # the parts after the first
      joined[-1] = tf.concat([joined[-1], *result], -1)
  return joined


def _split_weights(call, kernel, bias):
  """Recurrent kernel, its second part, bias, its second part, as of the op."""
  shapes = call.shape("recurrent_kernel"), call.shape("bias")
  if call.parts == 1 or list(map(len, shapes)) != [2, 1]:
    return kernel, [], bias, []
  at = min(shapes[0][1], shapes[1][0]) // 2
  return kernel[:, :at], [kernel[:, at:]], bias[:at], [bias[at:]]


def _draw_all_numbers(rng, call):
  """The numbers of the arrays and of the lengths; None for what has none."""
  numbers = [
    None
    if array.dtype == "string" or array.is_huge
    else fuzz_drawing.draw_numbers(rng, array)
    for array in call.arrays
  ]
  axis = 0 if call.attributes["time_major"] else 1
  inputs = call.arrays[0].shape
  time = inputs[axis] if len(inputs) > axis else 1
  lengths = [
    fuzz_drawing.draw_lengths(rng, a.shape, time, a.dtype) for a in call.lengths
  ]
  return numbers, lengths


# The numbers of well-formed calls.


def pose_problem(call, numbers, lengths):
  """What the reference has for a call that is not huge."""
  gates = GATES[call.cell]
  sizes, _ = find_sizes(call)
  inputs, kernel, bias, *states = (
    n.astype(np.float64) for n in numbers[: call.first]
  )
  if sizes.is_step:
    inputs = inputs[np.newaxis]
  elif not call.attributes["time_major"]:
    inputs = inputs.swapaxes(0, 1)
  order = _order(call)
  x = inputs.reshape(*inputs.shape[:2], gates, sizes.units)[:, :, order]
  x = np.broadcast_to(x, [len(x), sizes.batch, gates, sizes.units])
  rows = np.concatenate([kernel, np.atleast_2d(bias)])
  u, b, *d = rows.reshape(len(rows), gates, sizes.units)[:, order]
  shape = [sizes.batch, sizes.units]
  return fuzz_reference.Problem(
    cell=call.cell,
    activation=call.attributes["activation"],
    forget_bias=np.float64(np.float32(call.attributes.get("forget_bias", 0)))
    + call.attributes.get("forget_bias_rest", 0),
    reverse=call.attributes["reverse"],
    x=x,
    u=u,
    b=b,
    d=d[0] if d else np.zeros_like(b),
    states=[np.broadcast_to(state, shape) for state in states],
    lengths=lengths[0] if lengths else None,
  )


def _order(call):
  key = call.cell, call.attributes["gate_order"]
  return fuzz_reference.ORDERS.get(key, list(range(GATES[call.cell])))


def _arrange(call, array):
  """An array of [time, batch, ...] as the call has its axes."""
  if len(call.arrays[0].shape) == 2:
    return array[0]
  return array if call.attributes["time_major"] else array.swapaxes(0, 1)


def _want_states(call, problem):
  """What the forward op should give: h first, and then c, h."""
  sequences, finals = fuzz_reference.run(problem)
  if len(call.arrays[0].shape) == 2:
    finals = [np.zeros([0])] * len(finals)
  sequences = [_arrange(call, sequence) for sequence in reversed(sequences)]
  return sequences + finals


def _weights(call, numbers):
  """The incoming gradients, c before h, with None for zeros."""
  states = STATES[call.cell]
  numbers = [
    n.astype(np.float64) if n.size else None
    for n in numbers[call.first + states :]
  ]
  sequences = numbers[:states][::-1]
  if len(call.arrays[0].shape) == 2:
    sequences = [None if n is None else n[np.newaxis] for n in sequences]
  elif not call.attributes["time_major"]:
    sequences = [None if n is None else n.swapaxes(0, 1) for n in sequences]
  return sequences, numbers[states:]


def _want_gradients(call, problem, numbers):
  x, u, b, d, *states = fuzz_reference.differentiate(
    problem, *_weights(call, numbers)
  )
  order = _order(call)
  inputs = _arrange(call, x[:, :, order])
  biases = [b[order]]
  if len(call.shape("bias")) == 2:
    biases.append(d[order])
  gradients = [inputs, u[order], np.stack(biases), *states]
  arrays = call.arrays[: call.first]
  if len(arrays[0].shape) == 2:  # broadcast: the sum over the batch
    for i in (0, *range(3, len(gradients))):
      if arrays[i].shape[0] == 1:
        gradients[i] = gradients[i].sum(axis=0)
  return [g.reshape(a.shape) for g, a in zip(gradients, arrays)]


def _round_outputs(call, problem, numbers):
  """Gives a gradient op what its forward op gives."""
  for i, sequence in enumerate(_want_states(call, problem)):
    if i < STATES[call.cell]:
      dtype = fuzz_drawing.numpy_dtype(call.arrays[0].dtype)
      numbers[call.first + i] = sequence.astype(dtype)


def _is_worth_comparing(call):
  return not find_faults(call) and fuzz_drawing.is_worth_comparing(
    call.arrays, GATES[call.cell]
  )


def _check_results(call, results):
  dtype, shapes = call.arrays[0].dtype, list_results(call)
  if len(results) != len(shapes):
    raise Failure(f"{len(results)} results, expected {len(shapes)}")
  for i, (result, shape) in enumerate(zip(results, shapes)):
    if result.shape != shape or result.dtype != dtype:
      raise Failure(
        f"result {i} is {result.dtype.name}{list(result.shape)}, expected "
        f"{dtype}{shape}"
      )
    if result.shape.num_elements() and not np.all(np.isfinite(result.numpy())):
      raise Failure(f"result {i} is not finite: {result}")


def _check_numbers(call, results, problem, numbers):
  """Compares them if that says anything."""
  dtype = call.arrays[0].dtype
  if call.gradient:
    want = _want_gradients(call, problem, numbers)
    error = fuzz_drawing.gradient_error(dtype)
    if problem.kink < error:
      return "well-formed"
  else:
    want = _want_states(call, problem)
    error = fuzz_drawing.state_error(dtype)
  for i, (result, expected) in enumerate(zip(results, want)):
    fuzz_drawing.compare(f"result {i}", result, expected, error)
  return "numbers"


def _check_refusal(error, faults):
  """TensorFlow's Python raises a TypeError for some of what it refuses."""
  expected = (tf.errors.InvalidArgumentError,)
  if set(faults) & set(_TYPE_FAULTS):
    expected += (TypeError,)
  if not isinstance(error, expected) or not str(error):
    raise Failure(f"refused otherwise than for {faults}") from error


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
  numbers, lengths = _draw_all_numbers(rng, call)
  problem = None
  if not faults and rng.random() < 0.2 and _is_worth_comparing(call):
    problem = pose_problem(call, numbers, lengths)
    if call.gradient:
      _round_outputs(call, problem, numbers)
  tensors = list(map(_make_tensor, call.arrays, numbers))
  if rng.random() < 0.02:
    _check_static_shapes(call, rng, faults)
  try:
    results = _apply(call, tensors, list(map(tf.constant, lengths)))
  except Exception as error:
    if not faults:
      raise Failure("well-formed, but refused") from error
    _check_refusal(error, faults)
    return faults[0] if len(faults) == 1 else "several"
  if faults:
    raise Failure(f"accepted, in spite of {faults}")
  _check_results(call, results)
  if problem is None:
    return "well-formed"
  return _check_numbers(call, results, problem, numbers)


# The shape functions.


def _hide(rng, shape):
  """A shape of which some is not known when the graph is built."""
  kind = rng.randrange(4)
  if kind == 0:
    return None
  if kind == 1:
    return [None if rng.random() < 0.5 else size for size in shape]
  return shape


def _check_static_shapes(call, rng, faults):
  """Builds the op in a graph: what is well-formed has to pass, with the shapes
  of the results as far as they follow; a forward op knows all faults."""
  all_known = rng.random() < 0.5
  hide = (lambda rng, shape: shape) if all_known else _hide
  make = lambda array: tf.compat.v1.placeholder(
    array.dtype, hide(rng, array.shape)
  )
  with tf.Graph().as_default():
    tensors = list(map(make, call.arrays))
    try:
      results = _apply(call, tensors, list(map(make, call.lengths)))
    except (ValueError, TypeError) as error:
      if not faults:
        raise Failure("well-formed, but no graph takes it") from error
      return
  types = set(faults) & set(_TYPE_FAULTS)
  if types or (faults and all_known and not call.gradient):
    raise Failure(f"a graph takes it, accepted in spite of {faults}")
  if faults:
    return
  for result, shape in zip(results, list_results(call)):
    differs = all_known and result.shape != shape
    if differs or not result.shape.is_compatible_with(shape):
      raise Failure(f"a graph expects {result.shape}, not {shape}")
