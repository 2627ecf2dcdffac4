#!/usr/bin/env bash
# How fast are OONI measurements read beside what a user would otherwise run? Same file, same machine, same run.
# usage: bench/ooni.sh [MEGABYTES] [RUNS]     default 500 MB, 3 runs of each, medians; peers that are not installed are left out
# The file repeats the public samples from ../shared under other names, one measurement a line. unveil-read is what unveil does with every file: unpack, digest, find the lines,
# check UTF-8 and structure, take out names, answers, connections, handshakes, headers, controls. unveil-score: and three scorers and the book.
# jq and python print test and verdict of each line and do no more.
set -euo pipefail
megabytes=${1:-500}; runs=${2:-3}
project=$(cd "$(dirname "$0")/.." && pwd); samples=$project/../shared/data/interference
work=$project/build/bench; mkdir -p "$work"
[[ -d $samples ]] || { echo "the samples are not at $samples" >&2; exit 77; }
[[ -x /usr/bin/time ]] || { echo "needs GNU time: apt-get install time" >&2; exit 1; }
bench=${BENCH:-$project/build/release/bin/bench_ooni}
[[ -x $bench ]] || { echo "build first: cmake --preset release -DUNVEIL_BENCH=ON && ninja -C build/release bench_ooni" >&2; exit 1; }
data=$work/ooni_$megabytes.jsonl
[[ -s $data ]] || { "$bench" make "$data.part" "$megabytes" "$samples" && mv "$data.part" "$data"; }

# name -> one line "wall cpu peak_mb" a run in $work/NAME.times
measure() {
  local name=$1; shift
  /usr/bin/time -a -o "$work/$name.times" -f '%e %U %S %M' "$@" >"$work/$name.out" 2>"$work/$name.err" ||
    { echo "$name failed:" >&2; tail -3 "$work/$name.err" >&2; exit 1; }
}
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
python_script='import json, sys
for line in open(sys.argv[1], "rb"):
    m = json.loads(line)
    print(m["test_name"], (m.get("test_keys") or {}).get("blocking"))'
names=(unveil-read unveil-score)
command -v jq >/dev/null && names+=(jq)
command -v python3 >/dev/null && names+=(python)
rm -f "$work"/{unveil-read,unveil-score,jq,python}.times
for ((run = 1; run <= runs; ++run)); do
  for name in "${names[@]}"; do
    case $name in
      unveil-read) measure "$name" "$bench" read "$data" 1 ;;
      unveil-score) measure "$name" "$bench" score "$data" 1 ;;
      jq) measure "$name" jq -c '[.test_name,.test_keys.blocking]' "$data" ;;
      python) measure "$name" python3 -c "$python_script" "$data" ;;
    esac
  done
done
lines=$(wc -l <"$data")
grep -q " $lines measurements" "$work/unveil-read.out" || { echo "unveil counted something else than $lines:" >&2; cat "$work/unveil-read.out" >&2; exit 1; }
for peer in jq python; do
  [[ ! -s $work/$peer.out ]] || (($(wc -l <"$work/$peer.out") == lines)) || { echo "$peer counted something else" >&2; exit 1; }
done
bytes=$(stat -c %s "$data")
echo "$lines measurements, $((bytes / 1000000)) MB; medians of $runs runs"
printf '%-14s %8s %8s %10s %8s\n' program 'wall s' 'CPU s' 'MB/CPU s' 'peak MB'
for name in "${names[@]}"; do
  cpu=$(awk '{ print $2 + $3 }' "$work/$name.times" | median)
  printf '%-14s %8.2f %8.2f %10.0f %8.1f\n' "$name" "$(awk '{ print $1 }' "$work/$name.times" | median)" "$cpu" \
    "$(awk -v b="$bytes" -v c="$cpu" 'BEGIN { print b / 1e6 / c }')" "$(awk '{ print $4 / 1024 }' "$work/$name.times" | median)"
done
