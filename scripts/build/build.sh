#!/bin/sh
# build.sh -- configures and builds; says nothing when there is nothing to do.
#
#   scripts/build/build.sh DIRECTORY [TARGETS] [CMAKE OPTION...]
#
# The compiler's output is shown only when it failed.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
directory=$1
targets=${2:-all}
shift
[ $# -gt 0 ] && shift

log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() {
  "$@" >"$log" 2>&1 && return 0
  cat "$log" >&2
  echo "build: failed in $directory" >&2
  exit 1
}

if [ ! -f "$directory/CMakeCache.txt" ]; then
  if command -v ninja >/dev/null; then set -- -G Ninja "$@"; fi
  echo "building in ${directory#"$root"/} ..."
fi
quietly cmake -S "$root" -B "$directory" "$@"
# shellcheck disable=SC2086
quietly cmake --build "$directory" --parallel "$(nproc 2>/dev/null || echo 2)" \
  --target $targets
