"""The recurrences by the library's handlers, as primitives of JAX.

Three of them, each of the arrays (lengths, inputs, recurrent_kernel, bias,
*states), where lengths of no elements stand for none:

- `forward` gives (outputs, *states, *cells): cells, the LSTM's c of every step,
  are there for the gradient alone.
- `tangent`, of (*these, outputs, *cells, *tangents), the tangents being those
  of all arrays but the lengths, gives those of (outputs, *states). It is always
  composed, and linear in the tangents.
- `gradient`, of (*these, outputs, *cells, *cotangents), is its transpose.

A tangent or cotangent of no elements stands for zeros.

So forward mode composes, reverse mode is fused, and what differentiates a
derivative differentiates its composition. A jax.custom_vjp would know no
forward mode, and a jax.custom_jvp no gradient that is other than its transpose.

Where the library has no handlers, the primitives are compiled as compositions.
"""

import functools
import warnings

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad
from jax.interpreters import batching
from jax.interpreters import mlir

from tf_contrib_rnn.jax import _activations
from tf_contrib_rnn.jax import _batching
from tf_contrib_rnn.jax import _composed
from tf_contrib_rnn.jax import _library
from tf_contrib_rnn.jax import _partitioning


def _compose(lengths, *arrays, kind, options):
  """The results that are differentiated: (outputs, *states)."""
  lengths = lengths if lengths.size else None
  outputs, states = _composed.compose(kind, options, lengths, *arrays)
  return [outputs, *states]


def _compose_forward(*arrays, kind, options):
  results = _compose(*arrays, kind=kind, options=options)
  # Composed gradients read no cells.
  return results + [jnp.zeros_like(results[0])] * (len(kind.states) - 1)


def _split(arrays, kind):
  """Parts what follows the lengths: forward's, its results, and the rest."""
  first = 3 + len(kind.states)
  second = first + len(kind.states)
  return arrays[:first], arrays[first:second], arrays[second:]


def _fill(given, likes):
  return [
    array if array.shape == like.shape else jnp.zeros_like(like)
    for array, like in zip(given, likes)
  ]


def _compose_tangent(lengths, *arrays, kind, options):
  primals, _, tangents = _split(arrays, kind)
  function = functools.partial(_compose, lengths, kind=kind, options=options)
  return jax.jvp(function, primals, tuple(_fill(tangents, primals)))[1]


def _compose_gradient(lengths, *arrays, kind, options):
  primals, _, cotangents = _split(arrays, kind)
  function = functools.partial(_compose, lengths, kind=kind, options=options)
  results, pull_back = jax.vjp(function, *primals)
  return pull_back(_fill(cotangents, results))


def _forward_avals(lengths, inputs, recurrent_kernel, bias, *states, kind):
  outputs = inputs.update(shape=(*inputs.shape[:2], states[0].shape[1]))
  return [outputs, *states] + [outputs] * (len(kind.states) - 1)


def _tangent_avals(lengths, *avals, kind):
  (_, _, _, *states), (outputs, *_), _ = _split(avals, kind)
  return [outputs, *states]


def _gradient_avals(lengths, *avals, kind):
  return list(_split(avals, kind)[0])


def _find_axes(direction, *, kind, options):
  """The axes of a primitive's arrays: see `_partitioning`."""
  steps = "tb" if options.time_major else "bt"
  states = ["bu"] * len(kind.states)
  given = [steps + "g", "1g", "g", *states]
  results = [steps + "u", *states]
  kept = [steps + "u"] * len(kind.states)  # outputs and cells
  arguments, results = {
    "forward": (given, results + kept[1:]),
    "tangent": ([*given, *kept, *given], results),
    "gradient": ([*given, *kept, *results], given),
  }[direction]
  return _partitioning.Axes(("b", *arguments), tuple(results))


def _call_library(direction, infer, lengths, *arrays, kind, options):
  """Calls a handler: see cc/xla_ffi/handlers.h."""
  avals = infer(*map(jax.typeof, (lengths, *arrays)), kind=kind)
  first = 3 + len(kind.states)
  _, activation = _activations.find(options.activation)
  return jax.ffi.ffi_call(
    _library.target(direction),
    [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals],
  )(
    *arrays[:first],
    lengths,
    *arrays[first:],
    cell=kind.name,
    activation=activation,
    time_major=options.time_major,
    reverse=options.reverse,
    forget_bias=np.float64(dict(options.attributes).get("forget_bias", 0)),
  )


def _register_lowering(primitive, name, function, platform=None):
  rule = _partitioning.make_lowering(
    primitive, function, functools.partial(_find_axes, name)
  )
  mlir.register_lowering(primitive, rule, platform=platform)


