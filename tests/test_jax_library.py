"""The library of handlers for XLA: malformed calls, threads, what it links, and
what runs without it."""

import os
import re
import subprocess

import helpers
import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

import jax_helpers  # noqa: E402
from jax_helpers import CELLS  # noqa: E402

import tf_contrib_rnn.jax  # noqa: E402
from tf_contrib_rnn.jax import _library  # noqa: E402


@pytest.fixture(autouse=True)
def fixture_x64():
  with jax.enable_x64(True):
    yield


def test_the_library_is_there():
  availability = tf_contrib_rnn.jax.fused_available()
  assert availability.reason is None
  assert availability
  assert availability.platforms[0] == "cpu"


def call_handler(direction, arguments, results, **attributes):
  """Calls a handler past all of Python's checks."""
  defaults = {
    "cell": "IndyGRU",
    "activation": "tanh",
    "time_major": False,
    "reverse": False,
    "forget_bias": np.float64(0),
  }
  attributes = {**defaults, **attributes}
  shapes = [jax.ShapeDtypeStruct(*result) for result in results]
  present = {k: v for k, v in attributes.items() if v is not None}
  call = jax.ffi.ffi_call(_library.target(direction), shapes)
  return jax.block_until_ready(call(*arguments, **present))


NO_LENGTHS = np.zeros([0], "int32")
ARGUMENTS = [
  np.ones(shape, "float32") for shape in ([2, 3, 12], [1, 12], [12], [2, 4])
] + [NO_LENGTHS]
RESULTS = [([2, 3, 4], "float32"), ([2, 4], "float32")]
OUTPUTS = np.ones([2, 3, 4], "float32")
GRADIENT_ARGUMENTS = [*ARGUMENTS, OUTPUTS, OUTPUTS, ARGUMENTS[3]]
GRADIENT_RESULTS = [(a.shape, "float32") for a in ARGUMENTS[:4]]


def replace(items, index, item):
  return [*items[:index], item, *items[index + 1 :]]


MALFORMED = [
  ([], RESULTS, {}, "too few arguments"),
  (ARGUMENTS[:3], RESULTS, {}, "too few arguments"),
  (ARGUMENTS * 2, RESULTS, {}, "too many arguments"),
  (ARGUMENTS, RESULTS[:1], {}, "too few results"),
  (ARGUMENTS, RESULTS * 2, {}, "too many results"),
  (replace(ARGUMENTS, 0, OUTPUTS[0]), RESULTS, {}, "expected rank 3"),
  (replace(ARGUMENTS, 0, OUTPUTS), RESULTS, {}, "a multiple of 3"),
  (
    [a.astype("int32") for a in ARGUMENTS],
    RESULTS,
    {},
    r"inputs is S32\[2,3,12\], expected F16, BF16, F32 or F64",
  ),
  (
    replace(ARGUMENTS, 2, np.ones([12])),
    RESULTS,
    {},
    r"bias is F64\[12\], expected F32\[12\]",
  ),
  (replace(ARGUMENTS, 1, ARGUMENTS[2]), RESULTS, {}, "recurrent_kernel is"),
  (replace(ARGUMENTS, 3, ARGUMENTS[2]), RESULTS, {}, "initial_state is"),
  (
    replace(ARGUMENTS, 4, np.ones([3], "int32")),
    RESULTS,
    {},
    r"sequence_length is S32\[3\], expected S32\[2\]",
  ),
  (
    replace(ARGUMENTS, 4, np.ones([2], "int64")),
    RESULTS,
    {},
    r"sequence_length is S64\[2\], expected S32\[2\]",
  ),
  (
    ARGUMENTS,
    replace(RESULTS, 1, ([2, 5], "float32")),
    {},
    r"final_state is F32\[2,5\], expected F32\[2,4\]",
  ),
  (
    ARGUMENTS,
    replace(RESULTS, 0, ([2, 3, 4], "float16")),
    {},
    "outputs is F16",
  ),
  (ARGUMENTS, RESULTS, {"cell": "GRU"}, "cell: 'GRU' is not known"),
  (ARGUMENTS, RESULTS, {"cell": "IndyLSTM"}, "initial_c is"),
  (ARGUMENTS, RESULTS, {"activation": "gelu"}, "'gelu' is not known"),
  (ARGUMENTS, RESULTS, {"reverse": None}, "reverse is missing, expected PRED"),
  (
    ARGUMENTS,
    RESULTS,
    {"time_major": 1},
    "time_major has another type",
  ),
  (
    ARGUMENTS,
    RESULTS,
    {"forget_bias": np.float32(1)},
    "forget_bias has another type, expected F64",
  ),
]


