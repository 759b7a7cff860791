# make demo     sets everything up and runs a migrated TensorFlow 1 program
# make test     sets everything up and runs the tests that CI runs
# make test-quick
#               those that start no processes, for before a commit
# make test-all every test, with the full products of their parameters, and the
#               C++ tests in every build: what a release runs
# make bench    measures everything anew, into docs/benchmarks.md: a quarter of
#               an hour, in which the machine should be quiet
# make gpu-test, make gpu-bench
#               prove and measure the GPU kernels; need nvcc, a GPU and a PYTHON
#               with PyTorch, and neither Bazel nor TensorFlow
# make lint     checks formats and common mistakes
# make build    only sets up: the environment, and the libraries in it
# make wheels   one wheel for every TensorFlow minor, and the source
#               distribution, in dist/
# make test-wheels
#               installs that wheel into clean environments and uses it there
# make site     the documentation site, in build/site
# make test-site
#               loads all of its pages in headless Chromium, which it installs
# make clean    removes what the others made
#
# Give TF=2.18.1 to do the same with another TensorFlow, in an environment
# beside the first; TF=nightly takes the one that comes. Give CUDA=1 to build
# the GPU kernels as well, which takes nvcc a quarter of an hour.

TF_DEFAULT := 2.21.0
TF ?= $(TF_DEFAULT)
PYTHON ?= python3
# The wheels without CUDA are named tensorflow-cpu on x86-64 only.
TF_PACKAGE ?= $(if $(filter x86_64,$(shell uname -m)),tensorflow-cpu,tensorflow)

# Bazel and tools/build_libraries.py read it.
export TF_CONTRIB_RNN_CUDA := $(or $(CUDA),$(TF_CONTRIB_RNN_CUDA),0)

ifeq ($(TF),nightly)
tensorflow := tf-nightly
tf_keras := tf-keras-nightly
else
tensorflow := $(TF_PACKAGE)==$(TF)
tf_keras = tf-keras~=$(minor).0
endif

minor := $(word 1,$(subst ., ,$(TF))).$(word 2,$(subst ., ,$(TF)))
venv := .venv$(if $(filter $(TF_DEFAULT),$(TF)),,-tf$(TF))
bin := $(venv)/bin
# TensorFlow 2.20 permits protobuf 7, and fails with it: see docs/installing.md.
protobuf := $(if $(filter 2.20,$(minor)),'protobuf<7')
built := $(venv)/.built-cuda$(TF_CONTRIB_RNN_CUDA)
sources := $(shell find cc third_party -type f) \
	setup.py tools/build_libraries.py pyproject.toml WORKSPACE MODULE.bazel .bazelrc \
	tf_contrib_rnn/version.py
c_sources := $(shell find cc -name '*.h' -o -name '*.cc')

export BAZEL ?= $(or $(shell command -v bazel),$(shell command -v bazelisk),bazel)
ifneq (,$(findstring bazelisk,$(BAZEL)))
# The release that MODULE.bazel was tried with.
export USE_BAZEL_VERSION ?= 7.7.1
endif
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

for_tensorflow = --repo_env=TF_CONTRIB_RNN_PYTHON=$(CURDIR)/$(bin)/python3
cc_tests := //cc/cells/... //cc/recurrence/...
# Without the GPU kernels, which the library has only where they are asked for.
cc_cpu_tests := //cc/cells/... //cc/recurrence:recurrence_test \
	//cc/recurrence:shared_work_test
# JAX is for the default TensorFlow alone: see there.
requirements := requirements-dev.txt \
	$(if $(filter $(TF_DEFAULT),$(TF)),requirements-jax.txt)

# Each worker runs whole files, whose set-up it then does once. One more than
# CI's processors: some wait for other processes. With a new worker for one that
# died, pytest-xdist waits for ever.
pytest := $(bin)/python3 -m pytest -n 3 --dist loadfile --no-loadscope-reorder \
	--max-worker-restart 0 --durations 10

