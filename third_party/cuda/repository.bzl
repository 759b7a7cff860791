"""This machine's CUDA toolkit, as a repository; an empty one unless asked for."""

# What the kernels are compiled for, where the toolkit knows it. The newest is
# embedded as PTX as well, from which a driver compiles for later GPUs.
_ARCHITECTURES = ["75", "80", "90"]

_BUILD = """
load("@rules_cc//cc:defs.bzl", "cc_library")

package(default_visibility = ["//visibility:public"])

# Linked statically, it needs no CUDA where the library is used.
cc_library(
    name = "runtime",
    srcs = glob(["libcudart_static.a"], allow_empty = True),
    linkopts = {linkopts},
)
"""

_TOOLKIT = """# NVCC is empty where there is no toolkit.
NVCC = {nvcc}
ARCHITECTURES = {architectures}
OPTIONS = {options}
"""

def _folders(repository_ctx):
    """Where a toolkit may lie, the likeliest first."""
    folders = []
    for variable in ["CUDA_HOME", "CUDA_PATH"]:
        if repository_ctx.os.environ.get(variable):
            folders.append(repository_ctx.os.environ[variable])
    nvcc = repository_ctx.which("nvcc")
    if nvcc:
        folders.append(str(nvcc.realpath.dirname.dirname))
    return folders + ["/usr/local/cuda"]

def _find_toolkit(repository_ctx):
    """The toolkit's compiler and static library, or None twice."""
    for folder in _folders(repository_ctx):
        nvcc = repository_ctx.path(folder + "/bin/nvcc")
        for lib in ["lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"]:
            library = repository_ctx.path(folder + "/" + lib + "/libcudart_static.a")
            if nvcc.exists and library.exists:
                return nvcc, library
    return None, None

def _ask(repository_ctx, nvcc, option):
    result = repository_ctx.execute([nvcc, option])
    if result.return_code != 0:
        fail("{} does not run; without TF_CONTRIB_RNN_CUDA=1 the build needs none.\n{}".format(nvcc, result.stderr))
    return result.stdout

def _list_architectures(repository_ctx, nvcc):
    known = _ask(repository_ctx, nvcc, "--list-gpu-arch").strip().split("\n")
    return [a for a in _ARCHITECTURES if "compute_" + a in known]

def _list_options(repository_ctx, nvcc):
    """Smaller code, where every driver that the toolkit needs can unpack it."""
    release = _ask(repository_ctx, nvcc, "--version").partition("release ")[2]
    return ["--compress-mode=size"] if int(release.partition(".")[0]) >= 13 else []

def _installed_cuda_impl(repository_ctx):
    wanted = repository_ctx.os.environ.get("TF_CONTRIB_RNN_CUDA", "0")
    if wanted not in ["0", "1"]:
        fail("TF_CONTRIB_RNN_CUDA is '{}', expected '0' or '1'".format(wanted))
    nvcc, library = None, None
    if wanted == "1":
        nvcc, library = _find_toolkit(repository_ctx)
        if not nvcc:
            fail("No CUDA toolkit to build the GPU kernels with: looked for bin/nvcc and " +
                 "libcudart_static.a in {}. ".format(", ".join(_folders(repository_ctx))) +
                 "Set CUDA_HOME to the toolkit's folder, or build without CUDA.")
        repository_ctx.symlink(library, "libcudart_static.a")
    repository_ctx.file("BUILD", _BUILD.format(
        linkopts = ["-ldl", "-lpthread", "-lrt"] if nvcc else [],
    ))
    repository_ctx.file("toolkit.bzl", _TOOLKIT.format(
        nvcc = repr(str(nvcc) if nvcc else ""),
        architectures = _list_architectures(repository_ctx, nvcc) if nvcc else [],
        options = _list_options(repository_ctx, nvcc) if nvcc else [],
    ))

installed_cuda = repository_rule(
    implementation = _installed_cuda_impl,
    environ = ["TF_CONTRIB_RNN_CUDA", "CUDA_HOME", "CUDA_PATH", "PATH"],
    local = True,
)
