"""How the call of a primitive is split where arrays are sharded.

XLA can't split a call that it does not know: it would gather the arrays. So it
asks here. Sequences and units are independent of each other, so each device
runs the call for its part of the batch and of the units. Only gradients of
weights need more than that: they are summed over the parts of the batch. Time
is not split.

An axis with gates side by side is sharded as it lies, in contiguous parts, as
in the product of a kernel that is sharded so. The device with a part of the
units needs these units of every gate. With several gates, most of them lie on
other devices. Each device then sends as many pieces as there are gates, one at
a time, and receives as many: no device ever holds more than its part.

The axes of arrays have letters here:
  b: the batch.
  t: time.
  u: the units.
  g: gates, and in each gate the units.
  1: an axis of one element.
An array without b and with g is of the weights.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any
from typing import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.custom_partitioning import custom_partitioning
from jax.interpreters import mlir
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec
from jaxlib.mlir import ir

from tf_contrib_rnn.jax import _activations

_need_devices: set
try:
  from jax._src.dispatch import prim_requires_devices_during_lowering

  _need_devices = prim_requires_devices_during_lowering
except (
  ImportError
):  # in a later JAX: then it tells no devices, and all is whole
  _need_devices = set()

_NO_MESH = jax.sharding.AbstractMesh((), ())

Function = Callable[..., Sequence[jax.Array]]
Names = tuple[str, ...]  # axes of a mesh


class Axes(NamedTuple):
  """The letters of the axes of a primitive's arrays, such as "btg"."""

  arguments: tuple[str, ...]
  results: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Split:
  """What is split along which axes of a mesh."""

  mesh: jax.sharding.Mesh
  batch: Names
  units: Names

  def spec(self, letters: str, is_whole: bool) -> PartitionSpec:
    """The sharding of an array; if whole, all units are on each device."""
    units = () if is_whole else self.units
    names = {"b": self.batch, "u": units, "g": units}
    return PartitionSpec(*(names.get(letter) or None for letter in letters))

  @property
  def shards(self) -> int:
    """The number of parts of the units."""
    return math.prod(self.mesh.shape[name] for name in self.units)

  def part_here(self) -> jax.Array:
    """Which part of the units a device has; the first axis counts most."""
    part = jnp.zeros([], jnp.int32)
    for name in self.units:
      part = part * self.mesh.shape[name] + jax.lax.axis_index(name)
    return part

  def permute(self, array: jax.Array, receivers: Sequence[int]) -> jax.Array:
    """Sends an array from each part of the units to another."""
    # JAX counts along several axes in the order of the mesh.
    names = tuple(name for name in self.mesh.axis_names if name in self.units)
    sizes = [self.mesh.shape[name] for name in self.units]
    parts = np.arange(self.shards).reshape(sizes)
    order = [self.units.index(name) for name in names]
    devices = np.argsort(parts.transpose(order).ravel()).tolist()
    return jax.lax.ppermute(
      array,
      names,
      [(devices[k], devices[other]) for k, other in enumerate(receivers)],
    )


def _is_weight(letters: str) -> bool:
  return "g" in letters and "b" not in letters


def _names(array: Any, axis: int) -> Names:
  """The axes of the mesh along which an array's axis is sharded."""
  sharding = getattr(array, "sharding", None)
  spec = getattr(sharding, "spec", ())
  names = spec[axis] if axis < len(spec) else None
  if names is None:
    return ()
  return names if isinstance(names, tuple) else (names,)


def _choose_names(mesh, arrays, of_letters, gates, taken):
  """The axes of the mesh of the first array that has such as divide it."""
  for array, letters in arrays:
    for axis, letter in enumerate(letters):
      if letter not in of_letters:
        continue
      size = array.shape[axis] // (gates if letter == "g" else 1)
      names = _names(array, axis)
      shards = math.prod(mesh.shape[name] for name in names)
      if shards > 1 and size % shards == 0 and not taken & set(names):
        return names
  return ()


def _choose(mesh, axes: Axes, gates, arguments, results) -> _Split:
  """Keeps what is split already: of the inputs, or else of other arrays.

  Weights are small: they follow.
  """
  arrays = [
    (array, letters)
    for array, letters in zip(
      (*arguments, *results), axes.arguments + axes.results
    )
    if not _is_weight(letters)
  ]
  # The lengths come first.
  arrays.sort(key=lambda pair: pair[1] == "b")
  batch = _choose_names(mesh, arrays, "b", gates, set())
  units = _choose_names(mesh, arrays, "ug", gates, set(batch))
  return _Split(mesh, batch, units)


