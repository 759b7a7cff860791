"""CUDA sources compiled by the toolkit's nvcc."""

load("@cuda//:toolkit.bzl", "ARCHITECTURES", "NVCC", "OPTIONS")
load("@rules_cc//cc:defs.bzl", "cc_library")

# Denormal numbers count as zeros, as in TensorFlow's threads on a CPU.
_OPTIONS = [
    "--x=cu",
    "--std=c++17",
    "--optimize=3",
    "--ftz=true",
    "--compiler-options=-fPIC,-fvisibility=hidden",
]

def if_cuda(yes, no = []):
    """`yes` where there is a CUDA toolkit to build with, else `no`."""
    return yes if NVCC else no

def _architecture_options():
    codes = [(a, "sm_" + a) for a in ARCHITECTURES]
    if codes:
        codes[-1] = (codes[-1][0], "[{},compute_{}]".format(codes[-1][1], codes[-1][0]))
    return ["--generate-code=arch=compute_{},code={}".format(a, code) for a, code in codes]

def _cuda_object_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".pic.o")
    ctx.actions.run(
        executable = NVCC,
        arguments = _OPTIONS + OPTIONS + _architecture_options() +
                    ["--define-macro=" + define for define in ctx.attr.defines] +
                    ["--include-path=.", "--compile", ctx.file.src.path, "--output-file=" + output.path],
        inputs = [ctx.file.src] + ctx.files.hdrs,
        outputs = [output],
        mnemonic = "Nvcc",
        progress_message = "Compiling CUDA " + ctx.label.name,
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([output]))]

_cuda_object = rule(
    implementation = _cuda_object_impl,
    attrs = {
        "src": attr.label(allow_single_file = [".cu.cc"]),
        "hdrs": attr.label_list(allow_files = [".h"]),
        "defines": attr.string_list(),
    },
)

def cuda_library(name, objects, hdrs, deps, **arguments):
    """A library of CUDA objects; without a toolkit, an empty one.

    Args:
      name: its name.
      objects: for each object, by its name, its source and a list of macros.
      hdrs: all headers that the sources include.
      deps: the libraries that it is linked with.
      **arguments: the others of a cc_library.
    """
    for object_name, (src, defines) in objects.items() if NVCC else []:
        _cuda_object(name = object_name, src = src, hdrs = hdrs, defines = defines)
    cc_library(
        name = name,
        srcs = [":" + object_name for object_name in objects] if NVCC else [],
        deps = deps + ["@cuda//:runtime"],
        **arguments
    )
