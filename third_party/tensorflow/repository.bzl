"""The TensorFlow that is installed for a Python, as a repository."""

_QUERY = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
print(tf.sysconfig.get_include())
print(tf.sysconfig.get_lib())
print(" ".join(f for f in tf.sysconfig.get_compile_flags() if f[:2] == "-D"))
"""

_BUILD = """
package(default_visibility = ["//visibility:public"])

load("@rules_cc//cc:defs.bzl", "cc_library")

# One label for the whole folder: a glob over its thousands of headers takes
# longer than the build.
cc_library(
    name = "framework",
    srcs = ["libtensorflow_framework.so.2"],
    hdrs = ["include"],
    includes = ["include"],
    defines = {defines},
)
"""

def _installed_tensorflow_impl(repository_ctx):
    python = repository_ctx.os.environ.get("TF_CONTRIB_RNN_PYTHON", "python3")
    if "/" not in python:
        python = repository_ctx.which(python)
    result = repository_ctx.execute([python, "-c", _QUERY])
    if result.return_code != 0:
        fail("No TensorFlow to build against: {} can't import it. Set ".format(python) +
             "--repo_env=TF_CONTRIB_RNN_PYTHON to a Python that can.\n" + result.stderr)
    include, lib, defines = result.stdout.strip().split("\n")[-3:]
    library = "libtensorflow_framework.so.2"
    repository_ctx.symlink(include, "include")
    repository_ctx.symlink(lib + "/" + library, library)
    repository_ctx.file("BUILD", _BUILD.format(
        defines = repr([flag[2:] for flag in defines.split(" ")]),
    ))

installed_tensorflow = repository_rule(
    implementation = _installed_tensorflow_impl,
    environ = ["TF_CONTRIB_RNN_PYTHON"],
    local = True,
)