def test_the_handlers_take_what_is_right():
  outputs, _ = call_handler("forward", ARGUMENTS, RESULTS)
  assert np.all(np.isfinite(outputs))
  for gradient in call_handler(
    "gradient", GRADIENT_ARGUMENTS, GRADIENT_RESULTS
  ):
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize(
  ("arguments", "results", "attributes", "message"), MALFORMED
)
def test_malformed_calls_of_a_handler(arguments, results, attributes, message):
  with pytest.raises(Exception, match=message) as caught:
    call_handler("forward", arguments, results, **attributes)
  assert "INVALID_ARGUMENT" in str(caught.value)


@pytest.mark.parametrize(
  ("index", "name"),
  [(5, "outputs"), (6, "outputs_gradient"), (7, "final_state_gradient")],
)
def test_malformed_calls_of_the_gradients_handler(index, name):
  arguments = replace(GRADIENT_ARGUMENTS, index, np.ones([7], "float32"))
  with pytest.raises(Exception, match=rf"{name} is F32\[7\], expected"):
    call_handler("gradient", arguments, GRADIENT_RESULTS)


@pytest.mark.parametrize("index", range(4))
def test_wrong_results_of_the_gradients_handler(index):
  results = replace(GRADIENT_RESULTS, index, ([7], "float32"))
  with pytest.raises(Exception, match=r"_gradient is F32\[7\], expected"):
    call_handler("gradient", GRADIENT_ARGUMENTS, results)


# In a process of its own, which may crash.
UNKNOWN_DTYPES = """
  import ctypes, sys
  from ffi_frames import call, F32, F64, PRED
  handler = ctypes.CDLL(sys.argv[1]).tf_contrib_rnn_forward_on_cpu

  def message(inputs=F32, bias=F32, outputs=F32, forget_bias=F64):
    arguments = [(inputs, [2, 3, 12]), (F32, [1, 12]), (bias, [12])]
    arguments += [(F32, [2, 4]), (4, [0])]
    no = (PRED, ctypes.c_bool(False))
    return call(
      handler,
      arguments,
      [(outputs, [2, 3, 4]), (F32, [2, 4])],
      dict(
        cell="IndyGRU", activation="tanh", time_major=no, reverse=no,
        forget_bias=(forget_bias, ctypes.c_double(0)),
      ),
    )

  print(message(bias=99))
  print(message(outputs=99))
  print(message(forget_bias=99))
  for dtype in range(256):
    print(message(inputs=dtype, outputs=99))  # so that none is right
"""


def list_dtypes():
  """XLA's names of its dtypes, by number: the header of this jaxlib lacks two
  that are of no array."""
  header = os.path.join(jax.ffi.include_dir(), "xla", "ffi", "api", "c_api.h")
  with open(header, encoding="utf-8") as file:
    pairs = re.findall(r"XLA_FFI_DataType_(\w+) = (\d+),", file.read())
  names = {int(number): name for name, number in pairs}
  assert names[11] == "F32" and len(names) > 30
  return {13: "TUPLE", 14: "OPAQUE_TYPE", **names}


