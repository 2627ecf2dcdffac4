#!/usr/bin/env bash
# Sets up and builds one preset. Says nothing when all is up to date.
# usage: scripts/build.sh PRESET [--tests]
set -euo pipefail
root=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
preset=$1 with_tests=${2:-}
build=$root/build/$preset

# Packages are looked for when a build folder is new, or when the list of them has changed.
needs=(); [[ -n $with_tests ]] && needs+=(--tests); [[ $preset == fuzz ]] && needs+=(--fuzz)
stamp="$(cksum <"$root/scripts/setup.sh") ${needs[*]:-}"
if ! grep -qsxF "$stamp" "$build/.setup"; then
  "$root/scripts/setup.sh" ${needs[@]+"${needs[@]}"}
  mkdir -p "$build"; echo "$stamp" >>"$build/.setup"
fi

log=$(mktemp); trap 'rm -f "$log"' EXIT
quietly() {
  "$@" >"$log" 2>&1 && return
  grep -vE '^(-- |\[[0-9]+/[0-9]+\] )' "$log" >&2 || true
  echo "build.sh: '$*' failed" >&2
  exit 1
}

options=()
if [[ -n $with_tests ]]; then
  grep -qs '^UNVEIL_TESTS:BOOL=ON' "$build/CMakeCache.txt" || options=(-DUNVEIL_TESTS=ON)
elif [[ ! -e $build/build.ninja ]]; then
  options=(-DUNVEIL_TESTS=OFF)
fi
if [[ ! -e $build/build.ninja || ${#options[@]} != 0 ]]; then
  echo "configuring build/$preset" >&2
  (cd "$root" && quietly cmake --preset "$preset" ${options[@]+"${options[@]}"})
fi

target=unveil; [[ -n $with_tests || $preset == fuzz ]] && target=all
steps=$(ninja -C "$build" -n "$target" | grep -c '^\[[1-9]' || true)
[[ $steps == 0 ]] || echo "building build/$preset" >&2
if [[ $steps != 0 && -t 2 ]]; then
  ninja -C "$build" "$target" >&2
else
  quietly ninja -C "$build" "$target"
fi
