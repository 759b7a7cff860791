"""The same repository for MODULE.bazel (Bazel 4 knows no module extensions)."""

load("//third_party/jax:repository.bzl", "installed_jax")

def _jax_impl(_module_ctx):
    installed_jax(name = "jax")

jax = module_extension(
    implementation = _jax_impl,
    environ = ["TF_CONTRIB_RNN_PYTHON"],
)