def test_dtypes_that_are_not_known_are_named_by_their_numbers():
  messages = helpers.run_fresh_script(
    UNKNOWN_DTYPES, _library._PATH
  ).splitlines()
  bias, outputs, forget_bias, *inputs = messages
  assert "bias is unknown dtype (99)[12], expected F32[12]" in bias
  assert "outputs is unknown dtype (99)[2,3,4], expected F32[" in outputs
  assert "forget_bias has another type, expected F64" in forget_bias
  names = list_dtypes()
  assert len(inputs) == 256
  for dtype, got in enumerate(inputs):
    if names.get(dtype) in ("F16", "BF16", "F64"):
      assert "recurrent_kernel is F32[1,12], expected" in got
    elif dtype == 11:
      assert "outputs is unknown dtype (99)" in got
    else:
      name = names.get(dtype, f"unknown dtype ({dtype})")
      assert f"inputs is {name}[2,3,12], expected F16, BF16" in got


DIGESTS = """
  import hashlib, jax
  import jax_helpers
  for cell in jax_helpers.CELLS:
    # Some of the numbers are too small to be normal.
    arguments = jax_helpers.draw(cell, 50, 37, 300, "float32")
    arguments[0] = arguments[0] * 1e-37
    call = jax.jit(jax_helpers.function(cell, activation="relu"))
    results = call(*arguments), jax_helpers.gradients(call, arguments)
    bits = b"".join(leaf.tobytes() for leaf in jax.tree.leaves(results))
    print(cell, hashlib.sha256(bits).hexdigest())
"""


def test_the_same_bits_at_every_run_and_for_any_number_of_threads():
  digests = {
    helpers.run_fresh_script(DIGESTS, NPROC=threads) for threads in ("1", "7")
  }
  assert len(digests) == 1
  assert len(digests.pop().splitlines()) == len(CELLS)


WITHOUT_LIBRARY = """
  import ctypes, sys, jax
  jax.config.update("jax_enable_x64", True)
  load, ctypes.CDLL = ctypes.CDLL, lambda path: exec("raise OSError('refused')")
  import tf_contrib_rnn.jax
  ctypes.CDLL = load
  assert "refused" in tf_contrib_rnn.jax.fused_available().reason
  import jax_helpers
  arguments = jax_helpers.draw("indy_lstm", 4, 3, 5)
  call = jax.jit(jax_helpers.function("indy_lstm"))
  assert "custom_call" not in call.lower(*arguments).as_text()
  for results in call(*arguments), jax_helpers.gradients(call, arguments):
    print(repr(float(jax_helpers.weigh(results))))
"""


def test_without_a_library_the_primitives_are_composed():
  arguments = jax_helpers.draw("indy_lstm", 4, 3, 5)
  call = jax.jit(jax_helpers.function("indy_lstm"))
  assert "custom_call" in call.lower(*arguments).as_text()
  results = call(*arguments), jax_helpers.gradients(call, arguments)
  want = [jax_helpers.weigh(one) for one in results]
  got = np.float64(helpers.run_fresh_script(WITHOUT_LIBRARY).split())
  np.testing.assert_allclose(got, want, rtol=1e-12)


def ask_about_library(*command):
  try:
    done = subprocess.run(
      [*command, _library._PATH], capture_output=True, text=True, check=True
    )
  except FileNotFoundError:
    pytest.skip(f"{command[0]} is not installed")
  return done.stdout


def test_it_links_neither_tensorflow_nor_jaxlib_nor_python():
  needed = [
    line.split("[")[1].rstrip("]")
    for line in ask_about_library("readelf", "-d").splitlines()
    if "(NEEDED)" in line
  ]
  system = ("libc.", "libm.", "libgcc_s.", "libstdc++.", "ld-linux", "libdl.")
  system += ("libpthread.", "librt.")
  assert needed
  assert [name for name in needed if not name.startswith(system)] == []
  undefined = ask_about_library("nm", "-D", "-C", "--undefined-only")
  for word in ("tensorflow", "absl::", "xla::", "tsl::", "Py", "cuda"):
    assert word not in undefined, word
  exported = ask_about_library("nm", "-D", "--defined-only").split()[2::3]
  assert exported
  assert all(name.startswith("tf_contrib_rnn_") for name in exported)
