#!/usr/bin/env bash
# Makes sure that the Debian packages unveil is built from are there, and installs what is missing.
# usage: scripts/setup.sh [--tests] [--fuzz]      Silent when nothing is missing.
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config git ca-certificates
  libfmt-dev libssl-dev libicu-dev zlib1g-dev liblzma-dev libzstd-dev libsqlite3-dev libsimdjson-dev
  nlohmann-json3-dev libexpected-dev libtomlplusplus-dev libcli11-dev libxxhash-dev libcpp-httplib-dev libre2-dev)
# A newer Node.js than Debian's brings its own npm and cannot live beside the package.
command -v npm >/dev/null || packages+=(npm nodejs)
for argument in "$@"; do
  case $argument in
    --tests) packages+=(libgtest-dev libgmock-dev sqlite3 chromium zstd xz-utils libigraph-dev) ;;
    --fuzz) packages+=(clang libfuzzer-14-dev libclang-rt-14-dev) ;;
    *) echo "setup.sh: unknown argument '$argument'" >&2; exit 2 ;;
  esac
done

missing=()
status=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
for package in "${packages[@]}"; do
  grep -qx "$package installed" <<<"$status" || missing+=("$package")
done
[[ ${#missing[@]} == 0 ]] && exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "setup.sh: this is not Debian; install what these packages hold: ${missing[*]}" >&2
  exit 1
fi
if [[ $(id -u) == 0 ]]; then
  as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n env)
else
  echo "unveil needs ${#missing[@]} Debian packages more. Run this once, then the same command again:" >&2
  echo "  sudo apt-get update && sudo $install" >&2
  exit 1
fi

echo "installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
log=$(mktemp); trap 'rm -f "$log"' EXIT
run_quietly() {
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 && return
  echo "setup.sh: '$*' failed:" >&2
  grep -E '^(E|W|Err|dpkg)' "$log" >&2 || tail -20 "$log" >&2
  exit 1
}
run_quietly apt-get update -qq
run_quietly $install
