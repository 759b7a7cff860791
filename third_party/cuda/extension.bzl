"""The same repository for MODULE.bazel (Bazel 4 knows no module extensions)."""

load("//third_party/cuda:repository.bzl", "installed_cuda")

def _cuda_impl(_module_ctx):
    installed_cuda(name = "cuda")

cuda = module_extension(
    implementation = _cuda_impl,
    environ = ["TF_CONTRIB_RNN_CUDA", "CUDA_HOME", "CUDA_PATH", "PATH"],
)
