#!/usr/bin/env bash
# Builds the fuzz preset and runs every target for SECONDS each. usage: fuzz/quick_check.sh [SECONDS] [TARGET...]
# What crashes is left in fuzz/regressions/TARGET: fix it and commit the input.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-30}; shift || true
targets=("$@")
if [[ ${#targets[@]} == 0 ]]; then
  for source in fuzz/fuzz_*.cpp; do name=${source##*/fuzz_}; targets+=("${name%.cpp}"); done
fi
cmake --preset fuzz >/dev/null
names=(); for name in "${targets[@]}"; do names+=("fuzz_$name"); done
cmake --build --preset fuzz --target "${names[@]}"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
failed=0
for name in "${targets[@]}"; do
  mkdir -p "fuzz/regressions/$name" "$work/$name"
  dictionary=(); [[ -e fuzz/corpus/$name.dict ]] && dictionary=(-dict="fuzz/corpus/$name.dict")
  echo "== $name, $seconds s"
  UBSAN_OPTIONS=print_stacktrace=1 "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=8192 -print_final_stats=1 -verbosity=0 "${dictionary[@]}" -artifact_prefix="fuzz/regressions/$name/" \
    "$work/$name" "fuzz/corpus/$name" "fuzz/regressions/$name" || failed=1
done
exit $failed