def _are_whole(split, axes_of_arrays, arrays, weights_alone):
  """Of each array, whether each device is to have all units."""
  return [
    "g" in letters
    and (_is_weight(letters) or not weights_alone)
    and _names(array, len(letters) - 1) != split.units
    for array, letters in zip(arrays, axes_of_arrays)
  ]


def _plan_exchange(gates, shards):
  """Which pieces devices send to each other, so that each has its units.

  A piece is a gate's part of the units. Device k has pieces k * gates to k *
  gates + gates - 1. It needs the pieces k, k + shards, k + 2 * shards, ...

  Returns:
    Lists with an item a round, in which each device sends a piece and receives
    one: which of its pieces each device sends; to which device; and which gate
    the piece is that each device receives.
  """
  common = math.gcd(gates, shards)
  sent, receivers, received = [], [], []
  for turn in range(gates):
    # Devices whose pieces would go to the same one begin at different pieces.
    begin = turn // common * common
    pieces = [
      begin + (turn + k // (shards // common)) % common for k in range(shards)
    ]
    numbers = [k * gates + piece for k, piece in enumerate(pieces)]
    to = [number % shards for number in numbers]
    gate = [0] * shards
    for receiver, number in zip(to, numbers):
      gate[receiver] = number // shards
    sent.append(pieces)
    receivers.append(to)
    received.append(gate)
  return sent, receivers, received


def _exchange(array, gates, split, back=False):
  """From contiguous parts to those of the device's units, or back."""
  if gates == 1:
    return array
  sent, receivers, received = _plan_exchange(gates, split.shards)
  if back:
    sent, received = received, sent
    receivers = np.argsort(receivers).tolist()
  here = split.part_here()
  pieces = _part_gates(array, gates)
  arrived = []
  for rows, to in zip(sent, receivers):
    row = jnp.array(rows)[here]
    piece = jax.lax.dynamic_index_in_dim(pieces, row, -2, keepdims=False)
    arrived.append(split.permute(piece, to))
  turns = np.argsort(received, axis=0).T
  return _join_gates(
    jnp.take(jnp.stack(arrived, -2), jnp.array(turns)[here], axis=-2)
  )


def _part_gates(array, gates):
  *before, width = array.shape
  return array.reshape([*before, gates, width // gates])


def _join_gates(array):
  *before, gates, units = array.shape
  return array.reshape([*before, gates * units])


def _cut(array, gates, split):
  """The device's units of an array that has all."""
  array = _part_gates(array, gates)
  units = array.shape[-1] // split.shards
  begin = split.part_here() * units
  return _join_gates(jax.lax.dynamic_slice_in_dim(array, begin, units, -1))


def _place(array, gates, split):
  """Zeros for all units, but for those of the device."""
  array = _part_gates(array, gates)
  units = array.shape[-1]
  zeros = jnp.zeros([*array.shape[:-1], units * split.shards], array.dtype)
  begin = split.part_here() * units
  return _join_gates(
    jax.lax.dynamic_update_slice_in_dim(zeros, array, begin, -1)
  )


def _sum(array, names):
  wide = jnp.promote_types(array.dtype, jnp.float32)
  return jax.lax.psum(array.astype(wide), names).astype(array.dtype)


def _make_part(function, axes: Axes, gates, split, are_whole):
  """The function of what one device has."""
  arguments_are_whole, results_are_whole = are_whole

  def bring(array, letters, is_whole):
    if "g" not in letters or not split.units:
      return array
    rearrange = _cut if is_whole else _exchange
    return rearrange(array, gates, split)

  def bring_back(array, letters, is_whole):
    names = split.batch if _is_weight(letters) else ()
    if "g" in letters and split.units and is_whole:
      array = _place(array, gates, split)
      names += split.units
    if names:
      array = _sum(array, names)
    if "g" in letters and split.units and not is_whole:
      array = _exchange(array, gates, split, back=True)
    return array

  def run(*arrays):
    # Since JAX 0.11, XLA asks in the thread that compiles. If a mesh is set
    # there, with explicit axes, JAX would write shardings into what one device
    # runs.
    with jax.sharding.use_abstract_mesh(_NO_MESH):
      results = function(
        *map(bring, arrays, axes.arguments, arguments_are_whole)
      )
      return [*map(bring_back, results, axes.results, results_are_whole)]

  return run


def _make_rule(axes: Axes):
  """Shardy's rule: which axes of different arrays are sharded alike."""

  def write(arrays):
    written = []
    for letters in arrays:
      names = []
      for letter in letters:
        if _is_weight(letters):
          # Weights stay as they are: sharded, or whole on each device.
          letter = {"1": "o", "g": "w"}[letter]
        # The part of one gate is so named too: Shardy takes the smaller size.
        names.append({"g": "u"}.get(letter, letter))
      written.append(" ".join(names))
    return ", ".join(written)

  return f"{write(axes.arguments)} -> {write(axes.results)}"


def _partition(function: Function, axes: Axes, gates: int) -> Function:
  """The same function, which XLA can split."""

  @custom_partitioning
  def call(*arrays):
    return tuple(function(*arrays))

  def shardings(mesh, split, axes_of_arrays, are_whole):
    return tuple(
      NamedSharding(mesh, split.spec(letters, is_whole))
      for letters, is_whole in zip(axes_of_arrays, are_whole)
    )

  def plan(mesh, arguments, results):
    split = _choose(mesh, axes, gates, arguments, results)
    are_whole = (
      _are_whole(split, axes.arguments, arguments, False),
      _are_whole(split, axes.results, results, True),
    )
    return split, are_whole

  def infer(mesh, arguments, results):
    split, (are_whole, _) = plan(mesh, arguments, results)
    # Gradients of weights are sharded as the weights, which come before them.
    of_letters = dict(reversed([*zip(axes.arguments, are_whole)]))
    results_are_whole = [
      _is_weight(letters) and of_letters[letters] for letters in axes.results
    ]
    return shardings(mesh, split, axes.results, results_are_whole)

  def partition(mesh, arguments, results):
    split, are_whole = plan(mesh, arguments, results)
    return (
      mesh,
      _make_part(function, axes, gates, split, are_whole),
      shardings(mesh, split, axes.results, are_whole[1]),
      shardings(mesh, split, axes.arguments, are_whole[0]),
    )

  call.def_partition(
    partition,
    infer_sharding_from_operands=infer,
    sharding_rule=_make_rule(axes),
    need_replication_factors=("t",),
  )
  return call


def _is_absent(array):
  """Whether an array without elements stands for none, or for zeros."""
  return array.shape == (0,)


def _partition_present(function, axes, gates):
  """Like `_partition`, for arrays of which some may stand for none."""

  def run(*arrays):
    present = [not _is_absent(array) for array in arrays]
    if any(
      is_there and not array.size for array, is_there in zip(arrays, present)
    ):
      return function(*arrays)

    def call(*those):
      left = iter(those)
      return function(
        *(
          next(left) if is_there else jnp.zeros(array.shape, array.dtype)
          for array, is_there in zip(arrays, present)
        )
      )

    letters = tuple(
      letters for letters, is_there in zip(axes.arguments, present) if is_there
    )
    those = [array for array, is_there in zip(arrays, present) if is_there]
    return _partition(call, axes._replace(arguments=letters), gates)(*those)

  return run


def _can_partition(context) -> bool:
  """Whether XLA is going to split what is lowered, and may ask this process.

  What is exported is compiled elsewhere. Within jax.shard_map, arrays are parts
  already.
  """
  module = context.module_context
  axes = module.axis_context
  return (
    not module.lowering_parameters.for_export
    and getattr(axes, "num_devices", 1) > 1
    and getattr(axes, "device_assignment", None) is not None
    and getattr(axes, "abstract_mesh", None) is not None
  )


def _mark(values, text: str) -> None:
  """Writes into a call what its parameters are.

  JAX's cache of compiled programs reads the call, and not what XLA asks for.
  """
  for value in values:
    value.owner.attributes["mhlo.frontend_attributes"] = ir.DictAttr.get(
      {"tf_contrib_rnn": ir.StringAttr.get(text)}
    )


def make_lowering(
  primitive: Any, function: Function, find_axes: Callable[..., Axes]
) -> Callable:
  """A lowering rule for a primitive, whose call XLA can split.

  Args:
    primitive: the primitive.
    function: what it computes, of its arrays and parameters.
    find_axes: the letters of its arrays' axes, by its parameters.
  """
  _need_devices.add(primitive)

  def lower(context, *values, kind, options):
    run = functools.partial(function, kind=kind, options=options)
    if not _can_partition(context):
      return mlir.lower_fun(run, multiple_results=True)(context, *values)
    axes = find_axes(kind=kind, options=options)
    run = _partition_present(run, axes, len(kind.gates))
    results = mlir.lower_fun(run, multiple_results=True)(context, *values)
    _, activation = _activations.find(options.activation)
    named = dataclasses.replace(options, activation=activation)
    _mark(results, f"{primitive} {kind.name} {named}")
    return results

  return lower