# Those that both TensorFlow and JAX have wheels for.
check_python := $(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	sys.exit(None if (3, 11) <= v <= (3, 13) else \
	"PYTHON=$(PYTHON) is Python %d.%d, expected 3.11 to 3.13" % v)'

.PHONY: demo test test-quick test-all test-kernels test-sanitized test-threads bench gpu-test gpu-bench lint format build wheels test-wheels site test-site clean
.DELETE_ON_ERROR:

build: $(built)

demo: build
	$(bin)/python examples/legacy_digits/legacy_digits.py eval
	$(bin)/python examples/legacy_digits/legacy_digits.py train --epochs 5

test: build lint test-kernels test-sanitized test-threads
	$(pytest)

test-quick: build lint
	$(pytest) --quick

test-all: build lint test-sanitized test-threads
	$(BAZEL) test $(for_tensorflow) --config=sanitize $(cc_tests)
	$(BAZEL) test $(for_tensorflow) $(cc_tests)
	$(pytest) --all

# With every instruction set; what they are made of is compiled already.
test-kernels:
	tools/install_system_packages.sh --tests
	$(BAZEL) test $(for_tensorflow) $(cc_cpu_tests)

# AddressSanitizer and UBSan: in C++ the rest could pass by luck.
test-sanitized:
	tools/install_system_packages.sh --tests
	$(BAZEL) test $(for_tensorflow) --config=sanitize $(cc_cpu_tests)

# ThreadSanitizer: the one class that several threads use at once.
test-threads:
	tools/install_system_packages.sh --tests
	$(BAZEL) test $(for_tensorflow) --config=thread_sanitizer \
	  //cc/recurrence:shared_work_test

bench: build
	$(bin)/pip install -q -r requirements-benchmarks.txt
	$(bin)/python benchmarks/run.py

gpu-test:
	$(PYTHON) tests/gpu/check_kernels.py
	$(PYTHON) tests/gpu/check_kernels.py --sanitize
	$(PYTHON) tests/gpu/check_jax.py
	$(PYTHON) tests/gpu/check_tensorflow.py

gpu-bench:
	$(PYTHON) benchmarks/gpu.py
	$(PYTHON) benchmarks/gpu_jax.py

lint: $(venv)/.installed
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/clang-format --style=Google --dry-run --Werror $(c_sources)
	$(if $(filter $(TF_DEFAULT),$(TF)),$(bin)/mypy)
	$(if $(filter $(TF_DEFAULT),$(TF)),$(bin)/pyright)

format: $(venv)/.installed
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	$(bin)/clang-format --style=Google -i $(c_sources)

wheels:
	tools/install_system_packages.sh
	$(PYTHON) tools/build_wheels.py

test-wheels:
	$(PYTHON) tools/try_wheels.py

# The variable silences Material's news of other programs.
site: .venv-site/.installed
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --strict

test-site: site
	tools/install_system_packages.sh --browser
	.venv-site/bin/python tests/site/check_site.py

# Without the frameworks: the site is made from the sources alone.
.venv-site/.installed: requirements-site.txt
	tools/install_system_packages.sh --site
	$(PYTHON) -m venv .venv-site
	.venv-site/bin/pip install -q -r requirements-site.txt
	touch $@

# tf-keras depends on tensorflow, which would be installed over tensorflow-cpu.
$(venv)/.installed: $(requirements)
	$(if $(filter $(TF_DEFAULT),$(TF)),@$(check_python))
	tools/install_system_packages.sh
	$(PYTHON) -m venv $(venv)
	$(bin)/pip install -q $(tensorflow) $(protobuf) $(addprefix -r ,$(requirements))
	$(bin)/pip install -q --no-deps $(tf_keras)
	touch $@

# With Bazel, whose tests share what it compiles. Without make, pip compiles.
$(built): $(venv)/.installed $(sources)
	$(bin)/python3 tools/build_libraries.py
	TF_CONTRIB_RNN_PREBUILT=1 \
	  $(bin)/pip install -q --no-build-isolation --no-deps -e .
	rm -f $(venv)/.built-*
	touch $@

clean:
	rm -rf .venv .venv-tf* .venv-site build dist *.egg-info
	rm -f tf_contrib_rnn/*.so tf_contrib_rnn/jax/*.so
	$(BAZEL) clean
