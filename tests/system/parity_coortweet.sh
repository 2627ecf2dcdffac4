#!/usr/bin/env bash
# Goal: --semantics coortweet gives CooRTweet 2.1.3's own output, value for value.
# Method: seven saved runs on 35,125 real shares; pairs.csv and edges.csv must be the same sets of lines.
# usage: parity_coortweet.sh BINARY
set -euo pipefail
binary=$1
data=$(dirname "$0")/../../../shared/data/posts
[[ -e $data/russian_coord_tweets.csv.gz ]] || { echo "skipped: $data is not there"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
failed=0
# Lines of a table without its header, in byte order. The saved edges come out of igraph, which writes the two ends of
# an undirected edge in either order: put the smaller first. R's writer rounds some means differently in the 15th digit:
# means and symmetry scores are compared to 13 digits.
body() {
  if [[ $1 == edges ]]; then tail -n +2 | awk -F, -v OFS=, '$1 > $2 { swap = $1; $1 = $2; $2 = swap } { $4 = sprintf("%.13g", $4); $7 = sprintf("%.13g", $7) } 1'; else tail -n +2; fi |
    LC_ALL=C sort
}
check() {
  local name=$1; shift
  "$binary" coordination "$data/russian_coord_tweets.csv.gz" --semantics coortweet --pairs --quiet --out "$work/$name" "$@" >/dev/null
  for table in pairs edges; do
    zcat "$data/russian_${name}_$table.csv.gz" | body $table >"$work/expected"
    body $table <"$work/$name/$table.csv" >"$work/found"
    missing=$(LC_ALL=C comm -23 "$work/expected" "$work/found" | wc -l)
    extra=$(LC_ALL=C comm -13 "$work/expected" "$work/found" | wc -l)
    printf '%-22s %-6s %7d lines, %d missing, %d extra or different\n' "$name" "$table" "$(wc -l <"$work/found")" "$missing" "$extra"
    [[ $missing == 0 && $extra == 0 ]] || { failed=1; LC_ALL=C diff "$work/expected" "$work/found" | head -6 || true; }
    diff <(zcat "$data/russian_${name}_$table.csv.gz" | head -1) <(head -1 "$work/$name/$table.csv") || failed=1
  done
}
check tw60_mp2 --window 60s --min-participation 2
check tw10_mp2_default --window 10s --min-participation 2
check tw10_mp5_loopsTRUE --window 10s --min-participation 5
check tw10_mp5_keeploops --window 10s --min-participation 5 --keep-loops
check tw60_mp1 --window 60s --min-participation 1
check tw0_mp2 --window 0s --min-participation 2
check tw3600_mp2 --window 3600s --min-participation 2
exit $failed
