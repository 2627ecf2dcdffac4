#!/usr/bin/env bash
# How soon is it seen that a rule left a list or came back? Unpacks the dated lists for a while and replays them.
# usage: bench/filter_tracking.sh ARCHIVE.tar.zst [PASSES_A_DAY [WITH_FAILURES]]     needs zstd, tar, and build/release with -DUNVEIL_BENCH=ON
set -euo pipefail
root=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
# The archive was packed with a window of 256 MB.
zstd --long=28 -dcq "$1" | tar -x -C "$work"
"$root/build/release/bin/bench_filter_tracking" "$work" "${@:2}"