def _define(name, infer, compose):
  """Makes a primitive that is compiled as its composition."""
  primitive = jax.extend.core.Primitive("tf_contrib_rnn_" + name)
  primitive.multiple_results = True

  @functools.partial(jax.jit, static_argnames=("kind", "options"))
  def compiled(*arrays, **parameters):
    return primitive.bind(*arrays, **parameters)

  def run(*arrays, **parameters):
    with jax.disable_jit(False):
      return compiled(*arrays, **parameters)

  primitive.def_impl(run)
  primitive.def_abstract_eval(
    lambda *avals, kind, options: infer(*avals, kind=kind)
  )
  _register_lowering(primitive, name, compose)
  batching.primitive_batchers[primitive] = functools.partial(
    _batch, primitive, compose
  )
  return primitive


def _define_handled(name, infer, compose):
  """Makes a primitive that is compiled as a call of the library, if it can."""
  primitive = _define(name, infer, compose)
  call = functools.partial(_call_library, name, infer)

  def call_on_gpu(*arrays, **parameters):
    reason = _library.check_gpu_driver()
    if reason is None:
      return call(*arrays, **parameters)
    warnings.warn(
      f"The recurrences are composed, with the same results but slower: "
      f"{reason}",
      RuntimeWarning,
      stacklevel=2,
    )
    return compose(*arrays, **parameters)

  for platform in _library.fused_available().platforms:
    function = call_on_gpu if platform == "cuda" else call
    _register_lowering(primitive, name, function, platform)
  return primitive


def _batch(primitive, compose, arrays, dims, *, kind, options):
  bind = functools.partial(primitive.bind, kind=kind, options=options)
  if primitive is _forward and dims[2] is None and dims[3] is None:
    batch_axis = 1 if options.time_major else 0
    return _batching.in_batch(bind, arrays, dims, batch_axis)
  if dims[0] is None:
    state, dim = arrays[4], dims[4]
    units = state.shape[-1 if dim in (None, 0, 1) else 1]
    return _batching.in_units(bind, arrays, dims, units)
  results = jax.vmap(
    functools.partial(compose, kind=kind, options=options), in_axes=dims
  )(*arrays)
  return results, [0] * len(results)


_forward = _define_handled("forward", _forward_avals, _compose_forward)
_tangent = _define("tangent", _tangent_avals, _compose_tangent)
_gradient = _define_handled("gradient", _gradient_avals, _compose_gradient)


def _drop_zeros(arrays):
  """Arrays without elements in place of JAX's symbolic zeros."""
  return [
    jnp.zeros([0], array.aval.dtype) if type(array) is ad.Zero else array
    for array in arrays
  ]


def _jvp_of_forward(primals, tangents, **parameters):
  results = _forward.bind(*primals, **parameters)
  first = 1 + len(parameters["kind"].states)
  tangents_out = _tangent.bind(
    *primals,
    results[0],
    *results[first:],
    *_drop_zeros(tangents[1:]),
    **parameters,
  )
  # Nothing that is differentiated reads the cells.
  zeros = [ad.Zero(jax.typeof(cells)) for cells in results[first:]]
  return results, [*tangents_out, *zeros]


def _jvp_of_composed(primitive, compose, primals, tangents, **parameters):
  """Outputs and cells among the primals are functions of the others, which get
  all of the derivative: compositions don't read them."""
  lengths, *arrays = primals
  _, tangents_out = jax.jvp(
    functools.partial(compose, lengths, **parameters),
    arrays,
    [ad.instantiate_zeros(tangent) for tangent in tangents[1:]],
  )
  return primitive.bind(*primals, **parameters), tangents_out


def _transpose(other, cotangents, *arrays, kind, options):
  """Tangent and gradient are each other's transpose."""
  fixed = 4 + 2 * len(kind.states)
  results = other.bind(
    *arrays[:fixed], *_drop_zeros(cotangents), kind=kind, options=options
  )
  return [None] * fixed + [
    result if ad.is_undefined_primal(array) else None
    for result, array in zip(results, arrays[fixed:])
  ]


ad.primitive_jvps[_forward] = _jvp_of_forward
for _primitive, _function, _other in (
  (_tangent, _compose_tangent, _gradient),
  (_gradient, _compose_gradient, _tangent),
):
  ad.primitive_jvps[_primitive] = functools.partial(
    _jvp_of_composed, _primitive, _function
  )
  ad.primitive_transposes[_primitive] = functools.partial(_transpose, _other)


def fuse(kind, options, lengths, *arrays):
  """Runs a sequence: (outputs, states). Arguments as of `_composed.compose`."""
  if lengths is None:
    lengths = jnp.zeros([0], jnp.int32)
  outputs, *states = _forward.bind(lengths, *arrays, kind=kind, options=options)
  return outputs, tuple(states[: len(kind.states)])


def can_fuse(options: _composed.Options, inputs: jax.Array) -> bool:
  """Whether the primitives are for such a call."""
  _, name = _activations.find(options.activation)
  return inputs.ndim == 3 and name is not None
