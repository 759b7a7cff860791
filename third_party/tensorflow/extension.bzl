"""The same repository for MODULE.bazel (Bazel 4 knows no module extensions)."""

load("//third_party/tensorflow:repository.bzl", "installed_tensorflow")

def _tensorflow_impl(_module_ctx):
    installed_tensorflow(name = "tensorflow")

tensorflow = module_extension(
    implementation = _tensorflow_impl,
    environ = ["TF_CONTRIB_RNN_PYTHON"],
)
