#!/bin/sh
# Installs what the build needs from the system's packages, where it is missing:
# Bazel (unless there is a bazel or bazelisk), and with --tests GoogleTest for
# Debian's Bazel, which downloads nothing. With --site it is what the site needs
# alone, and with --browser the browser that tests it as well. Says what to
# install where it can't.
set -eu

missing=
case ${1:-} in
--site) ;;
--browser)
  command -v chromium >/dev/null || missing="$missing chromium"
  command -v chromedriver >/dev/null || missing="$missing chromium-driver"
  ;;
*)
  bazel=$(command -v "${BAZEL:-bazel}" || command -v bazelisk || true)
  [ -n "$bazel" ] || missing="$missing bazel-bootstrap"
  command -v c++ >/dev/null || missing="$missing g++"
  ;;
esac
if ! ${PYTHON:-python3} -c 'import ensurepip' 2>/dev/null; then
  missing="$missing python3-venv"
fi
if [ "${1:-}" = --tests ] && [ ! -d /usr/src/googletest/googletest ]; then
  # Bazel 7 and later fetches it; Debian's has no version to tell.
  major=$([ -z "$bazel" ] || "$bazel" --version | sed -n 's/^bazel \([0-9]*\).*/\1/p')
  [ "${major:-4}" -ge 7 ] || missing="$missing googletest"
fi
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
  as_root=sudo
  sudo -n true 2>/dev/null || as_root=none
fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null; then
  echo "To be installed first, which needs rights (or a system with apt-get)" >&2
  echo "that are not here:" >&2
  echo "  sudo apt-get install$missing" >&2
  echo "In place of bazel-bootstrap, bazelisk on the PATH does as well." >&2
  exit 1
fi
echo "Installing$missing"
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends $missing
