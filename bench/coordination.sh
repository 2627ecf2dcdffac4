#!/usr/bin/env bash
# How fast is `unveil coordination` beside what a user would otherwise run? Same data, same machine, same run.
# usage: bench/coordination.sh [POSTS] [RUNS]     default 5000000 posts, 3 runs of each, medians
# Peers: the naive one-thread floor (sort, sliding window, sorted edges; integer ids only) and DuckDB's bucket join.
# unveil counts edges alone; unveil-chance the same edges with both p- and q-values; unveil-default what a plain run does:
# edges beyond chance with their posts, communities, tiers and rhythm. All count the same pairs; CPU seconds are the figure to compare, since machines are shared and noisy.
set -euo pipefail
posts=${1:-5000000}; runs=${2:-3}
project=$(cd "$(dirname "$0")/.." && pwd); peers=$project/../shared/bench/coordination
work=$project/build/bench; mkdir -p "$work"
[[ -d $peers ]] || { echo "the generator and the peers are not at $peers" >&2; exit 77; }
[[ -x /usr/bin/time ]] || { echo "needs GNU time: apt-get install time" >&2; exit 1; }
unveil=${UNVEIL:-$project/build/release/bin/unveil}
[[ -x $unveil ]] || { echo "build first: ./run --version" >&2; exit 1; }

for program in gen_posts floor; do
  [[ $work/$program -nt $peers/$program.cpp ]] || g++ -O2 -o "$work/$program" "$peers/$program.cpp"
done
data=$work/posts_$posts.csv
[[ -s $data ]] || { "$work/gen_posts" "$posts" "$data.part" && mv "$data.part" "$data"; }
if [[ ! -d $work/node_modules/@duckdb/node-api ]]; then
  (cd "$work" && npm install --silent --no-audit --no-fund --ignore-scripts @duckdb/node-api@1.5.4-r.1 >/dev/null)
fi
cp "$peers/duckdb_join.mjs" "$work/duckdb_join.mjs"

# name -> one line "wall cpu peak_mb" a run in $work/NAME.times
measure() {
  local name=$1; shift
  /usr/bin/time -a -o "$work/$name.times" -f '%e %U %S %M' "$@" >"$work/$name.out" 2>"$work/$name.err" ||
    { echo "$name failed:" >&2; tail -3 "$work/$name.err" >&2; exit 1; }
}
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
common=(coordination "$data" --window 60s --min-weight 2 --quiet)
edges_alone=(--chance off)
with_chance=(--keep weight --communities off)
names=(floor duckdb-bucket unveil unveil-2-threads unveil-coortweet unveil-chance unveil-default)
rm -f "$work"/*.times
for ((run = 1; run <= runs; ++run)); do
  measure floor "$work/floor" "$data" 60 2
  measure duckdb-bucket node "$work/duckdb_join.mjs" "$data" 60 bucket
  measure unveil "$unveil" "${common[@]}" "${edges_alone[@]}" --threads 1 --out "$work/out"
  measure unveil-2-threads "$unveil" "${common[@]}" "${edges_alone[@]}" --threads 2 --out "$work/out_2"
  measure unveil-coortweet "$unveil" "${common[@]}" --threads 1 --semantics coortweet --out "$work/out_coortweet"
  measure unveil-chance "$unveil" "${common[@]}" "${with_chance[@]}" --threads 1 --out "$work/out_chance"
  measure unveil-default "$unveil" "${common[@]}" --threads 1 --out "$work/out_default"
done
cmp "$work/out/findings.json" "$work/out_2/findings.json" && cmp "$work/out/edges.csv" "$work/out_2/edges.csv"

count() { grep -o "\"metric\":\"co-share.$1\",[^}]*\"value\":[0-9]*" "$work/out_coortweet/findings.json" | grep -o '[0-9]*$'; }
pairs=$(count pairs); edges=$(count edges_found)
for peer in floor duckdb-bucket; do
  grep -q "pairs=$pairs edges=$edges" "$work/$peer.out" || { echo "$peer counted something else:" >&2; cat "$work/$peer.out" >&2; exit 1; }
done
echo "$posts posts asked for, $pairs pairs within 60 s, $edges edges: the same from all; medians of $runs runs"
printf '%-18s %8s %8s %8s %10s %10s\n' program 'wall s' 'CPU s' 'peak MB' 'CPU/floor' 'CPU/DuckDB'
cpu() { awk '{ print $2 + $3 }' "$work/$1.times" | median; }
floor_cpu=$(cpu floor); duckdb_cpu=$(cpu duckdb-bucket)
for name in "${names[@]}"; do
  own=$(cpu "$name")
  printf '%-18s %8.2f %8.2f %8.0f %10.2f %10.3f\n' "$name" "$(awk '{ print $1 }' "$work/$name.times" | median)" "$own" \
    "$(awk '{ print $4 / 1024 }' "$work/$name.times" | median)" "$(echo "$own $floor_cpu" | awk '{ print $1 / $2 }')" \
    "$(echo "$own $duckdb_cpu" | awk '{ print $1 / $2 }')"
done
awk -v with="$(cpu unveil-chance)" -v without="$(cpu unveil)" \
  'BEGIN { printf "p- and q-values of both null models on every edge: %.2f x the CPU of the edges alone\n", with / without }'
