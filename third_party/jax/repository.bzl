"""The headers of XLA's foreign function interface that jaxlib installs for a
Python, as a repository; without jaxlib, an empty one."""

# Neither jax nor jaxlib is imported for it.
_QUERY = """
import importlib.util
import pathlib
spec = importlib.util.find_spec("jaxlib")
include = pathlib.Path(spec.origin).parent / "include" if spec else None
print(include if include and (include / "xla/ffi/api/ffi.h").exists() else "")
"""

_BUILD = """
package(default_visibility = ["//visibility:public"])

load("@rules_cc//cc:defs.bzl", "cc_library")

cc_library(
    name = "ffi",
    hdrs = glob(["include/xla/ffi/api/*.h"], allow_empty = True),
    includes = ["include"],
)
"""

def _installed_jax_impl(repository_ctx):
    python = repository_ctx.os.environ.get("TF_CONTRIB_RNN_PYTHON", "python3")
    if "/" not in python:
        python = repository_ctx.which(python)
    result = repository_ctx.execute([python, "-c", _QUERY])
    if result.return_code != 0:
        fail("{} can't say whether jaxlib is installed.\n".format(python) + result.stderr)
    include = result.stdout.strip()
    if include:
        repository_ctx.symlink(include, "include")
    repository_ctx.file("BUILD", _BUILD)
    repository_ctx.file("jaxlib.bzl", "HAS_JAXLIB = {}\n".format(bool(include)))

installed_jax = repository_rule(
    implementation = _installed_jax_impl,
    environ = ["TF_CONTRIB_RNN_PYTHON"],
    local = True,
)
